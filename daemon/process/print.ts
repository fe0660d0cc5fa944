/**
 * Results of a program on its standard output, written when the call returns: a stream would tell of a full disk or a reader
 * that is gone only later, when the exit status is given already.
 */
import { writeSync } from 'node:fs';
import { codeOf, reasonOf } from '../sys/errors.js';
import { exitCode } from './sysexits.js';

/** How long a full pipe is left alone before the next attempt. */
const pauseMs = 5;

/**
 * Writes a text to the standard output. Gives the exit status that this deserves, from sysexits(3): EX_IOERR where it could
 * not be written, which is then said on stderr; a reader that has seen enough (`| head`) is no error, and `gone` is told of it. `name` is the program.
 */
export function printResult(name: string, text: string, gone: () => void = () => {}): number {
  try {
    writeWhole(1, text);
    return exitCode.ok;
  } catch (error) {
    if (codeOf(error) === 'EPIPE') {
      gone();
      return exitCode.ok;
    }
    printError(`${name}: cannot write to the standard output: ${reasonOf(error)}`);
    return exitCode.ioErr;
  }
}

/** A line, or several, on stderr. Where even that cannot be written, only the exit status is left to tell. */
export function printError(text: string): void {
  try {
    writeWhole(2, text.endsWith('\n') ? text : `${text}\n`);
  } catch {
    // Nobody can be told.
  }
}

function writeWhole(fd: number, text: string): void {
  for (let bytes = Buffer.from(text); bytes.length > 0; ) {
    try {
      bytes = bytes.subarray(writeSync(fd, bytes));
    } catch (error) {
      // Whoever made the pipe may have asked it not to wait; a slow reader is waited for all the same.
      if (codeOf(error) !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
    }
  }
}
