/**
 * When checks begin: spread over their interval by a phase that is each check's own and always the same, on a grid
 * that lateness does not move. Pure.
 */

/** A share of 1 that belongs to a name for ever: FNV-1a, mixed, so that similar names lie apart. */
export function phaseOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index += 1)
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/**
 * The first time after `now` on the grid of `intervalMs` with this phase. A beginning that was missed is left out: who comes late
 * skips, and never runs two in a burst.
 */
export function nextBegin(now: number, intervalMs: number, phase: number): number {
  const offset = phase * intervalMs;
  return (Math.floor((now - offset) / intervalMs) + 1) * intervalMs + offset;
}

const BUCKETS = 80;

/** How late checks begin: counts by quarter octaves of a millisecond, so that any percentile is known to a fifth. */
export class Lateness {
  private readonly counts = new Float64Array(BUCKETS);
  private total = 0;
  private worst = 0;

  add(ms: number): void {
    const late = Math.max(0, ms);
    // Bucket 0 is up to 1/16 ms.
    const bucket = late <= 0.0625 ? 0 : Math.min(BUCKETS - 1, Math.ceil(4 * Math.log2(late * 16)));
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.total += 1;
    if (late > this.worst) this.worst = late;
  }

  /** The bound in ms under which this share (0 to 1) of the beginnings was; 0 without any. */
  percentile(share: number): number {
    let left = Math.ceil(this.total * share);
    for (let bucket = 0; bucket < BUCKETS && left > 0; bucket += 1) {
      left -= this.counts[bucket] as number;
      if (left <= 0) return Math.min(this.worst, 2 ** (bucket / 4) / 16);
    }
    return 0;
  }

  /** What was counted since the last call, and begins anew. */
  take(): { begun: number; p50: number; p99: number; worst: number } {
    const taken = {
      begun: this.total,
      p50: this.percentile(0.5),
      p99: this.percentile(0.99),
      worst: this.worst,
    };
    this.counts.fill(0);
    this.total = 0;
    this.worst = 0;
    return taken;
  }
}
