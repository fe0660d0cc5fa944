/**
 * /proc/net/ip_vs: what can be looked at every second without starting a process. It does not say which family a firewall mark is of, and
 * has persistence in the kernel's ticks; everything else of a table can be compared with it.
 */
import { SocketAddress } from 'node:net';
import type {
  Connections,
  Method,
  ServerKey,
  ServiceKey,
  Table,
  TableServer,
  TableService,
} from '../types.js';

export interface ProcServer extends Connections {
  weight: number;
  method: Method;
}

export interface ProcService {
  scheduler: string;
  /** In ticks of the kernel; 0: none. */
  persistenceTicks: number;
  /** A firewall mark without a server of IPv6: it may be of that family all the same. */
  familyUnsure: boolean;
  servers: ReadonlyMap<ServerKey, ProcServer>;
}

/** By the same names as a table. */
export type Proc = ReadonlyMap<ServiceKey, ProcService>;

/** Ticks in a second that a kernel can be built with. */
const TICKS: ReadonlySet<number> = new Set([100, 250, 300, 1000]);

const PROTOCOLS: ReadonlyMap<string, string> = new Map([
  ['TCP', '-t'],
  ['UDP', '-u'],
  ['SCTP', '--sctp-service'],
]);

// "Local" is what kernels before 2.6.38 made of a server on the machine itself; ipvsadm -S calls it -g.
const METHODS: ReadonlyMap<string, Method> = new Map([
  ['Masq', 'masq'],
  ['Route', 'gate'],
  ['Local', 'gate'],
  ['Tunnel', 'ipip'],
]);

interface Draft extends ProcService {
  servers: Map<ServerKey, ProcServer>;
}

/** The content of the file; null where it is not understood. */
export function parseProc(text: string): Proc | null {
  const services = new Map<ServiceKey, Draft>();
  const marks: { mark: number; service: Draft }[] = [];
  let last: Draft | null = null;
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('IP ') || line.startsWith('Prot ')) continue;
    const words = line.trim().split(/ +/);
    if (words[0] === '->') {
      if (words[1] === 'RemoteAddress:Port') continue;
      if (last === null || !addServer(last, words)) return null;
      continue;
    }
    const [protocol = '', where = '', scheduler = ''] = words;
    last = { scheduler, persistenceTicks: ticksOf(words), familyUnsure: false, servers: new Map() };
    const flag = PROTOCOLS.get(protocol);
    if (scheduler === '') return null;
    if (protocol === 'FWM') marks.push({ mark: Number.parseInt(where, 16), service: last });
    else if (flag !== undefined) services.set(`${flag} ${readable(where)}`, last);
    else return null;
  }
  nameMarks(services, marks);
  return services;
}

function ticksOf(words: readonly string[]): number {
  const at = words.indexOf('persistent', 3);
  return at < 0 ? 0 : Number(words[at + 1]);
}

function addServer(
  service: Draft,
  [, where = '', how = '', weight, active, inactive]: readonly string[],
): boolean {
  const method = METHODS.get(how);
  if (method === undefined) return false;
  service.servers.set(readable(where), {
    ...{ method, weight: Number(weight) },
    ...{ active: Number(active), inactive: Number(inactive) },
  });
  return true;
}

// A service of IPv6 may have servers of IPv4 (tunnels); one of IPv4 has none of IPv6.
function nameMarks(
  services: Map<ServiceKey, Draft>,
  marks: readonly { mark: number; service: Draft }[],
): void {
  for (const { mark, service } of marks) {
    service.familyUnsure = ![...service.servers.keys()].some((server) => server.startsWith('['));
    if (!service.familyUnsure) services.set(`-f ${mark} -6`, service);
  }
  for (const { mark, service } of marks) {
    if (!service.familyUnsure) continue;
    services.set(services.has(`-f ${mark}`) ? `-f ${mark} -6` : `-f ${mark}`, service);
  }
}

/** The same addresses come again at every reading. */
const known = new Map<string, string>();
const KNOWN_MAX = 200_000;

/** `0A000001:0050` and `[fd00:0000:…]:0035` as ipvsadm -n writes them. */
function readable(where: string): string {
  const before = known.get(where);
  if (before !== undefined) return before;
  if (known.size >= KNOWN_MAX) known.clear();
  const colon = where.lastIndexOf(':');
  const port = Number.parseInt(where.slice(colon + 1), 16);
  const text = where.startsWith('[')
    ? `[${new SocketAddress({ address: where.slice(1, colon - 1), family: 'ipv6' }).address}]:${port}`
    : `${[0, 2, 4, 6].map((at) => Number.parseInt(where.slice(at, at + 2), 16)).join('.')}:${port}`;
  known.set(where, text);
  return text;
}

/** What the kernel counts for a server; null where it is not in the table. */
export function connectionsOf(proc: Proc, service: ServiceKey, server: ServerKey): ProcServer | null {
  return lookUp(proc, service)?.servers.get(server) ?? null;
}

/**
 * True where both have the same services with the same schedulers, persistence, servers, methods and weights. What else a service has
 * (`more`) is not looked at.
 */
export function sameTable(table: Table, proc: Proc): boolean {
  if (table.size !== proc.size) return false;
  let ticks = 0;
  const fits = (service: TableService | undefined, seen: ProcService | undefined): boolean => {
    if (service === undefined || seen === undefined || !sameService(service, seen)) return false;
    if (service.persistenceSeconds === 0) return seen.persistenceTicks === 0;
    // One number of ticks in a second fits all services, or one of them was changed.
    const here = seen.persistenceTicks / service.persistenceSeconds;
    if (!TICKS.has(here) || (ticks !== 0 && ticks !== here)) return false;
    ticks = here;
    return true;
  };
  for (const [key, service] of table) {
    const seen = lookUp(proc, key);
    if (fits(service, seen)) continue;
    // Two of one mark may have been taken for each other.
    const other = otherFamily(key);
    const swapped = other === null ? undefined : proc.get(other);
    if (other === null || seen?.familyUnsure !== true || swapped?.familyUnsure !== true) return false;
    if (!fits(service, swapped) || !fits(table.get(other), seen)) return false;
  }
  return true;
}

function lookUp(proc: Proc, key: ServiceKey): ProcService | undefined {
  const other = otherFamily(key);
  const seen = proc.get(key);
  if (seen !== undefined || other === null) return seen;
  const unsure = proc.get(other);
  return unsure?.familyUnsure === true ? unsure : undefined;
}

/** The same mark of the other family; null for what is no mark. */
function otherFamily(key: ServiceKey): ServiceKey | null {
  if (!key.startsWith('-f ')) return null;
  return key.endsWith(' -6') ? key.slice(0, -3) : `${key} -6`;
}

function sameService(service: TableService, seen: ProcService): boolean {
  if (service.scheduler !== seen.scheduler || service.servers.size !== seen.servers.size) return false;
  for (const [key, server] of service.servers) if (!sameServer(server, seen.servers.get(key))) return false;
  return true;
}

function sameServer(server: TableServer, seen: ProcServer | undefined): boolean {
  return seen !== undefined && server.weight === seen.weight && server.method === seen.method;
}
