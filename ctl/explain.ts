/** What `hastmonctl explain` prints: a sentence, and under it a table of what has to be so, topic by topic. Pure. */
import type { Condition, Explanation } from '../proto/explain-types.js';
import { plain, shortAge } from './check-words.js';
import { type Column, fold, layOut, proseWidth } from './table.js';

export interface Space {
  /** Infinity where nothing says how wide a line may be. */
  columns: number;
  colour: boolean;
}

/** In less, columns would be of single words. */
const TABLE_LEAST = 72;
/** What is always there at the left of a table: a margin, and the mark. */
const MARK = 'yes';
const MARGIN = '  ';
const INDENT = `${MARGIN}${' '.repeat(MARK.length)}  `;
const GAP = 2;

const COLUMNS: readonly Column[] = [
  { title: '' },
  { title: 'CONDITION' },
  { title: 'NOW' },
  { title: 'NEEDED' },
  { title: 'AGE', right: true },
  { title: 'FROM' },
];
/** Those of them whose texts are folded: the others are short. */
const FOLDED = [1, 2, 3] as const;

const [BOLD, GREEN, YELLOW, PLAIN] = ['\x1b[1m', '\x1b[32m', '\x1b[33m', '\x1b[0m'];

/** Of each subject, what its topics ask. One that is not known here is asked by its own word. */
const HEADINGS: Record<Explanation['subject'], Record<string, string>> = {
  resource: {
    running: 'RUNS HERE',
    promotion: 'CAN BE PROMOTED HERE',
    staying: 'CAN STAY HERE',
    'stepping-down': 'STEPS DOWN (any of these is enough)',
  },
  check: { here: 'UP, AS SEEN FROM HERE', confirmed: 'AN OUTAGE IS CONFIRMED', told: 'PEOPLE ARE TOLD' },
  switchover: { here: 'THIS NODE CAN HAND OVER', successor: 'THE OTHER ONE CAN TAKE OVER' },
  server: { weight: 'HAS WEIGHT', ramp: 'COMES BACK GRADUALLY', table: 'IN THE KERNEL AS WANTED' },
};
/** What is bad where it is so. */
const UNWANTED = new Set(['confirmed', 'stepping-down']);

/** The sentence, an empty line and the table, with an empty line between its topics. */
export function formatExplanation(explanation: Explanation, space: Space): string {
  const { conditions, name, node, sentence, subject, verdicts } = explanation;
  const width = proseWidth(space.columns);
  const bold = (text: string): string => (space.colour ? `${BOLD}${text}${PLAIN}` : text);
  const head = `${subject} ${plain(name)} on ${plain(node)}: ${plain(sentence)}`;
  const lines = fold(head, width, MARGIN).map(bold);
  const items = Object.keys(verdicts).flatMap((topic) =>
    itemsOf(conditions.filter((each) => each.topic === topic)),
  );
  const shown = width < TABLE_LEAST ? stacked(items, width, space) : table(items, width, space);
  if (shown.titles !== '') lines.push('', shown.titles);
  for (const [topic, holds] of Object.entries(verdicts)) {
    const own = items.flatMap((item, index) => (item.topic === topic ? (shown.blocks[index] ?? []) : []));
    if (own.length === 0) continue;
    const question = HEADINGS[subject][topic] ?? topic;
    lines.push(
      '',
      ...fold(
        `${question}: ${holds === null && topic === 'told' ? 'nothing to tell now' : word(holds)}`,
        width,
        MARGIN,
      ).map(bold),
    );
    lines.push(...own);
  }
  return `${lines.join('\n')}\n`;
}

const word = (holds: boolean | null): string => (holds === null ? '?' : holds ? MARK : 'no');

/** A condition, or the line above alternatives. */
interface Item {
  topic: string;
  mark: string;
  /** What is asked, how it is, how it has to be, age and source; of a line above alternatives only the first. */
  cells: readonly [string, string, string, string, string];
  change: string;
  /** In a group. */
  inner: boolean;
}

function itemsOf(conditions: readonly Condition[]): Item[] {
  const items: Item[] = [];
  let group = '';
  let short = 0;
  for (const condition of conditions) {
    const { ageMs, change, enough, holds, needed, oneOf, source, topic, value, what } = condition;
    if (oneOf !== '' && oneOf !== group) {
      short = enough - conditions.filter((other) => other.oneOf === oneOf && other.holds === true).length;
      const open = conditions.some((other) => other.oneOf === oneOf && other.holds === null);
      const mark = short <= 0 ? true : open ? null : false;
      const title = `${enough === 1 ? 'one' : enough} of these:`;
      items.push({ topic, mark: word(mark), cells: [title, '', '', '', ''], change: '', inner: false });
    }
    group = oneOf;
    const age = ageMs === null ? '' : shortAge(ageMs);
    items.push({
      ...{ topic, mark: word(holds), inner: oneOf !== '' },
      cells: [plain(what), plain(value), plain(needed), age, plain(source)],
      // Nothing has to change where another one of them is enough.
      change: oneOf !== '' && short <= 0 ? '' : plain(change),
    });
  }
  return items;
}

/** Lines of each item, and what stands above all of them. */
interface Shown {
  titles: string;
  blocks: string[][];
}

function table(items: readonly Item[], width: number, { colour }: Space): Shown {
  const widths = widthsOf(items, width);
  const rows: string[][] = [];
  const marks: (Item | null)[] = [];
  const counts = items.map((item) => {
    const inner = item.inner ? '  ' : '';
    const cells = item.cells.map((cell, index) => {
      const room = widths[index + 1];
      return room === undefined
        ? [cell]
        : fold(index === 0 ? inner + cell : cell, room, index === 0 ? `${inner}  ` : '');
    });
    const high = Math.max(...cells.map((lines) => lines.length));
    for (let at = 0; at < high; at += 1) {
      rows.push([at === 0 ? item.mark : '', ...cells.map((lines) => lines[at] ?? '')]);
      marks.push(at === 0 ? item : null);
    }
    return high;
  });
  const paint = (cell: string, row: number, column: number): string => {
    const item = marks[row];
    return column === 0 && item ? painted(cell, item, colour) : cell;
  };
  const [titles = '', ...lines] = layOut(COLUMNS, rows, width - MARGIN.length, paint).map(
    (line) => MARGIN + line,
  );
  let from = 0;
  const blocks = items.map((item, index) => {
    const own = lines.slice(from, from + (counts[index] ?? 0));
    from += own.length;
    return [...own, ...changeLines(item, width)];
  });
  return { titles, blocks };
}

/** Of the folded columns, by their place: as wide as what is in them, as far as there is room; the widest give way first. */
function widthsOf(items: readonly Item[], width: number): Record<number, number> {
  const natural = (column: number): number =>
    items.reduce(
      (most, { cells, inner }) =>
        Math.max(most, (cells[column - 1]?.length ?? 0) + (inner && column === 1 ? 2 : 0)),
      COLUMNS[column]?.title.length ?? 0,
    );
  const fixed = MARK.length + natural(4) + natural(5) + GAP * (COLUMNS.length - 1) + MARGIN.length;
  let room = Math.max(3 * 8, width - fixed);
  const widths: Record<number, number> = {};
  const open = [...FOLDED].sort((a, b) => natural(a) - natural(b));
  for (const [index, column] of open.entries()) {
    widths[column] = Math.min(natural(column), Math.floor(room / (open.length - index)));
    room -= widths[column] ?? 0;
  }
  return widths;
}

/** One below the other, where there is no room for columns. */
function stacked(items: readonly Item[], width: number, { colour }: Space): Shown {
  const blocks = items.map((item) => {
    const [what, value, needed, age, source] = item.cells;
    const indent = item.inner ? `${INDENT}  ` : INDENT;
    const [first = '', ...rest] = fold(indent + what, width, indent);
    const mark = painted(item.mark, item, colour) + ' '.repeat(MARK.length - item.mark.length);
    const said = `${source}${age === '' ? '' : `, ${age} ago`}`;
    const details = value === '' ? [] : [`now: ${value} (${said})`, `needed: ${needed}`];
    return [
      MARGIN + mark + first.slice(MARGIN.length + MARK.length),
      ...rest,
      ...details.flatMap((line) => fold(`${indent}${line}`, width, `${indent}  `)),
      ...changeLines(item, width),
    ];
  });
  return { titles: '', blocks };
}

function changeLines({ change, inner }: Item, width: number): string[] {
  if (change === '') return [];
  const indent = inner ? `${INDENT}  ` : INDENT;
  return fold(`${indent}-> ${change}`, width, `${indent}   `);
}

function painted(mark: string, { topic }: Item, colour: boolean): string {
  if (!colour || mark === '') return mark;
  const good = UNWANTED.has(topic) ? mark === 'no' : mark === MARK;
  return `${good ? GREEN : YELLOW}${mark}${PLAIN}`;
}
