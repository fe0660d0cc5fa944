/**
 * When a change that was asked for has happened, read off `status`. Pure; it does not know how often it is asked.
 */
import type { NodeName, Role } from '../daemon/core/types.js';
import type { StatusEntry } from '../proto/control-types.js';

/** What --wait waits for, per resource. */
export type Goal =
  | { kind: 'role'; role: Role }
  /** `to` is '' where any other node will do; `from` is this node. */
  | { kind: 'switchover'; to: NodeName };

export type Verdict = { kind: 'done' } | { kind: 'under-way' } | { kind: 'failed'; reason: string };

const done: Verdict = { kind: 'done' };
const underWay: Verdict = { kind: 'under-way' };

/** How far a resource is, where hastmond has accepted the command before `entry` was taken. */
export function judge(goal: Goal, entry: StatusEntry): Verdict {
  if (goal.kind === 'switchover') return judgeSwitchover(goal.to, entry);
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

function judgeSwitchover(to: NodeName, entry: StatusEntry): Verdict {
  const { holder } = entry;
  const own = entry.voters.find((voter) => voter.self)?.node ?? '';
  const wanted = to === '' ? holder !== own : holder === to;
  if (holder === '' || !wanted) {
    if (holder === own && runsHere(entry)) {
      const where = to === '' ? 'the other node' : to;
      return { kind: 'failed', reason: `it runs on ${own} again; the status of ${where} says why` };
    }
    return underWay;
  }
  if (holder === own) return runsHere(entry) ? done : underWay;
  const there = entry.remotes.find((remote) => remote.node === holder);
  // A holder that this node does not connect to cannot be asked how its start went.
  return there === undefined || there.state === 'run' ? done : underWay;
}

function runsHere({ forced, lease, role, state }: StatusEntry): boolean {
  return role === 'primary' && state === 'run' && (lease.held || forced);
}

/** True where an old stop is not over. */
function mayRun(state: StatusEntry['state']): boolean {
  return state === 'run' || state === 'starting' || state === 'stopping' || state === 'failed';
}
