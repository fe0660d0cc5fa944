/** The reader's clock: milliseconds that never go back, and that count the time a machine slept. */

/** More than this between the two clocks of a browser is a sleep, or a wall clock that was set forward. */
const SLEPT_MS = 1000;

/**
 * performance.now() may stand still while a machine sleeps; what was heard before is old all the same. A wall clock that was set forward
 * looks like a sleep: then the page says for a moment that its data is old, which is the safe side.
 */
export function createClock(steady = () => performance.now(), wall = () => Date.now()): () => number {
  let slept = 0;
  let ahead = wall() - steady();
  return () => {
    const difference = wall() - steady();
    if (difference - ahead > SLEPT_MS) slept += difference - ahead;
    // A clock that is slewed is no sleep: only the difference since the last look counts.
    ahead = difference;
    return steady() + slept;
  };
}
