/**
 * What `hastmonctl status --watch` shows: what runs where, each lease running down, complaints, what is down, weights on their way, the last
 * events. Pure; every line fits the room.
 */
import type { PairView } from '../daemon/balancer/types.js';
import type { ClusterView } from '../proto/cluster-types.js';
import type { StatusEntry } from '../proto/control-types.js';
import type { HaEvent } from '../proto/event-types.js';
import { pairWords } from './balancer-words.js';
import { bar } from './bar.js';
import { plain } from './check-words.js';
import { type CheckList, formatChecks, type Room } from './checks.js';
import { formatCluster, isOwnWord } from './cluster.js';
import { colourOf, formatEvent, timeOf } from './events.js';
import { duration } from './words.js';

export interface Overview {
  cluster: ClusterView;
  /** Those that are down, and how many there are of all; null where this node monitors nothing. */
  checks: CheckList | null;
  /** Servers of the balancer whose weight is not the full one; null where there is no balancer, or it has not answered. */
  servers: readonly PairView[] | null;
  /** Of this node, the oldest first. */
  events: readonly HaEvent[];
}

const [RED, YELLOW, BOLD, PLAIN] = ['\x1b[31;1m', '\x1b[33m', '\x1b[1m', '\x1b[0m'];
const BAR = 20;
/** What checks and servers may have of the lines that are left, each; the rest is for events. */
const SHARE = 0.3;
/** Where nothing limits the lines. */
const EVENTS = 10;

/** The lines that fit, the most important first. A section that has nothing to tell is left out. */
export function formatOverview(view: Overview, room: Room): string {
  const { cluster } = view;
  const nodes = formatCluster(cluster, room).trimEnd().split('\n');
  const fixed = [titleOf(cluster, room), '', ...nodes, ...section('LEASES', leaseLines(cluster, room), room)];
  const left = room.rows - fixed.length;
  const share = Number.isFinite(left) ? Math.max(3, Math.floor(left * SHARE)) : left;
  const checks = checkLines(view.checks, { ...room, rows: share });
  const servers = serverLines(view.servers, whoseWords(cluster) === '', { ...room, rows: share });
  const middle = [
    ...section('CHECKS', checks, room),
    ...section(`WEIGHTS${whoseWords(cluster)}`, servers, room),
  ];
  const rest = left - middle.length - 2;
  const count = Number.isFinite(rest) ? Math.max(0, rest) : EVENTS;
  const events = count === 0 ? [] : view.events.slice(-count).map((event) => eventLine(event, room));
  const lines = [...fixed, ...middle, ...section('EVENTS', events, room)];
  return `${(Number.isFinite(room.rows) ? lines.slice(0, room.rows) : lines).join('\n')}\n`;
}

const paint = (text: string, colour: string, room: Room): string =>
  room.colour && colour !== '' ? `${colour}${text}${PLAIN}` : text;

function section(title: string, lines: readonly string[], room: Room): string[] {
  return lines.length === 0 ? [] : ['', paint(title.slice(0, room.columns), BOLD, room), ...lines];
}

function titleOf({ at, node, nodes }: ClusterView, room: Room): string {
  const known = nodes.filter(({ said }) => said !== null).length;
  const title = `${timeOf(at).slice(0, 19)}  seen from ${plain(node)}, ${known} of ${nodes.length} nodes answer`;
  const cut = title.slice(0, room.columns);
  return known < nodes.length ? paint(cut, YELLOW, room) : cut;
}

/** By the resource, as the node tells it that holds the lease; and what the others have to say of it. */
function leaseLines({ nodes }: ClusterView, room: Room): string[] {
  const names = [
    ...new Set(nodes.flatMap(({ said }) => (said?.status ?? []).map(({ resource }) => resource))),
  ];
  const width = Math.min(20, Math.max(...names.map((name) => plain(name).length), 0));
  return names.flatMap((name) => {
    const entries = nodes.flatMap(({ node, said }) =>
      (said?.status ?? []).filter(({ resource }) => resource === name).map((entry) => ({ node, entry })),
    );
    const holders = entries.filter(({ entry }) => entry.lease.held);
    const label = plain(name).slice(0, width).padEnd(width);
    const rows = holders.map(({ entry, node }) => `${label}  ${leaseBar(entry)} ${plain(node)}`);
    if (rows.length === 0) rows.push(`${label}  ${nobody(entries)}`);
    rows.push(...complaintLines(entries).map((line) => `${' '.repeat(width)}  ${line}`));
    const colour = holders.length === 1 ? '' : holders.length > 1 ? RED : YELLOW;
    return rows.map((line, index) => paint(line.slice(0, room.columns), index === 0 ? colour : '', room));
  });
}

function leaseBar({ lease }: StatusEntry): string {
  const { epoch, leaseMs, leftMs } = lease;
  return `${bar(leaseMs === 0 ? 0 : leftMs / leaseMs, BAR)} ${duration(leftMs)} of ${duration(leaseMs)}, epoch ${epoch},`;
}

type Entries = readonly { node: string; entry: StatusEntry }[];

/** Why nobody does, by the word of the one who wants it most. */
function nobody(entries: Entries): string {
  const [first] = [...entries].sort((a, b) => rank(a.entry) - rank(b.entry));
  const why = first === undefined || first.entry.waiting === '' ? '' : `: ${plain(first.entry.waiting)}`;
  return `nobody holds it${why}`;
}

const rank = ({ role }: StatusEntry): number => ['primary', 'secondary', 'watchdog', 'init'].indexOf(role);

function complaintLines(entries: Entries): string[] {
  return entries.flatMap(({ entry: { complaints }, node }) =>
    complaints.now === 0
      ? []
      : [
          `${complaints.now} complaints within ${duration(complaints.intervalMs)}, heard by ${plain(node)}; it takes more than ${complaints.threshold}`,
        ],
  );
}

/** One line where nothing is down. */
function checkLines(list: CheckList | null, room: Room): string[] {
  if (list === null || list.up + list.down + list.unknown === 0) return [];
  return formatChecks(list, room).trimEnd().split('\n');
}

/** Whose word the weights are, where they are not this node's own. */
function whoseWords({ node, nodes }: ClusterView): string {
  const source = nodes.find(({ self }) => self)?.said?.balancer?.source;
  if (source === undefined || isOwnWord(source, node)) return '';
  const age = duration(source.ageMs);
  return source.fresh ? ` (the word of ${plain(source.node)}, ${age} old)` : ` (unknown since ${age})`;
}

/**
 * The weight now in the full one as a bar, those on their way first. Where the words are not this node's own it has no weight now, and they
 * are alone.
 */
function serverLines(servers: readonly PairView[] | null, own: boolean, room: Room): string[] {
  const found = [...(servers ?? [])].sort((a, b) => Number(a.ramp === null) - Number(b.ramp === null));
  const most = Number.isFinite(room.rows) ? room.rows - 1 : found.length;
  const shown = found.slice(0, found.length > most ? most - 1 : most);
  const names = shown.map(({ host, service }) => plain(`${host}/${service}`));
  const width = Math.min(28, Math.max(...names.map((name) => name.length), 0));
  const lines = shown.map((pair, index) => {
    const { stateWeight, unknownMs, weight } = pair;
    if (!own || unknownMs !== null)
      return `${(names[index] ?? '').slice(0, width).padEnd(width)}  ${pairWords(pair)}`.slice(
        0,
        room.columns,
      );
    const share = weight === 0 ? 0 : stateWeight / weight;
    const name = (names[index] ?? '').slice(0, width).padEnd(width);
    return `${name}  ${bar(share, BAR)} ${stateWeight} of ${weight}, ${pairWords(pair)}`.slice(
      0,
      room.columns,
    );
  });
  const hidden = found.length - shown.length;
  return hidden === 0 ? lines : [...lines, `and ${hidden} more`.slice(0, room.columns)];
}

/** The time of the day is enough here. */
function eventLine(event: HaEvent, room: Room): string {
  const text = formatEvent(event, false)
    .trimEnd()
    .slice('2026-11-28 '.length, room.columns + '2026-11-28 '.length);
  return paint(text, colourOf(event), room);
}
