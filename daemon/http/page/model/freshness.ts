/**
 * Whether what the page knows may still be shown as what is so. Pure; times are in milliseconds of the reader's own monotonic
 * clock, so that neither its wall clock nor the node's matters.
 */
import { age } from './words.js';

/** Nothing for so long: everything is unknown. A node tells the page something every second. */
export const OLD_AFTER_MS = 5000;
/** Checks are told of less often, and where there are many less often than that. */
export const CHECKS_OLD_MS = 3 * OLD_AFTER_MS;

export type Freshness =
  | { kind: 'waiting' }
  | { kind: 'fresh'; ageMs: number }
  /** What was said before is not known to be so any more. */
  | { kind: 'old'; ageMs: number; text: string };

/**
 * `heardAt`: when the last word about the cluster came, null for never. `openedAt`: when the page was opened. `trouble`: why nothing
 * comes, '' where that is not known.
 */
export function freshness(heardAt: number | null, openedAt: number, now: number, trouble: string): Freshness {
  const ageMs = Math.max(0, now - (heardAt ?? openedAt));
  if (ageMs <= OLD_AFTER_MS) return heardAt === null ? { kind: 'waiting' } : { kind: 'fresh', ageMs };
  const what =
    heardAt === null ? `Nothing has been heard for ${age(ageMs)}` : `The last word is ${age(ageMs)} old`;
  const why = trouble === '' ? '' : ` (${trouble})`;
  return { kind: 'old', ageMs, text: `${what}${why}. What is so now is not known.` };
}
