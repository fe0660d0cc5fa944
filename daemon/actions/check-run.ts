/** Runs one check and takes its word: the first one that it prints. */
import type { ChildProcess } from 'node:child_process';
import { duration } from '../hooks/words.js';
import { messageOf } from '../sys/errors.js';
import { argvOf, begin } from './list.js';
import { stateIn, UNKNOWN } from './states.js';
import type { Check } from './types.js';

export interface CheckRun {
  state: string;
  /** Why the state is not known, '' where it is. */
  why: string;
}

export interface CheckContext {
  values: Readonly<Record<string, string>>;
  env: NodeJS.ProcessEnv;
  /**
   * Told of the process group that the check gets for itself, and when nobody of it is left; absent: it runs in the group of this
   * process, and whoever ends that ends it.
   */
  started?: (group: number, alive: boolean) => void;
}

/** More than a word needs; who prints more is not listened to any longer. */
const OUTPUT_BYTES_MAX = 4096;
/** After its exit, for what is still in the pipe, where something that it left behind holds that open. */
const DRAIN_MS = 50;

/** Never rejects. */
export function runCheck({ command }: Check, context: CheckContext): Promise<CheckRun> {
  const { env, started, values } = context;
  return new Promise((resolve) => {
    const child = begin(argvOf(command, values), {
      env,
      detached: started !== undefined,
      stdio: ['ignore', 'pipe', started ? 'ignore' : 'inherit'],
    });
    if (typeof child === 'string') return resolve({ state: UNKNOWN, why: `it cannot be run: ${child}` });
    const { pid } = child;
    if (pid !== undefined) started?.(pid, true);
    let output = '';
    let overdue = false;
    const limit = setTimeout(() => {
      overdue = true;
      kill(child, started !== undefined);
    }, command.timeoutMs);
    let ended = false;
    const end = (why: string): void => {
      // Its number may be somebody else's by then.
      if (ended) return;
      ended = true;
      clearTimeout(limit);
      child.stdout?.destroy();
      if (pid !== undefined && started !== undefined) {
        kill(child, true);
        started(pid, false);
      }
      resolve(why === '' ? { state: stateIn(output), why: wordProblem(output) } : { state: UNKNOWN, why });
    };
    child.stdout?.on('data', (bytes: Buffer) => {
      output += bytes.toString('latin1');
      if (output.length > OUTPUT_BYTES_MAX) child.stdout?.destroy();
    });
    child.on('error', (error) => end(`it cannot be run: ${messageOf(error)}`));
    child.on('exit', (code, signal) => {
      clearTimeout(limit);
      const why = overdue
        ? `it did not end within ${duration(command.timeoutMs)}`
        : output.trim() !== '' || code !== null
          ? ''
          : `it was ended by ${signal}`;
      const drained = setTimeout(() => end(why), DRAIN_MS);
      child.once('close', () => {
        clearTimeout(drained);
        end(why);
      });
    });
  });
}

function wordProblem(output: string): string {
  if (output.trim() === '') return 'it printed nothing';
  return stateIn(output) === UNKNOWN ? 'it printed no word that is a state' : '';
}

function kill(child: ChildProcess, group: boolean): void {
  if (child.pid === undefined) return;
  try {
    process.kill(group ? -child.pid : child.pid, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}
