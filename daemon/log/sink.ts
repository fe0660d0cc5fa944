/** Where lines end: a descriptor, a file, syslog. Everything is written at once, and a failure is told, never thrown. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { codeOf, messageOf, reasonOf } from '../sys/errors.js';
import type { Native, SyslogPriority } from '../sys/native.js';

export interface Sink {
  /** null: written; else why the line is lost. `patient`: it may wait a little for a pipe or terminal that is full. */
  write(text: string, patient: boolean): string | null;
  /** Opens a file anew. null: done, or nothing to open; else what failed, and the old one stays in use. */
  reopen(): string | null;
}

/** How long a patient line waits before it is dropped: a daemon must not hang on its log. */
const patienceMs = 50;

/** A descriptor that is open already, such as stderr. */
export function descriptorSink(fd: number): Sink {
  return { write: (text, patient) => writeAll(fd, text, patient ? patienceMs : 0), reopen: () => null };
}

/** A file, appended to; several processes may. Throws an Error where it cannot be opened. */
export function fileSink(path: string): Sink {
  const open = (): number => {
    try {
      return openSync(path, 'a', 0o640);
    } catch (error) {
      throw Object.assign(new Error(`cannot open log file ${path}: ${reasonOf(error)}`), {
        code: codeOf(error),
      });
    }
  };
  let fd = open();
  return {
    write: (text, patient) => writeAll(fd, text, patient ? patienceMs : 0),
    reopen() {
      try {
        const old = fd;
        fd = open();
        closeSync(old);
        return null;
      } catch (error) {
        return messageOf(error);
      }
    },
  };
}

const syslogPriorities: readonly SyslogPriority[] = [
  'emerg',
  'alert',
  'crit',
  'err',
  'warning',
  'notice',
  'info',
  'debug',
];

/** rsyslog's and the journal's limits are at 8 KiB and above. */
const syslogCharactersMax = 8000;

/** syslog(3), which tells nothing of what becomes of a message. */
export function syslogSink(
  native: Native,
  identity: string,
  facility: string,
): (priority: number, text: string) => void {
  native.openlog(identity, facility);
  return (priority, text) =>
    native.syslog(syslogPriorities[priority] ?? 'info', text.slice(0, syslogCharactersMax));
}

function writeAll(fd: number, text: string, waitMs: number): string | null {
  let bytes = Buffer.from(text);
  const end = performance.now() + waitMs;
  for (;;) {
    try {
      bytes = bytes.subarray(writeSync(fd, bytes));
      if (bytes.length === 0) return null;
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN' || performance.now() >= end) return messageOf(error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
