/** The file of a shape, and tables in a form in which they can be compared. */
import type { BalancerEvent } from '../../../daemon/balancer/core/types.js';
import type { BalancerConfig, ServiceKey, Table, TableService } from '../../../daemon/balancer/types.js';
import { file, host, service, urlCheck } from './given.js';
import type { Step } from './profile.js';
import { addressOf, RAMP_MS, RULES, type Shape, TRIGGER_MS } from './twin.js';

/** By the tags of services. */
export const KEYS: Record<string, ServiceKey> = {
  www: '-t 1.2.3.4:80',
  api: '-t 1.2.3.5:80',
  dns: '-t 1.2.3.6:80',
};

export function configOf({ weights, services, path }: Shape): BalancerConfig {
  return file(
    services.map((tag) => {
      const { check, ...rest } = RULES[tag] ?? { check: false };
      return service(tag, { ...rest, check: check ? urlCheck(path) : null });
    }),
    [...Object.entries(weights).map(([tag, line]) => host(tag, line)), host('sorry', {})],
    { rampTriggerMs: TRIGGER_MS, rampMs: RAMP_MS },
  );
}

export function addressesOf({ moved }: Shape): ReadonlyMap<string, string> {
  return new Map([
    ...Object.keys(KEYS).map((tag, at): [string, string] => [`${tag}.example`, `1.2.3.${at + 4}`]),
    ...['s1', 's2', 's3'].map((tag): [string, string] => [`${tag}.example`, addressOf(tag, moved)]),
    ['sorry.example', '10.0.0.9'],
  ]);
}

export function keyOf(service: string): ServiceKey {
  return KEYS[service] ?? '';
}

/** By the addresses of its servers. */
export function weightsOf(service: TableService | undefined): Map<string, number> {
  return new Map(
    [...(service?.servers ?? [])].map(([key, { weight }]) => [key.replace(/:\d+$/, ''), weight]),
  );
}

export function named(key: ServiceKey, actual: TableService | undefined): [string, Map<string, number>][] {
  const name = Object.keys(KEYS).find((tag) => KEYS[tag] === key);
  return name === undefined || actual === undefined ? [] : [[name, weightsOf(actual)]];
}

export function sorted(service: TableService | undefined): unknown {
  if (service === undefined) return null;
  const { scheduler, persistenceSeconds, servers } = service;
  return {
    scheduler,
    persistenceSeconds,
    servers: [...servers].map(([key, { weight, method }]) => [key, weight, method]).sort(),
  };
}

/** What others are told: the same after a restart as without it, if not in the same order. */
export function telling(events: readonly BalancerEvent[]): string[] {
  const told: { kind: string }[] = events.flatMap((event): { kind: string }[] =>
    event.kind === 'share' ? [...event.entries] : [event],
  );
  return told
    .filter(({ kind }) => kind !== 'log' && kind !== 'save')
    .map((one) => JSON.stringify(one))
    .sort();
}

/** What somebody else makes of a service. */
export function meddled(
  kernel: Table,
  key: ServiceKey,
  before: TableService,
  what: Extract<Step, { kind: 'meddle' }>['what'],
): Table {
  const servers = new Map(before.servers);
  const [first] = servers.keys();
  const table = new Map(kernel);
  if (what === 'gone') table.delete(key);
  else {
    if (what === 'weight')
      for (const [server, one] of servers) servers.set(server, { ...one, weight: one.weight === 0 ? 9 : 0 });
    if (what === 'server' && first !== undefined) servers.delete(first);
    if (what === 'extra') servers.set('10.9.9.9:80', { weight: 3, method: 'gate', more: '' });
    table.set(key, { ...before, scheduler: what === 'scheduler' ? 'rr' : before.scheduler, servers });
  }
  return table;
}
