/** Figures of resources and of the nodes around them, as the main process sees them now. */
import type { ClusterView, NodeReport } from '../../../proto/cluster-types.js';
import type { StatusEntry } from '../../../proto/control-types.js';
import type { Role, RunState } from '../../core/types.js';
import { type Family, gauge, type Labels, stateSet } from './exposition.js';

const ROLES: readonly Role[] = ['init', 'primary', 'secondary', 'watchdog'];
const STATES: readonly RunState[] = [
  'unknown',
  'readytorun',
  'starting',
  'run',
  'stopping',
  'stopped',
  'failed',
];

/** `ageMs`: how old the entries are. */
export function resourceFamilies(entries: readonly StatusEntry[], ageMs: number): Family[] {
  return [
    stateSet(
      'hastmon_resource_role',
      'The role of this node.',
      ROLES,
      labelled(entries, ({ role }) => role),
    ),
    stateSet(
      'hastmon_resource_state',
      'The resource here.',
      STATES,
      labelled(entries, ({ state }) => state),
    ),
    ...standing(entries),
    ...lease(entries, ageMs),
    gauge('hastmon_link_up', '1 while the other voter is heard.', links(entries)),
  ];
}

function standing(entries: readonly StatusEntry[]): Family[] {
  const numbers: [name: string, help: string, (entry: StatusEntry) => number][] = [
    ['forced', '1 while it runs here by --force, outside the lease.', ({ forced }) => yes(forced)],
    ['maintenance', '1 while it is in maintenance.', ({ maintenance }) => yes(maintenance !== null)],
    ['warnings', 'Warnings that hastmonctl status shows.', ({ warnings }) => warnings.length],
    ['attempts', 'Attempts to run it that have failed in a row.', ({ attempts }) => attempts.now],
    ['priority', 'The lower, the better.', ({ priority }) => priority],
    ['complaints', 'Complaints within complaint_interval.', ({ complaints }) => complaints.now],
  ];
  return numbers.map(([name, help, value]) => gauge(`hastmon_resource_${name}`, help, of(entries, value)));
}

function lease(entries: readonly StatusEntry[], ageMs: number): Family[] {
  const leftMs = (entry: StatusEntry): number => Math.max(0, entry.lease.leftMs - ageMs);
  return [
    gauge(
      'hastmon_lease_held',
      '1 while this node holds the lease.',
      of(entries, (e) => yes(e.lease.held)),
    ),
    gauge(
      'hastmon_lease_remaining_seconds',
      'What is left of the lease that this node holds.',
      of(entries, (entry) => (entry.lease.held ? leftMs(entry) / 1000 : null)),
    ),
    gauge(
      'hastmon_lease_duration_seconds',
      'How long a lease lasts.',
      of(entries, (entry) => entry.lease.leaseMs / 1000),
    ),
    gauge(
      'hastmon_lease_epoch',
      'The epoch held, or the greatest one known here.',
      of(entries, (entry) => entry.lease.epoch),
    ),
    gauge(
      'hastmon_holder_known',
      '1 while this node knows who holds the lease.',
      of(entries, ({ holder }) => yes(holder !== '')),
    ),
    gauge(
      'hastmon_voter_history',
      '1 where the voter of this node has a valid record of the past, without which it grants nothing.',
      of(entries, ({ voters }) => yes(voters.find(({ self }) => self)?.history ?? true)),
    ),
    gauge(
      'hastmon_restart_margin_seconds',
      'What would be left of the grant after a restart of hastmond and a stop, as measured.',
      of(entries, ({ restartMarginMs }) => (restartMarginMs === null ? null : restartMarginMs / 1000)),
    ),
  ];
}

function yes(holds: boolean): number {
  return holds ? 1 : 0;
}

function of(
  entries: readonly StatusEntry[],
  value: (entry: StatusEntry) => number | null,
): (readonly [Labels, number])[] {
  return entries.flatMap((entry): [Labels, number][] => {
    const found = value(entry);
    return found === null ? [] : [[{ resource: entry.resource }, found]];
  });
}

/** `entries`: of this node. */
export function clusterFamilies(view: ClusterView, entries: readonly StatusEntry[]): Family[] {
  const others = view.nodes.filter(({ self }) => !self);
  return [
    gauge(
      'hastmon_primaries_seen',
      'Nodes that run the resource, as far as this node knows: more than one must never be.',
      entries.map((entry) => [{ resource: entry.resource }, runningNodes(view, entry).size]),
    ),
    gauge(
      'hastmon_node_reachable',
      '1 while the other node answers this one.',
      others.map(({ node, said }) => [{ peer: node }, said === null ? 0 : 1]),
    ),
  ];
}

/**
 * By its own word, or by what its peers have heard from it. Words of several nodes are not of one moment, and between them it may lawfully have
 * moved: of more than one that says it runs it those count that said so when they were asked again.
 */
function runningNodes(view: ClusterView, entry: StatusEntry): Set<string> {
  const entryIn = ({ said }: NodeReport): StatusEntry | undefined =>
    said?.status.find(({ resource }) => resource === entry.resource);
  const claims = view.nodes.filter((report) => isRunning(entryIn(report))).map(({ node }) => node);
  const lasting = view.double.find(({ resource }) => resource === entry.resource)?.nodes ?? [];
  const said = claims.length < 2 ? claims : claims.filter((node) => lasting.includes(node));
  const known = new Set(view.nodes.filter((report) => report.said !== null).map(({ node }) => node));
  // What this node has heard of others, at the same moment as what it says of itself.
  const own = view.nodes.filter(({ self }) => self).map(entryIn)[0] ?? entry;
  const heard = own.remotes.flatMap((remote) =>
    remote.node !== null && !known.has(remote.node) && isRunning(remote) ? [remote.node] : [],
  );
  const counted = said.length === 0 ? claims.slice(0, 1) : said;
  return new Set([...counted, ...heard]);
}

function isRunning(seen: { role: Role | null; state: RunState | null } | undefined): boolean {
  return seen?.role === 'primary' && seen.state === 'run';
}

function labelled<S>(
  entries: readonly StatusEntry[],
  state: (entry: StatusEntry) => S,
): (readonly [Labels, S])[] {
  return entries.map((entry) => [{ resource: entry.resource }, state(entry)]);
}

function links(entries: readonly StatusEntry[]): [Labels, number][] {
  return entries.flatMap(({ resource, voters }) =>
    voters
      .filter(({ self }) => !self)
      .map(({ node, reachable }): [Labels, number] => [{ resource, peer: node }, reachable ? 1 : 0]),
  );
}
