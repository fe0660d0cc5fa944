/** What the tests of the core start from: a cluster of three with round times, and messages without surprises. */
import type { Settings } from '../../daemon/core/settings.js';
import type { LeaseTerms, RequestMessage, StateMessage } from '../../daemon/core/types.js';
import { UNMARKED } from '../../daemon/core/types.js';

export const VOTERS = ['a', 'b', 'c'];
/** A grant by these lasts 3 + 2 seconds. */
export const TERMS: LeaseTerms = { leaseMs: 3000, stopBudgetMs: 2000, driftPpm: 0 };
export const GRANT_MS = 5000;

export function settings(change: Partial<Settings> = {}): Settings {
  return {
    ...{ resource: 'shared', node: 'a', voters: VOTERS, priority: 100, attempts: 3 },
    ...{ complaintCount: 3, complaintIntervalMs: 60_000, heartbeatMs: 1000, leaseMs: 3000 },
    ...{ startTimeoutMs: 10_000, stopTimeoutMs: 2000, statusTimeoutMs: 1000, statusIntervalMs: 5000 },
    ...{
      switchoverTimeoutMs: 60_000,
      fenceTimeoutMs: 0,
      deviceTimeoutMs: 0,
      driftPpm: 0,
      judgeAfterMs: 10_000,
      failbackMs: Number.POSITIVE_INFINITY,
    },
    ...change,
  };
}

export function heartbeat(change: Partial<StateMessage> = {}): StateMessage {
  return {
    ...{ kind: 'state', incarnation: 1, sequence: 1, role: 'secondary', roleSet: 'secondary' },
    ...{ run: 'stopped', priority: 100, able: true, holdingEpoch: 0, forced: false },
    readiness: { lacks: [], failbackMs: Number.POSITIVE_INFINITY },
    memory: { history: true, epochMax: 0, sets: [VOTERS], longestGrantMs: GRANT_MS, grant: null },
    ...change,
  };
}

/** A request of node `node` for an epoch. */
export function requestOf(node: string, epoch: number, change: Partial<RequestMessage> = {}): RequestMessage {
  const holder = { node, incarnation: 1 };
  return {
    kind: 'request',
    holder,
    epoch,
    request: epoch,
    terms: TERMS,
    sets: [VOTERS],
    mark: UNMARKED,
    ...change,
  };
}
