/** A balancer with a file, its checks and a kernel that does what it is told. */
import {
  awaited,
  type BalancerState,
  createBalancer,
  planChanges,
  restore,
  stepBalancer,
} from '../../../daemon/balancer/core/balancer.js';
import type { BalancerEvent, BalancerInput, Restored } from '../../../daemon/balancer/core/types.js';
import { afterChanges } from '../../../daemon/balancer/ipvs/diff.js';
import type {
  BalancerConfig,
  BalancerOptions,
  Change,
  HostConfig,
  ServiceConfig,
  Table,
  TableService,
} from '../../../daemon/balancer/types.js';
import type { CheckSpec } from '../../../daemon/checks/spec.js';

/** An input without its time. */
export type Untimed<T = BalancerInput> = T extends { now: number } ? Omit<T, 'now'> : never;

export const SORRY = '10.0.0.9:80';

export function service(tag: string, other: Partial<ServiceConfig> = {}): ServiceConfig {
  return {
    ...{ tag, protocol: 'tcp', host: `${tag}.example`, port: 80, realPort: 80, scheduler: 'wrr' },
    ...{ method: 'masq', persistenceSeconds: 0, check: urlCheck('/'), email: true, sorry: '' },
    ...{ quorum: 1, hysteresis: 0, curve: 'weightman', rampTriggerMs: null, rampMs: null },
    ...{ adopt: false, line: 1 },
    ...other,
  };
}

/** What a check is made of does not matter to the core, but its name. */
export function urlCheck(path: string): NonNullable<ServiceConfig['check']> {
  return {
    shown: `http://www${path}`,
    of: (address, port) => ({ name: nameOf(address, port, path) }) as CheckSpec,
  };
}

export function nameOf(address: string, port = 80, path = '/'): string {
  return `http://${address}:${port}${path}`;
}

export function host(
  tag: string,
  weights: Record<string, number>,
  other: Partial<HostConfig> = {},
): HostConfig {
  return {
    tag,
    host: `${tag}.example`,
    port: 0,
    weights: new Map(Object.entries(weights)),
    line: 1,
    ...other,
  };
}

export function file(
  services: readonly ServiceConfig[],
  hosts: readonly HostConfig[],
  options: Partial<BalancerOptions> = {},
): BalancerConfig {
  return {
    services,
    hosts,
    options: {
      email: { server: 'mail', from: 'a@example', replyTo: '', to: ['b@example'] },
      ...{ rampTriggerMs: 120_000, rampMs: 10_000, autoCheck: true, checkPeriodMs: 3000 },
      log: { path: '', syslog: false, stderr: false, level: 1 },
      ...{ database: '', ipvsadm: '', console: null, fifo: '', sorryDefault: 'sorry', sorryFallback: null },
      ...options,
    },
  };
}

/** www with three servers, and the sorry server. */
export const WWW = file(
  [service('www')],
  [host('s1', { www: 100 }), host('s2', { www: 200 }), host('s3', { www: 300 }), host('sorry', {})],
);

export const ADDRESSES: ReadonlyMap<string, string> = new Map([
  ...['www', 'api', 'dns'].map((tag, at): [string, string] => [`${tag}.example`, `1.2.3.${at + 4}`]),
  ...[1, 2, 3, 4].map((at): [string, string] => [`s${at}.example`, `10.0.0.${at}`]),
  ['sorry.example', '10.0.0.9'],
]);

export const WWW_KEY = '-t 1.2.3.4:80';

export interface GivenOptions {
  config?: BalancerConfig;
  table?: Table;
  known?: Restored;
  adopt?: boolean;
  foreign?: 'restore' | 'leave';
  active?: boolean;
  now?: number;
  addresses?: ReadonlyMap<string, string>;
}

/** A shell as simple as can be: what is planned is done at once. */
export class Given {
  readonly state: BalancerState = createBalancer();
  now: number;
  kernel: Table;
  /** What was told since they were looked at last, and all changes ever. */
  events: BalancerEvent[] = [];
  changes: Change[] = [];

  constructor(options: GivenOptions = {}) {
    this.now = options.now ?? 1_000_000;
    this.kernel = options.table ?? new Map();
    restore(this.state, options.known ?? { kind: 'none' });
    const { adopt = false, foreign = 'restore', active = true, config = WWW } = options;
    this.step({ kind: 'settings', adopt, foreign });
    this.step({ kind: 'active', active });
    this.step({ kind: 'table', table: this.kernel });
    this.reload(config, options.addresses);
  }

  step(input: Untimed): this {
    this.events.push(...stepBalancer(this.state, { ...input, now: this.now } as BalancerInput));
    const changes = planChanges(this.state, this.now);
    if (changes.length === 0) return this;
    this.kernel = afterChanges(this.kernel, changes);
    this.changes.push(...changes);
    return this.step({ kind: 'applied', changes });
  }

  reload(config: BalancerConfig, addresses = ADDRESSES): this {
    return this.step({ kind: 'config', config, addresses });
  }

  /** Lets time go, second by second. */
  after(ms: number): this {
    const until = this.now + ms;
    while (this.now < until) {
      this.now = Math.min(until, this.now + 1000);
      this.step({ kind: 'tick' });
    }
    return this;
  }

  /** Results of checks of these hosts (numbers of s1, s2 …), which have begun a moment ago. */
  pass(...hosts: number[]): this {
    return this.result('up', hosts);
  }

  fail(...hosts: number[]): this {
    return this.result('down', hosts);
  }

  private result(state: 'up' | 'down', hosts: readonly number[]): this {
    this.now += 2;
    const pass = state === 'up';
    const nature = pass ? 'ok' : 'refused';
    const results = hosts.map((at) => ({
      ...{ name: nameOf(`10.0.0.${at}`), state, pass, nature, begunAt: this.now - 1 },
    }));
    return this.step({ kind: 'results', results });
  }

  off(at: number, services: readonly string[] | null = null, reasons: readonly string[] = ['default']): this {
    return this.step({
      kind: 'command',
      command: { kind: 'off', hosts: [`s${at}`], services, reasons, by: 'root' },
    });
  }

  on(
    at: number,
    services: readonly string[] | null = null,
    reasons: readonly string[] = ['default'],
    rampMs: number | null = null,
  ): this {
    const command = { kind: 'on' as const, hosts: [`s${at}`], services, reasons, rampMs, by: 'root' };
    return this.step({ kind: 'command', command });
  }

  /** What somebody else does to the kernel's table. */
  meddle(change: (service: TableService | undefined) => TableService | undefined, key = WWW_KEY): this {
    const table = new Map(this.kernel);
    const service = change(table.get(key));
    if (service === undefined) table.delete(key);
    else table.set(key, service);
    this.kernel = table;
    return this.step({ kind: 'table', table });
  }

  /** The weights of a service in the kernel, by the last number of the servers' addresses; null: it is not there. */
  weights(key = WWW_KEY): Record<string, number> | null {
    const service = this.kernel.get(key);
    if (service === undefined) return null;
    const short = (server: string): string => /\.(\d+):/.exec(server)?.[1] ?? server;
    return Object.fromEntries([...service.servers].map(([server, { weight }]) => [short(server), weight]));
  }

  /** What was told of this kind since the last time this was asked. */
  told<K extends BalancerEvent['kind']>(kind: K): Extract<BalancerEvent, { kind: K }>[] {
    const found = this.events.filter(
      (event): event is Extract<BalancerEvent, { kind: K }> => event.kind === kind,
    );
    this.events = [];
    return found;
  }

  awaited(): string[] {
    return awaited(this.state);
  }
}

/** A service of a kernel's table, by the last numbers of its servers' addresses. */
export function tableService(
  weights: Record<string, number>,
  other: Partial<TableService> = {},
): TableService {
  const servers = Object.entries(weights).map(
    ([at, weight]): [string, TableService['servers'] extends ReadonlyMap<string, infer S> ? S : never] => [
      `10.0.0.${at}:80`,
      { weight, method: 'masq', more: '' },
    ],
  );
  return { scheduler: 'wrr', persistenceSeconds: 0, more: '', servers: new Map(servers), ...other };
}
