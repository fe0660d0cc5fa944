/** A timer that calls at an instant of a given clock; setting it anew forgets the instant before. */

export interface Wake {
  /** Infinity: not at all. */
  at(instant: number): void;
  cancel(): void;
}

/** The longest time that setTimeout takes. */
const LONGEST_MS = 2 ** 31 - 1;

/** `call` is called when `clock` has reached the instant, or a little later, never earlier than that by more than a millisecond. */
export function createWake(clock: () => number, call: () => void): Wake {
  let timer: NodeJS.Timeout | null = null;
  let due = Number.POSITIVE_INFINITY;

  function set(instant: number): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    due = instant;
    if (instant === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(fire, Math.min(Math.max(0, Math.ceil(instant - clock())), LONGEST_MS));
  }

  function fire(): void {
    timer = null;
    if (clock() < due) return set(due);
    due = Number.POSITIVE_INFINITY;
    call();
  }

  return {
    at(instant) {
      if (instant !== due || timer === null) set(instant);
    },
    cancel: () => set(Number.POSITIVE_INFINITY),
  };
}
