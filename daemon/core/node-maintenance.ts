/**
 * Maintenance on the node that holds the resource: how it begins, changes, ends, and is taken up again by another hastmond (rules L1 to L10 of
 * docs/protocol.md). Part of the core of a node; reached through node.ts.
 */
import { guardMarginMs, includesSets } from './lease.js';
import { beginCleaning } from './node-clean.js';
import { leavePrimary, markOf, tellWorker } from './node-role.js';
import type { Kept, KeptNote, NodeCommand, NodeOutput, NodeState } from './node-types.js';
import { voterOutputs } from './node-voter.js';
import type { Instant, NodeName, VoterMemory } from './types.js';
import { connectedHolder, heardLately, holding, quorums } from './view.js';
import { bindsToOthers, disownMaintenance, isNewer } from './voter.js';

type On = Extract<NodeCommand, { kind: 'maintenance-on' }>;
type Reply = (error: string, text?: string) => void;

/** What was on disk when this hastmond began: the resource is taken up as it is. */
export function adoptedMaintenance({ by, leftMs, reason }: KeptNote, now: Instant): Kept {
  const never = { giveUpAt: Number.POSITIVE_INFINITY, command: 0, before: null };
  return { phase: 'in-force', reason, by, revision: 1, endsAt: now + leftMs, ...never };
}

/** `maintenance on`: answered when a majority of the voters and this node have it on disk, or its new reason and end. */
export function maintenanceOn(
  state: NodeState,
  id: number,
  command: On,
  now: Instant,
  outputs: NodeOutput[],
  reply: Reply,
): void {
  const { by, forMs, reason } = command;
  const { resource, leaseMs } = state.settings;
  if (state.kept?.phase === 'in-force') return change(state, id, command, state.kept, now, outputs, reply);
  if (state.kept !== null) return reply(JUST_NOW);
  const report = state.worker?.report;
  if (!holding(state, now)) {
    const holder = connectedHolder(state, now);
    return reply(
      holder === null
        ? `${resource} is not held here, nor by any node that is connected: there is nothing to leave alone`
        : `${resource} is held by ${holder}: run hastmonctl maintenance on ${resource} there`,
    );
  }
  // Nobody could end such a change as long as maintenance lasts, nor the lease be renewed by those that have begun it.
  const differs = state.settings.voters.some((node) => {
    const memory = heardLately(state, node, now)?.memory;
    return memory?.history === true && !includesSets(state.voter.sets, memory.sets);
  });
  if (state.voter.sets.length > 1 || differs)
    return reply('a change of the voters is under way; wait for its end and try again');
  if (state.leaving !== null) return reply('a change of role is under way; wait for it and try again');
  if (report?.run !== 'run' || report.forced)
    return reply(`${resource} does not run here under its lease: it is ${report?.run ?? 'unknown'}`);
  state.kept = {
    ...{ phase: 'entering', reason, by, revision: state.lastRevision + 1, endsAt: now + forMs },
    ...{ giveUpAt: now + 2 * leaseMs, command: id, before: null },
  };
  state.lastRevision += 1;
  tellWorker(state, { kind: 'maintenance', mark: markOf(state).mark }, outputs);
}

const JUST_NOW = 'maintenance begins, changes or ends just now; try again in a moment';

/**
 * Another reason, another end, or both. The mark that the voters are told says `on` as the one before it does, so that the resource is
 * kept for this node at every moment, whoever of them has heard which (L10).
 */
function change(
  state: NodeState,
  id: number,
  { by, forMs, reason }: On,
  kept: Kept,
  now: Instant,
  outputs: NodeOutput[],
  reply: Reply,
): void {
  const { resource, leaseMs } = state.settings;
  const before = { reason: kept.reason, by: kept.by, endsAt: kept.endsAt };
  if (reason === '' && !Number.isFinite(forMs))
    return reply(
      `${resource} is in maintenance already (${kept.reason || 'no reason was given'}, by ${kept.by}): ` +
        '--reason and --for would change that',
    );
  state.lastRevision += 1;
  state.kept = {
    ...{ phase: 'changing', reason: reason || kept.reason, by, revision: state.lastRevision, before },
    ...{ endsAt: Number.isFinite(forMs) ? now + forMs : kept.endsAt },
    ...{ giveUpAt: now + 2 * leaseMs, command: id },
  };
  tellWorker(state, { kind: 'maintenance', mark: markOf(state).mark }, outputs);
}

/** What was to be changed is as it was: voters that have heard otherwise hear this, which is newer. */
function changeBack(state: NodeState, why: string, outputs: NodeOutput[]): void {
  const { kept } = state;
  if (kept?.before == null) return;
  answer(state, `${why}: the reason and the end of maintenance stay as they were`, outputs);
  state.lastRevision += 1;
  state.kept = {
    ...{ ...kept, ...kept.before, phase: 'in-force', revision: state.lastRevision, before: null },
    ...{ giveUpAt: Number.POSITIVE_INFINITY, command: 0 },
  };
  tellWorker(state, { kind: 'maintenance', mark: markOf(state).mark }, outputs);
}

/** hastmond ends, or has the resource in its file no more: whoever waits for maintenance here hears that. */
export function maintenanceUnanswered(state: NodeState, outputs: NodeOutput[]): void {
  const { kept } = state;
  if (kept === null) return;
  const what =
    kept.phase === 'entering' || kept.phase === 'noting'
      ? 'begun'
      : kept.before !== null
        ? 'been changed'
        : 'ended';
  answer(state, `hastmond is about to end, and maintenance was not known to have ${what}`, outputs);
}

/** `maintenance off`: answered when the lease counts again and a majority of the voters knows. */
export function maintenanceOff(state: NodeState, id: number, now: Instant, reply: Reply): void {
  const { kept, settings } = state;
  if (kept === null) {
    const elsewhere = quorums(state, now).flatMap(({ keeping }) => keeping)[0]?.holder;
    if (elsewhere === undefined) return reply('', 'not in maintenance here');
    const there = heardLately(state, elsewhere, now) === null ? 'there, once it is back' : 'there';
    return reply(
      `${elsewhere} is in maintenance, and this node is not: hastmonctl maintenance off ${settings.resource} ${there}`,
    );
  }
  if (kept.phase !== 'in-force') return reply(JUST_NOW);
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
        leave(state, now, outputs);
      }
      return;
    case 'in-force':
      if (now >= kept.endsAt) state.kept = { ...kept, phase: 'ending' };
      else return;
      driveMaintenance(state, now, outputs);
      return;
    case 'changing':
      if (report !== null && report.settled >= kept.revision) {
        state.kept = { ...kept, phase: 'renoting' };
        keep(state, now, outputs);
      } else if (now >= kept.giveUpAt) {
        changeBack(state, 'no majority of the voters has put it on disk in time', outputs);
      }
      return;
    case 'ending':
      if (isGood(state, now)) {
        state.kept = { ...kept, phase: 'forgetting', giveUpAt: Number.POSITIVE_INFINITY };
        outputs.push({ kind: 'keep', note: null });
      } else if (now >= kept.giveUpAt) {
        answer(state, NOT_RENEWED, outputs);
      }
      return;
    case 'forgotten':
      if (isGood(state, now)) leave(state, now, outputs);
      else if (now >= kept.giveUpAt) answer(state, NOT_RENEWED, outputs);
      return;
    case 'leaving':
      // Its own voter, too: what that says would be taken back.
      if (report !== null && (report.settled < kept.revision || state.voter.grant?.mark.on)) {
        if (now >= kept.giveUpAt) answer(state, NOT_TOLD, outputs);
        return;
      }
      answer(state, '', outputs);
      state.kept = null;
      return;
    default:
  }
}

const NOT_RENEWED =
  'the lease is not renewed now, and the resource would be stopped: it ends by itself when a majority of the voters answers again';
const NOT_TOLD =
  'the lease counts again, but no majority of the voters has put that on disk in time: they hear it when they answer again, ' +
  'and no other node takes the resource over before';

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
    const behind = grant?.epoch === theirs.epoch && isNewer(theirs.mark, grant.mark);
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
export function maintenanceKept(state: NodeState, ok: boolean, now: Instant, outputs: NodeOutput[]): void {
  const { kept } = state;
  if (kept?.phase === 'renoting') {
    if (!ok) return changeBack(state, 'it cannot be put on disk here', outputs);
    state.kept = { ...kept, phase: 'in-force', before: null };
    answer(state, '', outputs);
  } else if (kept?.phase === 'noting') {
    state.kept = { ...kept, phase: ok ? 'in-force' : 'ending', giveUpAt: Number.POSITIVE_INFINITY };
    answer(
      state,
      ok ? '' : 'it cannot be put on disk here, and hastmond could not be restarted under it',
      outputs,
    );
  } else if (kept?.phase === 'forgetting') {
    if (ok) state.kept = { ...kept, phase: 'forgotten', giveUpAt: now + 2 * state.settings.leaseMs };
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

function leave(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  if (state.kept === null) return;
  state.lastRevision += 1;
  state.kept = {
    ...state.kept,
    phase: 'leaving',
    revision: state.lastRevision,
    giveUpAt: now + 2 * state.settings.leaseMs,
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
