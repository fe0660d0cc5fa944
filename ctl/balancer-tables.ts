/** What `hastmonctl hosts` and `hastmonctl vs` print. Pure. */
import type { PairView, ServiceView } from '../daemon/balancer/types.js';
import { checkWords, pairWeightOf, pairWords, serviceWords } from './balancer-words.js';
import { plain, shortAge, type Weight } from './check-words.js';
import type { Room } from './checks.js';
import { type Column, layOut } from './table.js';

const HOST_COLUMNS: readonly Column[] = [
  { title: 'HOST', least: 10 },
  { title: 'SERVICE', least: 10 },
  { title: 'ADDRESS', least: 14 },
  { title: 'WEIGHT', right: true },
  { title: 'CONNS', right: true },
  { title: 'CHECK', least: 10 },
  { title: 'SINCE', right: true },
  { title: 'STATUS', least: 15 },
];
const SERVICE_COLUMNS: readonly Column[] = [
  { title: 'SERVICE', least: 10 },
  { title: 'ADDRESS', least: 14 },
  { title: 'SCHEDULER' },
  { title: 'METHOD' },
  { title: 'SERVERS', right: true },
  { title: 'WEIGHT', right: true },
  { title: 'CHECK', least: 10 },
  { title: 'STATUS', least: 15 },
];
const COLOURS = { calm: '', odd: '\x1b[33m', bad: '\x1b[31;1m' } as const;

export function formatHosts(pairs: readonly PairView[], room: Room): string {
  return table(HOST_COLUMNS, pairs.map(hostCells), pairs.map(pairWeightOf), room);
}

export function formatServices(services: readonly ServiceView[], room: Room): string {
  const weights = services.map((view): Weight => {
    if (view.alive === 0) return 'bad';
    return serviceWords(view) === 'up' ? 'calm' : 'odd';
  });
  return table(SERVICE_COLUMNS, services.map(serviceCells), weights, room);
}

/** What stands last in a line has the colour. */
function table(
  columns: readonly Column[],
  rows: readonly string[][],
  weights: readonly Weight[],
  room: Room,
): string {
  if (rows.length === 0) return '';
  const paint = (cell: string, row: number, column: number): string => {
    const last = column === columns.length - 1 && room.colour;
    const colour = last ? COLOURS[weights[row] ?? 'calm'] : '';
    return colour === '' ? cell : `${colour}${cell}\x1b[0m`;
  };
  return `${layOut(columns, rows, room.columns, paint).join('\n')}\n`;
}

/** The weight now, and the full one where that is another; active and inactive connections. */
function hostCells(pair: PairView): string[] {
  const { check, connections, stateWeight, unknownMs, weight } = pair;
  return [
    plain(pair.host),
    plain(pair.service),
    pair.real || '-',
    unknownMs !== null ? '?' : stateWeight === weight ? String(weight) : `${stateWeight}/${weight}`,
    connections === null ? '?' : `${connections.active}+${connections.inactive}`,
    checkWords(pair),
    check.sinceAge === null ? '-' : shortAge(check.sinceAge),
    pairWords(pair),
  ];
}

function serviceCells(view: ServiceView): string[] {
  const persistent = view.persistenceSeconds === 0 ? '' : ` ${view.persistenceSeconds}s`;
  return [
    plain(view.service),
    view.virtual || '-',
    `${view.scheduler}${persistent}`,
    view.method,
    `${view.alive ?? '?'}/${view.servers}`,
    String(view.weight ?? '?'),
    plain(view.check) || '-',
    serviceWords(view),
  ];
}
