/**
 * A voter: to whom it grants the lease of one resource, until when, and what it must remember. Owns the grant, its
 * durable record and the voter set. Knows nothing of roles, hooks or who is worth to be primary.
 *
 * Rules are numbered in docs/protocol.md (V…).
 */
import { grantMs, includesSets } from './lease.js';
import type {
  AnswerMessage,
  AskMessage,
  DurationMs,
  Holder,
  Instant,
  MaintenanceMark,
  NodeName,
  RefusalReason,
  ReleaseMessage,
  RequestMessage,
  VoterMemory,
  VoterSets,
} from './types.js';
import { isNewer } from './voter-memory.js';
import {
  beginStore,
  type Grant,
  type Storing,
  type VoterOutput,
  type VoterRecord,
  type VoterState,
} from './voter-types.js';

export {
  bindsToOthers,
  bootstrapVoter,
  changeVoters,
  disownMaintenance,
  forgetMaintenance,
  isNewer,
  voterAlone,
  voterHeard,
  voterSurpassed,
} from './voter-memory.js';
export type { VoterOutput, VoterRecord, VoterState } from './voter-types.js';

/**
 * A voter as it is after a start. With a record it refuses others for the whole stored grant (V7); without one it
 * has no history and must learn it (V9). `ownGrantMs` is the grant by this node's own configuration.
 */
export function initVoter(
  self: NodeName,
  members: readonly NodeName[],
  record: VoterRecord | null,
  ownGrantMs: DurationMs,
  now: Instant,
): VoterState {
  const base = {
    self,
    reservation: null,
    released: {},
    storing: null,
    lastStoreId: 0,
    waiting: null,
    ownGrantMs,
    startedAt: now,
    changeEndsAt: null,
    heard: {},
    pastHeard: false,
  };
  if (record === null) {
    const sets = [[...members]];
    return {
      ...base,
      history: false,
      epochMax: 0,
      grant: null,
      quarantineUntil: now + ownGrantMs,
      sets,
      setsStored: sets,
    };
  }
  const grant =
    record.grant === null ? null : { ...record.grant, until: now + record.grant.grantMs, restored: true };
  return {
    ...base,
    history: true,
    epochMax: record.epochMax,
    grant,
    quarantineUntil: Number.NEGATIVE_INFINITY,
    sets: record.sets,
    setsStored: record.sets,
  };
}

/** A copy that may be changed without changing the original: what is in it is replaced here, never changed. */
export function copyVoter(state: VoterState): VoterState {
  return { ...state };
}

/** What this voter tells others of its memory. */
export function voterMemory(state: VoterState, now: Instant): VoterMemory {
  // Also of one that has run out: others have to know whether its holder has taken its maintenance back.
  const { grant } = state;
  return {
    history: state.history,
    epochMax: state.epochMax,
    sets: state.setsStored,
    longestGrantMs: state.ownGrantMs,
    grant:
      grant === null
        ? null
        : { holder: grant.holder, epoch: grant.epoch, leftMs: leftOf(grant, now), mark: grant.mark },
  };
}

const leftOf = ({ until }: Grant, now: Instant): number => Math.max(0, until - now);

/** The grant in force at `now`, null where none is. */
export function grantInForce(state: VoterState, now: Instant): Grant | null {
  return state.grant !== null && now < state.grant.until ? state.grant : null;
}

/** Answers an ask: what a request would get, without any change (V1). */
export function voteOnAsk(state: VoterState, from: NodeName, ask: AskMessage, now: Instant): VoterOutput[] {
  const verdict = judge(state, ask.holder, null, ask.sets, now);
  return [answer(state, from, 'ask', ask, 0, verdict, now)];
}

/** Answers a request: renews the grant in force, or stores a new one and answers when it is on disk (V2 to V5). */
export function voteOnRequest(
  state: VoterState,
  from: NodeName,
  request: RequestMessage,
  now: Instant,
): VoterOutput[] {
  const verdict = judge(state, request.holder, request.epoch, request.sets, now);
  if (verdict !== null) return [answer(state, from, 'request', request, request.epoch, verdict, now)];
  const length = grantMs(request.terms);
  const current = state.grant;
  if (current !== null && isOf(current, request.holder, request.epoch) && length <= current.grantMs) {
    state.grant = { ...current, until: Math.max(current.until, now + length), restored: false };
    const stored = storeMark(state, state.grant, request.mark);
    return [...stored, answer(state, from, 'request', request, request.epoch, null, now)];
  }
  if (state.storing !== null) {
    state.waiting = { from, request };
    return [];
  }
  const storing = beginStore(state, {
    epochMax: Math.max(state.epochMax, request.epoch),
    grant: { holder: request.holder, epoch: request.epoch, grantMs: length, mark: markOf(current, request) },
    sets: state.sets,
  });
  state.storing = { ...storing.storing, answer: { from, request, grantMs: length } };
  return [storing.output];
}

/** What a request says of maintenance, but for what its holder has said since. */
function markOf(grant: Grant | null, { epoch, holder, mark }: RequestMessage): MaintenanceMark {
  return grant !== null && isOf(grant, holder, epoch) && grant.mark.revision > mark.revision
    ? grant.mark
    : mark;
}

/**
 * Maintenance begins or ends with what the holder's renewal says (L2, L4): it counts when it is on disk, and the renewal waits for
 * nothing. What the holder said before it said something newer changes nothing.
 */
function storeMark(state: VoterState, grant: Grant, mark: MaintenanceMark): VoterOutput[] {
  // A holder that is heard again is not lost: what an operator has forgotten for it counts again.
  if (state.storing !== null || !isNewer(mark, grant.mark)) return [];
  const { epoch, holder } = grant;
  const begun = beginStore(state, {
    epochMax: state.epochMax,
    grant: { holder, epoch, grantMs: grant.grantMs, mark },
    sets: state.sets,
  });
  state.storing = { ...begun.storing, mark: { holder, epoch, mark } };
  return [begun.output];
}

/** The shell's word that a record is on disk, or could not be written. */
export function voterStored(state: VoterState, id: number, ok: boolean, now: Instant): VoterOutput[] {
  const { storing } = state;
  if (storing === null || storing.id !== id) return [];
  state.storing = null;
  const outputs = answerStored(state, storing, ok, now);
  const { waiting } = state;
  if (waiting === null) return outputs;
  state.waiting = null;
  return [...outputs, ...voteOnRequest(state, waiting.from, waiting.request, now)];
}

function answerStored(state: VoterState, storing: Storing, ok: boolean, now: Instant): VoterOutput[] {
  if (ok) state.setsStored = storing.sets;
  const { mark } = storing;
  if (ok && mark !== null && state.grant !== null && isOf(state.grant, mark.holder, mark.epoch))
    state.grant = { ...state.grant, mark: mark.mark };
  if (storing.answer === null) {
    if (!ok || storing.learned === '') return [];
    state.history = true;
    return [{ kind: 'log', level: 'info', text: storing.learned }];
  }
  const { from, request, grantMs: length } = storing.answer;
  if (!ok) {
    return [
      answer(state, from, 'request', request, request.epoch, { reason: 'disk', by: '', leftMs: 0 }, now),
    ];
  }
  state.epochMax = Math.max(state.epochMax, request.epoch);
  if (storing.released) {
    return [
      answer(state, from, 'request', request, request.epoch, { reason: 'released', by: '', leftMs: 0 }, now),
    ];
  }
  state.grant = {
    holder: request.holder,
    epoch: request.epoch,
    grantMs: length,
    until: now + length,
    mark: markOf(state.grant, request),
    restored: false,
  };
  state.reservation = null;
  return [answer(state, from, 'request', request, request.epoch, null, now)];
}

/** The holder gives its lease up; with a successor named, the resource is kept for that one (V6). */
export function voteOnRelease(state: VoterState, release: ReleaseMessage, now: Instant): VoterOutput[] {
  const { holder, epoch } = release;
  noteReleased(state, holder, epoch);
  const storing = state.storing;
  if (storing?.answer && isOf(storing.answer.request, holder, epoch)) {
    state.storing = { ...storing, released: true };
  }
  if (state.grant === null || !isOf(state.grant, holder, epoch)) return [];
  if (state.grant.mark.on) {
    // An acquisition that came to nothing: what runs there unattended does so still (L3).
    state.grant = { ...state.grant, until: Math.min(state.grant.until, now) };
    return [];
  }
  state.grant = null;
  if (release.successor !== '') {
    state.reservation = { node: release.successor, until: now + release.reservationMs };
  }
  if (storing !== null) return []; // A record under way is newer; a restart would only wait longer than it must.
  const begun = beginStore(state, { epochMax: state.epochMax, grant: null, sets: state.sets });
  state.storing = begun.storing;
  return [begun.output];
}

function noteReleased(state: VoterState, { node, incarnation }: Holder, epoch: number): void {
  const before = state.released[node] ?? [];
  const greatest = Math.max(epoch, releasedEpoch(state, { node, incarnation }));
  const others = before.filter((released) => released.incarnation !== incarnation);
  const all = [...others, { incarnation, epoch: greatest }].slice(-INCARNATIONS_KEPT);
  state.released = { ...state.released, [node]: all };
}

const INCARNATIONS_KEPT = 4;

/** The greatest epoch that this holder has released, -Infinity for none. */
function releasedEpoch({ released }: VoterState, { node, incarnation }: Holder): number {
  const last = released[node]?.find((entry) => entry.incarnation === incarnation);
  return last?.epoch ?? Number.NEGATIVE_INFINITY;
}

interface Verdict {
  reason: RefusalReason;
  by: NodeName;
  leftMs: DurationMs;
}

/** Whether a request (epoch given) or an ask (epoch null) is refused, and why. The order of the rules is V2. */
function judge(
  state: VoterState,
  holder: Holder,
  epoch: number | null,
  sets: VoterSets,
  now: Instant,
): Verdict | null {
  const no = (reason: RefusalReason, by = '', leftMs = 0): Verdict => ({ reason, by, leftMs });
  if (!state.sets.some((set) => set.includes(holder.node))) return no('not-a-voter');
  if (!includesSets(sets, state.sets)) return no('voter-set');
  if (epoch !== null && epoch <= releasedEpoch(state, holder)) return no('released');
  const pending = state.storing?.answer ?? null;
  if (pending !== null && (epoch === null || !isOf(pending.request, holder, epoch))) {
    return no('held', pending.request.holder.node, pending.grantMs);
  }
  // What it learned of others is not renewed either before its own forgotten grants have run out.
  if (!state.history) return no('no-history', '', Math.max(0, state.quarantineUntil - now));
  if (now < state.quarantineUntil) return no('restarted', '', state.quarantineUntil - now);
  // What it holds runs unattended, for as long as it likes (L1).
  const kept = state.grant;
  if (kept?.mark.on && kept.holder.node !== holder.node) return no('maintenance', kept.holder.node);
  // The last grant is renewed even after it ran out here: nobody else has had one since, and the record is on disk.
  if (state.grant !== null && epoch !== null && isOf(state.grant, holder, epoch)) return null;
  const grant = grantInForce(state, now);
  if (grant !== null) {
    return no(grant.restored ? 'restarted' : 'held', grant.holder.node, grant.until - now);
  }
  const reserved = state.reservation;
  if (reserved !== null && now < reserved.until && reserved.node !== holder.node) {
    return no('reserved', reserved.node, reserved.until - now);
  }
  if (epoch !== null && epoch <= state.epochMax) return no('stale-epoch');
  return null;
}

function isOf(grant: { holder: Holder; epoch: number }, holder: Holder, epoch: number): boolean {
  return (
    grant.epoch === epoch &&
    grant.holder.node === holder.node &&
    grant.holder.incarnation === holder.incarnation
  );
}

function answer(
  state: VoterState,
  to: NodeName,
  kind: 'ask' | 'request',
  asked: { holder: Holder; request: number },
  epoch: number,
  verdict: Verdict | null,
  now: Instant,
): VoterOutput {
  const message: AnswerMessage = {
    kind: 'answer',
    to: kind,
    holder: asked.holder,
    epoch,
    request: asked.request,
    refusal: verdict?.reason ?? null,
    by: verdict?.by ?? '',
    leftMs: verdict?.leftMs ?? 0,
    memory: voterMemory(state, now),
  };
  return { kind: 'answer', to, message };
}
