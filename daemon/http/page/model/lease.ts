/** A lease between two words about it: how full its bar is at any moment. Pure; times are in milliseconds. */

export interface LeaseModel {
  /** lease: its holder holds it. grant: its holder is not heard, and the voters still keep it for that one. */
  kind: 'lease' | 'grant';
  /** What was left when it was said, of how much, and when that was by the reader's clock. */
  leftMs: number;
  ofMs: number;
  saidAt: number;
}

/** What is left of it now; 0 when it has run out, or has been renewed and nobody has said so yet. */
export function leftOf(lease: LeaseModel, now: number): number {
  return Math.max(0, Math.min(lease.ofMs, lease.leftMs - (now - lease.saidAt)));
}

/** How full it is, 0 to 1. */
export function levelOf(lease: LeaseModel, now: number): number {
  return lease.ofMs <= 0 ? 0 : leftOf(lease, now) / lease.ofMs;
}

/** A bar that is filled again gets there in so long. */
const FILL_MS = 220;

/**
 * The level that is shown `stepMs` after `shown`: it falls at once, as time does, and rises quickly but visibly.
 */
export function approach(shown: number, level: number, stepMs: number): number {
  return level <= shown ? level : Math.min(level, shown + stepMs / FILL_MS);
}
