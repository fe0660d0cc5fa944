/** What `hastmonctl status --cluster` prints: all nodes and their resources as one of them sees them. Pure. */
import type { DirectorWord } from '../daemon/balancer/types.js';
import type { ClusterView, NodeReport, NodeSaid } from '../proto/cluster-types.js';
import type { Selection, StatusEntry } from '../proto/control-types.js';
import { plain, shortAge } from './check-words.js';
import { type Column, fits, fold, GAP, layOut } from './table.js';
import { duration } from './words.js';

export interface Room {
  /** Characters in a line, Infinity where nothing is cut. */
  columns: number;
  colour: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: 'NODE' },
  { title: 'RESOURCE' },
  { title: 'ROLE' },
  { title: 'STATE' },
  { title: 'LEASE', least: 10 },
  { title: 'EPOCH', right: true },
  { title: 'CHECKS DOWN' },
  { title: 'VERSION' },
  { title: 'AGE', right: true },
  { title: 'NOTE', least: 16 },
];
const INDENT = 2;
const ROLE = 2;
const STATE = 3;
const NOTE = 9;
/** Version, age, epoch, checks, lease: what a narrow terminal can do without, in this order. */
const SPARED = [7, 8, 5, 6, 4];
const [RED, YELLOW, PLAIN] = ['\x1b[31;1m', '\x1b[33m', '\x1b[0m'];

/** The view with what is about these resources alone. */
export function selectFrom(view: ClusterView, resources: Selection): ClusterView {
  if (resources === 'all') return view;
  const isMeant = (name: string): boolean => resources.includes(name);
  return {
    ...view,
    double: view.double.filter(({ resource }) => isMeant(resource)),
    nodes: view.nodes.map(({ said, ...report }) => ({
      ...report,
      said:
        said === null ? null : { ...said, status: said.status.filter(({ resource }) => isMeant(resource)) },
    })),
  };
}

/** Names among these that no node that has answered knows. */
export function unknownIn({ nodes }: ClusterView, resources: Selection): string[] {
  if (resources === 'all') return [];
  const known = new Set(nodes.flatMap(({ said }) => (said?.status ?? []).map(({ resource }) => resource)));
  return resources.filter((name) => !known.has(name));
}

/**
 * First, where there are any, the resources that run twice; then a table with a line for each resource of each node, or, where there is no
 * room for that, lines below each node.
 */
export function formatCluster(view: ClusterView, room: Room): string {
  const paint = (text: string, colour: string): string => (room.colour ? `${colour}${text}${PLAIN}` : text);
  const alarms = view.double.flatMap(({ nodes, resource }) => {
    const words = `${plain(resource)} RUNS ON MORE THAN ONE NODE: ${nodes.map(plain).join(' and ')}`;
    return fold(words, room.columns, '').map((line) => paint(line, RED));
  });
  const rows = view.nodes.flatMap(rowsOf);
  const shown = fitting(rows, room.columns);
  const columns = shown.map((column) => COLUMNS[column] as Column);
  const texts = rows.map(({ cells }) => shown.map((column) => cells[column] ?? ''));
  const painted = (cell: string, row: number, index: number): string => {
    const odd = rows[row]?.odd === true && [ROLE, STATE, NOTE].includes(shown[index] ?? -1);
    return odd ? paint(cell, YELLOW) : cell;
  };
  const lines = fits(columns, texts, room.columns)
    ? layOut(columns, texts, room.columns, painted)
    : view.nodes.flatMap((report) => stacked(rowsOf(report), room.columns, paint));
  return `${[...alarms, ...(alarms.length === 0 ? [] : ['']), ...lines].join('\n')}\n`;
}

/** What a node says, one line below the other, where there is no room for columns: nothing is left out. */
function stacked(
  rows: readonly Row[],
  width: number,
  paint: (text: string, colour: string) => string,
): string[] {
  const [first] = rows;
  if (first === undefined) return [];
  const titled = (title: string, text: string | undefined): string[] =>
    text === undefined || text === '' || text === '-' ? [] : [`${title} ${text}`];
  const [name = '', , , , , , checks, version, age] = first.cells;
  const about = [
    ...titled('checks down:', checks),
    ...titled('version', version),
    ...titled('age', age === 'now' ? '' : age),
  ];
  const indent = (depth: number): string => ' '.repeat(Math.min(INDENT * depth, Math.floor(width / 8)));
  const lines = fold([name, ...about].join(', '), width, indent(2));
  for (const { cells, odd } of rows) {
    const [, resource = '', role = '', state = '', lease = '', epoch, , , , note = ''] = cells;
    const words = [role, state, lease].filter((word) => word !== '' && word !== '-');
    const said = [...words, ...titled('epoch', epoch)].join(', ');
    const head = resource === '-' ? said : `${resource}: ${said}`;
    const own = head === '' ? [] : fold(indent(1) + head, width, indent(2));
    const depth = head === '' ? 1 : 2;
    if (note !== '') own.push(...fold(indent(depth) + note, width, indent(depth + 1)));
    lines.push(...own.map((line) => (odd ? paint(line, YELLOW) : line)));
  }
  return lines;
}

/** The columns that there is room for, at their least width; those that can be spared first go first. */
function fitting(rows: readonly Row[], width: number): number[] {
  const least = COLUMNS.map((column, index) => {
    const widest = Math.max(column.title.length, ...rows.map(({ cells }) => (cells[index] ?? '').length));
    return Math.min(widest, column.least ?? widest) + GAP;
  });
  const needed = (columns: readonly number[]): number =>
    columns.reduce((sum, column) => sum + (least[column] ?? 0), -GAP);
  return SPARED.reduce(
    (columns, spared) => (needed(columns) > width ? columns.filter((column) => column !== spared) : columns),
    COLUMNS.map((_, index) => index),
  );
}

interface Row {
  cells: string[];
  /** Something is to be looked at. */
  odd: boolean;
}

function rowsOf(report: NodeReport): Row[] {
  const { ageMs, heardMs, node, note, said, self } = report;
  const name = plain(node);
  if (said === null) {
    const since = heardMs === null ? 'unknown' : `unknown since ${duration(heardMs)}`;
    return [{ cells: [name, '-', since, '', '', '', '', '', '', plain(note)], odd: true }];
  }
  const tail = [checksDown(said), plain(said.version), self ? 'now' : ageWords(ageMs)];
  const balancer = balancerNote(node, said);
  if (said.status.length === 0)
    return [{ cells: [name, '-', '-', '-', '-', '', ...tail, balancer], odd: balancer !== '' }];
  return said.status.map((entry, index) => {
    const notes = [...notesOn(entry), ...(index === 0 && balancer !== '' ? [balancer] : [])];
    const cells = [
      ...[index === 0 ? name : '', plain(entry.resource), entry.role, entry.state, leaseWords(entry)],
      ...[entry.lease.epoch === 0 ? '-' : String(entry.lease.epoch), ...(index === 0 ? tail : ['', '', ''])],
      notes.join('; '),
    ];
    return { cells, odd: notes.length > 0 };
  });
}

const ageWords = (ms: number): string => (ms < 999.5 ? `${Math.round(ms)} ms` : shortAge(ms));

function leaseWords({ holder, lease }: StatusEntry): string {
  if (lease.held) return `held, ${duration(lease.leftMs)} left`;
  return holder === '' ? 'nobody holds it' : `${plain(holder)} holds it`;
}

function checksDown({ checks }: NodeSaid): string {
  if (checks === null) return '-';
  const { down, outages, unknown, up } = checks;
  const confirmed = outages === 0 ? '' : `, ${outages} confirmed`;
  return `${down} of ${up + down + unknown}${confirmed}`;
}

/** What a node tells of the balancer is its own word; an older hastmond does not say whose it is, and means its own. */
export function isOwnWord({ fresh, node: by }: DirectorWord, node: string): boolean {
  return by === node || (by === '' && fresh);
}

function balancerNote(node: string, { balancer }: NodeSaid): string {
  if (balancer === null || balancer.servicesDown === 0) return '';
  const { services, servicesDown, source } = balancer;
  if (servicesDown === null) return `virtual services: unknown since ${duration(source.ageMs)}`;
  // Of itself a node speaks as of now.
  const whose = isOwnWord(source, node)
    ? ''
    : ` (the word of ${plain(source.node)}, ${duration(source.ageMs)} old)`;
  return `${servicesDown} of ${services} virtual services down${whose}`;
}

function notesOn({ forced, lastError, maintenance, role, roleSet, state }: StatusEntry): string[] {
  const notes: string[] = [];
  if (forced) notes.push('forced, outside the lease');
  if (maintenance !== null)
    notes.push(
      `maintenance on ${plain(maintenance.node)}${maintenance.reason === '' ? '' : `: ${plain(maintenance.reason)}`}`,
    );
  if (roleSet !== role) notes.push(`set to ${roleSet}`);
  if (state === 'failed' && lastError !== '') notes.push(plain(lastError));
  return notes;
}
