/** What `ipvsadm -S -n` prints, as a table. */
import type { Method, ServiceKey, Table, TableServer, TableService } from '../types.js';

const METHODS: ReadonlyMap<string, Method> = new Map([
  ['-m', 'masq'],
  ['-g', 'gate'],
  ['-i', 'ipip'],
]);

/** The table, or what was not understood. */
export function parseSave(text: string): { table: Table } | { error: string } {
  const table = new Map<ServiceKey, TableService & { servers: Map<string, TableServer> }>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const words = line.trim().split(/\s+/);
    const named = serviceOf(words);
    const done =
      named !== null &&
      (words[0] === '-A' ? addService(table, named, words) : addServer(table.get(named.key), named, words));
    if (!done) return { error: `line ${index + 1} of ipvsadm -S: ${line.slice(0, 200)}` };
  }
  return { table };
}

interface Named {
  key: ServiceKey;
  /** The words after it begin here. */
  next: number;
}

function serviceOf([command, flag = '', name = '', family]: readonly string[]): Named | null {
  if ((command !== '-A' && command !== '-a') || name === '') return null;
  if (flag === '-t' || flag === '-u' || flag === '--sctp-service') return { key: `${flag} ${name}`, next: 3 };
  // Marks above 2^31 are printed as if they had a sign.
  if (flag !== '-f' || !/^-?[0-9]+$/.test(name)) return null;
  const key = `-f ${Number(name) >>> 0}`;
  return family === '-6' ? { key: `${key} -6`, next: 4 } : { key, next: 3 };
}

function addService(
  table: Map<ServiceKey, TableService & { servers: Map<string, TableServer> }>,
  { key, next }: Named,
  words: readonly string[],
): boolean {
  const [flag, scheduler = ''] = words.slice(next, next + 2);
  if (flag !== '-s' || scheduler === '') return false;
  const persistent = words[next + 2] === '-p';
  const persistenceSeconds = persistent ? Number(words[next + 3]) : 0;
  if (!Number.isSafeInteger(persistenceSeconds)) return false;
  const more = words.slice(next + (persistent ? 4 : 2)).join(' ');
  table.set(key, { scheduler, persistenceSeconds, more, servers: new Map() });
  return true;
}

function addServer(
  service: { servers: Map<string, TableServer> } | undefined,
  { next }: Named,
  words: readonly string[],
): boolean {
  const [flag, server = '', how = '', weightFlag, weightText = ''] = words.slice(next, next + 5);
  const method = METHODS.get(how);
  if (service === undefined || flag !== '-r' || method === undefined) return false;
  if (weightFlag !== '-w' || !/^[0-9]+$/.test(weightText)) return false;
  const more = words.slice(next + 5).join(' ');
  service.servers.set(server, { weight: Number(weightText), method, more });
  return true;
}
