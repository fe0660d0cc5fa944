/** What all nodes say, and a failover, for tests of what is printed of it. */
import type { ClusterView } from '../../proto/cluster-types.js';
import type { Failover, Timeline } from '../../proto/timeline-types.js';
import { reportOf, runs, saidOf } from '../cluster/support.js';
import { entryOf } from './support.js';

export const VIEW: ClusterView = {
  ...{ node: 'alpha', at: 1_700_000_000_000, double: [] },
  nodes: [
    reportOf(
      'alpha',
      { ...saidOf(entryOf(), runs('db', 3)), checks: { up: 9, down: 2, unknown: 1, outages: 1 } },
      { self: true, ageMs: 0, heardMs: 0 },
    ),
    reportOf(
      'beta',
      saidOf(
        entryOf({
          ...{ role: 'secondary', roleSet: 'secondary', state: 'stopped' },
          lease: { ...entryOf().lease, held: false, leftMs: 0 },
          maintenance: { node: 'alpha', reason: 'upgrade', by: 'root' },
        }),
      ),
    ),
    reportOf('gamma', null, { heardMs: 12_000, note: 'link lost: nothing heard for 3000 ms' }),
    reportOf('delta', null, { heardMs: null, note: 'never heard since this daemon began' }),
    reportOf('omega', saidOf()),
  ],
};
export const DOUBLE: ClusterView = { ...VIEW, double: [{ resource: 'mail', nodes: ['alpha', 'beta'] }] };
export const AT = 1_700_000_000_123;
export const FAILOVER: Failover = {
  ...{ epoch: 8, from: 'alpha', to: 'beta', at: AT, kind: 'lost', tookMs: 4000 },
  text: 'alpha was not heard any more; it ran on beta after 4.0 s',
  phases: [
    {
      ...{ name: 'unnoticed', beginMs: 0, tookMs: 1000, node: 'beta', text: 'not heard for 1.0 s' },
      ...{ setting: 'lease_timeout', settingMs: 1000 },
    },
    {
      ...{
        name: 'lease',
        beginMs: 1000,
        tookMs: 10,
        node: 'beta',
        text: 'held',
        setting: '',
        settingMs: null,
      },
    },
    {
      ...{ name: 'start', beginMs: 1010, tookMs: 2990, node: 'beta', text: 'it ran' },
      ...{ setting: 'start_timeout', settingMs: 60_000 },
    },
  ],
  marks: [
    { node: 'beta', afterMs: 1000, number: 4, kind: 'holder-lost', text: 'alpha has not been heard' },
    { node: 'gamma-9', afterMs: -3, number: 9, kind: 'vote-granted', text: 'granted\x1b[2J' },
  ],
};
export const TIMELINE: Timeline = {
  resource: 'mail',
  failovers: [FAILOVER],
  missing: [{ node: 'alpha', why: 'not connected' }],
};
