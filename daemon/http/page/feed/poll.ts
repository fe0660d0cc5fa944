/** Asking again and again, never twice at once, and not while nobody looks. */

export interface Poll {
  /** `done` is called after each time, whatever came of it. */
  start(done: () => void): void;
  /** Once more soon, as something has changed; calls that come close together are one. */
  soon(): void;
}

const SOON_MS = 80;
/** The least time between two questions, however much changes. */
const LEAST_MS = 1000;

/** `ask` may reject: it is asked again in its time. */
export function createPoll(everyMs: number, ask: () => Promise<void>): Poll {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let dueAt = Number.POSITIVE_INFINITY;
  let lastAt = Number.NEGATIVE_INFINITY;
  let asking = false;
  let wanted = false;
  let tell = (): void => {};

  function plan(inMs: number): void {
    const at = performance.now() + inMs;
    if (at >= dueAt) return;
    clearTimeout(timer);
    dueAt = at;
    timer = setTimeout(run, inMs);
  }

  async function run(): Promise<void> {
    dueAt = Number.POSITIVE_INFINITY;
    if (document.hidden) return;
    asking = true;
    wanted = false;
    lastAt = performance.now();
    try {
      await ask();
    } catch {
      // What is old is shown as such; the next time is not far.
    }
    asking = false;
    tell();
    plan(wanted ? LEAST_MS : everyMs);
  }

  function soon(): void {
    wanted = true;
    if (!asking) plan(Math.max(SOON_MS, lastAt + LEAST_MS - performance.now()));
  }

  return {
    soon,
    start(done) {
      tell = done;
      document.addEventListener('visibilitychange', () => document.hidden || soon());
      plan(0);
    },
  };
}
