/** What the service manager is told of this daemon: that it does its duty, and one line for `systemctl status`. */
import { isLive } from '../core/node-guard.js';
import type { NodeState } from '../core/node-types.js';
import type { Instant } from '../core/types.js';
import { connectedHolder, holding, isKept, runState } from '../core/view.js';

export interface Watched {
  /** Every resource is looked after as it should be. */
  live(): boolean;
  /** How it is, in a line. */
  summary(): string;
}

export function watched(states: () => readonly NodeState[], clock: () => Instant): Watched {
  return {
    live: () => states().every((state) => isLive(state, clock())),
    summary: () => serviceStatus(states(), clock()),
  };
}

/** More are counted, not named. */
const NAMED_MAX = 8;

/** `shared: primary, run; mail: secondary of beta; in maintenance: shared`. */
export function serviceStatus(states: readonly NodeState[], now: Instant): string {
  if (states.length === 0) return 'no resources';
  const words = states
    .slice(0, NAMED_MAX)
    .map((state) => `${state.settings.resource}: ${standing(state, now)}`);
  if (states.length > NAMED_MAX) words.push(`${states.length - NAMED_MAX} more`);
  const kept = states.filter(isKept).map(({ settings }) => settings.resource);
  if (kept.length > 0) words.push(`in maintenance: ${kept.join(', ')}`);
  return words.join('; ');
}

function standing(state: NodeState, now: Instant): string {
  const { role } = state;
  if (role === 'primary')
    return `primary${holding(state, now) ? '' : ' without a lease'}, ${runState(state)}`;
  const holder = connectedHolder(state, now);
  return holder === null ? `${role}, nobody holds the lease` : `${role} of ${holder}`;
}
