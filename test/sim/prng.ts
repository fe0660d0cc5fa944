/**
 * Chance for the simulator: a seeded generator of integers (sfc32), so that a seed draws the same run on every
 * machine. No floating point goes in.
 */
export interface Prng {
  /** An integer from 0 to n - 1; n is at least 1. */
  below(n: number): number;
  /** An integer from `low` to `high`, both included. */
  range(low: number, high: number): number;
  /** True in `permille` of 1000 cases. */
  chance(permille: number): boolean;
  pick<T>(list: readonly [T, ...T[]] | readonly T[]): T;
}

export function createPrng(seed: number): Prng {
  let a = seed | 0;
  let b = Math.trunc(seed / 2 ** 32) | 0;
  let c = 0x9e3779b9 | 0;
  let counter = 1;

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return sum >>> 0;
  }

  // The first numbers of seeds that are close together are close together too.
  for (let round = 0; round < 16; round += 1) next();

  const below = (n: number): number => next() % n;
  return {
    below,
    range: (low, high) => low + below(high - low + 1),
    chance: (permille) => below(1000) < permille,
    pick(list) {
      const item = list[below(list.length)];
      if (item === undefined) throw new RangeError('nothing to pick from');
      return item;
    },
  };
}
