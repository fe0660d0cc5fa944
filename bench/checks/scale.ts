/** Many checks at a wide interval: whether it is held, what a check takes of a processor and of memory. And edges: how soon, how many. */
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import type { Beat } from '../../daemon/runtime/monitor-host.js';
import { until } from '../../test/system/wait.js';
import { costOf } from './cost.js';
import { type Kind, type Load, monitorConfig, startMonitor } from './engines.js';
import { accountOf, pause, residentBytes } from './tools.js';

export interface Scale {
  count: number;
  intervalMs: number;
  kind: Kind;
  /** Seconds until every check was known to the process. */
  startS: number;
  /** Of a processor, of 1. */
  busy: number;
  cpuUs: number;
  /** Of the engine's own account over the window: the worst of the seconds. */
  p99: number;
  worst: number;
  begun: number;
  skipped: number;
  /** Private memory of the process for a check, all in all. */
  residentPerCheck: number;
}

export async function measureScale(load: Load, windowMs: number): Promise<Scale> {
  const bare = await startMonitor(monitorConfig({ ...load, count: 1 }, { flights: 4096 }));
  const bareBytes = residentBytes(bare.pid);
  await bare.close();
  const config = monitorConfig(load, { flights: 4096 });
  const began = performance.now();
  const running = await startMonitor(config);
  try {
    await running.host.look(['c0']);
    const startS = (performance.now() - began) / 1000;
    // Every kind of thing has happened once, and what was compiled while it started is compiled.
    await pause(4000);
    const beats: Beat[] = [];
    const taking = setInterval(() => {
      const beat = running.host.beat();
      if (beat !== null && beat !== beats.at(-1)) beats.push(beat);
    }, 50);
    const before = accountOf(running.pid);
    const from = performance.now();
    const cost = await costOf(running.pid, windowMs);
    clearInterval(taking);
    const busy = (accountOf(running.pid).cpu - before.cpu) / ((performance.now() - from) / 1000);
    await running.verify();
    return {
      ...{ count: load.count, intervalMs: load.intervalMs, kind: load.kind, startS, busy, cpuUs: cost.cpuUs },
      p99: Math.max(...beats.map(({ p99 }) => p99)),
      worst: Math.max(...beats.map(({ worst }) => worst)),
      begun: beats.reduce((sum, { begun }) => sum + begun, 0),
      skipped: beats.reduce((sum, { skipped }) => sum + skipped, 0),
      residentPerCheck: (residentBytes(running.pid) - bareBytes) / load.count,
    };
  } finally {
    await running.close();
  }
}

export interface Memory {
  kind: Kind;
  count: number;
  /** Bytes of heap and of buffers that a check takes; and the process with its rings of history and all flights, and one check. */
  perCheck: number;
  bareBytes: number;
}

const meter = path.join(path.dirname(fileURLToPath(import.meta.url)), 'meter.js');

/** What the monitor process holds, by V8's account after a full collection, with few checks and with all. */
export async function measureMemory(load: Load, directory: string): Promise<Memory> {
  const bareBytes = await heldBytes({ ...load, count: 1 }, directory);
  const held = await heldBytes(load, directory);
  return { kind: load.kind, count: load.count, bareBytes, perCheck: (held - bareBytes) / (load.count - 1) };
}

async function heldBytes(load: Load, directory: string): Promise<number> {
  const file = path.join(directory, 'held');
  writeFileSync(file, '');
  // The process is another user by then.
  chmodSync(directory, 0o711);
  chmodSync(file, 0o666);
  process.env.HASTMON_METER = file;
  const running = await startMonitor(monitorConfig(load, { flights: 4096 }), () => {}, meter);
  try {
    await running.host.look(['c0']);
    await pause(3000);
    process.kill(running.pid, 'SIGUSR2');
    await until(() => readFileSync(file, 'utf8') !== '', 20_000, 'the meter says nothing');
    return Number(readFileSync(file, 'utf8'));
  } finally {
    await running.close();
  }
}

export interface Edges {
  /** From the order to check until the main process has the edge of a refused connection, in ms; beside so many checks a second. */
  refusedMs: number[];
  rate: number;
}

/** fall 1: each time the service goes, one attempt has to be enough. */
export async function measureEdges(load: Load, trials: number): Promise<Edges> {
  const config = monitorConfig(load, { flights: 4096, options: 'rise 1; fall 1' });
  const [pattern] = config.checks;
  if (pattern === undefined) throw new Error('no check');
  let server = await listening(0);
  const { port } = server.address() as { port: number };
  const options = { ...pattern.options, intervalMs: 3_600_000, retryIntervalMs: 3_600_000 };
  const url = { ...pattern.url, kind: 'tcp' as const, host: '127.0.0.1', port };
  const checks = [...config.checks, { ...pattern, name: 'door', url, options }];
  let heardAt = 0;
  const running = await startMonitor({ ...config, checks }, (name, edge) => {
    if (name === 'door' && edge === 'down') heardAt = performance.now();
  });
  const refusedMs: number[] = [];
  try {
    await pause(2000);
    for (let trial = 0; trial < trials; trial += 1) {
      await running.host.run('door');
      server.close();
      await once(server, 'close');
      heardAt = 0;
      const at = performance.now();
      const ran = running.host.run('door');
      await until(() => heardAt > 0, 5000, 'no edge');
      refusedMs.push(heardAt - at);
      await ran;
      server = await listening(port);
    }
  } finally {
    server.close();
    await running.close();
  }
  return { refusedMs, rate: (load.count * 1000) / load.intervalMs };
}

async function listening(port: number): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

export interface Avalanche {
  edges: number;
  /** From the first edge to the last, and the longest time that the main process was kept from anything else. */
  lastedMs: number;
  stallMs: number;
}

/** Everything goes down at once: the target ends. */
export async function measureAvalanche(load: Load, collapse: () => Promise<void>): Promise<Avalanche> {
  const config = monitorConfig(load, { flights: 4096, options: 'fall 1' });
  const at: number[] = [];
  const running = await startMonitor(config, () => void at.push(performance.now()));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  try {
    await until(
      async () => (await running.host.look(null)).every(({ state }) => state === 'up'),
      20_000,
      'not all checks are up',
    );
    delay.enable();
    await collapse();
    await until(
      () => at.length >= load.count,
      20_000,
      () => `${at.length} of ${load.count} edges`,
    );
  } finally {
    delay.disable();
    await running.close();
  }
  return { edges: at.length, lastedMs: (at.at(-1) ?? 0) - (at[0] ?? 0), stallMs: delay.max / 1e6 };
}
