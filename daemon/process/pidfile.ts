/**
 * One daemon per pidfile (and per state directory): the file names the process that holds it, by pid, start time and boot.
 *
 * Three things guard it, because each alone has a gap. The record in the file says who holds it, and the kernel says whether
 * that process still is; but two that start at once may both find it gone. So proper-lockfile lets one at a time look and
 * write; but it calls a lock stale by the wall clock, so a starter that was stopped for long would lose it without knowing.
 * So the kernel's flock(2) on the file is held as long as the process lives, where koffi can call it. It ends with the
 * process, however that ends, and a stopped process keeps it.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, reasonOf } from '../sys/errors.js';
import { callError, tryLibc } from '../sys/libc.js';
import { type ProcessRecord, processRecord, recordAlive } from '../sys/process.js';
import { exitCode } from './sysexits.js';

export interface PidfileLock {
  readonly path: string;
  /** Removes the file and gives the lock up. May be called more than once, also while the process exits. */
  release(): void;
}

export type PidfileOutcome =
  | { kind: 'locked'; lock: PidfileLock }
  /** Another process holds it; pid null: not known which. */
  | { kind: 'held'; pid: number | null; message: string; exitCode: number }
  | { kind: 'failed'; message: string; exitCode: number };

export interface LockOptions {
  /** How long to wait, about, where another process is starting at this moment; default 3000. */
  guardWaitMs?: number;
  /**
   * True: the file says start time and boot as well, so that a pid used again is told from its first bearer even where
   * flock(2) cannot be had. Not for a file that people put into `kill $(cat FILE)`.
   */
  record?: boolean;
  /** What the file is called in messages; default `pidfile`. */
  what?: string;
}

/**
 * Takes the file for this process and writes its pid into it. What a dead process or an earlier boot left is taken over. Where
 * another process is starting at this moment, it waits for its turn.
 */
export async function lockPidfile(path: string, options: LockOptions = {}): Promise<PidfileOutcome> {
  const { guardWaitMs = 3000, record = false, what = 'pidfile' } = options;
  const file: Wanted = { path, record, what };
  let unguard: (() => Promise<void>) | null = null;
  try {
    // What cannot be opened is told at once; proper-lockfile would try again and again.
    closeSync(openFile(path));
    unguard = await guard(path, guardWaitMs);
    return await claimPatiently(file, unguard !== null);
  } catch (error) {
    const noPermission = ['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error));
    const code = noPermission ? exitCode.noPerm : exitCode.cantCreate;
    return { kind: 'failed', message: `cannot lock ${what} ${path}: ${reason(error)}`, exitCode: code };
  } finally {
    // One that has lost the guard meanwhile has nothing to give back.
    await unguard?.().catch(() => {});
  }
}

/** The file to be locked. */
interface Wanted {
  path: string;
  record: boolean;
  what: string;
}

function reason(error: unknown): string {
  const words: Record<string, string> = {
    ENOENT: 'its directory does not exist',
    ELOOP: 'it is a symbolic link',
  };
  return words[codeOf(error)] ?? reasonOf(error);
}

// The guard is held for milliseconds; ten seconds are for a machine that is busy beyond measure.
async function guard(path: string, waitMs: number): Promise<(() => Promise<void>) | null> {
  const { lock } = (await import('proper-lockfile')).default;
  const retries = { retries: Math.ceil(waitMs / 50), factor: 1, minTimeout: 50, maxTimeout: 50 };
  try {
    // Losing it is no reason to die: flock decides, or the record does.
    return await lock(path, { realpath: false, stale: 10_000, retries, onCompromised: () => {} });
  } catch (error) {
    if (codeOf(error) === 'ELOCKED') return null;
    throw error;
  }
}

// Who has locked the file writes its pid at once, but not at the same instant.
async function claimPatiently(file: Wanted, guarded: boolean): Promise<PidfileOutcome> {
  for (let looks = 1; ; looks += 1) {
    const outcome = claim(file, guarded);
    if (outcome.kind !== 'held' || outcome.pid !== null || looks === 10) return outcome;
    await sleep(20);
  }
}

function claim(file: Wanted, guarded: boolean): PidfileOutcome {
  for (;;) {
    const fd = openFile(file.path);
    const outcome = claimOpened(file, fd, guarded);
    if (outcome?.kind !== 'locked') closeSync(fd);
    if (outcome !== null) return outcome;
  }
}

function openFile(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
}

// null: the file was removed by its holder between opening and locking; look again.
function claimOpened(file: Wanted, fd: number, guarded: boolean): PidfileOutcome | null {
  const { path, record: full, what } = file;
  const locked = flock(fd);
  const record = parseRecord(readFileSync(path, 'latin1'));
  if (locked === false) return held(file, record !== null && alive(record, false) ? record.pid : null);
  if (!sameFile(path, fd)) return null;
  if (record !== null && alive(record, locked === true)) return held(file, record.pid);
  if (!guarded && locked === null) {
    const message = `another process is starting with ${what} ${path}, or left ${path}.lock behind: remove it`;
    return { kind: 'held', pid: null, message, exitCode: exitCode.tempFail };
  }
  const own = processRecord();
  if (own === null) throw new Error('this process has no entry in /proc');
  ftruncateSync(fd, 0);
  writeSync(fd, full ? `${own.pid}\n${own.startTime} ${own.bootId}\n` : `${own.pid}\n`, 0);
  // Whatever the umask says: others may know the pid in a pidfile; a record is state.
  chmodSync(path, full ? 0o600 : 0o644);
  return { kind: 'locked', lock: { path, release: releaser(path, fd) } };
}

function held({ path, what }: Wanted, pid: number | null): PidfileOutcome {
  const who = pid === null ? 'by another process' : `by pid ${pid}`;
  return {
    kind: 'held',
    pid,
    message: `already running: ${what} ${path} is held ${who}`,
    exitCode: exitCode.tempFail,
  };
}

type Found = ProcessRecord | { pid: number; startTime: null };

// A file with nothing but a pid comes from another program; as far as it locks, it uses flock(2) too (pidfile_open(3)).
function alive(found: Found, locked: boolean): boolean {
  if (found.startTime !== null) return found.pid !== process.pid && recordAlive(found);
  return !locked && found.pid !== process.pid && processRecord(found.pid) !== null;
}

/** What a pidfile says; null where it says nothing (its writer died in the middle). For pidfile.ts and its test. */
export function parseRecord(text: string): Found | null {
  const [, pid, startTime, bootId] = /^\s*([0-9]+)\s*?(?:\n([0-9]+) (\S*)\n)?$/.exec(text) ?? [];
  if (pid === undefined) return null;
  if (startTime === undefined || bootId === undefined) return { pid: Number(pid), startTime: null };
  return { pid: Number(pid), startTime: Number(startTime), bootId };
}

function releaser(path: string, fd: number): () => void {
  let released = false;
  return () => {
    if (released) return;
    released = true;
    try {
      if (sameFile(path, fd)) rmSync(path, { force: true });
    } catch {
      // A file that cannot be removed names a process that is gone, which is as good.
    }
    closeSync(fd);
  };
}

function sameFile(path: string, fd: number): boolean {
  const [opened, named] = [fstatSync(fd), statSync(path, { throwIfNoEntry: false })];
  return named !== undefined && opened.ino === named.ino && opened.dev === named.dev;
}

const LOCK_EX = 2;
const LOCK_NB = 4;

/** True: locked. False: another process has the lock. null: not to be known here. */
function flock(fd: number): boolean | null {
  const libc = tryLibc();
  if (libc === null) return null;
  const call = libc.func<(fd: number, operation: number) => number>('int flock(int fd, int operation)');
  if (call(fd, LOCK_EX | LOCK_NB) === 0) return true;
  const error = callError(libc, 'flock');
  if (error.code === 'EAGAIN') return false;
  // Some network file systems have no locks.
  if (error.code === 'ENOLCK' || error.code === 'ENOTSUP' || error.code === 'EOPNOTSUPP') return null;
  throw error;
}
