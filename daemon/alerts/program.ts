/** A message by a program: in a process group of its own, which is ended as a whole when its time is over. */
import { type ChildProcess, spawn } from 'node:child_process';
import { messageOf } from '../sys/errors.js';
import { collectOutput } from '../sys/output.js';
import { killGroup } from '../sys/process.js';
import { ownMark } from '../sys/started.js';
import type { Answer } from './ipc.js';
import type { Content, Outcome } from './outbox-types.js';
import { printable, shorten } from './words.js';

const LIMIT_MS = 10_000;
/** From TERM to KILL. */
const KILL_AFTER_MS = 1000;
const OUTPUT_BYTES_MAX = 4096;

const running = new Set<number>();

/** At the end of the process: nobody would end them any more. */
export function endPrograms(): void {
  for (const group of running) killGroup(group, 'SIGKILL');
}

/**
 * Resolves when the program has ended, or was ended. Never rejects. `started` is told of its process group, and when nobody has to
 * end that any more.
 */
export function runProgram(
  program: string,
  content: Content,
  limitMs = LIMIT_MS,
  started: (group: number, alive: boolean) => void = () => {},
): Promise<Answer> {
  const env = {
    ...content.env,
    ...ownMark(),
    PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C.UTF-8',
  };
  let child: ChildProcess;
  try {
    child = spawn(program, [], { cwd: '/', detached: true, env, stdio: ['pipe', 'pipe', 'pipe'] });
  } catch (error) {
    return Promise.resolve(failure(messageOf(error), []));
  }
  const lines: string[] = [];
  const outputs = [child.stdout, child.stderr].map((stream) =>
    collectOutput(stream ?? undefined, OUTPUT_BYTES_MAX, (line) => lines.push(printable(line))),
  );
  // It need not read what it is told.
  child.stdin?.on('error', () => {});
  child.stdin?.end(content.json);
  const { pid } = child;
  if (pid !== undefined) {
    running.add(pid);
    started(pid, true);
  }
  return new Promise((resolve) => {
    let over = false;
    const timer = setTimeout(() => {
      over = true;
      endGroup(pid);
    }, limitMs);
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve(failure(`it cannot be run: ${error.message}`, []));
    });
    // What it started may hold its output open: the exit of the program itself is its end.
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (pid !== undefined) {
        running.delete(pid);
        started(pid, false);
      }
      setImmediate(() => {
        const truncated = outputs.map((output) => output.end().truncated).some((cut) => cut);
        const said = truncated ? [...lines, '…'] : lines;
        const how = signal === null ? `exit status ${code}` : `ended by ${signal}`;
        const why = over ? `not done within ${limitMs / 1000} s, and ended` : how;
        if (code === 0 && !over) resolve({ outcome: told(), lines: [...said, how] });
        else resolve(failure(why, said));
      });
    });
  });
}

function told(): Outcome {
  return { kind: 'delivered', left: [], note: '' };
}

function failure(why: string, said: readonly string[]): Answer {
  const last = shorten(said.join(' / '), 300);
  const text = last === '' ? why : `${why}: ${last}`;
  return { outcome: { kind: 'later', why: text, left: null }, lines: [...said, why] };
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  if (killGroup(pid, 'SIGTERM')) setTimeout(() => killGroup(pid, 'SIGKILL'), KILL_AFTER_MS);
}
