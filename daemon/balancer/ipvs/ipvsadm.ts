/** Running ipvsadm(8): once, with a time limit, its output bounded. It does not know what is asked of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { codeOf, messageOf } from '../../sys/errors.js';
import { makeMemoryFile } from '../../sys/memory-file.js';
import { collectOutput } from '../../sys/output.js';

/** A table of some hundred thousand lines. */
const OUTPUT_BYTES_MAX = 64 * 2 ** 20;
const ERRORS_BYTES_MAX = 65_536;
/** One that was killed and does not end (it waits in the kernel) is not waited for. */
const KILLED_MS = 1000;

export interface Ran {
  /** Null: it could not be started, was killed, or is beyond its time. */
  status: number | null;
  stdout: string;
  /** What it printed as errors, line by line. */
  errors: readonly string[];
  /** Why there is no status; '' where there is one. */
  why: string;
}

/** Runs it with these arguments and this standard input. */
export type Runner = (args: readonly string[], input?: string | null) => Promise<Ran>;

/** Messages that are passed on. */
const MESSAGES_MAX = 5;

export interface Run {
  ran: Promise<Ran>;
  /** Kills it, if it is still there. */
  kill(): void;
}

/** Starts it. `input` is its whole standard input, null for none. Never throws, and `ran` never rejects. */
export function runIpvsadm(
  program: string,
  args: readonly string[],
  input: string | null,
  limitMs: number,
): Run {
  let file: number | null = null;
  try {
    file = input === null ? null : makeMemoryFile(input);
    const stdin = input === null ? 'ignore' : (file ?? 'pipe');
    const child = spawn(program, args, {
      cwd: '/',
      // It looks for modprobe(8) by its path; words are compared with.
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
      stdio: [stdin, 'pipe', 'pipe'],
    });
    // It may end before it has read all.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    return follow(child, program, limitMs);
  } catch (error) {
    const ran = {
      status: null,
      stdout: '',
      errors: [],
      why: `${program} cannot be started: ${messageOf(error)}`,
    };
    return { ran: Promise.resolve(ran), kill: () => {} };
  } finally {
    if (file !== null) closeSync(file);
  }
}

function follow(child: ChildProcess, program: string, limitMs: number): Run {
  const errors: string[] = [];
  const stdout = collectOutput(child.stdout ?? undefined, OUTPUT_BYTES_MAX, () => {});
  const stderr = collectOutput(child.stderr ?? undefined, ERRORS_BYTES_MAX, (line) => {
    if (line.trim() !== '') errors.push(line.trim());
  });
  const ran = new Promise<Ran>((resolve) => {
    let late = false;
    const done = (status: number | null, why: string): void => {
      clearTimeout(timer);
      const { text, truncated } = stdout.end();
      stderr.end();
      if (truncated) resolve({ status: null, stdout: '', errors, why: 'ipvsadm printed more than 64 MiB' });
      else resolve({ status, stdout: text, errors, why });
    };
    const tooLate = `ipvsadm did not end within ${limitMs / 1000} s and was killed`;
    let timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
      timer = setTimeout(() => done(null, tooLate), KILLED_MS);
    }, limitMs);
    child.on('error', (error) => done(null, cannotStart(program, error)));
    child.on('close', (status, signal) => {
      if (late) done(null, tooLate);
      else done(status, status === null ? `ipvsadm was ended by ${signal}` : '');
    });
  });
  return { ran, kill: () => void child.kill('SIGKILL') };
}

function cannotStart(program: string, error: Error): string {
  const code = codeOf(error);
  if (code === 'ENOENT')
    return `${program} is not there: install ipvsadm (apt-get install ipvsadm), or say where it is (IPVSADM=)`;
  if (code === 'EACCES') return `${program} may not be executed by this user`;
  return `${program} cannot be started: ${error.message}`;
}

/** This kernel has no IPVS; '' where it is not that. */
export function missingIn({ status, errors }: Ran): string {
  if (status === 0 || !errors.some((line) => /^Can't initialize ipvs: Protocol not available/.test(line)))
    return '';
  return (
    'this kernel has no IPVS: load it ("modprobe ip_vs", and a line "ip_vs" in /etc/modules-load.d/ip_vs.conf); ' +
    'for a container, on its host'
  );
}

/** Why it has not done what it should, and what to do; '' where it has. Any word on stderr is a failure: see decision 13. */
export function refusalOf(ran: Ran): string {
  const { status, errors, why } = ran;
  if (why !== '') return why;
  if (status === 0 && errors.length === 0) return '';
  if (errors.some((line) => /^Can't initialize ipvs: (Permission denied|Operation not permitted)/.test(line)))
    return 'the kernel refuses: hastmond has to run as root, in a container with CAP_NET_ADMIN as well';
  const missing = missingIn(ran);
  if (missing !== '') return missing;
  const different = [...new Set(errors)];
  const shown = different.slice(0, MESSAGES_MAX).join('; ');
  const more = different.length > MESSAGES_MAX ? `; and ${different.length - MESSAGES_MAX} more` : '';
  return shown === '' ? `ipvsadm ended with status ${status}` : `ipvsadm: ${shown}${more}`;
}
