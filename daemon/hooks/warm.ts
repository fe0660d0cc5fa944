/**
 * Does once, while nothing is urgent, what the first hook of a process would otherwise wait for: loading the C library,
 * the first child process. Executes nothing.
 */
import { bootId } from '../sys/clock.js';
import { tryLibc } from '../sys/libc.js';
import { groupMembers } from '../sys/process.js';
import { spawnHeld } from '../sys/spawn.js';

/** Best effort; what fails here will be told by the first hook. `program` is what would be executed. */
export function warmHooks(program = '/bin/true'): void {
  try {
    bootId();
    tryLibc();
    const { held } = spawnHeld({ program, args: [], env: {}, outputPath: '/dev/null' });
    if (held === null) return;
    groupMembers(held.pid);
    held.abort();
  } catch {
    // A machine that cannot start a process now may do so when it matters.
  }
}
