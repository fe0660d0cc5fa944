/** What `hastmonctl drill` prints: a sentence, a table of what would follow from each failure, and what that is computed from. Pure. */

import type { NodeName } from '../daemon/core/types.js';
import type { Fault } from '../daemon/drill/faults.js';
import type { Cell } from '../daemon/drill/matrix.js';
import type { Scene, SceneNode, TimeSource } from '../daemon/drill/scene.js';
import { plain } from './check-words.js';
import type { Drilled } from './drill-facts.js';
import { type Column, fits, fold, layOut, proseWidth } from './table.js';
import { duration } from './words.js';

export interface Space {
  /** Infinity where nothing says how wide a line may be. */
  columns: number;
  colour: boolean;
}

/** In less, lines would be of single words. */
const WIDTH_LEAST = 30;
const MARGIN = '  ';
const COLUMNS: readonly Column[] = [
  { title: 'FAILURE' },
  { title: 'RUNS ON' },
  { title: 'AFTER', right: true },
  { title: 'WITHOUT SERVICE' },
];
const [BOLD, RED, YELLOW, PLAIN] = ['\x1b[1m', '\x1b[31;1m', '\x1b[33m', '\x1b[0m'];

/** What stays the same from version to version, for scripts. */
export interface DrillJson {
  resource: string;
  /** The node that was asked. */
  node: NodeName;
  /** Who runs it at present, '' for nobody. */
  holder: NodeName;
  /** No single failure leaves the resource without a node, or with one alone that could not run it when it tried last. */
  safe: boolean;
  /** Why nothing could be computed, '' where it could. */
  problem: string;
  failures: FailureJson[];
  /** What the hooks were taken to need on each node. */
  hooks: { node: NodeName; action: 'start' | 'stop'; ms: number; source: TimeSource['kind'] }[];
  notes: string[];
}

interface FailureJson {
  kind: 'nothing' | 'node-lost' | 'daemon-killed' | 'link-cut' | 'node-cut-off' | 'switchover';
  nodes: NodeName[];
  /** More than one where it depends on the moment of the failure. */
  runsOn: NodeName[];
  /** It runs nowhere then, at some moment of the failure at least. */
  nowhere: boolean;
  /** At worst; null where it runs nowhere. */
  afterMs: number | null;
  withoutServiceMs: number | null;
  /** It leaves the resource without a node, or on two. */
  bad: boolean;
  /** A node would have to run it whose last attempt has failed. */
  doubtful: boolean;
  why: { node: NodeName; sentence: string }[];
}

const KINDS: Record<Fault['kind'], FailureJson['kind']> = {
  ...{ none: 'nothing', power: 'node-lost', kill: 'daemon-killed' },
  ...{ cut: 'link-cut', isolate: 'node-cut-off', switchover: 'switchover' },
};

/** True where the resource has a node, and no single failure takes it that, or leads to one whose last attempt to run it has failed. */
export function isSafe({ cells, problem, scene }: Drilled): boolean {
  return problem === '' && cells.every((cell) => !cell.bad && doubtOf(scene, cell).length === 0);
}

/** The nodes that would have to run it after that failure, do not run it now, and could not when they tried last. */
function doubtOf(scene: Scene, { nodes }: Cell): SceneNode[] {
  return scene.nodes.filter(
    ({ name, startFailed }) => startFailed !== '' && name !== scene.holder && nodes.includes(name),
  );
}

export function drillJson(drilled: Drilled): DrillJson {
  const { cells, known, problem, scene } = drilled;
  const { node, resource } = known.asked;
  return {
    ...{ resource, node, holder: scene.holder, safe: isSafe(drilled), problem },
    failures: cells.map((cell) => ({
      ...{ kind: KINDS[cell.fault.kind], nodes: nodesOf(cell.fault), runsOn: cell.nodes },
      ...{ nowhere: cell.nowhere, afterMs: whole(cell.afterMs), withoutServiceMs: whole(cell.awayMs) },
      ...{ bad: cell.bad, doubtful: doubtOf(scene, cell).length > 0, why: cell.why },
    })),
    hooks: scene.nodes.filter(mayRun).flatMap(({ name, sources, times }) =>
      (['start', 'stop'] as const).map((action) => {
        const ms = Math.round(times[action]);
        return { node: name, action, ms, source: sources[action].kind };
      }),
    ),
    notes: notesOf(drilled),
  };
}

const whole = (ms: number | null): number | null => (ms === null ? null : Math.round(ms));

function nodesOf(fault: Fault): NodeName[] {
  if (fault.kind === 'none') return [];
  return fault.kind === 'cut' ? [...fault.nodes] : [fault.node];
}

/** The sentence, the table, why it would run nowhere, and the notes. */
export function formatDrill(drilled: Drilled, space: Space): string {
  const { cells, known, problem, scene } = drilled;
  const width = Math.max(WIDTH_LEAST, proseWidth(space.columns));
  const paint = (text: string, colour: string): string =>
    space.colour && text !== '' ? `${colour}${text}${PLAIN}` : text;
  const head = `resource ${known.asked.resource} on ${known.asked.node}: ${summary(drilled)}`;
  const lines = fold(plain(head), width, MARGIN).map((line) => paint(line, colourOf(drilled)));
  if (problem === '') {
    const rows = cells.map((cell) => cellsOfRow(scene, cell));
    const painted = (text: string, row: number): string => {
      const cell = cells[row];
      if (cell === undefined) return text;
      return cell.bad ? paint(text, RED) : doubtOf(scene, cell).length > 0 ? paint(text, YELLOW) : text;
    };
    lines.push('', ...failureLines(rows, width, painted));
    const why = whyLines(scene, cells);
    if (why.length > 0)
      lines.push('', ...why.flatMap((line) => fold(MARGIN + line, width, MARGIN.repeat(2))));
  }
  lines.push(
    '',
    ...notesOf(drilled).flatMap((note) => fold(`${MARGIN}${plain(note)}`, width, MARGIN.repeat(2))),
  );
  return `${lines.join('\n')}\n`;
}

/** Of the sentence. */
function colourOf(drilled: Drilled): string {
  if (isSafe(drilled)) return BOLD;
  return drilled.problem !== '' || drilled.cells.some(({ bad }) => bad) ? RED : YELLOW;
}

/** A table where it fits; else one line below the other: what is cut is not to be told apart. */
function failureLines(
  rows: readonly string[][],
  width: number,
  paint: (text: string, row: number) => string,
): string[] {
  const room = width - MARGIN.length;
  if (fits(COLUMNS, rows, room)) return layOut(COLUMNS, rows, room, paint).map((line) => MARGIN + line);
  return rows.flatMap(([failure = '', where, after, away], row) => {
    const when = after === '' || after === '-' ? '' : ` after ${after}`;
    const without = after === '' ? ` ${away}` : away === '-' ? '' : `, ${away} without service`;
    return [
      ...fold(MARGIN + failure, width, MARGIN.repeat(2)),
      ...fold(`${MARGIN.repeat(3)}runs on ${where}${when}${without}`, width, MARGIN.repeat(4)),
    ].map((line) => paint(line, row));
  });
}

/** Where it runs, and what may be lost. */
function summary({ cells, known, problem, scene }: Drilled): string {
  if (problem !== '') return `what would follow cannot be computed: ${problem}`;
  const holder = known.asked.nodes.find(({ node }) => node === scene.holder);
  const now =
    holder === undefined
      ? 'nobody holds it'
      : holder.run === 'run'
        ? `runs on ${holder.node}`
        : `is held by ${holder.node} (${holder.run})`;
  if (cells[0]?.nowhere) return `${now}; no node would run it as it stands`;
  const doubted = [...new Set(cells.flatMap((cell) => doubtOf(scene, cell)))];
  const failed = doubted.map(({ name, startFailed }) => `; ${name} could not run it last: ${startFailed}`);
  return (
    `${now}; any single node may be lost: ${verdict(scene, cells, ['power', 'kill'])}; ` +
    `any single link: ${verdict(scene, cells, ['cut', 'isolate'])}${failed.join('')}`
  );
}

function verdict(scene: Scene, cells: readonly Cell[], kinds: readonly Fault['kind'][]): string {
  const named = (some: readonly Cell[]): string =>
    [...new Set(some.map(({ fault }) => nodesOf(fault).join(' - ')))].join(', ');
  const asked = cells.filter(({ fault }) => kinds.includes(fault.kind));
  const bad = asked.filter((cell) => cell.bad);
  const doubtful = asked.filter((cell) => !cell.bad && doubtOf(scene, cell).length > 0);
  const words = [
    ...(bad.length === 0 ? [] : [`no (${named(bad)})`]),
    ...(doubtful.length === 0 ? [] : [`not sure (${named(doubtful)})`]),
  ];
  return words.join(', ') || 'yes';
}

function cellsOfRow(scene: Scene, cell: Cell): string[] {
  const { afterMs, awayMs, double, nodes, nowhere } = cell;
  const where = [...nodes.map(plain), ...(nowhere ? ['nobody'] : [])].join(' or ');
  if (nowhere) return [failureWords(scene, cell.fault), where, '', 'until that is mended'];
  return [
    failureWords(scene, cell.fault),
    double ? `${where}, on two nodes at once meanwhile` : where,
    afterMs === null || afterMs === 0 ? '-' : duration(afterMs),
    awayMs === null || awayMs === 0 ? '-' : duration(awayMs),
  ];
}

/** `alpha (primary) lost`, with what is lost already where that is so. */
function failureWords({ nodes }: Scene, fault: Fault): string {
  const named = (name: NodeName): string => {
    const role = nodes.find((node) => node.name === name)?.role ?? 'init';
    return `${plain(name)} (${role})`;
  };
  const gone = nodes.filter(({ there }) => !there).map(({ name }) => plain(name));
  const already = gone.length === 0 ? '' : `, ${gone.join(' and ')} lost already`;
  switch (fault.kind) {
    case 'none':
      return `nothing more happens${already}`;
    case 'power':
      return `${named(fault.node)} lost${already}`;
    case 'kill':
      return `hastmond killed on ${named(fault.node)}${already}`;
    case 'cut':
      return `link ${fault.nodes.map(plain).join(' - ')} cut${already}`;
    case 'isolate':
      return `${named(fault.node)} cut off${already}`;
    case 'switchover':
      return `handed over to ${named(fault.node)}${already}`;
    default:
      return fault satisfies never;
  }
}

function whyLines(scene: Scene, cells: readonly Cell[]): string[] {
  return cells
    .filter(({ nowhere }) => nowhere)
    .map(({ fault, why }) => {
      const words = why.map(({ node, sentence }) => `${plain(node)}: ${plain(sentence)}`);
      const said = words.length === 0 ? 'no node that could run it is left' : words.join(' | ');
      return `nobody, with ${failureWords(scene, fault)}: ${said}`;
    });
}

const mayRun = ({ role, there }: SceneNode): boolean => there && (role === 'primary' || role === 'secondary');

/** What the numbers are from, and what is out of the ordinary. */
function notesOf({ cells, known, problem, scene }: Drilled): string[] {
  const { asked, missing, others } = known;
  const words = [asked, ...others];
  const silent = asked.nodes.filter(({ fresh }) => !fresh);
  const there = scene.nodes.filter((node) => node.there);
  const quiet = missing.filter(({ node }) => there.some(({ name }) => name === node));
  return [
    ...silent.map(({ heardMs, node }) =>
      heardMs === null
        ? `${node} has not been heard: it counts as lost.`
        : `${node} was heard ${duration(heardMs)} ago: it counts as lost.`,
    ),
    ...quiet.map(({ node, why }) => `${node} has not answered (${why}): of it its heartbeats count.`),
    ...scene.cuts.map((pair) => `Between ${pair.join(' and ')} there is no connection.`),
    ...there.flatMap((node) =>
      node.unfit === '' ? [] : [`${node.name} would not be promoted, and this may pass: ${node.unfit}.`],
    ),
    ...there.flatMap(({ gaveUpMs, name }) =>
      gaveUpMs === null ? [] : [`${name} gave it up ${duration(gaveUpMs)} ago.`],
    ),
    ...there.flatMap(({ name, startFailed }) =>
      startFailed === '' || name === scene.holder ? [] : [failedNote(scene, name, startFailed)],
    ),
    ...there.flatMap(({ failed, name }) =>
      failed === '' ? [] : [`The service counts as failed on ${name}: ${failed}.`],
    ),
    ...(words.some(({ votersChanging }) => votersChanging)
      ? ['The voters are being changed; this is about the new ones.']
      : []),
    ...there.flatMap(({ history, name }) =>
      history ? [] : [`The voter of ${name} has no history: it grants nothing before it has learned one.`],
    ),
    ...maintenanceNotes(scene),
    ...failbackNotes(cells),
    ...(problem === '' ? [...hookNotes(scene), ...usualNotes(quiet.length > 1)] : []),
  ];
}

function failedNote({ resource }: Scene, name: NodeName, why: string): string {
  return (
    `The last attempt to run it on ${name} has failed: ${why}. Once that is mended, a start that ends well makes it forgotten, or ` +
    `there: hastmonctl role secondary ${resource}`
  );
}

function maintenanceNotes({ maintenance }: Scene): string[] {
  if (maintenance === null) return [];
  const { by, node, reason } = maintenance;
  return [
    `In maintenance on ${node} by ${by}, ${reason === '' ? 'no reason was given' : `for: ${reason}`}: nothing moves by itself.`,
  ];
}

/** What is not in the table, since it is too far away. */
function failbackNotes(cells: readonly Cell[]): string[] {
  const later = cells.flatMap((cell) => cell.later);
  return [...new Set(later.map(({ node }) => node))].map((name) => {
    const times = later.filter(({ node }) => node === name).map(({ ofMs }) => ofMs);
    return `${name} gets it back by failback, ${duration(Math.min(...times))} after it is able: the table does not reach that far.`;
  });
}

function usualNotes(assumed: boolean): string[] {
  return [
    'One failure each, from how things stand; times are the worst of several moments within a heartbeat, without the load of real machines. Hooks end well, and what is lost stays lost.',
    ...(assumed ? ['Connections between nodes that have not answered are taken to be there.'] : []),
  ];
}

/** `start takes 702 ms on alpha (longest of 3 measured), …`. */
function hookNotes({ nodes }: Scene): string[] {
  return (['start', 'stop'] as const)
    .map((action) => {
      const words = nodes.filter(mayRun).map(({ name, sources, times }) => {
        return `${duration(times[action])} on ${name} (${sourceWords(sources[action])})`;
      });
      return words.length === 0 ? '' : `${action} is taken to need ${words.join(', ')}.`;
    })
    .filter((note) => note !== '');
}

function sourceWords(source: TimeSource): string {
  switch (source.kind) {
    case 'node':
      return source.count === 1 ? 'measured once' : `the longest of ${source.count} measured`;
    case 'others':
      return 'as measured on another node';
    case 'limit':
      return 'never measured: all that its limit allows';
    default:
      return source satisfies never;
  }
}
