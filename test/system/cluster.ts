/**
 * A cluster of real daemons for tests, the demo and the benchmarks: a temporary directory, one configuration file, one
 * hastmond per node, and a service that leaves beats. Everything it made is gone after `close`.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Beat, createBeatReader } from './beats.js';
import { configurationText } from './configuration.js';
import { createLoopback, type Network } from './network.js';
import { type ClusterNode, createNode, order } from './node.js';
import { beater, service } from './paths.js';
import { until } from './wait.js';

export { type Beat, monotonicMs, overlapMs } from './beats.js';
export { type ClusterNode, type CommandResult, must } from './node.js';
export { hastmonctl, hastmond, root } from './paths.js';
export { until } from './wait.js';

export interface ClusterOptions {
  /** Node names; the first two are candidates and the rest watchdogs, unless `watchdogs` says otherwise. */
  nodes?: string[];
  watchdogs?: string[];
  resource?: string;
  /** Statements for the whole file and for the resource, beyond the addresses. */
  globals?: string;
  statements?: string;
  /** Per node, statements of its section in the resource. */
  perNode?: Record<string, string>;
  /** Per node, statements for the whole file that the files of others do not have. */
  ownFile?: Record<string, string>;
  /** Makes the network; default: loopback, which cannot be cut. */
  network?: (nodes: readonly string[]) => Promise<Network>;
  exec?: string;
  /** The statement that says what runs the resource, in place of that; `dir` is the cluster's directory. */
  runs?: (dir: string) => string;
  /** The hook program is the fence as well. */
  fence?: boolean;
  /** More arguments for hastmond. */
  daemonArgs?: string[];
  /** A word for the directory's name. */
  label?: string;
}

export interface Cluster {
  readonly dir: string;
  readonly resource: string;
  readonly configFile: string;
  readonly watchdogs: readonly string[];
  readonly network: Network;
  readonly nodes: Record<string, ClusterNode>;
  node(name: string): ClusterNode;
  /** Starts all daemons and sets the roles: the first primary, watchdogs watchdog, the others secondary; waits until it runs. */
  up(): Promise<void>;
  /** The lives of the service so far. */
  beats(): Beat[];
  /** Ends everything; `keep`: the directory with the logs stays. */
  close(keep?: boolean): Promise<void>;
}

/** Makes the directory and the configuration; nothing runs yet. */
export async function createCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const names = options.nodes ?? ['nodeA', 'nodeB', 'nodeC'];
  const watchdogs = options.watchdogs ?? names.slice(2);
  const resource = options.resource ?? 'shared';
  const network = await (options.network ?? createLoopback)(names);
  const dir = mkdtempSync(path.join(baseDirectory(), `hastmon-${options.label ?? 'test'}-`));
  chmodSync(dir, 0o755);
  copyFileSync(service, path.join(dir, 'service.sh'));
  chmodSync(path.join(dir, 'service.sh'), 0o755);
  const environment = [`DIR=${dir}`, `NODE_BINARY=${process.execPath}`, `BEATER=${beater}`];
  writeFileSync(path.join(dir, 'service.env'), `${environment.join('\n')}\n`);
  const configFile = path.join(dir, 'hastmon.conf');
  const { globals = '', statements = '', perNode = {}, exec = path.join(dir, 'service.sh') } = options;
  const { fence = false } = options;
  const runs = options.runs?.(dir) ?? `exec ${exec}${fence ? `\n  fence ${exec}` : ''}`;
  const written = { nodes: names, watchdogs, resource, globals, statements, perNode, runs };
  writeFileSync(configFile, configurationText(written, dir, network), { mode: 0o600 });

  const nodes: Record<string, ClusterNode> = {};
  for (const name of names) {
    mkdirSync(path.join(dir, name), { recursive: true });
    const place = network.place(name);
    nodes[name] = createNode({
      name,
      dir,
      configFile: ownFile(name, configFile, options.ownFile?.[name]),
      resource,
      place,
      daemonArgs: options.daemonArgs ?? [],
    });
  }
  const all = Object.values(nodes);
  const node = (name: string): ClusterNode => {
    const found = nodes[name];
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  };
  const beats = createBeatReader(path.join(dir, 'beats'));
  const killAll = (): void => all.forEach((each) => void each.killMachine());
  process.once('exit', killAll);

  return {
    dir,
    resource,
    configFile,
    watchdogs,
    network,
    nodes,
    node,
    async up() {
      await Promise.all(all.map((each) => each.start()));
      for (const each of all.slice(1)) {
        const role = watchdogs.includes(each.name) ? 'watchdog' : 'secondary';
        await order(each, { kind: 'role', role, resources: [resource], force: false, wait: true });
      }
      const first = node(names[0] ?? '');
      await order(first, { kind: 'role', role: 'primary', resources: [resource], force: false, wait: true });
      // And every voter remembers that: two that do not would have to be told by the operator.
      const runs = async (): Promise<boolean> => {
        const status = await first.status();
        return status?.state === 'run' && status.voters.every(({ history }) => history);
      };
      await until(runs, 20_000, () => `the service does not come up:\n${first.log()}`);
    },
    beats,
    async close(keep = false) {
      for (let round = 0; round < 3; round += 1) {
        killAll();
        await Promise.all(all.map((each) => (each.running() ? each.exited : null)));
      }
      process.removeListener('exit', killAll);
      await network.close();
      for (const each of all) each.remove();
      if (!keep) rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A file that says more than the common one, or that one. */
function ownFile(name: string, common: string, statements: string | undefined): string {
  if (statements === undefined) return common;
  const file = path.join(path.dirname(common), name, 'hastmon.conf');
  writeFileSync(file, `include ${common}\n${statements}\n`, { mode: 0o600 });
  return file;
}

/**
 * In memory where that can be had and programs may be run from it: with times of 100 ms, a disk that other tests keep busy
 * would be what is tested.
 */
function baseDirectory(): string {
  const memory = '/dev/shm';
  try {
    const place = mkdtempSync(path.join(memory, 'hastmon-probe-'));
    try {
      const program = path.join(place, 'program');
      writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
      return spawnSync(program).status === 0 ? memory : os.tmpdir();
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  } catch {
    return os.tmpdir();
  }
}
