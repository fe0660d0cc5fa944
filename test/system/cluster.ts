/**
 * A cluster of real daemons for tests, the demo and the benchmarks: a temporary directory, one configuration file, one
 * hastmond per node (on loopback ports, or each in a network namespace of its own), and a service that leaves beats.
 * Everything it made is gone after `close`.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = path.dirname(fileURLToPath(import.meta.url));
/** The repository, seen from dist/test/system. */
export const root = path.resolve(here, '../../..');
export const hastmond = path.join(root, 'dist/bin/hastmond.js');
export const hastmonctl = path.join(root, 'dist/bin/hastmonctl.js');

export interface ClusterOptions {
  /** Node names; the first two are candidates and the rest watchdogs, unless `watchdogs` says otherwise. */
  nodes?: string[];
  watchdogs?: string[];
  resource?: string;
  /** Statements for the whole file and for the resource, beyond the addresses. */
  globals?: string;
  statements?: string;
  /** Per node: a network namespace in which it runs and its address there. */
  places?: Record<string, { namespace: string; address: string }>;
  exec?: string;
  /** More arguments for hastmond. */
  daemonArgs?: string[];
}

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface ClusterNode {
  readonly name: string;
  /** The main process, while it runs. */
  readonly pid: number;
  start(): Promise<void>;
  /** Signals the main process alone. */
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the exit code when the main process has ended. */
  readonly exited: Promise<number | null>;
  running(): boolean;
  ctl(...args: string[]): Promise<CommandResult>;
  /** Pids of this node's workers, by role. */
  workers(): { pid: number; role: string }[];
  /** Kills everything of the machine: daemon, workers, hooks and service. */
  killMachine(): void;
  /** Turns a fault of the service on or off; see service.sh. */
  fault(name: string, value?: string | null): void;
  log(): string;
}

export interface Cluster {
  readonly dir: string;
  readonly resource: string;
  readonly configFile: string;
  readonly nodes: Record<string, ClusterNode>;
  node(name: string): ClusterNode;
  /** Starts all daemons and sets the roles: the first primary, watchdogs watchdog, the others secondary. */
  up(): Promise<void>;
  beats(): Beat[];
  close(): Promise<void>;
}

/** One life of the service: from its first beat to its last. */
export interface Beat {
  node: string;
  epoch: number;
  pid: number;
  /** CLOCK_MONOTONIC, milliseconds. */
  first: number;
  last: number;
  count: number;
}

/** Makes the directory and the configuration; nothing runs yet. */
export async function createCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'hastmon-test-'));
  chmodSync(dir, 0o755);
  const names = options.nodes ?? ['nodeA', 'nodeB', 'nodeC'];
  const watchdogs = options.watchdogs ?? names.slice(2);
  const resource = options.resource ?? 'shared';
  const ports = options.places === undefined ? await freePorts(names.length) : names.map(() => 8458);
  const addressOf = (name: string): string => {
    const place = options.places?.[name];
    return `tcp4://${place?.address ?? '127.0.0.1'}:${ports[names.indexOf(name)]}`;
  };
  copyFileSync(path.join(root, 'test/system/service.sh'), path.join(dir, 'service.sh'));
  chmodSync(path.join(dir, 'service.sh'), 0o755);
  const beater = path.join(here, 'beater.js');
  writeFileSync(
    path.join(dir, 'service.env'),
    `DIR=${dir}\nNODE_BINARY=${process.execPath}\nBEATER=${beater}\n`,
  );
  const configFile = path.join(dir, 'hastmon.conf');
  writeFileSync(
    configFile,
    configuration({ ...options, nodes: names, watchdogs, resource }, dir, addressOf),
    { mode: 0o600 },
  );
  const nodes: Record<string, ClusterNode> = {};
  for (const name of names) {
    mkdirSync(path.join(dir, name), { recursive: true });
    nodes[name] = createNode(name, dir, configFile, options);
  }
  const node = (name: string): ClusterNode => {
    const found = nodes[name];
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  };
  return {
    dir,
    resource,
    configFile,
    nodes,
    node,
    async up() {
      await Promise.all(names.map((name) => node(name).start()));
      for (const name of names.slice(1)) {
        await must(node(name).ctl('role', watchdogs.includes(name) ? 'watchdog' : 'secondary', resource));
      }
      await must(node(names[0] ?? '').ctl('role', 'primary', resource, '--wait'));
    },
    beats: () => readBeats(path.join(dir, 'beats')),
    async close() {
      for (const each of Object.values(nodes)) each.killMachine();
      await Promise.all(Object.values(nodes).map((each) => (each.running() ? each.exited : null)));
      for (const each of Object.values(nodes)) each.killMachine();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function configuration(
  options: ClusterOptions & { nodes: string[]; watchdogs: string[]; resource: string },
  dir: string,
  addressOf: (name: string) => string,
): string {
  const { nodes, watchdogs, resource } = options;
  const candidates = nodes.filter((name) => !watchdogs.includes(name));
  const globals = nodes.map(
    (name) => `on ${name} {
  control ${dir}/${name}/control
  listen ${addressOf(name)}
  state_dir ${dir}/${name}/state
}`,
  );
  const sections = nodes.map((name) => {
    const remotes = candidates.filter((other) => other !== name).map(addressOf);
    const priority = candidates.includes(name) ? `\n    priority ${candidates.indexOf(name)}` : '';
    return `  on ${name} {
    remote ${remotes.length === 0 ? 'none' : remotes.join(' ')}${priority}
  }`;
  });
  return `${options.globals ?? ''}
${globals.join('\n')}
resource ${resource} {
  exec ${options.exec ?? path.join(dir, 'service.sh')}
  friends ${[...new Set(nodes.map((name) => addressOf(name).replace(/:[0-9]+$/, '')))].join(' ')}
${options.statements ?? ''}
${sections.join('\n')}
}
`;
}

function createNode(name: string, dir: string, configFile: string, options: ClusterOptions): ClusterNode {
  const logFile = path.join(dir, name, 'log');
  const place = options.places?.[name];
  let child: ChildProcess | null = null;
  let exited: Promise<number | null> = Promise.resolve(0);
  const inPlace = (args: string[]): [string, string[]] =>
    place === undefined
      ? [process.execPath, args]
      : ['ip', ['netns', 'exec', place.namespace, process.execPath, ...args]];

  async function ctl(...args: string[]): Promise<CommandResult> {
    try {
      const done = await run(process.execPath, [hastmonctl, ...args, '-c', configFile, '-n', name], {
        timeout: 90_000,
      });
      return { code: 0, stdout: done.stdout, stderr: done.stderr };
    } catch (error) {
      const failed = error as { code?: number; stdout?: string; stderr?: string };
      return { code: failed.code ?? -1, stdout: failed.stdout ?? '', stderr: failed.stderr ?? '' };
    }
  }

  return {
    name,
    get pid() {
      return child?.pid ?? 0;
    },
    get exited() {
      return exited;
    },
    running: () => child !== null,
    async start() {
      const out = openSync(logFile, 'a');
      const before = readFileSync(logFile, 'utf8').length;
      const args = [
        '-F',
        '-c',
        configFile,
        '-n',
        name,
        '-P',
        path.join(dir, name, 'pid'),
        ...(options.daemonArgs ?? []),
      ];
      const [program, words] = inPlace([hastmond, ...args]);
      const started = spawn(program, words, {
        stdio: ['ignore', out, out],
        env: { ...process.env, NO_COLOR: '1' },
      });
      closeSync(out);
      child = started;
      exited = new Promise((resolve) => {
        started.on('exit', (code) => {
          if (child === started) child = null;
          resolve(code);
        });
      });
      const ready = (): boolean => readFileSync(logFile, 'utf8').slice(before).includes('hastmond is ready');
      await until(() => child !== started || ready(), 10_000, `${name} does not come up`);
      if (child !== started)
        throw new Error(`hastmond on ${name} has ended:\n${readFileSync(logFile, 'utf8')}`);
    },
    signal(signal) {
      child?.kill(signal);
    },
    ctl,
    workers: () => workersOf(child?.pid),
    killMachine() {
      killAll(dir, name, child);
    },
    fault(fault, value = '') {
      const file = path.join(dir, name, fault);
      if (value === null) rmSync(file, { force: true });
      else writeFileSync(file, value);
    },
    log: () => readFileSync(logFile, 'utf8'),
  };
}

function workersOf(main: number | undefined): { pid: number; role: string }[] {
  return listProcesses()
    .filter((entry) => entry.parent === main && entry.title.startsWith('hastmon: '))
    .map(({ pid, title }) => ({ pid, role: /\((.*)\)$/.exec(title)?.[1] ?? '' }));
}

interface ProcessEntry {
  pid: number;
  parent: number;
  title: string;
}

/** Every process of this machine. */
function listProcesses(): ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      const title = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      entries.push({ pid: Number(name), parent, title });
    } catch {
      // It has ended meanwhile.
    }
  }
  return entries;
}

/** Kills the daemon with all its descendants, and every process that has the node's directory in its command line or environment. */
function killAll(dir: string, node: string, child: ChildProcess | null): void {
  const all = listProcesses();
  const doomed = new Set<number>();
  if (child?.pid !== undefined) doomed.add(child.pid);
  for (let grown = true; grown; ) {
    grown = false;
    for (const { pid, parent } of all) {
      if (doomed.has(parent) && !doomed.has(pid)) {
        doomed.add(pid);
        grown = true;
      }
    }
  }
  for (const { pid } of all) if (belongsTo(pid, dir, node)) doomed.add(pid);
  doomed.delete(process.pid);
  for (const pid of doomed) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** Hooks and services carry the node and the cluster's directory in their environment or arguments. */
function belongsTo(pid: number, dir: string, node: string): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    if (environment.includes(`HASTMON_NODE=${node}`)) {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return command.includes(dir) || environment.some((line) => line.includes(dir));
    }
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.includes(path.join(dir, node, 'pid'));
  } catch {
    return false;
  }
}

/** The lives of the service, in the order of their first beats. */
export function readBeats(file: string): Beat[] {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  const lives = new Map<string, Beat>();
  for (const line of text.split('\n')) {
    const [time, node, epoch, pid] = line.split(' ');
    if (time === undefined || node === undefined || pid === undefined) continue;
    const at = Number(BigInt(time)) / 1e6;
    const life = lives.get(`${node} ${pid}`);
    if (life === undefined)
      lives.set(`${node} ${pid}`, {
        node,
        epoch: Number(epoch),
        pid: Number(pid),
        first: at,
        last: at,
        count: 1,
      });
    else {
      life.last = Math.max(life.last, at);
      life.count += 1;
    }
  }
  return [...lives.values()].sort((a, b) => a.first - b.first);
}

/** The longest time that services of two nodes were alive together, in milliseconds; 0 for never. */
export function overlapMs(beats: readonly Beat[]): number {
  let longest = 0;
  for (const one of beats) {
    for (const other of beats) {
      if (one.node === other.node) continue;
      longest = Math.max(longest, Math.min(one.last, other.last) - Math.max(one.first, other.first));
    }
  }
  return Math.max(0, longest);
}

/** Waits for a condition; fails with `what` when it has not come true in time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  limitMs: number,
  what: string,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what} (waited ${limitMs} ms)`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Fails where a command did. */
export async function must(result: Promise<CommandResult>): Promise<string> {
  const { code, stdout, stderr } = await result;
  if (code !== 0) throw new Error(`hastmonctl: exit ${code}: ${stderr}${stdout}`);
  return stdout;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = net.createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
