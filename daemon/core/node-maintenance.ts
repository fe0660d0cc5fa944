/**
 * Maintenance on the node that holds the resource: how it begins, ends, and is taken up again by another hastmond (rules L1 to L9 of
 * docs/protocol.md). Part of the core of a node; reached through node.ts.
 */
import { guardMarginMs } from './lease.js';
import { beginCleaning } from './node-clean.js';
import { leavePrimary, markOf, tellWorker } from './node-role.js';
import type { Kept, KeptNote, NodeCommand, NodeOutput, NodeState } from './node-types.js';
import { voterOutputs } from './node-voter.js';
import type { Instant, NodeName, VoterMemory } from './types.js';
import { connectedHolder, heardLately, holding } from './view.js';
import { bindsToOthers, disownMaintenance } from './voter.js';

type On = Extract<NodeCommand, { kind: 'maintenance-on' }>;
type Reply = (error: string, text?: string) => void;

/** What was on disk when this hastmond began: the resource is taken up as it is. */
export function adoptedMaintenance({ by, leftMs, reason }: KeptNote, now: Instant): Kept {
  const never = { giveUpAt: Number.POSITIVE_INFINITY, command: 0 };
  return { phase: 'in-force', reason, by, revision: 1, endsAt: now + leftMs, ...never };
}

/** `maintenance on`: answered when a majority of the voters and this node have it on disk. */
export function maintenanceOn(
  state: NodeState,
  id: number,
  { by, forMs, reason }: On,
  now: Instant,
  outputs: NodeOutput[],
  reply: Reply,
): void {
  const { resource, leaseMs } = state.settings;
  if (state.kept?.phase === 'in-force')
    return reply(
      `${resource} is in maintenance already (${state.kept.reason || 'no reason was given'}, by ${state.kept.by})`,
    );
  if (state.kept !== null) return reply('maintenance begins or ends just now; try again in a moment');
  const report = state.worker?.report;
  if (!holding(state, now)) {
    const holder = connectedHolder(state, now);
    return reply(
      holder === null
        ? `${resource} is not held here, nor by any node that is connected: there is nothing to leave alone`
        : `${resource} is held by ${holder}: run hastmonctl maintenance on ${resource} there`,
    );
  }
  if (state.voter.sets.length > 1)
    return reply('a change of the voters is under way; wait for its end and try again');
  if (state.leaving !== null) return reply('a change of role is under way; wait for it and try again');
  if (report?.run !== 'run' || report.forced)
    return reply(`${resource} does not run here under its lease: it is ${report?.run ?? 'unknown'}`);
  state.kept = {
    ...{ phase: 'entering', reason, by, revision: state.lastRevision + 1, endsAt: now + forMs },
    ...{ giveUpAt: now + 2 * leaseMs, command: id },
  };
  state.lastRevision += 1;
  tellWorker(state, { kind: 'maintenance', mark: markOf(state).mark }, outputs);
}

/** `maintenance off`: answered when the lease counts again and a majority of the voters knows. */
export function maintenanceOff(state: NodeState, id: number, now: Instant, reply: Reply): void {
  const { kept, settings } = state;
  if (kept === null) return reply('', 'not in maintenance here');
  if (kept.phase !== 'in-force') return reply('maintenance begins or ends just now; try again in a moment');
  state.kept = { ...kept, phase: 'ending', giveUpAt: now + 2 * settings.leaseMs, command: id };
}

/** What time and the worker's reports bring; called after every input. */
export function driveMaintenance(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  const { kept } = state;
  if (kept === null) return disown(state, now, outputs);
  if (state.terminating) return;
  const report = state.worker?.role === 'primary' ? state.worker.report : null;
  switch (kept.phase) {
    case 'entering':
      if (report?.maintained) {
        state.kept = { ...kept, phase: 'noting' };
        keep(state, now, outputs);
      } else if (now >= kept.giveUpAt || !holding(state, now)) {
        answer(
          state,
          'no majority of the voters has put it on disk in time: nothing is in maintenance',
          outputs,
        );
        leave(state, outputs);
      }
      return;
    case 'in-force':
      if (now >= kept.endsAt) state.kept = { ...kept, phase: 'ending' };
      else return;
      driveMaintenance(state, now, outputs);
      return;
    case 'ending':
      if (isGood(state, now)) {
        state.kept = { ...kept, phase: 'forgetting', giveUpAt: Number.POSITIVE_INFINITY };
        outputs.push({ kind: 'keep', note: null });
      } else if (now >= kept.giveUpAt) {
        const text =
          'the lease is not renewed now, and the resource would be stopped: it ends by itself when a majority of the voters answers again';
        answer(state, text, outputs);
      }
      return;
    case 'forgotten':
      if (isGood(state, now)) leave(state, outputs);
      return;
    case 'leaving':
      // Its own voter, too: what that says would be taken back.
      if (report !== null && (report.settled < kept.revision || state.voter.grant?.mark.on)) return;
      answer(state, '', outputs);
      state.kept = null;
      return;
    default:
  }
}

/**
 * Voters keep the resource for this node, which does not count on that: they would do so for ever. It makes sure that the resource is stopped
 * here, and then says so (L9).
 */
function disown(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  if (state.cleaning !== null || state.terminating) return;
  const kept = keptForUs(state, now);
  if (kept === null) return;
  const { settings, worker } = state;
  const primary = worker?.role === 'primary';
  if (primary ? worker.report?.mayRun === false : state.knownStopped)
    return voterOutputs(state, disownMaintenance(state.voter, kept, now), outputs);
  // A primary stops it, or gets a lease, which says the same.
  if (primary || now < state.disownAt) return;
  state.disownAt = now + settings.statusIntervalMs;
  const text =
    'the voters keep the resource for this node, from maintenance that it does not know of: looking whether it runs';
  outputs.push({ kind: 'log', level: 'warn', text, peer: '' });
  beginCleaning(state, 'check', now + settings.stopTimeoutMs, 0, outputs);
}

type KeptForUs = NonNullable<VoterMemory['grant']>;

/** What this node's own voter keeps for it, or another one that says so and knows no less. */
function keptForUs(state: NodeState, now: Instant): KeptForUs | null {
  const self = state.settings.node;
  const { grant } = state.voter;
  if (grant?.mark.on && grant.holder.node === self) return { ...grant, leftMs: 0 };
  for (const node of Object.keys(state.peers)) {
    const theirs = heardLately(state, node, now)?.memory.grant;
    if (!theirs?.mark.on || theirs.holder.node !== self) continue;
    const older = grant === null || (grant.epoch < theirs.epoch && !bindsToOthers(state.voter, now));
    const behind = grant?.epoch === theirs.epoch && grant.mark.revision < theirs.mark.revision;
    if (older || behind) return theirs;
  }
  return null;
}

/** When that has to be called again at the latest. */
export function maintenanceWakeAt({ kept, terminating }: NodeState): Instant {
  if (kept === null || terminating) return Number.POSITIVE_INFINITY;
  const ends = kept.phase === 'in-force' ? kept.endsAt : Number.POSITIVE_INFINITY;
  return Math.min(ends, kept.command === 0 ? Number.POSITIVE_INFINITY : kept.giveUpAt);
}

/** The shell's word that the note is on disk, or is off it. */
export function maintenanceKept(state: NodeState, ok: boolean, outputs: NodeOutput[]): void {
  const { kept } = state;
  if (kept?.phase === 'noting') {
    state.kept = { ...kept, phase: ok ? 'in-force' : 'ending', giveUpAt: Number.POSITIVE_INFINITY };
    answer(
      state,
      ok ? '' : 'it cannot be put on disk here, and hastmond could not be restarted under it',
      outputs,
    );
  } else if (kept?.phase === 'forgetting') {
    if (ok) state.kept = { ...kept, phase: 'forgotten' };
    else {
      answer(state, 'the note of it on disk cannot be removed: maintenance goes on', outputs);
      state.kept = { ...kept, phase: 'in-force', endsAt: Number.POSITIVE_INFINITY, command: 0 };
    }
  }
}

/** Another node holds a lease that is newer than what is in maintenance here: an operator has taken it away, and it is void (L8). */
export function maintenanceVoid(state: NodeState, holder: NodeName, outputs: NodeOutput[]): void {
  if (state.kept === null) return;
  const text = `${holder} holds a newer lease: maintenance here is void, and the resource is stopped`;
  outputs.push({ kind: 'log', level: 'error', text, peer: holder });
  answer(state, text, outputs);
  state.kept = null;
  outputs.push({ kind: 'keep', note: null });
  state.lastRevision += 1;
  tellWorker(
    state,
    { kind: 'maintenance', mark: { ...markOf(state).mark, revision: state.lastRevision } },
    outputs,
  );
  leavePrimary(state, { to: 'secondary', why: 'role', successor: '', command: 0 }, outputs);
}

/** The lease lasts long enough for the worker to hear that it counts again. */
function isGood(state: NodeState, now: Instant): boolean {
  const until = state.worker?.report?.leaseUntil ?? Number.NEGATIVE_INFINITY;
  const { leaseMs } = state.settings;
  return until - guardMarginMs(leaseMs) - now >= leaseMs / 2 && state.leaving === null;
}

function keep({ kept, roleSet }: NodeState, now: Instant, outputs: NodeOutput[]): void {
  if (kept === null) return;
  const { by, endsAt, reason } = kept;
  outputs.push({ kind: 'keep', note: { reason, by, leftMs: Math.max(0, endsAt - now), roleSet } });
}

function leave(state: NodeState, outputs: NodeOutput[]): void {
  if (state.kept === null) return;
  state.lastRevision += 1;
  state.kept = {
    ...state.kept,
    phase: 'leaving',
    revision: state.lastRevision,
    giveUpAt: Number.POSITIVE_INFINITY,
  };
  tellWorker(state, { kind: 'maintenance', mark: markOf(state).mark }, outputs);
}

function answer(state: NodeState, error: string, outputs: NodeOutput[]): void {
  const { kept } = state;
  if (kept === null || kept.command === 0) return;
  const text =
    error === ''
      ? kept.phase === 'leaving'
        ? 'maintenance has ended'
        : 'in maintenance: nothing happens by itself'
      : '';
  outputs.push({ kind: 'reply', command: kept.command, error, text });
  state.kept = { ...kept, command: 0, giveUpAt: Number.POSITIVE_INFINITY };
}
