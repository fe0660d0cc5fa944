/**
 * What came of recent checks: two rings of a stated size, one for successes, one for failures, so that a failure is still
 * there when thousands of successes have passed. Adding allocates nothing. Checks go by numbers from 1 that are never used again, so
 * that there is nothing to forget.
 */
import { copyBytes, EXCERPT_BYTES, type Flight } from './flight.js';
import { OK } from './natures.js';

export interface HistoryEntry {
  /** Seconds of the wall clock. */
  at: number;
  nature: number;
  detail: number;
  latencyMs: number;
  /** What a person should read. */
  text: string;
  /** How the answer began. */
  excerpt: Buffer;
}

/** What a flight brought back. */
export type Answer = Pick<Flight, 'detail' | 'text' | 'excerpt' | 'excerptLength'>;

/** Bytes that an entry takes. */
export const HISTORY_ENTRY_BYTES = 4 + 8 + 1 + 2 + 4 + 2 + 2 + 2 * EXCERPT_BYTES;

class Ring {
  private readonly size: number;
  private readonly checks: Uint32Array;
  private readonly at: Float64Array;
  private readonly natures: Uint8Array;
  private readonly details: Uint16Array;
  private readonly latencies: Float32Array;
  private readonly textLengths: Uint16Array;
  private readonly excerptLengths: Uint16Array;
  private readonly bytes: Buffer;
  private next = 0;

  constructor(size: number) {
    this.size = size;
    this.checks = new Uint32Array(size);
    this.at = new Float64Array(size);
    this.natures = new Uint8Array(size);
    this.details = new Uint16Array(size);
    this.latencies = new Float32Array(size);
    this.textLengths = new Uint16Array(size);
    this.excerptLengths = new Uint16Array(size);
    this.bytes = Buffer.alloc(size * 2 * EXCERPT_BYTES);
  }

  add(check: number, at: number, nature: number, latencyMs: number, answer: Answer): void {
    const index = this.next;
    this.next = (index + 1) % this.size;
    this.checks[index] = check;
    this.at[index] = at;
    this.natures[index] = nature;
    const { text, excerpt, excerptLength } = answer;
    this.details[index] = answer.detail;
    this.latencies[index] = latencyMs;
    const place = index * 2 * EXCERPT_BYTES;
    this.textLengths[index] = text === '' ? 0 : this.bytes.write(text, place, EXCERPT_BYTES);
    this.excerptLengths[index] = excerptLength;
    copyBytes(excerpt, this.bytes, place + EXCERPT_BYTES, excerptLength);
  }

  /** Of one check, the newest first. */
  of(check: number): HistoryEntry[] {
    const entries: HistoryEntry[] = [];
    for (let step = 1; step <= this.size; step += 1) {
      const index = (this.next - step + this.size) % this.size;
      if (this.checks[index] === check) entries.push(this.entry(index));
    }
    return entries;
  }

  private entry(index: number): HistoryEntry {
    const place = index * 2 * EXCERPT_BYTES;
    const excerptAt = place + EXCERPT_BYTES;
    return {
      at: this.at[index] as number,
      nature: this.natures[index] as number,
      detail: this.details[index] as number,
      latencyMs: this.latencies[index] as number,
      text: this.bytes.toString('utf8', place, place + (this.textLengths[index] as number)),
      excerpt: Buffer.from(
        this.bytes.subarray(excerptAt, excerptAt + (this.excerptLengths[index] as number)),
      ),
    };
  }
}

export class History {
  private readonly successes: Ring;
  private readonly failures: Ring;

  /** `size`: entries of each ring. */
  constructor(size: number) {
    this.successes = new Ring(size);
    this.failures = new Ring(size);
  }

  add(check: number, at: number, nature: number, latencyMs: number, answer: Answer): void {
    (nature === OK ? this.successes : this.failures).add(check, at, nature, latencyMs, answer);
  }

  /** Of one check, the newest first, at most `most`. */
  of(check: number, most: number): HistoryEntry[] {
    const entries = [...this.successes.of(check), ...this.failures.of(check)];
    return entries.sort((a, b) => b.at - a.at).slice(0, most);
  }
}
