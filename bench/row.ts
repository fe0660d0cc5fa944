/** One line of the benchmark's table, and the arithmetic on its values. It does not know how they were measured. */

export type System = 'hastmon' | 'keepalived' | 'node';
export type Unit = 'ms' | 'MiB' | 'ratio';

export interface Row {
  /** Unique among the rows, for the machine-readable form and for ratios. */
  id: string;
  system: System;
  name: string;
  unit: Unit;
  values: number[];
  /** The longest time that two services were alive at once, in ms; null where that is not the question. */
  overlapMs: number | null;
  /** True where the overlap had not ended when the observation did. */
  overlapLasts: boolean;
  /** The median is to be below it; null: there is no target. */
  target: number | null;
  /** What else there is to say. */
  note: string;
  /** What went wrong, one sentence each. */
  problems: string[];
  /** Why it was not measured, '' where it was. */
  skipped: string;
}

/** A row in which nothing has been measured yet. */
export function createRow(id: string, system: System, name: string, more: Partial<Row> = {}): Row {
  return {
    id,
    system,
    name,
    unit: 'ms',
    values: [],
    overlapMs: null,
    overlapLasts: false,
    target: null,
    note: '',
    problems: [],
    skipped: '',
    ...more,
  };
}

/** The middle value, or the mean of the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

/** Takes an overlap into the row: the longest one stands. */
export function addOverlap(row: Row, overlapMs: number, lasts = false): void {
  row.overlapMs = Math.max(row.overlapMs ?? 0, overlapMs);
  row.overlapLasts ||= lasts;
}

/** `met`, `missed`, or '' where the row has no target or no values. Services of hastmon at once always miss. */
export function judge(row: Row): 'met' | 'missed' | '' {
  if (row.system === 'hastmon' && (row.overlapMs ?? 0) > 0) return 'missed';
  if (row.problems.length > 0) return 'missed';
  if (row.target === null || row.values.length === 0) return '';
  return median(row.values) < row.target ? 'met' : 'missed';
}
