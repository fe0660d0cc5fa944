/** What nodes say, for tests of what the page makes of it. */
import type { ClusterView, NodeReport } from '../../../proto/cluster-types.js';
import type { StatusEntry } from '../../../proto/control-types.js';
import type { CheckEntry } from '../../../proto/monitor-types.js';

export const NODES = ['nodeA', 'nodeB', 'nodeC'];

/** What a node says of a resource: a secondary where nothing else is given. `node` gives its vote to `holder`. */
export function entry(node: string, given: Partial<StatusEntry> = {}): StatusEntry {
  const { holder = 'nodeA' } = given;
  const voters = NODES.map((name) => ({
    ...{ node: name, self: name === node, reachable: true, grantingTo: holder, history: true, heardMs: 100 },
  }));
  return {
    ...{ resource: 'web', role: 'secondary', roleSet: 'secondary', workerPid: 1, exec: '/hook', remotes: [] },
    ...{ state: 'stopped', attempts: { now: 0, limit: 5 }, heartbeatMs: 1000, priority: 0, waiting: '' },
    complaints: { now: 0, intervalMs: 60_000, threshold: 3 },
    lease: { held: false, epoch: 7, leftMs: 4000, leaseMs: 3000, grantMs: 5000, stopBudgetMs: 2000 },
    ...{ voters, warnings: [], forced: false, holder, lastError: '', restartMarginMs: null, backedBy: '' },
    ...{ reports: [], maintenance: null },
    ...given,
  };
}

/** A primary that runs it and holds the lease. */
export function primary(node: string, given: Partial<StatusEntry> = {}): StatusEntry {
  const lease = { held: true, epoch: 7, leftMs: 2000, leaseMs: 3000, grantMs: 5000, stopBudgetMs: 2000 };
  return entry(node, { role: 'primary', roleSet: 'primary', state: 'run', holder: node, lease, ...given });
}

export function report(
  node: string,
  status: StatusEntry[] | null,
  given: Partial<NodeReport> = {},
): NodeReport {
  return {
    ...{ node, self: node === 'nodeB', heardMs: 100, ageMs: 0 },
    note: status === null ? 'no answer' : '',
    said:
      status === null ? null : { version: '0.1.0', uptimeMs: 60_000, status, checks: null, balancer: null },
    ...given,
  };
}

/** nodeA runs `web`, nodeB stands by, nodeC watches; `given`: what is different, by node; null: it is not heard. */
export function view(given: Record<string, StatusEntry[] | null> = {}): ClusterView {
  const usual: Record<string, StatusEntry[] | null> = {
    nodeA: [primary('nodeA')],
    nodeB: [entry('nodeB')],
    nodeC: [entry('nodeC', { role: 'watchdog' })],
    ...given,
  };
  const nodes = NODES.map((node) => report(node, usual[node] ?? null));
  return { node: 'nodeB', at: 0, nodes, double: [] };
}

export function check(name: string, given: Partial<CheckEntry> = {}): CheckEntry {
  return {
    ...{ name, group: '', url: `tcp://${name}:1`, state: 'up', outage: false, nature: 'ok', latencyMs: 1 },
    ...{ sinceMs: 60_000, lastMs: 0, goodMs: 0, confirm: 2, nodes: 3, seenBy: [], muteMs: 0, ackBy: '' },
    ...{ flapping: false, behind: [], note: '' },
    ...given,
  };
}
