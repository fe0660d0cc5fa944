/** What the table is to be. */
import type { ServerKey, ServiceKey, Table, TableServer, TableService } from '../types.js';
import { addressOf, portOf, serverKey } from './keys.js';
import type { BalancerState, Service } from './state.js';
import { isUndecided, weightNow } from './weights.js';

/** What the service of this tag is to be in the kernel; undefined: it is not to be there, or not to be touched. */
export function wantedService(state: BalancerState, tag: string, now: number): TableService | undefined {
  const service = state.services.get(tag);
  if (service === undefined || isForeign(state, service.key)) return undefined;
  return wantedOf(state, service, now);
}

/** All of them. */
export function wantedTable(state: BalancerState, now: number): Table {
  const table = new Map<ServiceKey, TableService>();
  for (const [tag, service] of state.services) {
    const wanted = wantedService(state, tag, now);
    if (wanted !== undefined) table.set(service.key, wanted);
  }
  return table;
}

/** It exists, and is not this balancer's. */
export function isForeign(state: BalancerState, key: ServiceKey): boolean {
  return state.table?.has(key) === true && !state.owned.has(key);
}

export function wantedOf(state: BalancerState, service: Service, now: number): TableService | undefined {
  if (state.active !== true || service.key === '') return undefined;
  if (!service.warm) return coldService(state, service, now);
  const { scheduler, persistenceSeconds, method } = service.config;
  const servers = new Map<ServerKey, TableServer>();
  for (const pair of service.pairs)
    if (pair.real !== '') servers.set(pair.real, { weight: weightNow(pair, now), method, more: '' });
  const sorry = service.sorryAt === null ? null : sorryServer(state, service);
  if (sorry !== null) servers.set(sorry.server, { weight: 1, method, more: '' });
  return { scheduler, persistenceSeconds, more: '', servers };
}

/** Of a service that has no results to decide by: as it was found, but for what is known already (B7). */
function coldService(state: BalancerState, service: Service, now: number): TableService | undefined {
  const kernel = state.table?.get(service.key);
  if (kernel === undefined) return undefined;
  const servers = new Map(kernel.servers);
  for (const pair of service.pairs) {
    if (pair.real === '' || (isUndecided(pair) && !servers.has(pair.real))) continue;
    const { method } = service.config;
    servers.set(pair.real, { weight: weightNow(pair, now), method, more: '' });
  }
  return { ...kernel, servers };
}

/** Its own, else the default one, else the last resort; one whose name does not resolve is passed over. null: there is none. */
export function sorryServer(
  state: BalancerState,
  { config }: Service,
): { tag: string; server: ServerKey } | null {
  const options = state.config?.options;
  const fallback = options?.sorryFallback ?? null;
  for (const tag of [config.sorry, options?.sorryDefault ?? '']) {
    const host = state.hosts.get(tag);
    if (tag === '' || host === undefined || host.address === '') continue;
    return { tag, server: serverKey(config, host.address, portOf(host.config, config)) };
  }
  if (fallback === null) return null;
  const address = addressOf(state, fallback.address);
  const tag = fallback.title === '' ? fallback.host : fallback.title;
  return address === '' ? null : { tag, server: serverKey(config, address, config.realPort) };
}

/** Two services are alike where this is: nothing is to be changed. */
export function signature(service: TableService | undefined): string {
  if (service === undefined) return '';
  const servers = [...service.servers].map(([key, { weight, method }]) => `${key} ${method} ${weight}`);
  return [`${service.scheduler} ${service.persistenceSeconds}`, ...servers.sort()].join('\n');
}
