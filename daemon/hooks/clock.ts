/** The clock that hooks are timed by outside of tests. */
import { bootTime } from '../sys/clock.js';
import type { HookClock } from './types.js';

/** The longest delay that setTimeout() takes; a longer one it would carry out at once. About 25 days. */
const delayMsMax = 2 ** 31 - 1;

export const systemHookClock: HookClock = {
  now: bootTime,
  after(ms, call) {
    const timer = setTimeout(call, Math.min(ms, delayMsMax));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms` milliseconds of that clock. */
export function pause(clock: HookClock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
