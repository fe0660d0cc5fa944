/**
 * Holding a lease: renewing it at every heartbeat and knowing its end. Owned by the primary's worker.
 *
 * Rules H1 to H5 of docs/protocol.md.
 */
import { includesSets, isMajorityOfAll, leaseEnd } from './lease.js';
import type { Settings } from './settings.js';
import type {
  AnswerMessage,
  DurationMs,
  Holder,
  Instant,
  LeaseTerms,
  MaintenanceMark,
  NodeName,
  RequestMessage,
  VoterSets,
} from './types.js';

/** A lease as the main process acquired it, or as an earlier worker last reported it. */
export interface GivenLease {
  epoch: number;
  /** The end as far as known. */
  until: Instant;
  /** Until when the grants of a majority last at least: the time to stop after the end is in it. */
  grantedUntil: Instant;
  sets: NodeName[][];
  /** Who granted it, as far as known. */
  granted: NodeName[];
  /** What those have on disk of maintenance. */
  mark: MaintenanceMark;
}

export interface HeldLease extends Omit<GivenLease, 'granted' | 'mark'> {
  /** The sets that this node's own voter reckons with; `sets` are those, and what other voters reckon with besides. */
  ownSets: NodeName[][];
  /** Until when each voter supports the lease, and until when its grant lasts at least. */
  votes: Record<NodeName, { until: Instant; grantedUntil: Instant }>;
  /** What each voter has on disk of maintenance, as far as it has said. */
  marks: Record<NodeName, MaintenanceMark>;
  /** Which sets each voter reckoned with when it last answered. */
  named: Record<NodeName, VoterSets>;
  /** Requests whose answers still count, oldest first. */
  pending: { request: number; sentAt: Instant; leaseMs: DurationMs; stopBudgetMs: DurationMs }[];
  renewAt: Instant;
}

/** Takes a lease over. */
export function takeLease(given: GivenLease, now: Instant): HeldLease {
  const { epoch, until, grantedUntil, sets, granted, mark } = given;
  const votes: HeldLease['votes'] = {};
  const marks: HeldLease['marks'] = {};
  for (const node of granted) {
    votes[node] = { until, grantedUntil };
    marks[node] = mark;
  }
  const empty = { named: {}, pending: [], renewAt: now };
  return { epoch, until, grantedUntil, sets, ownSets: sets, votes, marks, ...empty };
}

/** The next renewal, to all voters; its answers count from `now`, the moment before it is sent (H1). */
export function renewLease(
  lease: HeldLease,
  request: number,
  holder: Holder,
  terms: LeaseTerms,
  ownSets: NodeName[][],
  mark: MaintenanceMark,
  now: Instant,
): { lease: HeldLease; message: RequestMessage } {
  const others = lease.sets.filter((set) => !includesSets(ownSets, [set]));
  const kept = others.filter((set) => supports(lease, set, now) && !isDropped(lease, set, ownSets));
  const sets = [...ownSets, ...kept];
  const pending = lease.pending.filter((entry) => entry.sentAt + entry.leaseMs > now);
  pending.push({ request, sentAt: now, leaseMs: terms.leaseMs, stopBudgetMs: terms.stopBudgetMs });
  const message: RequestMessage = { kind: 'request', holder, epoch: lease.epoch, request, terms, sets, mark };
  return { lease: { ...lease, sets, ownSets, pending }, message };
}

/** A voter's answer: only one to a request of this lease that is still pending counts (H2). */
export function leaseAnswered(
  lease: HeldLease,
  from: NodeName,
  answer: AnswerMessage,
  now: Instant,
): HeldLease {
  if (answer.to !== 'request' || answer.epoch !== lease.epoch) return lease;
  const entry = lease.pending.find((candidate) => candidate.request === answer.request);
  if (entry === undefined) return lease;
  const named = heard(lease, from, answer);
  if (answer.refusal !== null)
    return answer.refusal === 'voter-set'
      ? learnSets({ ...lease, named }, from, answer, now)
      : { ...lease, named };
  const end = entry.sentAt + entry.leaseMs;
  const before = lease.votes[from];
  const vote = {
    until: Math.max(before?.until ?? end, end),
    grantedUntil: Math.max(before?.grantedUntil ?? end, end + entry.stopBudgetMs),
  };
  const votes = { ...lease.votes, [from]: vote };
  const until = leaseEnd(lease.sets, (node) => votes[node]?.until);
  const grantedUntil = leaseEnd(lease.sets, (node) => votes[node]?.grantedUntil);
  return {
    ...lease,
    named,
    votes,
    marks: marked(lease, from, answer),
    until: Math.max(lease.until, until),
    grantedUntil: Math.max(lease.grantedUntil, grantedUntil),
  };
}

/** A voter says with each answer what it has on disk; answers may overtake each other. */
function marked(lease: HeldLease, from: NodeName, { memory }: AnswerMessage): HeldLease['marks'] {
  const { grant } = memory;
  if (grant === null || grant.epoch !== lease.epoch) return lease.marks;
  const known = lease.marks[from];
  if (known !== undefined && known.revision >= grant.mark.revision) return lease.marks;
  return { ...lease.marks, [from]: grant.mark };
}

/** True where a majority of every set has this on disk (L2). */
export function isMarked(lease: HeldLease, { on, revision }: MaintenanceMark): boolean {
  return isMajorityOfAll(lease.sets, (node) => {
    const mark = lease.marks[node];
    return mark?.revision === revision && mark.on === on;
  });
}

/**
 * By when the resource has to be stopped if the lease is not renewed any more (H5): stop_timeout after its end, or sooner where the
 * voters have not granted that much yet because the times were changed. What is missing is missing from the fence in proportion.
 */
export function stopEnd(
  lease: { until: Instant; grantedUntil: Instant },
  settings: Pick<Settings, 'stopTimeoutMs' | 'fenceTimeoutMs'>,
): Instant {
  const { stopTimeoutMs, fenceTimeoutMs } = settings;
  const granted = lease.grantedUntil - lease.until;
  const share = Math.min(1, granted / (stopTimeoutMs + fenceTimeoutMs));
  return lease.until + stopTimeoutMs * share;
}

/** Reckons with a set that a voter knows and we do not, where a majority of it supports us already (H4). */
function learnSets(lease: HeldLease, from: NodeName, answer: AnswerMessage, now: Instant): HeldLease {
  // Who has no history grants nothing yet, and names what its file says; who is no voter any more may name an old set for ever.
  if (!answer.memory.history || !isIn(lease.ownSets, from)) return lease;
  const unknown = answer.memory.sets.filter(
    (set) => !includesSets(lease.sets, [set]) && supports(lease, set, now),
  );
  if (unknown.length === 0) return lease;
  return { ...lease, sets: [...lease.sets, ...unknown.map((set) => [...set])], renewAt: now };
}

/** What a voter without history takes for the voters is only what its file says. */
function heard({ named }: HeldLease, from: NodeName, { memory }: AnswerMessage): HeldLease['named'] {
  return memory.history ? { ...named, [from]: memory.sets } : named;
}

/**
 * True where no voter reckons with a set any more, by the word of a majority of it (H4): its members may be gone by now, and who is
 * left must not need them.
 */
function isDropped({ named }: HeldLease, set: readonly NodeName[], ownSets: VoterSets): boolean {
  const voters = Object.entries(named).filter(([node]) => isIn(ownSets, node));
  if (voters.some(([, sets]) => includesSets(sets, [set]))) return false;
  return isMajorityOfAll([set], (node) => named[node] !== undefined);
}

function isIn(sets: VoterSets, node: NodeName): boolean {
  return sets.some((set) => set.includes(node));
}

function supports(lease: HeldLease, set: readonly NodeName[], now: Instant): boolean {
  return leaseEnd([set], (node) => lease.votes[node]?.until) > now;
}
