/**
 * Holding a lease: renewing it at every heartbeat and knowing its end. Owned by the primary's worker.
 *
 * Rules H1 to H4 of docs/protocol.md.
 */
import { includesSets, leaseEnd } from './lease.js';
import type {
  AnswerMessage,
  DurationMs,
  Holder,
  Instant,
  LeaseTerms,
  NodeName,
  RequestMessage,
} from './types.js';

export interface HeldLease {
  epoch: number;
  /** The end as far as known; it only moves forward. */
  until: Instant;
  sets: NodeName[][];
  /** Until when each voter supports the lease. */
  votes: Record<NodeName, Instant>;
  /** Requests whose answers still count, oldest first. */
  pending: { request: number; sentAt: Instant; leaseMs: DurationMs }[];
  renewAt: Instant;
}

/** A lease as the main process acquired it, or as an earlier worker last reported it. */
export function takeLease(epoch: number, until: Instant, sets: NodeName[][], now: Instant): HeldLease {
  return { epoch, until, sets, votes: {}, pending: [], renewAt: now };
}

/** The next renewal, to all voters; its answers count from `now`, the moment before it is sent (H1). */
export function renewLease(
  lease: HeldLease,
  request: number,
  holder: Holder,
  terms: LeaseTerms,
  ownSets: NodeName[][],
  now: Instant,
): { lease: HeldLease; message: RequestMessage } {
  const others = lease.sets.filter((set) => !includesSets(ownSets, [set]));
  const sets = [...ownSets, ...others.filter((set) => supports(lease, set, now))];
  const pending = lease.pending.filter((entry) => entry.sentAt + entry.leaseMs > now);
  pending.push({ request, sentAt: now, leaseMs: terms.leaseMs });
  const message: RequestMessage = { kind: 'request', holder, epoch: lease.epoch, request, terms, sets };
  return { lease: { ...lease, sets, pending }, message };
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
  if (answer.refusal !== null) return answer.refusal === 'voter-set' ? learnSets(lease, answer, now) : lease;
  const supportedUntil = Math.max(lease.votes[from] ?? 0, entry.sentAt + entry.leaseMs);
  const votes = { ...lease.votes, [from]: supportedUntil };
  const until = Math.max(
    lease.until,
    leaseEnd(lease.sets, (node) => votes[node]),
  );
  return { ...lease, votes, until };
}

/** Reckons with a set that a voter knows and we do not, where a majority of it supports us already (H4). */
function learnSets(lease: HeldLease, answer: AnswerMessage, now: Instant): HeldLease {
  const unknown = answer.memory.sets.filter(
    (set) => !includesSets(lease.sets, [set]) && supports(lease, set, now),
  );
  if (unknown.length === 0) return lease;
  return { ...lease, sets: [...lease.sets, ...unknown.map((set) => [...set])], renewAt: now };
}

function supports(lease: HeldLease, set: readonly NodeName[], now: Instant): boolean {
  return leaseEnd([set], (node) => lease.votes[node]) > now;
}
