/** The conditions of running the resource here, of staying so, and what would end it; part of explain.ts. */
import type { Condition } from './conditions.js';
import type { Topic } from './explain.js';
import { failbackWords } from './failback.js';
import { guardMarginMs } from './lease.js';
import type { NodeState } from './node-types.js';
import type { Instant, NodeName } from './types.js';
import { betterPrimary, connectedHolder, holding, quorums, runState } from './view.js';
import { heardWords, seconds, votersOf } from './waiting.js';

type Draft = Omit<Condition, 'topic' | 'oneOf' | 'enough'>;

const conditions = (topic: Topic, drafts: readonly Draft[]): Condition<Topic>[] =>
  drafts.map((draft) => ({ topic, oneOf: '', enough: 1, ...draft }));

const own = (state: NodeState): Pick<Draft, 'ageMs' | 'source'> => ({
  ageMs: null,
  source: state.settings.node,
});

/** Of the worker, by its last report. */
const reported = (state: NodeState, now: Instant): Pick<Draft, 'ageMs' | 'source'> => ({
  ageMs: state.worker === null ? null : Math.max(0, now - state.worker.aliveAt),
  source: state.settings.node,
});

/** Does it run here, and if not, at what does it fail first? */
export function explainRunning(state: NodeState, now: Instant): Condition<Topic>[] {
  const { report } = state.worker?.role === 'primary' ? state.worker : { report: null };
  const { resource, node } = state.settings;
  const holder = connectedHolder(state, now);
  const held = holding(state, now);
  const forced = report?.forced === true;
  const kept = state.kept !== null;
  const run = runState(state);
  return conditions('running', [
    {
      ...own(state),
      ...{ name: 'role', what: 'this node is the primary', value: state.role, needed: 'primary' },
      holds: state.role === 'primary',
      change: state.role === 'primary' ? '' : 'it has to be promoted: see below',
    },
    {
      ...(holder === null
        ? own(state)
        : { source: holder, ageMs: now - (state.peers[holder]?.heardAt ?? now) }),
      ...{ name: 'lease', what: 'it holds the lease, or runs by force or in maintenance' },
      value: held
        ? `epoch ${report?.epoch ?? 0}, ${seconds((report?.leaseUntil ?? now) - now)} left`
        : forced
          ? 'by force'
          : kept
            ? 'none, in maintenance'
            : holder === null
              ? 'nobody is known to hold it'
              : `${holder} holds it`,
      needed: `held by ${node}`,
      holds: held || forced || kept,
      change:
        held || forced || kept
          ? ''
          : holder === null
            ? 'it comes with the promotion'
            : `${holder} has to lose it, or to hand it over`,
    },
    {
      ...reported(state, now),
      ...{ name: 'started', what: 'the service is started and runs' },
      value: run === 'failed' ? `failed: ${state.lastError}` : run,
      needed: 'run',
      holds: run === 'run',
      change: run === 'run' ? '' : startChange(state, resource),
    },
  ]);
}

function startChange(state: NodeState, resource: string): string {
  const tail = state.lastError === '' ? '' : `; last error: ${state.lastError}`;
  const run = runState(state);
  if (state.kept !== null)
    return `in maintenance it is left as it is: hastmonctl maintenance off ${resource}${tail}`;
  if (run === 'starting') return `the start hook has to end well${tail}`;
  if (run === 'stopping' || run === 'failed') return `the stop has to come to its end${tail}`;
  return state.role === 'primary' ? `the lease comes first${tail}` : `it runs on the primary of ${resource}`;
}

/** What has to go on for it to stay here; of a holder alone. */
export function explainStaying(state: NodeState, now: Instant): Condition<Topic>[] {
  const { report } = state.worker ?? {};
  if (!holding(state, now) || report == null) return [];
  const { settings } = state;
  const leftMs = report.leaseUntil - now;
  const marginMs = guardMarginMs(settings.leaseMs);
  const answers = state.serviceFailed === '';
  const majorities = quorums(state, now).map(({ missing, needed, set, there }): Draft => {
    const spare = there.length - needed;
    return {
      ...own(state),
      ...{ name: 'majority', what: `a majority of ${votersOf(state, set)} renews the lease` },
      value: heardWords(state, there, missing, now),
      needed: `${needed}; ${spare > 0 ? `${spare} more may be lost` : 'no other may be lost'}`,
      holds: spare >= 0,
      change: spare >= 0 ? '' : `${missing.join(' and ')} have to be started, or the network mended`,
    };
  });
  return conditions('staying', [
    {
      ...reported(state, now),
      ...{ name: 'lease', what: 'the lease is renewed before it ends', value: `${seconds(leftMs)} left` },
      needed: `more than ${seconds(marginMs)}; renewed every heartbeat_interval (${seconds(settings.heartbeatMs)})`,
      holds: leftMs > marginMs,
      change: leftMs > marginMs ? '' : 'a majority of the voters has to answer',
    },
    ...majorities,
    {
      ...own(state),
      ...{ name: 'service', what: 'its checks do not say that it is down' },
      value: answers ? 'they do not' : state.serviceFailed,
      needed: 'no confirmed outage',
      holds: answers,
      change: answers
        ? ''
        : `the service has to answer; attempts so far: ${state.attempts} of ${settings.attempts}`,
    },
    {
      ...reported(state, now),
      ...{ name: 'attempts', what: 'it has not failed too often', value: `${state.attempts} failed` },
      needed: `fewer than ${settings.attempts}`,
      holds: state.attempts < settings.attempts,
      change: state.attempts < settings.attempts ? '' : 'it is given up here',
    },
  ]);
}

/** What ends it here, each by itself: `holds` says that it does now. */
export function explainSteppingDown(state: NodeState, now: Instant): Condition<Topic>[] {
  const { cleaning, leaving, settings, terminating, worker } = state;
  if (state.role !== 'primary' && cleaning?.required !== true) return [];
  const { report } = worker?.role === 'primary' ? worker : { report: null };
  const lost = report !== null && report.stopEnd < Number.POSITIVE_INFINITY && !holding(state, now);
  const better = betterPrimary(state, now);
  const cause = leaving?.why === 'handover' ? state.handover?.cause : undefined;
  return conditions('stepping-down', [
    {
      ...reported(state, now),
      ...{ name: 'lease-lost', what: 'the lease has ended without a renewal' },
      value: lost || cleaning?.required === true ? 'the resource is being stopped' : 'it has not',
      needed: 'no majority for lease_timeout',
      holds: lost || cleaning?.required === true,
      change: lost ? 'a majority has to be heard; then it is asked for anew' : '',
    },
    {
      ...own(state),
      ...{
        name: 'operator',
        what: 'somebody ordered it',
        source: 'operator',
      },
      value: terminating ? 'hastmond ends' : leaving === null ? 'nothing was' : leavingWords(leaving),
      needed: 'a role, a switchover, the end of hastmond',
      holds: terminating || (leaving !== null && (cause === undefined || cause === 'operator')),
      change: '',
    },
    {
      ...priorityFacts(state, better, now),
      ...{
        name: 'priority',
        what: 'a node of better priority, set to primary, can take over',
      },
      needed: `a number below ${settings.priority}, here for two leases`,
      holds: cause === 'priority',
      change: '',
    },
    {
      ...failbackFacts(state, now),
      ...{ name: 'failback', what: 'a node of better priority has been able to take over for long enough' },
      holds: cause === 'failback',
      change: '',
    },
  ]);
}

function leavingWords({ successor, to }: NonNullable<NodeState['leaving']>): string {
  return successor === '' ? `this node becomes ${to}` : `handing over to ${successor}`;
}

function priorityFacts(
  state: NodeState,
  better: NodeName | null,
  now: Instant,
): Pick<Draft, 'value' | 'ageMs' | 'source'> {
  if (better === null) return { ...own(state), value: 'nobody' };
  const { heardAt = now, message = null } = state.peers[better] ?? {};
  const waits = state.handoverNotBefore > now;
  const later = waits
    ? `; not tried again for ${seconds(state.handoverNotBefore - now)}, since a handover failed`
    : '';
  return { source: better, ageMs: now - heardAt, value: `${better} has ${message?.priority ?? '?'}${later}` };
}

/** `hostA has 50, able for 3 min: would hand over to it in 7 min`. */
function failbackFacts(state: NodeState, now: Instant): Pick<Draft, 'value' | 'needed' | 'ageMs' | 'source'> {
  const { needed, node, value } = failbackWords(state, now);
  const { heardAt = now } = state.peers[node] ?? {};
  return node === ''
    ? { ...own(state), value, needed }
    : { source: node, ageMs: now - heardAt, value, needed };
}
