/**
 * How the time of a stop is spent: pure arithmetic for the primary's worker, for the main process that stops in a lost
 * worker's place, and for the check of the timing budget.
 */
import type { Settings } from './settings.js';
import type { DurationMs, Instant } from './types.js';

/** Shares of `stop_timeout`: TERM to the stop hook, then KILL; what remains is for the last `status`. */
export const STOP_TERM_SHARE = 0.7;
export const STOP_KILL_SHARE = 0.8;

/** A status that has less time than this cannot answer. */
const LEAST_STATUS_MS = 50;

/** When the hook of a stop that takes `stopMs` and is over at `end` gets TERM, and when KILL. */
export function stopLimits(end: Instant, stopMs: DurationMs): { termAt: Instant; killAt: Instant } {
  return { termAt: end - stopMs * (1 - STOP_TERM_SHARE), killAt: end - stopMs * (1 - STOP_KILL_SHARE) };
}

/** What the main process does, in this order; then it kills what `start` left behind and asks `status`. */
export interface StopPlan {
  /** What `start` left behind is killed before the hook runs, too. */
  killFirst: boolean;
  /** The limits of the stop hook, from its begin; null: it is not run. */
  hook: { termAfterMs: DurationMs; killAfterMs: DurationMs } | null;
}

/**
 * The main process's stop, `leftMs` before the time is over that the voters granted for it (negative: after). A stop that
 * has had its time was the worker's: what ends the service for certain comes first then, and a fence before the hook.
 */
export function planStop({ stopTimeoutMs, fenceTimeoutMs }: Settings, leftMs: DurationMs): StopPlan {
  const late = leftMs < stopTimeoutMs * (1 - STOP_TERM_SHARE);
  if (late && fenceTimeoutMs > 0) return { killFirst: false, hook: null };
  const share = late ? stopTimeoutMs : Math.min(leftMs, stopTimeoutMs);
  const hook = { termAfterMs: share * STOP_TERM_SHARE, killAfterMs: share * STOP_KILL_SHARE };
  return { killFirst: late, hook };
}

/**
 * The limit of the status after a stop. Only where a fence comes next does it have to be over with the stop, whose time ends
 * in `leftMs`: late is better than unknown.
 */
export function lastStatusMs(
  { statusTimeoutMs, fenceTimeoutMs }: Settings,
  leftMs: DurationMs,
  leastMs: DurationMs = LEAST_STATUS_MS,
): DurationMs {
  return fenceTimeoutMs === 0 ? statusTimeoutMs : Math.min(statusTimeoutMs, Math.max(leftMs, leastMs));
}

/** lastStatusMs() for the main process, which may come late: it looks for as long as a stop in time would have. */
export function lateStatusMs(settings: Settings, leftMs: DurationMs): DurationMs {
  const leastMs = settings.stopTimeoutMs * (1 - STOP_KILL_SHARE);
  return lastStatusMs(settings, leftMs, Math.max(leastMs, LEAST_STATUS_MS));
}
