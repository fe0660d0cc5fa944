/**
 * When a change that was asked for has happened, read off `status`. Pure; it does not know how often it is asked.
 */
import type { Role } from '../daemon/core/types.js';
import type { StatusEntry } from '../proto/control-types.js';

/** What --wait waits for, per resource. */
export interface Goal {
  role: Role;
}

export type Verdict = { kind: 'done' } | { kind: 'under-way' } | { kind: 'failed'; reason: string };

const done: Verdict = { kind: 'done' };
const underWay: Verdict = { kind: 'under-way' };

/** How far a resource is, where hastmond has accepted the command before `entry` was taken. */
export function judge(goal: Goal, entry: StatusEntry): Verdict {
  const { role, roleSet, state } = entry;
  if (roleSet !== goal.role) {
    const cause = entry.lastError === '' ? '' : `: ${entry.lastError}`;
    return { kind: 'failed', reason: `its role was set back to ${roleSet}${cause}` };
  }
  if (goal.role === 'primary') return runsHere(entry) ? done : underWay;
  return role === goal.role && !mayRun(state) ? done : underWay;
}

/** One line about where a resource stands, for progress and for what was not reached in time. */
export function standing({ lease, role, state, waiting }: StatusEntry): string {
  return `${role}, ${state}${lease.held ? ', lease held' : ''}${waiting === '' ? '' : `; waiting: ${waiting}`}`;
}

function runsHere({ forced, lease, role, state }: StatusEntry): boolean {
  return role === 'primary' && state === 'run' && (lease.held || forced);
}

/** True where an old stop is not over. */
function mayRun(state: StatusEntry['state']): boolean {
  return state === 'run' || state === 'starting' || state === 'stopping' || state === 'failed';
}
