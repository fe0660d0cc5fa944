/** Forking one of this daemon's own processes: the same program, and a word for what it is to be. */
import { type ChildProcess, fork } from 'node:child_process';
import { messageOf } from './errors.js';

/**
 * A process with a channel of structured clones; or why there is none. Where the system refuses later, the process has no pid, `error`
 * is told, and `exit` never is.
 */
export function forkSelf(script: string, args: readonly string[]): ChildProcess | string {
  try {
    return fork(script, [...args], {
      cwd: '/',
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  } catch (error) {
    return messageOf(error);
  }
}
