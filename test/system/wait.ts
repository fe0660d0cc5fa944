/** Waiting for conditions: nothing in the tests sleeps for a fixed time and hopes. */

/** Waits for a condition; fails with `what` when it has not come true in time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  limitMs: number,
  what: string | (() => string),
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end)
      throw new Error(`${typeof what === 'string' ? what : what()} (waited ${limitMs} ms)`);
    await pause(10);
  }
}

/** For faults that last, and for looking on that nothing happens. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
