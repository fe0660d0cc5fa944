/** Flapping: many confirmed edges within a window (E8). */
import type { Instant, Limits, Trouble } from './types.js';

/** The instants of the last edges with one more, as many as are needed to recognise flapping. */
export function flips(before: readonly Instant[], now: Instant, limits: Limits): Instant[] {
  return recent([...before, now], now, limits).slice(-Math.max(1, limits.flapEdges));
}

function recent(instants: readonly Instant[], now: Instant, limits: Limits): Instant[] {
  return instants.filter((at) => now - at < limits.flapWindowMs);
}

/** True where one more edge now would be one too many. */
export function wouldFlap(trouble: Trouble, now: Instant, limits: Limits): boolean {
  if (limits.flapEdges === 0) return false;
  return recent(trouble.flips, now, limits).length + 1 >= limits.flapEdges;
}

/** True where no edge has come for so long that what flapped is calm. */
export function isCalm(trouble: Trouble, now: Instant, limits: Limits): boolean {
  return now - Math.max(trouble.edgeAt, trouble.startedAt) >= limits.calmMs;
}

/** True while earlier edges count still. */
export function remembersEdges(trouble: Trouble, now: Instant, limits: Limits): boolean {
  return limits.flapEdges > 0 && recent(trouble.flips, now, limits).length > 0;
}

/** How many edges count now. */
export function recentEdges(trouble: Trouble, now: Instant, limits: Limits): number {
  return recent(trouble.flips, now, limits).length;
}
