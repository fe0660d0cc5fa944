/** The engines that are measured beside each other: the loop in C, hastmon's monitor process as hastmond runs it, HAProxy. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { MonitorConfig } from '../../daemon/checks/spec.js';
import { parseConfig } from '../../daemon/config/load.js';
import {
  createMonitorHost,
  type MonitorEvents,
  type MonitorHost,
} from '../../daemon/runtime/monitor-host.js';
import { root } from '../../test/system/paths.js';
import { until } from '../../test/system/wait.js';
import { addressOf, ENGINE_CPU, end, pin, spawnPinned } from './tools.js';

export type Kind = 'tcp' | 'http';
export type EngineName = 'C' | 'hastmon' | 'HAProxy';

export interface Load {
  kind: Kind;
  /** Checks, each of an address of its own. */
  count: number;
  intervalMs: number;
  port: number;
}

export interface Running {
  pid: number;
  /** Throws where checks fail. */
  verify(): Promise<void>;
  close(): Promise<void>;
}

/** Where the programs are, and a directory for what they need. */
export interface Place {
  directory: string;
  floor: string;
}

export async function startFloor(
  { floor }: Place,
  { kind, count, intervalMs, port }: Load,
): Promise<Running> {
  const child = spawnPinned(ENGINE_CPU, floor, [kind, String(count), String(intervalMs), String(port)]);
  let said = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  await new Promise((resolve) => child.once('spawn', resolve));
  return {
    pid: child.pid ?? 0,
    close: () => end(child),
    async verify() {
      said = '';
      child.kill('SIGUSR1');
      await until(() => said.includes('\n'), 5000, 'the C loop says nothing');
      const [good = 0, bad = 0] = said.split(' ').map(Number);
      if (bad > 0 || good === 0) throw new Error(`the C loop: ${good} checks were good, ${bad} not`);
    },
  };
}

/** A configuration as an operator would write it, through hastmon's own parser. */
export function monitorConfig(
  load: Load,
  { flights, options = '' }: { flights: number; options?: string },
): MonitorConfig {
  const time = `interval ${load.intervalMs}ms; retry_interval ${load.intervalMs}ms; timeout 1s`;
  const target = (index: number): string =>
    load.kind === 'tcp'
      ? `tcp://${addressOf(index)}:${load.port}`
      : `http://${addressOf(index)}:${load.port}/ { version 1.0 }`;
  const lines = Array.from({ length: load.count }, (_, index) => `check c${index} ${target(index)}\n`);
  const text = `monitor { nodes a; ${time}; flights ${flights}; ${options} }\n${lines.join('')}`;
  const { config, diagnostics } = parseConfig(text, 'bench.conf', () => ({ ok: false, reason: '' }), {
    hostname: 'a',
  });
  if (config?.monitor == null) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return config.monitor;
}

export interface RunningMonitor extends Running {
  host: MonitorHost;
}

/** hastmon's process for checks, forked and told what to do as by hastmond. */
export async function startMonitor(
  config: MonitorConfig,
  edge: MonitorEvents['edge'] = () => {},
  script = path.join(root, 'dist/bin/hastmond.js'),
): Promise<RunningMonitor> {
  let pid = 0;
  const lines: string[] = [];
  const note = (_: object, text: string): void => void lines.push(text);
  const host = createMonitorHost({
    script,
    records: { record: (started) => (pid = started), forget: () => {} },
    log: { debug: note, info: note, warn: note, error: note },
    events: { edge, ready: () => {}, blind: () => {}, cameUp: () => {} },
    wall: () => Date.now() / 1000,
  });
  host.apply(config, () => false);
  pin(pid, ENGINE_CPU);
  await until(
    () => lines.some((line) => line.includes('is ready')),
    30_000,
    () => lines.join('\n'),
  );
  return {
    pid,
    host,
    close: () => host.close(),
    async verify() {
      const views = await host.look(null);
      const bad = views.filter(({ nature, age }) => nature !== 'ok' && Number.isFinite(age));
      const good = views.filter(({ nature }) => nature === 'ok');
      if (bad.length > 0 || good.length === 0)
        throw new Error(`hastmon: ${good.length} checks are good, ${bad.length} ${bad[0]?.nature}`);
    },
  };
}

export async function startHaproxy(
  { directory }: Place,
  { kind, count, intervalMs, port }: Load,
): Promise<Running> {
  const servers = Array.from(
    { length: count },
    (_, index) => `  server s${index} ${addressOf(index)}:${port} check inter ${intervalMs}ms\n`,
  );
  const file = path.join(directory, 'haproxy.cfg');
  const socket = path.join(directory, 'haproxy.sock');
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 1000
  stats socket ${socket}
defaults
  mode http
  timeout connect 1s
  timeout check 1s
  timeout client 1s
  timeout server 1s
listen checks
  bind unix@${path.join(directory, 'haproxy-front.sock')}
${kind === 'http' ? '  option httpchk GET /\n' : ''}${servers.join('')}`,
  );
  const child = spawnPinned(ENGINE_CPU, 'haproxy', ['-db', '-f', file], 'ignore');
  await new Promise((resolve) => child.once('spawn', resolve));
  const { connect } = await import('node:net');
  const ask = (): Promise<string> =>
    new Promise((resolve, reject) => {
      let text = '';
      const stats = connect(socket, () => void stats.write('show stat\n'));
      stats.on('data', (bytes) => {
        text += bytes.toString();
      });
      stats.on('error', reject);
      stats.on('end', () => resolve(text));
    });
  await until(
    () =>
      ask().then(
        () => true,
        () => false,
      ),
    20_000,
    'HAProxy does not start',
  );
  return {
    pid: child.pid ?? 0,
    close: () => end(child),
    async verify() {
      const servers = (await ask()).split('\n').filter((line) => line.startsWith('checks,s'));
      const good = servers.filter((line) => /,(\* )?(L4OK|L7OK),/.test(line)).length;
      if (good < servers.length || good === 0)
        throw new Error(`HAProxy: ${good} of ${servers.length} checks are good`);
    },
  };
}
