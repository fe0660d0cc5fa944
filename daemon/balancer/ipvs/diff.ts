/** The difference of two tables as operations, in an order in which nobody is left without a server meanwhile; and their lines. */
import type { Change, Method, ServiceKey, Table, TableServer, TableService } from '../types.js';

/** What makes one service what is wanted; undefined: it is not in that table. */
export function diffService(
  key: ServiceKey,
  actual: TableService | undefined,
  wanted: TableService | undefined,
): Change[] {
  if (wanted === undefined) return actual === undefined ? [] : [{ kind: 'delete-service', service: key }];
  const changes: Change[] = [];
  if (actual === undefined) changes.push(serviceChange('add-service', key, wanted));
  else if (actual.scheduler !== wanted.scheduler || actual.persistenceSeconds !== wanted.persistenceSeconds)
    changes.push({ ...serviceChange('edit-service', key, wanted), more: actual.more });
  for (const [server, want] of wanted.servers) {
    const have = actual?.servers.get(server);
    if (have === undefined) changes.push(serverChange('add-server', key, server, want));
    else if (have.weight !== want.weight || have.method !== want.method)
      changes.push({ ...serverChange('edit-server', key, server, want), more: have.more });
  }
  for (const server of actual?.servers.keys() ?? [])
    if (!wanted.servers.has(server)) changes.push({ kind: 'delete-server', service: key, server });
  return changes;
}

function serviceChange(
  kind: 'add-service' | 'edit-service',
  service: ServiceKey,
  { scheduler, persistenceSeconds, more }: TableService,
): Extract<Change, { kind: 'add-service' | 'edit-service' }> {
  return { kind, service, scheduler, persistenceSeconds, more };
}

function serverChange(
  kind: 'add-server' | 'edit-server',
  service: ServiceKey,
  server: string,
  { method, weight, more }: TableServer,
): Extract<Change, { kind: 'add-server' | 'edit-server' }> {
  return { kind, service, server, method, weight, more };
}

/** Services first; what gives weight before what takes it; what is deleted last. */
export function inOrder(changes: readonly Change[]): Change[] {
  return changes
    .map((change, at) => ({ change, at, rank: rankOf(change) }))
    .sort((a, b) => a.rank - b.rank || a.at - b.at)
    .map(({ change }) => change);
}

function rankOf(change: Change): number {
  switch (change.kind) {
    case 'add-service':
    case 'edit-service':
      return 0;
    case 'add-server':
      return 1;
    case 'edit-server':
      return change.weight > 0 ? 2 : 3;
    case 'delete-server':
      return 4;
    case 'delete-service':
      return 5;
    default:
      return change satisfies never;
  }
}

const FLAGS: Readonly<Record<Method, string>> = { masq: '-m', gate: '-g', ipip: '-i' };

/** A line for ipvsadm -R, without its newline. */
export function lineOf(change: Change): string {
  switch (change.kind) {
    case 'add-service':
    case 'edit-service': {
      const persistence = change.persistenceSeconds > 0 ? ` -p ${change.persistenceSeconds}` : '';
      const command = change.kind === 'add-service' ? '-A' : '-E';
      return `${command} ${change.service} -s ${change.scheduler}${persistence}${more(change.more)}`;
    }
    case 'delete-service':
      return `-D ${change.service}`;
    case 'add-server':
    case 'edit-server': {
      const command = change.kind === 'add-server' ? '-a' : '-e';
      return `${command} ${change.service} -r ${change.server} ${FLAGS[change.method]} -w ${change.weight}${more(change.more)}`;
    }
    case 'delete-server':
      return `-d ${change.service} -r ${change.server}`;
    default:
      return change satisfies never;
  }
}

function more(text: string): string {
  return text === '' ? '' : ` ${text}`;
}

/** The table after these changes. What is not changed is shared with the one before. */
export function afterChanges(table: Table, changes: readonly Change[]): Table {
  const next = new Map<ServiceKey, TableService>(table);
  // A service is copied at its first change, not at each.
  const copies = new Map<ServiceKey, Copy>();
  for (const change of changes) {
    if (change.kind === 'delete-service') {
      next.delete(change.service);
      copies.delete(change.service);
      continue;
    }
    const copy = copies.get(change.service) ?? copyOf(next.get(change.service), change);
    if (copy === null) continue;
    apply(copy, change);
    copies.set(change.service, copy);
    next.set(change.service, copy);
  }
  return next;
}

type Copy = TableService & { servers: Map<string, TableServer> };

/** Null: there is no such service, and this does not make it. */
function copyOf(before: TableService | undefined, change: Change): Copy | null {
  if (before !== undefined) return { ...before, servers: new Map(before.servers) };
  if (change.kind !== 'add-service') return null;
  return { scheduler: '', persistenceSeconds: 0, more: '', servers: new Map() };
}

function apply(service: Copy, change: Exclude<Change, { kind: 'delete-service' }>): void {
  switch (change.kind) {
    case 'add-service':
    case 'edit-service':
      service.scheduler = change.scheduler;
      service.persistenceSeconds = change.persistenceSeconds;
      service.more = change.more;
      return;
    case 'add-server':
    case 'edit-server':
      service.servers.set(change.server, { weight: change.weight, method: change.method, more: change.more });
      return;
    case 'delete-server':
      service.servers.delete(change.server);
      return;
    default:
      change satisfies never;
  }
}

/** True where the table has what the change asks for. */
export function tookEffect(change: Change, table: Table): boolean {
  const service = table.get(change.service);
  switch (change.kind) {
    case 'delete-service':
      return service === undefined;
    case 'add-service':
    case 'edit-service':
      return (
        service?.scheduler === change.scheduler && service.persistenceSeconds === change.persistenceSeconds
      );
    case 'delete-server':
      return service?.servers.has(change.server) !== true;
    case 'add-server':
    case 'edit-server': {
      const server = service?.servers.get(change.server);
      return server?.weight === change.weight && server.method === change.method;
    }
    default:
      return change satisfies never;
  }
}
