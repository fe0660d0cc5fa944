/** What will happen in a drill, in the order of its own time. Things due at the same time happen in the order in which they were entered. */

/** The computation cannot come to an end; the message says at what time of the drill. */
export class Endless extends Error {}

/** Far more than any drill takes: its bound is in time of its own. */
const STEPS_MAX = 2_000_000;

interface Entry {
  at: number;
  run: () => void;
}

export interface Agenda {
  /** Milliseconds since the drill began. */
  now(): number;
  /** Enters something to be done at `at`, or now where that has passed. */
  at(at: number, run: () => void): void;
  after(ms: number, run: () => void): void;
  /** Does everything that is due up to `end`. Throws Endless where that does not stop. */
  runUntil(end: number): void;
}

export function createAgenda(): Agenda {
  /** The next one stands last. */
  const waiting: Entry[] = [];
  let now = 0;
  let steps = 0;

  function at(when: number, run: () => void): void {
    const entry = { at: Math.max(when, now), run };
    let [low, high] = [0, waiting.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((waiting[middle] as Entry).at <= entry.at) high = middle;
      else low = middle + 1;
    }
    waiting.splice(low, 0, entry);
  }

  return {
    now: () => now,
    at,
    after: (ms, run) => at(now + ms, run),
    runUntil(end) {
      for (let next = waiting.at(-1); next !== undefined && next.at <= end; next = waiting.at(-1)) {
        waiting.pop();
        now = next.at;
        steps += 1;
        if (steps > STEPS_MAX)
          throw new Endless(`the drill does not end: ${STEPS_MAX} steps at ${now.toFixed(0)} ms`);
        next.run();
      }
      now = Math.max(now, end);
    },
  };
}
