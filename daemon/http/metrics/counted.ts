/** Counters and histograms: what is kept from one request to the next. Their series are bounded. */
import type { Family, Labels, Sample } from './exposition.js';

export interface Counter {
  /** `by` may be 0: a series that begins with its first event has had no increase. */
  add(labels: Labels, by?: number): void;
  family(): Family;
}

export interface Histogram {
  /** Seconds. */
  observe(labels: Labels, value: number): void;
  family(): Family;
}

/** Labels come from the configuration; a reload may change them any number of times. */
const SERIES_MAX = 10_000;

export function createCounter(name: string, help: string): Counter {
  const series = new Map<string, { labels: Labels; value: number }>();
  return {
    add(labels, by = 1) {
      const key = JSON.stringify(labels);
      const found = series.get(key);
      if (found !== undefined) found.value += by;
      else if (series.size < SERIES_MAX) series.set(key, { labels, value: by });
    },
    family() {
      const samples = [...series.values()].map(({ labels, value }) => ({ suffix: '', labels, value }));
      return { name, type: 'counter', help, samples };
    },
  };
}

/** `bounds`: upper limits of the buckets, rising, without the last one. */
export function createHistogram(name: string, help: string, bounds: readonly number[]): Histogram {
  const series = new Map<string, { labels: Labels; buckets: number[]; sum: number; count: number }>();
  return {
    observe(labels, value) {
      const key = JSON.stringify(labels);
      let found = series.get(key);
      if (found === undefined) {
        if (series.size >= SERIES_MAX) return;
        found = { labels, buckets: bounds.map(() => 0), sum: 0, count: 0 };
        series.set(key, found);
      }
      found.sum += value;
      found.count += 1;
      for (const [index, bound] of bounds.entries())
        if (value <= bound) found.buckets[index] = (found.buckets[index] ?? 0) + 1;
    },
    family() {
      const samples = [...series.values()].flatMap(({ buckets, count, labels, sum }): Sample[] => [
        ...bounds.map((bound, index) => bucket(labels, boundText(bound), buckets[index] ?? 0)),
        bucket(labels, '+Inf', count),
        { suffix: '_sum', labels, value: sum },
        { suffix: '_count', labels, value: count },
      ]);
      return { name, type: 'histogram', help, samples };
    },
  };
}

function bucket(labels: Labels, le: string, value: number): Sample {
  return { suffix: '_bucket', labels: { ...labels, le }, value };
}

/** OpenMetrics has them as floating-point numbers. */
function boundText(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}
