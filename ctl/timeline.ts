/** What `hastmonctl timeline` prints: for each failover a line, and where its time went. Pure. */
import type { Failover, FailoverMark, FailoverPhase, Timeline } from '../proto/timeline-types.js';
import { plain } from './check-words.js';
import { timeOf } from './events.js';
import { type Column, fold, layOut } from './table.js';
import { duration } from './words.js';

export interface Room {
  /** Characters in a line, Infinity where nothing is cut. */
  columns: number;
  colour: boolean;
}

/** Characters of the bar of a phase that takes all the time. */
const BAR = 24;
/** Of the sentence of an event, however narrow the line is. */
const LEAST = 20;
const INDENT = '  ';
const [BOLD, YELLOW, PLAIN] = ['\x1b[1m', '\x1b[33m', '\x1b[0m'];

const COLUMNS: readonly Column[] = [
  { title: 'PHASE' },
  { title: 'TOOK', right: true },
  { title: '' },
  { title: 'RULED BY' },
  { title: 'NODE', least: 6 },
  { title: 'UNTIL', least: 12 },
];
const BARS = 2;

/** `marks`: the events behind it, too. */
export function formatTimeline(timeline: Timeline, marks: boolean, room: Room): string {
  const { failovers, missing, resource } = timeline;
  const lines = failovers.flatMap((failover, index) => [
    ...(index === 0 ? [] : ['']),
    ...failoverLines(resource, failover, marks, room),
  ]);
  for (const { node, why } of missing)
    lines.push(
      ...fold(
        `${plain(node)} could not be asked (${plain(why)}): what it alone has seen is missing`,
        room.columns,
        INDENT,
      ),
    );
  return lines.map((line) => `${line}\n`).join('');
}

function failoverLines(resource: string, failover: Failover, marks: boolean, room: Room): string[] {
  const { at, epoch, phases, text, tookMs } = failover;
  const paint = (words: string, colour: string): string =>
    room.colour ? `${colour}${words}${PLAIN}` : words;
  const head = `${timeOf(at)} ${plain(resource)}: ${plain(text)}${epoch === 0 ? '' : `, epoch ${epoch}`}`;
  const lines = fold(head, room.columns, INDENT).map((line) => paint(line, BOLD));
  const whole = tookMs ?? phases.reduce((sum, phase) => sum + phase.tookMs, 0);
  const rows = phases.map((phase) => cellsOf(phase, whole));
  const width = room.columns - INDENT.length;
  const table = layOut(COLUMNS, rows, width, (cell, _row, column) =>
    column === BARS ? paint(cell, YELLOW) : cell,
  );
  if (rows.length > 0) lines.push(...table.map((line) => INDENT + line));
  if (marks) lines.push(...markLines(failover.marks, room));
  return lines;
}

function cellsOf(phase: FailoverPhase, whole: number): string[] {
  const { beginMs, name, node, setting, settingMs, text, tookMs } = phase;
  const ruled = settingMs === null ? setting : `${setting}: ${duration(settingMs)}`;
  return [
    name,
    duration(tookMs),
    bar(beginMs, tookMs, whole),
    ruled === '' ? '-' : ruled,
    plain(node),
    plain(text),
  ];
}

/** Where in the whole the phase lies, and how much of it it is; what is there is seen. */
function bar(beginMs: number, tookMs: number, whole: number): string {
  if (whole <= 0) return '';
  const from = Math.min(BAR - 1, Math.floor((beginMs / whole) * BAR));
  const to = Math.max(from + 1, Math.min(BAR, Math.round(((beginMs + tookMs) / whole) * BAR)));
  return `${' '.repeat(from)}${'#'.repeat(to - from)}${' '.repeat(BAR - to)}`;
}

function markLines(marks: readonly FailoverMark[], room: Room): string[] {
  const times = marks.map(({ afterMs }) => `${afterMs < 0 ? '-' : '+'}${Math.abs(afterMs)} ms`);
  const wide = Math.max(0, ...times.map((time) => time.length));
  const names = Math.max(0, ...marks.map(({ node }) => plain(node).length));
  return marks.flatMap(({ node, text }, index) => {
    const lead = `${INDENT}${(times[index] ?? '').padStart(wide)}  ${plain(node).padEnd(names)}  `;
    const [first = '', ...rest] = fold(plain(text), Math.max(LEAST, room.columns - lead.length), '');
    return [lead + first, ...rest.map((line) => ' '.repeat(lead.length) + line)];
  });
}
