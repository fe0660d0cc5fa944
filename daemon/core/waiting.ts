/**
 * What a node is waiting for, in one plain sentence for `hastmonctl status`: why the resource does not run here, why this
 * node was not promoted, who is missing and what would help. Pure; it reads the state and changes nothing.
 */
import type { Refusal } from './acquire.js';
import { complaintCount } from './complaints.js';
import { failbackAhead } from './failback.js';
import { majority } from './lease.js';
import type { Kept, NodeState } from './node-types.js';
import type { Instant, MaintenanceMark, NodeName } from './types.js';
import { connectedHolder, heardLately, holding, isAble } from './view.js';

/** One sentence without its full stop; never empty. */
export function waitingFor(state: NodeState, now: Instant): string {
  if (state.terminating) return 'hastmond is ending, once the resource is known to be stopped here';
  if (state.kept !== null) return kept(state, state.kept, now);
  if (state.cleaning !== null) return cleaning(state);
  const { grant } = state.voter;
  if (grant?.mark.on && grant.holder.node !== state.settings.node)
    return withHistory(state, now, keptFor(state, grant.holder.node, grant.mark, now));
  switch (state.role) {
    case 'init':
      return withHistory(
        state,
        now,
        `nothing: no role is set; set one with hastmonctl role primary|secondary|watchdog ${state.settings.resource}`,
      );
    case 'watchdog':
      return watchdog(state, now);
    case 'primary':
      return primary(state, now);
    case 'secondary':
      return secondary(state, now);
    default:
      return state.role satisfies never;
  }
}

/** This node's voter keeps the resource for another one: for as long as that is away nothing happens, however long it takes. */
function keptFor(state: NodeState, holder: NodeName, mark: MaintenanceMark, now: Instant): string {
  const { resource } = state.settings;
  const words = markWords(mark);
  if (heardLately(state, holder, now) !== null)
    return `nothing: ${holder} is in maintenance (${words}): hastmonctl maintenance off ${resource} there ends it`;
  return (
    `${holder} to come back, which is in maintenance (${words}) and cannot be heard: no other node takes the resource over before that; ` +
    `where it is lost for good: hastmonctl maintenance forget ${resource} on each of the others`
  );
}

/** `upgrade, by root (uid 0)`. */
export function markWords({ by, reason }: { by: string; reason: string }): string {
  return `${reason === '' ? 'no reason was given' : reason}, by ${by}`;
}

function kept(state: NodeState, { endsAt, phase, ...mark }: Kept, now: Instant): string {
  const words = markWords(mark);
  const until = Number.isFinite(endsAt) ? `, for ${seconds(Math.max(0, endsAt - now))} more` : '';
  switch (phase) {
    case 'entering':
    case 'noting':
      return `a majority of the voters to put maintenance on disk (${words})`;
    case 'in-force':
      return `nothing: in maintenance (${words}${until}), and left alone: hastmonctl maintenance off ${state.settings.resource} ends it`;
    case 'changing':
    case 'renoting':
      return `a majority of the voters to put the new words of maintenance on disk (${words}${until}); the resource is left alone`;
    case 'ending':
      return `a majority of the voters to renew the lease, to end maintenance (${words})`;
    default:
      return `a majority of the voters to know that maintenance has ended (${words})`;
  }
}

function cleaning(state: NodeState): string {
  if (state.cleaning?.fencing) return 'the fence program, since the resource could not be stopped here';
  if (state.cleaning?.failedAt != null)
    return `the resource to stop here: ${state.lastError || 'the stop failed'}; it is tried again`;
  return 'certainty that the resource is stopped here';
}

function watchdog(state: NodeState, now: Instant): string {
  const holder = connectedHolder(state, now);
  const runs = holder === null ? null : heardLately(state, holder, now)?.run;
  const what =
    holder === null
      ? 'a node to take the resource over; complaining to the candidates'
      : `nothing: ${holder} holds the lease (${runs})`;
  return withHistory(state, now, what);
}

function primary(state: NodeState, now: Instant): string {
  const report = state.worker?.report;
  if (report?.forced) return 'a lease: the resource runs here by force, and may run on another node too';
  if (report?.run === 'failed') return `the resource to stop here: ${state.lastError}; it is tried again`;
  if (!holding(state, now)) {
    if (report?.run === 'stopping') return 'the resource to stop here, since the lease is lost';
    return withHistory(state, now, state.unfit === '' ? lease(state, now) : required(state));
  }
  if (state.leaving?.why === 'handover') return 'the resource to stop here, to hand it over';
  if (state.leaving !== null) return `the resource to stop here, to become ${state.leaving.to}`;
  const missing = unheard(state, now);
  const without = missing.length === 0 ? '' : `; ${missing.join(' and ')} cannot be heard`;
  if (report?.run === 'run' && state.serviceFailed !== '')
    return `the service to answer: ${state.serviceFailed}${without}`;
  if (report?.run === 'run') return `nothing: the resource runs here${without}${ahead(state, now)}`;
  if (report?.run === 'starting')
    return `the resource to start here (attempt ${state.attempts + 1} of ${state.settings.attempts})`;
  return 'the first look at the resource here';
}

/** What is to come of `failback`. */
function ahead(state: NodeState, now: Instant): string {
  const words = failbackAhead(state, now);
  return words === '' ? '' : `; ${words}`;
}

function secondary(state: NodeState, now: Instant): string {
  const { handover } = state;
  if (handover?.phase === 'passing') return `${handover.to} to take the lease, which was released for it`;
  if (handover?.phase === 'starting')
    return `${handover.to} to start the resource, which was handed over to it`;
  if (handover?.phase === 'putting-back' && connectedHolder(state, now) === null && isAble(state, now))
    return withHistory(state, now, `${lease(state, now)}, to put back here what ${handover.to} does not run`);
  const { gaveUpAt, settings } = state;
  const holder = connectedHolder(state, now);
  const pauseMs = gaveUpAt === null ? 0 : gaveUpAt + settings.complaintIntervalMs - now;
  const gaveUp =
    pauseMs > 0 ? `; this node has given the resource up (${state.lastError || 'it failed'})` : '';
  if (holder !== null) return withHistory(state, now, `nothing: ${holder} holds the lease${gaveUp}`);
  if (pauseMs > 0)
    return (
      `${seconds(pauseMs)} to pass, since this node has given the resource up (${state.lastError || 'it failed'}); ` +
      `hastmonctl role primary ${settings.resource} does not wait`
    );
  const count = complaintCount(state.complaints, settings.complaintIntervalMs, now);
  const needed = settings.complaintCount + 1;
  const set = state.roleSet === 'primary' && gaveUpAt === null;
  if (state.unfit !== '') return withHistory(state, now, required(state));
  const alone = noMajority(state, now);
  if (alone !== null) return withHistory(state, now, alone);
  if (!set && count < needed && now >= state.successorUntil) {
    return withHistory(
      state,
      now,
      `a watchdog to confirm that the primary is lost (${count} complaints of ${needed}); ` +
        `hastmonctl role primary ${settings.resource} does not wait for it`,
    );
  }
  return withHistory(state, now, lease(state, now));
}

/** What the resource requires of its primary does not hold here (P5). */
function required(state: NodeState): string {
  return `what the resource requires of its primary: ${state.unfit}`;
}

/** Why the lease cannot be had: no majority to be reached, or who refuses and for how long. */
function lease(state: NodeState, now: Instant): string {
  const alone = noMajority(state, now);
  if (alone !== null) return alone;
  const { refusals } = state.acquisition;
  const words = Object.entries(refusals).map(([node, refusal]) => refusalWords(node, refusal, now));
  return words.length === 0 ? 'the lease: asking the voters' : `the lease: ${words.join('; ')}`;
}

/** Who is missing for a majority, and what would help; null where enough voters can be heard. */
function noMajority(state: NodeState, now: Instant): string | null {
  const self = state.settings.node;
  for (const set of state.voter.sets) {
    const heard = set.filter((node) => node === self || heardLately(state, node, now) !== null);
    const short = majority(set.length) - heard.length;
    if (short <= 0) continue;
    const missing = set.filter((node) => !heard.includes(node));
    return (
      `a majority of the voters: ${missing.join(' and ')} cannot be heard, and ${short} more of ${set.length} ` +
      `${short === 1 ? 'is' : 'are'} needed; start them or mend the network`
    );
  }
  return null;
}

/** What a voter said against a lease, and for how long that stands. */
export function refusalWords(node: NodeName, { reason, by, until }: Refusal, now: Instant): string {
  const left = until > now ? ` for ${seconds(until - now)} more` : '';
  switch (reason) {
    case 'held':
      return `${node} has granted it to ${by}${left}`;
    case 'maintenance':
      return `${node} keeps it for ${by}, which is in maintenance`;
    case 'reserved':
      return `${node} keeps it for ${by}${left}`;
    case 'restarted':
      return `${node} has restarted and waits${left}`;
    case 'no-history':
      return `${node} does not remember earlier leases: start all nodes, or bootstrap it if there is no history`;
    case 'voter-set':
      return `${node} is configured with other voters: reload hastmond there or here`;
    case 'not-a-voter':
      return `${node} does not know this node as a voter: reload hastmond there`;
    case 'disk':
      return `${node} cannot store its grant: look at its disk`;
    case 'stale-epoch':
    case 'released':
      return `${node} has seen a newer lease`;
    default:
      return reason satisfies never;
  }
}

/** A voter without history says so, for its vote is missing. */
function withHistory(state: NodeState, now: Instant, what: string): string {
  if (state.voter.history) return what;
  const missing = unheard(state, now);
  const who = missing.length === 0 ? 'the others' : missing.join(' and ');
  return (
    `${what}; this voter has no record of earlier leases and does not vote until it has heard ${who} ` +
    `(or hastmonctl bootstrap ${state.settings.resource}, if there is no history)`
  );
}

function unheard(state: NodeState, now: Instant): NodeName[] {
  return [...new Set(state.voter.sets.flat())].filter(
    (node) => node !== state.settings.node && heardLately(state, node, now) === null,
  );
}

/** The voters of a set, by name where there is more than one set. */
export function votersOf({ voter }: NodeState, set: readonly NodeName[]): string {
  return voter.sets.length < 2 ? 'the voters' : `the voters ${set.join(', ')}`;
}

/** How many voters are heard, and since when the others are not. */
export function heardWords(
  { peers }: NodeState,
  there: readonly NodeName[],
  missing: readonly NodeName[],
  now: Instant,
): string {
  const words = missing.map((node) => {
    const peer = peers[node];
    return `${node} (${peer?.message == null ? 'never heard' : `last heard ${seconds(now - peer.heardAt)} ago`})`;
  });
  return `${there.length} of ${there.length + missing.length}${words.length === 0 ? '' : `; not ${words.join(', ')}`}`;
}

/** A length of time in tenths of a second. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
