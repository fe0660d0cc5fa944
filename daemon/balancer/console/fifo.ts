/**
 * The console on a named pipe: commands are written into it, and answers go to the log, there being no other place. Whoever may write
 * there can switch servers off, so it belongs to us or to root. `quit` means nothing here.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NetLog } from '../../net/log.js';
import { codeOf, reasonOf } from '../../sys/errors.js';
import { makeFifo } from '../../sys/fifo.js';
import { interpret } from './interpret.js';
import { keepOpen, RETRY_MS, type Served } from './keep.js';
import { createLineReader, LINE_BYTES_MAX, type LineEvent } from './lines.js';
import { type ConsoleHost, newSession } from './types.js';

/** Of one answer. */
const LOGGED_LINES_MAX = 200;

/** Never throws: what cannot be opened is logged, and tried again. The fifo is made where there is none, and gone after close(). */
export function serveFifo(path: string, host: ConsoleHost, log: NetLog, retryMs = RETRY_MS): Served {
  const session = newSession(`fifo ${path}`);
  /** Of the fifo that this made, to know it again. */
  let made: { dev: number; ino: number } | null = null;
  let opened: { dev: number; ino: number } | null = null;
  let socket: Socket | null = null;
  let closed = false;
  let work: Promise<void> = Promise.resolve();

  async function open(): Promise<string> {
    try {
      const now = statOf(path);
      if (socket !== null && now !== null && opened !== null && isSame(now, opened)) return '';
      socket?.destroy();
      socket = null;
      if (now === null) {
        makeFifo(path);
        made = statOf(path);
      }
      attach();
    } catch (error) {
      return error instanceof Unfit ? error.message : reasonOf(error);
    }
    log.info({}, `commands are taken from the fifo ${path}`);
    return '';
  }

  /** Opens it for reading: until the last writer has closed it, then for the next ones. */
  function attach(): void {
    const { fd, stat } = openFifo(path);
    opened = stat;
    if (made === null && (stat.mode & 0o022) !== 0 && socket === null)
      log.warn({}, `others than its owner may write to the fifo ${path}, and switch servers off`);
    const own = new Socket({ fd, readable: true, writable: false });
    socket = own;
    const reader = createLineReader({ endsAtCtrlD: false });
    const take = (events: LineEvent[]): Promise<void> => {
      work = work.then(() => carryOut(events));
      return work;
    };
    own.on('data', (chunk: Buffer) => {
      own.pause();
      void take(reader.push(chunk)).then(() => own.resume());
    });
    own.on('error', (error) => log.warn({}, `the fifo ${path}: ${error.message}`));
    own.once('end', () => {
      void take(reader.end());
      if (closed || socket !== own) return;
      try {
        // Before the old one is closed: a pipe without a reader would end whoever writes.
        attach();
      } catch {
        // It is gone: the next look says so, and makes a new one.
        socket = null;
      }
    });
  }

  async function carryOut(events: readonly LineEvent[]): Promise<void> {
    for (const event of events) {
      if (closed) return;
      if (event.kind === 'too-long') tell([`# a line has at most ${LINE_BYTES_MAX} bytes`]);
      if (event.kind !== 'line') continue;
      log.debug({}, `fifo ${path}: ${JSON.stringify(event.text)}`);
      const { text } = await interpret(event.text, session, host);
      tell(text.split('\n').filter((line) => line !== ''));
      // Nobody's many lines keep the balancer from its work.
      await nextTurn();
    }
  }

  function tell(lines: readonly string[]): void {
    for (const line of lines.slice(0, LOGGED_LINES_MAX)) log.info({}, `fifo ${path}: ${line}`);
    const more = lines.length - LOGGED_LINES_MAX;
    if (more > 0) log.info({}, `fifo ${path}: … ${more} more lines`);
  }

  const stop = keepOpen(
    open,
    (problem) => log.error({}, `no commands from the fifo ${path}: ${problem}; it is tried again`),
    retryMs,
  );
  return {
    async close() {
      closed = true;
      await stop();
      socket?.destroy();
      await work;
      try {
        const now = statOf(path);
        if (made !== null && now !== null && isSame(now, made)) unlinkSync(path);
      } catch (error) {
        log.warn({}, `the fifo ${path} cannot be removed: ${reasonOf(error)}`);
      }
    },
  };
}

/** Something is there that is no fifo of ours. */
class Unfit extends Error {}

/** Throws `Unfit`, or an error of the system. */
function openFifo(path: string): { fd: number; stat: Stats } {
  const advice = 'it is left alone; remove it, or name another path with Management.Fifo.Path';
  // Anything else may do harm by being opened.
  if (statOf(path)?.isFIFO() === false) throw new Unfit(`it is no fifo: ${advice}`);
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  const stat = fstatSync(fd);
  const mine = stat.uid === 0 || stat.uid === process.geteuid?.();
  if (stat.isFIFO() && mine) return { fd, stat };
  closeSync(fd);
  throw new Unfit(`${stat.isFIFO() ? `it belongs to user ${stat.uid}` : 'it is no fifo'}: ${advice}`);
}

/** null where there is nothing. */
function statOf(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function isSame(one: { dev: number; ino: number }, other: { dev: number; ino: number }): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}
