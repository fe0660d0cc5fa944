/** The table of the benchmark, for people and as JSON. Pure: it neither measures nor prints. */
import { judge, median, type Row } from './row.js';

/** Where the figures come from. */
export interface Circumstances {
  hastmon: string;
  node: string;
  kernel: string;
  processors: number;
  /** Load average of the last minute, before and after. */
  load: [number, number];
  /** What joined the nodes. */
  network: string;
  /** '' where it was not there. */
  keepalived: string;
  runs: number;
  seconds: number;
}

export interface Ratio {
  name: string;
  value: number;
}

/** Ratios of medians of rows of one run; those of which one side was not measured are left out. */
export function ratios(rows: readonly Row[]): Ratio[] {
  const of = (id: string): number => median(rows.find((row) => row.id === id)?.values ?? []);
  const sides: [string, string, string][] = [
    ['machine killed: hastmon / keepalived, advert_int 1', 'machine-killed', 'keepalived-1-machine-killed'],
    [
      'machine killed: hastmon / keepalived, advert_int 0.1',
      'machine-killed',
      'keepalived-0.1-machine-killed',
    ],
    ['network cut: hastmon / keepalived, advert_int 1', 'network-cut', 'keepalived-1-network-cut'],
    ['network cut: hastmon / keepalived, advert_int 0.1', 'network-cut', 'keepalived-0.1-network-cut'],
    ["switchover: time beyond the hooks / the hooks' own time", 'switchover-beyond', 'switchover-hooks'],
    ['hastmonctl status / node -e 0', 'status', 'status-node'],
  ];
  return sides
    .map(([name, one, other]) => ({ name, value: of(one) / of(other) }))
    .filter(({ value }) => Number.isFinite(value));
}

/** The whole result as one JSON document; times in ms. */
export function reportJson(rows: readonly Row[], circumstances: Circumstances): string {
  const figures = rows.map((row) => {
    const { values } = row;
    const summary =
      values.length === 0
        ? { median: null, min: null, max: null }
        : { median: median(values), min: Math.min(...values), max: Math.max(...values) };
    return { ...row, ...summary, verdict: judge(row) };
  });
  const rounded = (_name: string, value: unknown): unknown =>
    typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
  return `${JSON.stringify({ circumstances, rows: figures, ratios: ratios(rows) }, rounded, 2)}\n`;
}

/** The whole result as text for a terminal of any width; notes stand below their row. */
export function reportText(rows: readonly Row[], circumstances: Circumstances): string {
  const { hastmon, node, kernel, processors, load, network, keepalived, runs, seconds } = circumstances;
  const nameWidth = Math.max(...rows.map((row) => row.name.length));
  const head = columns(nameWidth, 'what', 'system', 'n', 'median', 'min', 'max', 'unit', 'overlap', 'target');
  const lines = [
    `hastmon ${hastmon}, Node ${node}, Linux ${kernel}, ${processors} processors, load ${load.join(' to ')}`,
    `${network}; ${keepalived === '' ? 'no keepalived' : keepalived}; up to ${runs} runs each, ${Math.round(seconds)} s in all`,
    '',
    head,
    '-'.repeat(head.length),
    ...rows.flatMap((row) => rowLines(row, nameWidth)),
    '',
    'ratios of medians',
    ...ratios(rows).map(({ name, value }) => `  ${name}: ${value.toFixed(2)}`),
  ];
  return `${lines.join('\n')}\n`;
}

function rowLines(row: Row, nameWidth: number): string[] {
  const more = [row.note, ...row.problems.map((problem) => `PROBLEM: ${problem}`)].filter(
    (text) => text !== '',
  );
  const indented = more.map((text) => `    ${text}`);
  if (row.skipped !== '')
    return [`${row.name.padEnd(nameWidth)} ${row.system.padEnd(10)} skipped: ${row.skipped}`];
  const { values, unit } = row;
  const show = (value: number): string => (values.length === 0 ? '-' : shown(value, unit));
  const target = row.target === null ? '' : `< ${row.target}`;
  const verdict = judge(row);
  const line = columns(
    nameWidth,
    row.name,
    row.system,
    String(values.length),
    show(median(values)),
    show(Math.min(...values)),
    show(Math.max(...values)),
    unit,
    overlap(row),
    [target, verdict].filter((text) => text !== '').join(' '),
  );
  return [line.trimEnd(), ...indented];
}

function columns(nameWidth: number, name: string, system: string, ...cells: string[]): string {
  const widths = [3, 8, 8, 8, 6, 8, 14];
  const rest = cells.map((cell, index) =>
    index === 4 || index === 6 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
  );
  return [name.padEnd(nameWidth), system.padEnd(10), ...rest].join(' ');
}

function overlap({ overlapMs, overlapLasts }: Row): string {
  if (overlapMs === null) return '';
  return `${overlapLasts ? '>=' : ''}${Math.round(overlapMs)}`;
}

function shown(value: number, unit: Row['unit']): string {
  return unit === 'ms' && value >= 100 ? String(Math.round(value)) : value.toFixed(unit === 'ratio' ? 2 : 1);
}
