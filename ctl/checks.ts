/** What `hastmonctl checks` prints: a table, the worst first, and how many there are of what. Pure. */
import type { CheckEntry, ChecksPage } from '../proto/monitor-types.js';
import { confirmations, latency, plain, rankOf, shortAge, stateWords, weightOf } from './check-words.js';
import { type Column, layOut } from './table.js';

/** All pages as one. */
export type CheckList = Omit<ChecksPage, 'next'>;

export interface Room {
  /** Characters in a line, Infinity where nothing is cut. */
  columns: number;
  /** Lines, Infinity where all are shown. */
  rows: number;
  colour: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: 'NAME', least: 13 },
  { title: 'STATE', least: 15 },
  { title: 'RESULT', least: 15 },
  { title: 'LATENCY', right: true },
  { title: 'SINCE', right: true },
  { title: 'LAST', right: true },
  { title: 'SEEN BY', least: 8 },
];
const STATE = 1;
const COLOURS = { calm: '', odd: '\x1b[33m', bad: '\x1b[31;1m' } as const;

export function formatChecks(list: CheckList, room: Room): string {
  const sorted = [...list.entries].sort((a, b) => rankOf(a) - rankOf(b));
  // The titles and the line at the end.
  const shown = sorted.slice(0, Math.max(0, room.rows - 2));
  const paint = (cell: string, row: number, column: number): string => {
    const entry = shown[row];
    const colour = entry !== undefined && column === STATE && room.colour ? COLOURS[weightOf(entry)] : '';
    return colour === '' ? cell : `${colour}${cell}\x1b[0m`;
  };
  const lines = shown.length === 0 ? [] : layOut(COLUMNS, shown.map(cellsOf), room.columns, paint);
  const left = sorted.length - shown.length;
  const sum = `${left === 0 ? '' : `${left} more; `}${sumOf(list)}`;
  return `${[...lines, sum.slice(0, room.columns)].join('\n')}\n`;
}

/** `312 up, 2 down, 1 unknown; latest 0.4 ms late`. */
export function sumOf({ down, lateMs, skipped, unknown, up }: CheckList): string {
  const late = lateMs === null ? '' : `; latest ${latency(Math.max(0, lateMs))} late`;
  return `${up} up, ${down} down, ${unknown} unknown${late}${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

function cellsOf(entry: CheckEntry): string[] {
  const { lastMs, latencyMs, name, nature, sinceMs } = entry;
  return [
    plain(name),
    stateWords(entry),
    nature === '' ? '-' : plain(nature),
    lastMs === null ? '-' : latency(latencyMs),
    sinceMs === null ? '-' : shortAge(sinceMs),
    lastMs === null ? '-' : shortAge(lastMs),
    confirmations(entry) || '-',
  ];
}
