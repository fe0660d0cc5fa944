/**
 * What hooks print. It goes through a named pipe (fifo) that the hook has open for reading as well as for writing, which is
 * what container runtimes do for the same reason: such a pipe never breaks. A service that `start` left behind, or a
 * `stop` under way, goes on when the process that ran it is killed: no SIGPIPE; and a new process can open the pipe by its
 * name and read on. When nobody reads, 64 KiB fit in, then a writer waits: that is when all of hastmon is gone, and the
 * service should be too. A file instead would have to be bounded while it is written to, or fill the disk.
 * It does not know which hook prints, nor where lines go.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import type { HookClock } from './types.js';

/** What one run may put into the log: bytes, lines, and bytes of a line. */
const bytesMax = 64 * 1024;
const linesMax = 1000;
const lineBytesMax = 1024;
/** What a sentence about the end may quote. */
const tailBytesMax = 2048;
const lastLinesMax = 2;
/** What is beyond is read at this pace, so that a flood costs neither the disk nor this process much. */
const floodPauseMs = 5;
/** At most this much is read at once when the program has ended; somebody else may go on writing. */
const drainBytesMax = 1024 * 1024;

export interface HookOutput {
  /**
   * The program has ended: takes what is in the pipe, also a last line without an end. Tells how many bytes were cut, which lines were
   * the last (two at most, also where what they belong to was cut), and whether somebody still has the pipe open; what such a
   * process prints is taken as before, within the same bound.
   */
  endRun(): { cutBytes: number; last: string[]; held: boolean };
  /** Stops reading. Whoever still writes waits when the pipe is full, until somebody reads again. */
  close(): void;
}

export interface HookOutputOptions {
  path: string;
  clock: HookClock;
  /** A line without its end, printable, at most 1 KiB. */
  onLine(line: string): void;
  /** Once, when the first byte is cut after endRun(). */
  onCut?(): void;
  /** Nobody has the pipe open any more. */
  onEnd?(): void;
}

/** Reads a named pipe that exists. Throws an Error where it cannot be opened. */
export function readOutput(options: HookOutputOptions): HookOutput {
  const fd = openSync(options.path, constants.O_RDONLY | constants.O_NONBLOCK);
  const lines = splitLines(options);
  let socket: Socket;
  try {
    socket = new Socket({ fd, readable: true, writable: false });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  let cancelPause = (): void => {};
  socket.on('data', (chunk: Buffer) => {
    lines.take(chunk);
    if (!lines.full()) return;
    socket.pause();
    cancelPause = options.clock.after(floodPauseMs, () => socket.resume());
  });
  // A pipe that cannot be read has nothing more to say; how the hook ends is told by its exit.
  socket.on('error', () => {});
  socket.on('end', () => options.onEnd?.());
  // Nobody's output keeps this process from ending.
  socket.unref();
  return {
    endRun() {
      // What was read before a pause; it comes as an event.
      while (socket.read() !== null);
      const held = !socket.destroyed && !socket.readableEnded && drain(fd, lines);
      return { ...lines.endRun(), held };
    },
    close() {
      cancelPause();
      socket.destroy();
    },
  };
}

/** Reads what is in the pipe now. True: somebody has it open for writing. */
function drain(fd: number, lines: Lines): boolean {
  const buffer = Buffer.allocUnsafe(64 * 1024);
  try {
    for (let total = 0; total < drainBytesMax; ) {
      const length = readSync(fd, buffer);
      if (length === 0) return false;
      lines.take(buffer.subarray(0, length));
      total += length;
    }
  } catch {
    // EAGAIN: empty, and open.
  }
  return true;
}

interface Lines {
  take(chunk: Buffer): void;
  full(): boolean;
  endRun(): { cutBytes: number; last: string[] };
}

function splitLines(options: Pick<HookOutputOptions, 'onLine' | 'onCut'>): Lines {
  const decoder = new StringDecoder('utf8');
  let bytes = 0;
  let count = 0;
  let cutBytes = 0;
  let partial = '';
  let tail = Buffer.alloc(0);
  let running = true;
  let cutTold = false;

  const emit = (line: string): void => {
    const text = printable(line);
    if (text === '') return;
    count += 1;
    options.onLine(text);
  };
  const full = (): boolean => bytes >= bytesMax || count >= linesMax;
  const cut = (length: number): void => {
    cutBytes += length;
    if (running || cutTold) return;
    cutTold = true;
    options.onCut?.();
  };
  return {
    full,
    take(chunk) {
      if (running) tail = Buffer.concat([tail, chunk.subarray(-tailBytesMax)]).subarray(-tailBytesMax);
      const room = full() ? 0 : Math.min(chunk.length, bytesMax - bytes);
      bytes += room;
      const pieces = (partial + decoder.write(chunk.subarray(0, room))).split('\n');
      partial = pieces.pop() ?? '';
      let taken = 0;
      for (; taken < pieces.length && count < linesMax; taken += 1) emit(pieces[taken] ?? '');
      const beyond = pieces.slice(taken).reduce((sum, piece) => sum + piece.length + 1, chunk.length - room);
      if (beyond > 0) cut(beyond);
    },
    endRun() {
      // A last line without an end, and one that the bound has cut in two.
      emit(partial + decoder.end());
      partial = '';
      running = false;
      return { cutBytes, last: lastLines(tail) };
    },
  };
}

/** The last lines of some output that say something, printable. */
function lastLines(tail: Buffer): string[] {
  const lines = tail.toString('utf8').split('\n').map(printable);
  return lines.filter((line) => line !== '').slice(-lastLinesMax);
}

/** Cut to its greatest length, without half a character, and without the controls that could fool a terminal or forge a line of the log. */
function printable(line: string): string {
  const text = line.length > lineBytesMax ? `${line.slice(0, lineBytesMax - 1)}…` : line;
  return text.replaceAll(/[\p{Cc}\p{Cs}]+/gu, (controls) => (controls === '\t' ? '\t' : ' ')).trimEnd();
}
