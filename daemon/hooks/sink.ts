/** Where the output of a run goes: its named pipe, and from there the log, each line with the hook's name. */
import { rmSync } from 'node:fs';
import { messageOf } from '../sys/errors.js';
import { makeFifo } from '../sys/fifo.js';
import type { HookContext } from './context.js';
import { type HookOutput, readOutput } from './output.js';
import type { HookAction, HookResult } from './types.js';

export interface HookSink {
  /** Of the pipe, null where none could be made: the output is lost then. */
  readonly path: string | null;
  /** The program has ended. `held`: somebody still has the pipe open; `last`: the lines that were printed last. */
  endRun(): { held: boolean; last: readonly string[] };
  /** To be called with the result: logs what has waited for it, and how much was cut. */
  tell(result: HookResult): void;
  /** Stops reading and removes the pipe. */
  discard(): void;
  /** Stops reading; another process may read on. */
  close(): void;
}

/** Makes the pipe of a run. Never throws: a hook without a log is better than none. */
export function openSink(context: HookContext, action: HookAction, mark: string): HookSink {
  const { log } = context;
  const path = context.records.outputPath(mark);
  try {
    makeFifo(path);
    return readSink(context, action, path);
  } catch (error) {
    removeFile(path);
    log.warn({ hook: action }, `the output of ${action} is not logged: ${messageOf(error)}`);
    return { path: null, endRun: () => ({ held: false, last: [] }), tell() {}, discard() {}, close() {} };
  }
}

/** Reads a pipe that is there: a new one, or that of a service which an earlier process started. Throws. */
export function readSink(context: HookContext, action: HookAction, path: string): HookSink {
  const { log } = context;
  // `status` runs all the time and mostly prints the same: whether that is news is known when it has ended.
  const waiting: string[] | null = action === 'status' ? [] : null;
  let cutBytes = 0;
  const output: HookOutput = readOutput({
    path,
    clock: context.clock,
    onLine(line) {
      if (waiting === null) log.info({ hook: action }, `${action}: ${line}`);
      else waiting.push(line);
    },
    onCut() {
      log.warn({ hook: action }, `${action}: what its processes print from here on is not logged`);
    },
    // The name is needed for as long as somebody may want to read on.
    onEnd: () => removeFile(path),
  });
  return {
    path,
    endRun() {
      const end = output.endRun();
      cutBytes = end.cutBytes;
      return { held: end.held, last: end.last };
    },
    tell(result) {
      if (waiting !== null) {
        const level = context.statusChanged(result) ? 'info' : 'debug';
        for (const line of waiting) log[level]({ hook: action }, `${action}: ${line}`);
      }
      if (cutBytes > 0)
        log.warn({ hook: action }, `${action}: ${cutBytes} bytes more were printed and are not logged`);
    },
    discard() {
      output.close();
      removeFile(path);
    },
    close: () => output.close(),
  };
}

function removeFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The next runner sweeps what nobody uses.
  }
}
