/**
 * Voters' memory of who votes and of the past:
 * - a voter goes from one set to the next by way of both, and drops the old one when a majority of it has taken the new one up;
 * - it then knows every epoch that was held before the change began;
 * - it grants only to who reckons with all the sets it knows;
 * - a voter that has lost its record grants nothing before it has heard others that remember in every majority.
 */
import type { NodeName } from '../../../daemon/core/types.js';
import { type Checker, type TraceEvent, Violation } from '../trace.js';

type Sets = readonly (readonly NodeName[])[];

const nameOf = (set: readonly NodeName[] | undefined): string =>
  set === undefined ? '' : [...set].sort().join(' ');

export function voterSets(): Checker {
  const current = new Map<NodeName, Sets>();
  /** Every set that a voter ever took up. */
  const takenUp = new Map<NodeName, Set<string>>();
  const heldBefore = new Map<string, number>();
  const forgotten = new Map<NodeName, Set<NodeName>>();
  const bootstrapped = new Set<NodeName>();
  let heldMax = 0;

  function changed({ voter, sets, epochMax, restarted }: Extract<TraceEvent, { kind: 'voter-sets' }>): void {
    const before = current.get(voter) ?? [];
    current.set(voter, sets);
    const [newest, previous] = sets;
    takenUp.set(voter, (takenUp.get(voter) ?? new Set<string>()).add(nameOf(newest)));
    if (forgotten.has(voter)) return learned(voter, sets);
    // A change that was not on disk yet is lost with a restart; nobody was told of it.
    if (before.length === 0 || previous !== undefined || restarted) return;
    if (nameOf(before[0]) !== nameOf(newest))
      throw new Violation(
        'voter-sets',
        `voter ${voter} goes from ${nameOf(before[0])} to ${nameOf(newest)} at once`,
      );
    const old = before[1];
    if (old === undefined) return;
    const taken = old.filter((node) => takenUp.get(node)?.has(nameOf(newest))).length;
    if (taken <= old.length / 2)
      throw new Violation(
        'voter-sets',
        `voter ${voter} drops the voters ${nameOf(old)}, of whom ${taken} have taken ${nameOf(newest)} up`,
      );
    const held = heldBefore.get(nameOf(newest)) ?? 0;
    if (epochMax < held)
      throw new Violation(
        'voter-sets',
        `voter ${voter} drops the voters ${nameOf(old)} and remembers epoch ${epochMax}; epoch ${held} was held before`,
      );
  }

  function promised({ voter, sets, holder }: Extract<TraceEvent, { kind: 'promise' }>): void {
    if (forgotten.has(voter))
      throw new Violation('voter-sets', `voter ${voter} grants without a record of the past`);
    const reckoned = sets.map(nameOf);
    const missing = current.get(voter)?.find((set) => !reckoned.includes(nameOf(set)));
    if (missing !== undefined)
      throw new Violation(
        'voter-sets',
        `voter ${voter} grants to ${holder.node}, which does not reckon with the voters ${nameOf(missing)}`,
      );
  }

  /** A voter that had lost its record says that it remembers again. */
  function learned(voter: NodeName, sets: Sets): void {
    const heard = forgotten.get(voter) ?? new Set();
    forgotten.delete(voter);
    // Where no lease was ever held there is no past: a new cluster, seen anew.
    if (heldMax === 0 || bootstrapped.has(voter)) return;
    for (const set of sets) {
      const others = set.filter((node) => node !== voter && heard.has(node)).length;
      if (others < set.length - Math.floor(set.length / 2))
        throw new Violation(
          'voter-sets',
          `voter ${voter} lost its record and trusts it again after ${others} of ${set.length} others`,
        );
    }
  }

  return {
    see(event) {
      switch (event.kind) {
        case 'voters':
          heldBefore.set(
            nameOf(event.members),
            Math.min(heldMax, heldBefore.get(nameOf(event.members)) ?? heldMax),
          );
          return;
        case 'lease':
          heldMax = Math.max(heldMax, event.epoch);
          return;
        case 'voter-sets':
          return changed(event);
        case 'forgotten':
          forgotten.set(event.voter, new Set());
          bootstrapped.delete(event.voter);
          return;
        case 'command':
          // The operator's word is enough.
          if (event.text === 'hastmonctl bootstrap') bootstrapped.add(event.node);
          return;
        case 'memory-heard':
          forgotten.get(event.voter)?.add(event.from);
          return;
        case 'promise':
          return promised(event);
        default:
      }
    },
  };
}
