/**
 * Everything that a benchmark makes, and its end: one temporary directory for all of it, and what has to be closed, in the
 * reverse order, at the end and on SIGINT, SIGTERM and SIGHUP. It does not know what these things are.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface Stage {
  /** Below it lies every file of the run: TMPDIR points here. */
  readonly directory: string;
  /** Closes `thing` at the end, also where the run is interrupted while it is still being made. */
  hold<Thing extends { close(): Promise<void> }>(making: Promise<Thing>): Promise<Thing>;
  /** Closes it now. */
  release(thing: { close(): Promise<void> }): Promise<void>;
  /** True from the first signal on: errors that follow are its consequence. */
  readonly interrupted: boolean;
  /** Closes all that is held. */
  clear(): Promise<void>;
}

/** Opens the only stage of this process. `keep`: the directory with the logs stays. */
export function openStage(keep: boolean): Stage {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'hastmon-bench-'));
  process.env.TMPDIR = directory;
  // Synchronous, so that it also happens where an error or a second signal ends the process.
  process.on('exit', () => {
    if (!keep) rmSync(directory, { recursive: true, force: true });
  });
  let held: Promise<{ close(): Promise<void> } | null>[] = [];
  let interrupted = false;

  async function clear(): Promise<void> {
    const all = held.reverse();
    held = [];
    for (const making of all) await (await making)?.close();
  }

  function interrupt(): void {
    if (interrupted) process.exit(130);
    interrupted = true;
    const leave = (): never => process.exit(130);
    clear().then(leave, leave);
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);

  return {
    directory,
    get interrupted() {
      return interrupted;
    },
    hold(making) {
      if (interrupted) return new Promise(() => {});
      held.push(making.catch(() => null));
      return making;
    },
    async release(thing) {
      const settled = await Promise.all(held);
      held = held.filter((_making, index) => settled[index] !== thing);
      await thing.close();
    },
    clear,
  };
}
