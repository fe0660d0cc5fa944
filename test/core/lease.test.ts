/** The arithmetic of leases against dumb twins that say the same in another way, for every small case. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  allVoters,
  coversEveryMajority,
  grantMs,
  guardMarginMs,
  includesSets,
  isMajorityOfAll,
  leaseEnd,
  majority,
  sameSet,
  setDistance,
} from '../../daemon/core/lease.js';

const NAMES = ['a', 'b', 'c', 'd', 'e'];

/** Every subset of a list. */
function subsets<T>(list: readonly T[]): T[][] {
  return Array.from({ length: 2 ** list.length }, (_, mask) => list.filter((_, n) => (mask >> n) & 1));
}

/** Every list of `length` values out of `values`. */
function tuples<T>(values: readonly T[], length: number): T[][] {
  if (length === 0) return [[]];
  return tuples(values, length - 1).flatMap((rest) => values.map((value) => [value, ...rest]));
}

/** The sets of one to five voters, pairs of sets that differ by one member, and one that shares a single voter. */
const ALL_SETS = [1, 2, 3, 4, 5]
  .flatMap((count) => {
    const set = NAMES.slice(0, count);
    return count === 1 ? [[set]] : [[set], [set, set.slice(1)], [set.slice(0, -1), set]];
  })
  .concat([[NAMES.slice(0, 3), NAMES.slice(2)]]);

const majoritiesOf = (set: readonly string[]): string[][] =>
  subsets(set).filter((some) => 2 * some.length > set.length);

test('[A7] a majority is the least number of which two groups must share a member', () => {
  for (let count = 1; count <= 9; count += 1) {
    const size = majority(count);
    assert.ok(2 * size > count, `${count}`);
    assert.ok(2 * (size - 1) <= count, `${count}`);
  }
});

test('[A7] [V11] any two groups that are a majority of all sets share a voter', () => {
  for (const sets of ALL_SETS) {
    const groups = subsets(allVoters(sets)).filter((some) =>
      isMajorityOfAll(sets, (node) => some.includes(node)),
    );
    for (const one of groups)
      for (const other of groups)
        assert.ok(
          one.some((node) => other.includes(node)),
          `${sets.join(' + ')}: ${one} and ${other}`,
        );
  }
});

test('[V9] covering every majority: no majority with the voter in it is without one that was heard', () => {
  for (const set of [1, 2, 3, 4, 5].map((count) => NAMES.slice(0, count))) {
    for (const self of set) {
      for (const heard of subsets(set)) {
        // The voter's own word is worth nothing, so of each majority that may have had it somebody else must have been heard.
        const covered = majoritiesOf(set).every((some) =>
          some.some((node) => node !== self && heard.includes(node)),
        );
        assert.equal(
          coversEveryMajority([set], self, (node) => heard.includes(node)),
          covered,
          `${self} of ${set} heard ${heard}`,
        );
      }
    }
  }
});

test('[H1] [A7] the end of a lease is the last instant at which a majority of every set supports it', () => {
  for (const sets of ALL_SETS) {
    const voters = allVoters(sets);
    if (voters.length > 4) continue;
    for (const ends of tuples([undefined, 1, 2, 3], voters.length)) {
      const until = (node: string): number | undefined => ends[voters.indexOf(node)];
      const supported = (instant: number): boolean =>
        sets.every(
          (set) =>
            2 * set.filter((node) => (until(node) ?? Number.NEGATIVE_INFINITY) >= instant).length >
            set.length,
        );
      const last = [3, 2, 1].find(supported) ?? Number.NEGATIVE_INFINITY;
      assert.equal(leaseEnd(sets, until), last, `${sets.join(' + ')} until ${ends}`);
    }
  }
});

test('[A7] where there are no voters there is no lease', () => {
  assert.equal(
    leaseEnd([], () => 1),
    Number.NEGATIVE_INFINITY,
  );
});

test('[T2] [T3] whatever the clocks within the bound, the grant ends after lease and stop are over', () => {
  for (const leaseMs of [100, 300, 3000, 60_000])
    for (const stopBudgetMs of [0, 150, 5000, 120_000])
      for (const driftPpm of [0, 100, 10_000, 50_000]) {
        const grant = grantMs({ leaseMs, stopBudgetMs, driftPpm });
        // True time: the holder's clock runs as slowly as may be beside the voter's, which began to count no sooner.
        const stoppedAt = leaseMs + stopBudgetMs;
        const grantEndsAt = grant / (1 + driftPpm / 1e6);
        assert.ok(grantEndsAt >= stoppedAt - 1e-6, `${leaseMs} + ${stopBudgetMs} at ${driftPpm} ppm`);
        assert.ok(grant <= stoppedAt * (1 + driftPpm / 1e6) + 1e-6, 'and no longer than it must');
      }
});

test('[R4] the worker acts ahead of main, by a tenth of the lease at most', () => {
  assert.deepEqual([50, 300, 1000, 60_000].map(guardMarginMs), [5, 30, 100, 100]);
});

test('[V10] [V11] sets: the same in any order, how far apart, and which are reckoned with', () => {
  for (const one of subsets(NAMES.slice(0, 4)))
    for (const other of subsets(NAMES.slice(0, 4))) {
      const same = [...one].sort().join() === [...other].sort().join();
      assert.equal(sameSet([...one].reverse(), other), same);
      const difference = NAMES.filter((node) => one.includes(node) !== other.includes(node)).length;
      assert.equal(setDistance(one, other), difference);
      assert.equal(includesSets([one], [other]), same);
      assert.equal(includesSets([one], [one, other]), same);
      assert.equal(includesSets([one, other], [other]), true);
    }
});
