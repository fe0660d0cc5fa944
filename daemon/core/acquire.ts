/**
 * Acquiring a lease: ask all voters (binds nobody), then request it from all of them, and give up what was granted
 * where a majority cannot be had. Owned by the main process; the primary's worker renews what was acquired.
 *
 * Rules A1 to A6 of docs/protocol.md.
 */
import type { GivenLease } from './hold.js';
import { allVoters, couldBeMajority, includesSets, isMajorityOfAll, leaseEnd } from './lease.js';
import type {
  AnswerMessage,
  AskMessage,
  DurationMs,
  Holder,
  Instant,
  LeaseTerms,
  MaintenanceMark,
  NodeName,
  RefusalReason,
  ReleaseMessage,
  RequestMessage,
} from './types.js';
import { UNMARKED } from './types.js';

export interface Refusal {
  reason: RefusalReason;
  by: NodeName;
  /** Until when the refusal stands at most; the time it was given where it does not depend on time. */
  until: Instant;
}

export interface Acquisition {
  phase: 'idle' | 'asking' | 'acquiring';
  /** The last request number used; they rise for ever. */
  request: number;
  epoch: number;
  sentAt: Instant;
  /** What was asked for then. */
  terms: LeaseTerms;
  mark: MaintenanceMark;
  /** When the attempt is given up. */
  deadline: Instant;
  /** No new attempt before this. */
  retryAt: Instant;
  granted: NodeName[];
  /** Since when a majority has been willing, as far as asking tells; null where the last asking failed. */
  clearSince: Instant | null;
  /** What each voter last said against it; kept for `status` after the attempt. */
  refusals: Record<NodeName, Refusal>;
  /** A majority of each of these sets is needed. */
  sets: NodeName[][];
  /** Sets that voters reckon with and the attempt did not; the next attempt does (A6). */
  learned: NodeName[][];
  epochMax: number;
}

/** What an acquisition needs to know of its surroundings. */
export interface AcquireContext {
  holder: Holder;
  terms: LeaseTerms;
  heartbeatMs: DurationMs;
  /** 0 for the first candidate in the order of priority, 1 for the next, …: who loses waits longer (A5). */
  rank: number;
  /** How long a majority must have been willing before the lease is requested: others go first (A5). */
  standBackMs: DurationMs;
  /** What the holder says of maintenance. */
  mark: MaintenanceMark;
  /** True just after a handover: the releases are on their way to the voters, so ask again at once. */
  urgent: boolean;
}

export type AcquireOutput =
  | { kind: 'send'; to: NodeName; message: AskMessage | RequestMessage | ReleaseMessage }
  | ({ kind: 'acquired' } & GivenLease)
  | { kind: 'failed' };

const URGENT_RETRY_MS = 5;

export function initAcquisition(sets: NodeName[][]): Acquisition {
  return {
    phase: 'idle',
    request: 0,
    epoch: 0,
    sentAt: 0,
    terms: { leaseMs: 0, stopBudgetMs: 0, driftPpm: 0 },
    mark: UNMARKED,
    deadline: 0,
    retryAt: Number.NEGATIVE_INFINITY,
    granted: [],
    clearSince: null,
    refusals: {},
    sets,
    learned: [],
    epochMax: 0,
  };
}

/** A copy that may be changed without changing the original: what is in it is replaced here, never changed. */
export function copyAcquisition(state: Acquisition): Acquisition {
  return { ...state };
}

/** Begins an attempt: asks every voter whether it would grant (A1). `sets` are those that the own voter reckons with. */
export function beginAcquisition(
  state: Acquisition,
  context: AcquireContext,
  sets: NodeName[][],
  now: Instant,
): AcquireOutput[] {
  state.phase = 'asking';
  state.sets = mergeSets(sets, state.learned);
  state.learned = [];
  return toVoters(state, context, now, (request) => ({
    kind: 'ask',
    holder: context.holder,
    request,
    sets: state.sets,
  }));
}

/** A voter's answer to the latest ask or request; any other answer changes nothing (A3). */
export function acquisitionAnswered(
  state: Acquisition,
  context: AcquireContext,
  from: NodeName,
  answer: AnswerMessage,
  now: Instant,
): AcquireOutput[] {
  const expected = state.phase === 'asking' ? 'ask' : 'request';
  if (state.phase === 'idle' || answer.to !== expected || answer.request !== state.request) return [];
  if (answer.to === 'request' && answer.epoch !== state.epoch) return [];
  if (state.granted.includes(from)) return [];
  state.epochMax = Math.max(state.epochMax, answer.memory.epochMax);
  if (!includesSets(state.sets, answer.memory.sets)) {
    state.learned = mergeSets(state.learned, answer.memory.sets);
  }
  if (answer.refusal === null) {
    state.granted = [...state.granted, from];
    const { [from]: _before, ...others } = state.refusals;
    state.refusals = others;
  } else {
    const refusal = { reason: answer.refusal, by: answer.by, until: now + answer.leftMs };
    state.refusals = { ...state.refusals, [from]: refusal };
  }
  if (isMajorityOfAll(state.sets, (node) => state.granted.includes(node))) {
    return state.phase === 'asking' ? requestInTurn(state, context, now) : acquired(state);
  }
  const refused = (node: NodeName): boolean =>
    !state.granted.includes(node) && state.refusals[node] !== undefined;
  return couldBeMajority(state.sets, (node) => !refused(node))
    ? []
    : fail(state, context, now, soonest(state, context, now));
}

/** Gives an attempt up whose answers did not come in time. */
export function acquisitionTick(state: Acquisition, context: AcquireContext, now: Instant): AcquireOutput[] {
  if (state.phase === 'idle' || now < state.deadline) return [];
  return fail(state, context, now, now);
}

/** Ends an attempt that is no longer wanted; what was granted is released. */
export function cancelAcquisition(state: Acquisition, context: AcquireContext): AcquireOutput[] {
  const outputs = state.phase === 'acquiring' ? release(state, context) : [];
  state.phase = 'idle';
  state.clearSince = null;
  return outputs;
}

/** Every voter set of both lists, each once; sets that are superseded on all nodes do no harm. */
export function mergeSets(
  first: readonly (readonly NodeName[])[],
  second: readonly (readonly NodeName[])[],
): NodeName[][] {
  const merged: NodeName[][] = [];
  for (const set of [...first, ...second]) if (!includesSets(merged, [set])) merged.push([...set]);
  return merged;
}

/** Who is to stand back lets those who come first try before it requests the lease. */
function requestInTurn(state: Acquisition, context: AcquireContext, now: Instant): AcquireOutput[] {
  state.clearSince ??= now;
  if (now - state.clearSince >= context.standBackMs) return beginRequest(state, context, now);
  state.phase = 'idle';
  state.retryAt = Math.min(now + context.heartbeatMs, state.clearSince + context.standBackMs);
  return [];
}

function beginRequest(state: Acquisition, context: AcquireContext, now: Instant): AcquireOutput[] {
  state.phase = 'acquiring';
  // Above its own last one, too: that may have been released before any voter stored it.
  state.epoch = Math.max(state.epochMax, state.epoch) + 1;
  return toVoters(state, context, now, (request) => ({
    kind: 'request',
    holder: context.holder,
    epoch: state.epoch,
    request,
    terms: context.terms,
    sets: state.sets,
    mark: context.mark,
  }));
}

function toVoters(
  state: Acquisition,
  context: AcquireContext,
  now: Instant,
  message: (request: number) => AskMessage | RequestMessage,
): AcquireOutput[] {
  state.request += 1;
  state.sentAt = now;
  state.terms = context.terms;
  state.mark = context.mark;
  state.deadline = now + Math.max(2 * context.heartbeatMs, 100);
  state.granted = [];
  state.refusals = {};
  const sent = message(state.request);
  return allVoters(state.sets).map((to) => ({ kind: 'send', to, message: sent }));
}

/** The lease counts from the moment before the request was sent (H1). */
function acquired(state: Acquisition): AcquireOutput[] {
  const { sentAt, terms, sets, epoch, granted, mark } = state;
  const end = sentAt + terms.leaseMs;
  const until = leaseEnd(sets, (node) => (state.granted.includes(node) ? end : undefined));
  state.phase = 'idle';
  state.clearSince = null;
  return [{ kind: 'acquired', epoch, until, grantedUntil: until + terms.stopBudgetMs, sets, granted, mark }];
}

/** A loser releases at once and waits in the order of priority (A5), nobody by chance. */
function fail(
  state: Acquisition,
  context: AcquireContext,
  now: Instant,
  notBefore: Instant,
): AcquireOutput[] {
  const outputs = state.phase === 'acquiring' ? release(state, context) : [];
  const contested = state.phase === 'acquiring';
  state.phase = 'idle';
  state.clearSince = null;
  if (context.urgent && !contested) {
    state.retryAt = now + URGENT_RETRY_MS;
    return [...outputs, { kind: 'failed' }];
  }
  const step = Math.max(20, context.heartbeatMs / 4);
  const order = (context.rank + (contested ? 1 : 0)) * step;
  state.retryAt = Math.min(Math.max(notBefore, now + 10), now + context.heartbeatMs) + order;
  return [...outputs, { kind: 'failed' }];
}

function release(state: Acquisition, context: AcquireContext): AcquireOutput[] {
  const message: ReleaseMessage = {
    kind: 'release',
    holder: context.holder,
    epoch: state.epoch,
    successor: '',
    reservationMs: 0,
  };
  return allVoters(state.sets).map((to) => ({ kind: 'send', to, message }));
}

/**
 * When enough of the refusals will have run out for a majority, as far as the voters know. One that does not depend on time is
 * worth asking about again after a heartbeat.
 */
function soonest(state: Acquisition, context: AcquireContext, now: Instant): Instant {
  const later = now + context.heartbeatMs;
  const endOf = ({ until }: Refusal): Instant => (until > now ? until : later);
  const ends = Object.values(state.refusals)
    .map(endOf)
    .sort((a, b) => a - b);
  for (const end of ends) {
    const free = (node: NodeName): boolean => {
      const refusal = state.refusals[node];
      return refusal === undefined || endOf(refusal) <= end;
    };
    if (isMajorityOfAll(state.sets, free)) return end + 1;
  }
  return later;
}

const REFUSAL_WORDS: Record<RefusalReason, string> = {
  held: 'the lease is granted',
  maintenance: 'what it has granted is in maintenance, and does not run out: granted',
  reserved: 'it is reserved for a handover',
  'stale-epoch': 'the epoch is too old',
  released: 'that lease was released',
  restarted: 'it restarted and waits out what it may have granted',
  'no-history': 'it has no record of the past and has not heard enough others',
  'voter-set': 'it reckons with other voters',
  'not-a-voter': 'the asker is none of its voters',
  disk: 'it cannot store a grant',
};

/** A refusal in words, with the node that stands in the way. */
export function describeRefusal(reason: RefusalReason, by: NodeName): string {
  const words = REFUSAL_WORDS[reason];
  if (by === '') return words;
  return `${words} to ${by}`;
}
