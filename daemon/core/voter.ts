/**
 * A voter: to whom it grants the lease of one resource, until when, and what it must remember. Owns the grant, its
 * durable record and the voter set. Knows nothing of roles, hooks or who is worth to be primary.
 *
 * Rules are numbered in docs/protocol.md (V…).
 */
import {
  allVoters,
  coversEveryMajority,
  grantMs,
  includesSets,
  isMajorityOfAll,
  sameSet,
  setDistance,
} from './lease.js';
import type {
  AnswerMessage,
  AskMessage,
  DurationMs,
  Holder,
  Instant,
  NodeName,
  RefusalReason,
  ReleaseMessage,
  RequestMessage,
  VoterMemory,
  VoterSets,
} from './types.js';

/** What is written to disk, and fsynced, before an acquisition is answered. */
export interface VoterRecord {
  epochMax: number;
  grant: { holder: Holder; epoch: number; grantMs: DurationMs } | null;
  /** The newest voter set first; the one before it stands second while the change is under way. */
  sets: NodeName[][];
}

interface Grant {
  holder: Holder;
  epoch: number;
  grantMs: DurationMs;
  until: Instant;
  /** True: read back after a restart, so how lately it was renewed is not known. */
  restored: boolean;
}

interface Storing {
  id: number;
  /** The acquisition or longer renewal to answer when it is on disk; null where only sets or a release are stored. */
  answer: { from: NodeName; request: RequestMessage; grantMs: DurationMs } | null;
  sets: NodeName[][];
  /** The holder released it before it was on disk. */
  released: boolean;
}

export interface VoterState {
  self: NodeName;
  history: boolean;
  epochMax: number;
  grant: Grant | null;
  /** Nothing is acquired here before this: a voter without history waits out what it may have granted. */
  quarantineUntil: Instant;
  reservation: { node: NodeName; until: Instant } | null;
  /** The last epoch that each node released, of which incarnation. */
  released: Record<NodeName, { incarnation: number; epoch: number }>;
  /** What every request must reckon with. */
  sets: NodeName[][];
  /** What is on disk of it, which is what other voters are told. */
  setsStored: NodeName[][];
  storing: Storing | null;
  /** The last request that came while another record was being written: it is judged when that is done. */
  waiting: { from: NodeName; request: RequestMessage } | null;
  /** The longest grant by this node's own configurations: what others granted is taken to last as long. */
  ownGrantMs: DurationMs;
  /** When the old voter set may be dropped; null while a majority of it has not stored the new one. */
  changeEndsAt: Instant | null;
  lastStoreId: number;
  heard: Record<NodeName, VoterMemory>;
  /** Nodes that have said, since this voter began, that they have no history. */
  blank: NodeName[];
}

export type VoterOutput =
  | { kind: 'answer'; to: NodeName; message: AnswerMessage }
  | { kind: 'store'; id: number; record: VoterRecord }
  | { kind: 'log'; level: 'info' | 'warn' | 'error'; text: string };

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
    changeEndsAt: null,
    heard: {},
    blank: [],
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
  const grant = grantInForce(state, now);
  return {
    history: state.history,
    epochMax: state.epochMax,
    sets: state.setsStored,
    grant: grant === null ? null : { holder: grant.holder, epoch: grant.epoch, leftMs: grant.until - now },
  };
}

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
    return [answer(state, from, 'request', request, request.epoch, null, now)];
  }
  if (state.storing !== null) {
    state.waiting = { from, request };
    return [];
  }
  const storing = beginStore(state, {
    epochMax: Math.max(state.epochMax, request.epoch),
    grant: { holder: request.holder, epoch: request.epoch, grantMs: length },
    sets: state.sets,
  });
  state.storing = { ...storing.storing, answer: { from, request, grantMs: length } };
  return [storing.output];
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
  if (storing.answer === null) return [];
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
    restored: false,
  };
  state.reservation = null;
  return [answer(state, from, 'request', request, request.epoch, null, now)];
}

/** The holder gives its lease up; with a successor named, the resource is kept for that one (V6). */
export function voteOnRelease(state: VoterState, release: ReleaseMessage, now: Instant): VoterOutput[] {
  const { holder, epoch } = release;
  const before = state.released[holder.node];
  if (before === undefined || before.incarnation !== holder.incarnation || before.epoch < epoch) {
    state.released = { ...state.released, [holder.node]: { incarnation: holder.incarnation, epoch } };
  }
  const storing = state.storing;
  if (storing?.answer && isOf(storing.answer.request, holder, epoch)) {
    state.storing = { ...storing, released: true };
  }
  if (state.grant === null || !isOf(state.grant, holder, epoch)) return [];
  state.grant = null;
  if (release.successor !== '') {
    state.reservation = { node: release.successor, until: now + release.reservationMs };
  }
  if (storing !== null) return []; // A record under way is newer; a restart would only wait longer than it must.
  const begun = beginStore(state, { epochMax: state.epochMax, grant: null, sets: state.sets });
  state.storing = begun.storing;
  return [begun.output];
}

/** Another voter's memory, heard in its heartbeat: what a voter without history learns from (V9), and how a change
 * of the voter set comes to its end (V11). */
export function voterHeard(
  state: VoterState,
  from: NodeName,
  memory: VoterMemory,
  now: Instant,
): VoterOutput[] {
  state.heard = { ...state.heard, [from]: memory };
  if (!memory.history && !state.blank.includes(from)) state.blank = [...state.blank, from];
  if (!state.history) return learn(state, now);
  if (state.storing !== null) return [];
  if (!sameSets(state.setsStored, state.sets)) {
    const begun = beginStore(state, recordOf(state)); // An earlier attempt failed.
    state.storing = begun.storing;
    return [begun.output];
  }
  const [newest, previous] = state.sets;
  if (newest === undefined || previous === undefined) return [];
  return endChange(state, newest, previous, now);
}

/**
 * Drops the voter set of before (V11): when a majority of it has stored the new one, and whatever was granted before that
 * has run out. What that majority remembers is taken over, for its members may not be asked any more.
 */
function endChange(state: VoterState, newest: NodeName[], previous: NodeName[], now: Instant): VoterOutput[] {
  const stored = (node: NodeName): boolean => {
    if (node === state.self) return true;
    const memory = state.heard[node];
    return memory?.history === true && memory.sets[0] !== undefined && sameSet(memory.sets[0], newest);
  };
  if (!isMajorityOfAll([previous], stored)) return [];
  const memories = previous.filter(stored).flatMap((node) => state.heard[node] ?? []);
  if (state.changeEndsAt === null) {
    const longest = Math.max(state.ownGrantMs, ...memories.map(({ grant }) => grant?.leftMs ?? 0));
    state.changeEndsAt = now + longest;
  }
  if (now < state.changeEndsAt) return [];
  state.sets = [newest];
  state.changeEndsAt = null;
  state.epochMax = Math.max(state.epochMax, ...memories.map(({ epochMax }) => epochMax));
  const begun = beginStore(state, recordOf(state));
  state.storing = begun.storing;
  return [begun.output, { kind: 'log', level: 'info', text: `the voters are now ${newest.join(', ')}` }];
}

/**
 * The configuration names other voters than before (V10). Returns null where the change was begun, else why it
 * cannot be made now; a change of the order alone is none.
 */
export function changeVoters(
  state: VoterState,
  members: readonly NodeName[],
): { refused: string } | { outputs: VoterOutput[] } {
  const [newest, previous] = state.sets;
  if (newest === undefined || sameSet(newest, members)) return { outputs: [] };
  if (!state.history) {
    state.sets = [[...members]];
    state.setsStored = state.sets;
    return { outputs: [] };
  }
  if (previous !== undefined && !sameSet(previous, members)) {
    return {
      refused: `an earlier change of the voters (${previous.join(' ')} to ${newest.join(' ')}) is not stored by a majority yet`,
    };
  }
  if (setDistance(newest, members) > 1) {
    return {
      refused: `the voters differ by more than one node (${newest.join(' ')} to ${members.join(' ')}); change one at a time`,
    };
  }
  if (state.storing !== null) return { refused: 'a record is being written; reload again in a moment' };
  // A change that is taken back is a change too: both sets count meanwhile, as they do already.
  state.sets = [[...members], newest];
  state.changeEndsAt = null;
  const begun = beginStore(state, recordOf(state));
  state.storing = begun.storing;
  return { outputs: [begun.output] };
}

/** A voter that is alone has nobody to learn from: it is a new cluster by itself. */
export function voterAlone(state: VoterState, now: Instant): VoterOutput[] {
  return state.history || allVoters(state.sets).length > 1 ? [] : learn(state, now);
}

/** The operator's word that there is no earlier history (hastmonctl bootstrap). */
export function bootstrapVoter(state: VoterState, now: Instant): VoterOutput[] {
  if (state.history) return [];
  return takeHistory(state, 'the operator said that there is no earlier history', now);
}

function learn(state: VoterState, now: Instant): VoterOutput[] {
  const others = allVoters(state.sets).filter((node) => node !== state.self);
  const heard = others.filter((node) => state.heard[node] !== undefined);
  if (heard.length === others.length && heard.every((node) => isNew(state, node))) {
    return takeHistory(state, 'all voters are here and none has a history: a new cluster', now);
  }
  if (!coversEveryMajority(state.sets, state.self, (node) => state.heard[node]?.history === true)) return [];
  return takeHistory(state, `history learned from ${heard.join(', ')}`, now);
}

/**
 * True for a node without history, and for one that had none while this voter waited and has seen no lease since: it was only
 * quicker to see that the cluster is new.
 */
function isNew(state: VoterState, node: NodeName): boolean {
  const memory = state.heard[node];
  if (memory === undefined) return false;
  return !memory.history || (state.blank.includes(node) && memory.epochMax === 0 && memory.grant === null);
}

/** Takes over what the others remember; the quarantine of the start stays (an answer of the lost past may be under way). */
function takeHistory(state: VoterState, why: string, now: Instant): VoterOutput[] {
  state.history = true;
  for (const memory of Object.values(state.heard)) {
    state.epochMax = Math.max(state.epochMax, memory.epochMax);
    if (memory.grant === null || memory.grant.epoch < (state.grant?.epoch ?? 0)) continue;
    const { holder, epoch, leftMs } = memory.grant;
    state.grant = { holder, epoch, grantMs: leftMs, until: now + leftMs, restored: true };
  }
  if (state.storing !== null) return [];
  const begun = beginStore(state, recordOf(state));
  state.storing = begun.storing;
  return [begun.output, { kind: 'log', level: 'info', text: why }];
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
  const released = state.released[holder.node];
  if (epoch !== null && released?.incarnation === holder.incarnation && epoch <= released.epoch)
    return no('released');
  const pending = state.storing?.answer ?? null;
  if (pending !== null && (epoch === null || !isOf(pending.request, holder, epoch))) {
    return no('held', pending.request.holder.node, pending.grantMs);
  }
  // The last grant is renewed even after it ran out here: nobody else has had one since, and the record is on disk.
  if (state.grant !== null && epoch !== null && isOf(state.grant, holder, epoch)) return null;
  const grant = grantInForce(state, now);
  if (!state.history) return no('no-history', '', Math.max(0, state.quarantineUntil - now));
  if (now < state.quarantineUntil) return no('restarted', '', state.quarantineUntil - now);
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

function sameSets(a: VoterSets, b: VoterSets): boolean {
  return a.length === b.length && a.every((set, index) => sameSet(set, b[index] ?? []));
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

function recordOf(state: VoterState): VoterRecord {
  const grant = state.grant;
  return {
    epochMax: state.epochMax,
    grant: grant === null ? null : { holder: grant.holder, epoch: grant.epoch, grantMs: grant.grantMs },
    sets: state.sets,
  };
}

function beginStore(state: VoterState, record: VoterRecord): { storing: Storing; output: VoterOutput } {
  state.lastStoreId += 1;
  const id = state.lastStoreId;
  return {
    storing: { id, answer: null, sets: record.sets, released: false },
    output: { kind: 'store', id, record },
  };
}
