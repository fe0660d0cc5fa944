/**
 * Counts what a batch of runs must have seen: a simulator in which nothing happens finds nothing. Failovers and
 * handovers are told apart by whether the one before released in favour of nobody or stopped in good order.
 */
import type { NodeName } from '../../../daemon/core/types.js';
import { type Checker, COUNTED, type Counted } from '../trace.js';

export type Counts = Record<Counted, number>;

export function noCounts(): Counts {
  return Object.fromEntries(COUNTED.map((what) => [what, 0])) as Counts;
}

export function incidents(counts: Counts): Checker {
  let last: NodeName = '';
  let releasedBy: NodeName = '';
  return {
    see(event) {
      if (event.kind === 'counted') {
        counts[event.what] += 1;
      } else if (event.kind === 'release') {
        releasedBy = event.holder.node;
      } else if (event.kind === 'service' && event.running) {
        if (last !== '' && last !== event.node) counts[releasedBy === last ? 'handover' : 'failover'] += 1;
        last = event.node;
        releasedBy = '';
      }
    },
  };
}
