/** A balancer as far as the console sees it: the example of ipvs-weightman's description, on plain views. */
import type { ConsoleHost } from '../../../daemon/balancer/console/types.js';
import type {
  BalancerCommand,
  BalancerConfig,
  BalancerOptions,
  HostConfig,
  PairView,
  ServiceConfig,
  TStatus,
} from '../../../daemon/balancer/types.js';
import { pairOf, serviceOf } from './views.js';

export interface TestHost extends ConsoleHost {
  pairList: PairView[];
  commands: BalancerCommand[];
  level: number;
  /** Changes what there is of this host, in all its services. */
  change(host: string, other: Partial<PairView>): void;
}

const OPTIONS: BalancerOptions = {
  ...{ email: null, rampTriggerMs: 120_000, rampMs: 10_000, autoCheck: true, checkPeriodMs: 1000 },
  log: { path: '/var/log/ipvs-weightman.log', syslog: true, stderr: false, level: 1 },
  ...{ database: '/run/hastmon/ipvs.db', ipvsadm: '/sbin/ipvsadm', fifo: '/run/hastmon/fifo' },
  console: { address: '127.0.0.1', port: 9000 },
  ...{ sorryDefault: 'mysorryserver', sorryFallback: null },
};

function service(tag: string, host: string, port: number, realPort: number, line: number): ServiceConfig {
  return {
    ...{ tag, host, port, realPort, line, protocol: 'tcp', scheduler: 'wrr', method: 'masq' },
    ...{ persistenceSeconds: 0, check: null, email: false, sorry: '', quorum: 1, hysteresis: 0 },
    ...{ curve: 'weightman', rampTriggerMs: null, rampMs: null, adopt: false },
  };
}

function hostConfig(tag: string, host: string, weights: Record<string, number>, line: number): HostConfig {
  return { tag, host, port: 0, weights: new Map(Object.entries(weights)), line };
}

const CONFIG: BalancerConfig = {
  options: OPTIONS,
  services: [service('www', '1.2.3.4', 80, 80, 1), service('srv', '1.2.3.5', 8080, 80, 2)],
  hosts: [
    hostConfig('mysorryserver', '10.0.0.10', {}, 3),
    hostConfig('srv1', 'srv1.int', { www: 100, srv: 10 }, 4),
    hostConfig('srv2', 'srv2.int', { www: 200, srv: 20 }, 5),
    hostConfig('srv3', '10.0.0.4', { www: 300 }, 6),
  ],
};

const VIRTUAL: Record<string, string> = { www: '1.2.3.4:80', srv: '1.2.3.5:8080' };
const REAL: Record<string, string> = { srv1: '10.0.0.2:80', srv2: '10.0.0.3:80', srv3: '10.0.0.4:80' };

export function testHost(): TestHost {
  const pairList = CONFIG.hosts.flatMap(({ tag, weights }) =>
    [...weights].map(([name, weight]) =>
      pairOf({
        ...{
          host: tag,
          service: name,
          weight,
          stateWeight: weight,
          desiredWeight: weight,
          procWeight: weight,
        },
        ...{ real: REAL[tag] ?? '', virtual: VIRTUAL[name] ?? '' },
      }),
    ),
  );
  const commands: BalancerCommand[] = [];
  const view: TestHost = {
    ...{ pairList, commands, level: 1 },
    config: () => CONFIG,
    pairs: (hosts, services) =>
      view.pairList.filter(
        (pair) => hosts?.includes(pair.host) !== false && services?.includes(pair.service) !== false,
      ),
    services: (names) =>
      CONFIG.services
        .filter(({ tag }) => names?.includes(tag) !== false)
        .map(({ tag }) => serviceOf({ service: tag, virtual: VIRTUAL[tag] ?? '' })),
    change(host, other) {
      view.pairList = view.pairList.map((pair) => (pair.host === host ? { ...pair, ...other } : pair));
    },
    async command(command) {
      commands.push(command);
      if (command.kind === 'adopt') return { error: 'nothing is there to be adopted', text: '' };
      view.pairList = view.pairList.map((pair) => (meant(command, pair) ? changed(command, pair) : pair));
      return { error: '', text: '' };
    },
    reload: async () => 'read again: weight of srv1 in www 100 -> 120',
    diff: async () => 'weight of srv1 in www: 100 -> 120\n',
    logLevel(level) {
      view.level = level;
    },
    checkers: () => [
      {
        ...{ name: 'http://10.0.0.2:80/mycheck1', state: 'up', nature: 'ok' },
        ...{ sinceAge: 60_000, passAge: 500 },
      },
    ],
    whose: () => '',
    refresh: async () => {},
    wall: () => 1_700_000_000.5,
  };
  return view;
}

function meant({ hosts, services }: Exclude<BalancerCommand, { kind: 'adopt' }>, pair: PairView): boolean {
  if (!hosts.includes(pair.host)) return false;
  return services === null || services.includes('*') || services.includes(pair.service);
}

/** Roughly what the balancer does; a pass and time are what a test adds. */
function changed(command: BalancerCommand, pair: PairView): PairView {
  const off = { stateWeight: 0, desiredWeight: 0, procWeight: 0, ramp: null };
  const status = (disabled: boolean): { disabled: boolean; status: TStatus } => ({
    ...{ disabled, status: disabled ? '0-DISABLED' : '1-AWAITPASS' },
  });
  if (command.kind === 'off') {
    const names = command.services === null ? [''] : command.reasons;
    const kept = pair.reasons.filter(({ name }) => !names.includes(name));
    const reasons = [...kept, ...names.map((name) => ({ name, by: command.by, age: 0 }))];
    return { ...pair, ...off, ...status(true), reasons };
  }
  if (command.kind === 'on') {
    const { reasons, services } = command;
    const gone = (name: string): boolean =>
      services === null ? name === '' : reasons.includes('*') ? name !== '' : reasons.includes(name);
    const left = pair.reasons.filter(({ name }) => !gone(name));
    return { ...pair, ...off, ...status(left.length > 0), reasons: left };
  }
  if (command.kind !== 'weight') return pair;
  const weight =
    command.weight ?? CONFIG.hosts.find(({ tag }) => tag === pair.host)?.weights.get(pair.service) ?? 0;
  return { ...pair, weight, overridden: command.weight !== null };
}

/** Each look at it finds time gone by: connections of a server that is off end, one that is on passes and comes back. */
export function living(): TestHost {
  const host = testHost();
  const { pairs } = host;
  host.pairs = (hosts, services) => {
    host.pairList = host.pairList.map((pair) => (hosts?.includes(pair.host) === false ? pair : later(pair)));
    return pairs(hosts, services);
  };
  return host;
}

function later(pair: PairView): PairView {
  const { ramp, status } = pair;
  if (status === '0-DISABLED') {
    const active = Math.max(0, (pair.connections?.active ?? 0) - 1);
    return { ...pair, connections: { active, inactive: 0 } };
  }
  if (status === '1-AWAITPASS') {
    const first = { durationMs: 30_000, leftMs: 30_000 };
    return { ...pair, status: '1-RAMPING', ramp: first, stateWeight: 1, procWeight: 1 };
  }
  if (ramp === null || status !== '1-RAMPING') return pair;
  const leftMs = ramp.leftMs - 10_000;
  if (leftMs > 0) return { ...pair, ramp: { ...ramp, leftMs } };
  return {
    ...{ ...pair, status: '0-ENABLED', ramp: null, stateWeight: pair.weight, procWeight: pair.weight },
    connections: { active: 5, inactive: 0 },
  };
}
