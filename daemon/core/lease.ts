/**
 * The arithmetic of leases and majorities. Owns the formulas of the safety argument (docs/safety.md) and nothing
 * else: no state, no messages.
 */
import type { DurationMs, Instant, LeaseTerms, NodeName, VoterSets } from './types.js';

/**
 * How long a voter's grant lasts, counted on the voter's clock from its answer: the lease, the time to stop after
 * it, and the most by which the holder's clock may be slower than the voter's.
 */
export function grantMs(terms: LeaseTerms): DurationMs {
  return (terms.leaseMs + terms.stopBudgetMs) * (1 + terms.driftPpm / 1_000_000);
}

/**
 * By how much a primary's worker acts ahead of the end of its lease, so that the main process, which acts at the
 * end itself, never meets a live worker that is about to do the same.
 */
export function guardMarginMs(leaseMs: DurationMs): DurationMs {
  return Math.min(100, leaseMs / 10);
}

/** More than half of `count` voters. */
export function majority(count: number): number {
  return Math.floor(count / 2) + 1;
}

/** True where `nodes` has a majority of every set. */
export function isMajorityOfAll(sets: VoterSets, has: (node: NodeName) => boolean): boolean {
  return sets.every((set) => set.filter(has).length >= majority(set.length));
}

/** True where the nodes for which `possible` holds could still make up a majority of every set. */
export const couldBeMajority = isMajorityOfAll;

/**
 * True where every majority that `self` may have been part of contains another node for which `heard` holds. A
 * voter that has lost its memory must have heard that many before its word counts again.
 */
export function coversEveryMajority(
  sets: VoterSets,
  self: NodeName,
  heard: (node: NodeName) => boolean,
): boolean {
  return sets.every((set) => {
    const others = set.filter((node) => node !== self && heard(node)).length;
    return others > set.length - majority(set.length);
  });
}

/**
 * Until when a lease holds that each voter supports until `until(node)`: the latest instant at which a majority of
 * every set still supports it; -Infinity where no majority does.
 */
export function leaseEnd(sets: VoterSets, until: (node: NodeName) => Instant | undefined): Instant {
  let end = Number.POSITIVE_INFINITY;
  for (const set of sets) {
    const sorted = set.map((node) => until(node) ?? Number.NEGATIVE_INFINITY).sort((a, b) => b - a);
    end = Math.min(end, sorted[majority(set.length) - 1] ?? Number.NEGATIVE_INFINITY);
  }
  return sets.length === 0 ? Number.NEGATIVE_INFINITY : end;
}

/** Every node that is in one of the sets, each once, in their order. */
export function allVoters(sets: VoterSets): NodeName[] {
  return [...new Set(sets.flat())];
}

/** True where both lists have the same members, in any order. */
export function sameSet(a: readonly NodeName[], b: readonly NodeName[]): boolean {
  return a.length === b.length && a.every((node) => b.includes(node));
}

/** True where each of the sets `required` is among `given`. */
export function includesSets(given: VoterSets, required: VoterSets): boolean {
  return required.every((set) => given.some((other) => sameSet(other, set)));
}

/** How many members were added and removed from one set to the other. */
export function setDistance(from: readonly NodeName[], to: readonly NodeName[]): number {
  return from.filter((node) => !to.includes(node)).length + to.filter((node) => !from.includes(node)).length;
}
