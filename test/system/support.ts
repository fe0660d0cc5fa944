/** What the tests of real daemons share: a cluster that goes with the test, its times, and running the programs. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { ControlRequest } from '../../proto/control-types.js';
import { type Cluster, type ClusterOptions, createCluster } from './cluster.js';
import { freePorts } from './network.js';
import { order } from './node.js';
import { hastmond, service } from './paths.js';
import { until } from './wait.js';

/** Generous, for machines that run other tests at the same time: safety does not depend on it, only the bounds do. */
export const calmTimes = `  heartbeat_interval 200ms
  lease_timeout 1s
  stop_timeout 1s
  start_timeout 10s
  status_timeout 5s
  status_interval 300ms`;

/** How long anything may take here before it counts as not happening. */
export const patienceMs = 20_000;

/** A cluster that is gone when the test is over; its logs are shown where the test failed. */
export async function clusterFor(t: TestContext, options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await createCluster({ statements: calmTimes, ...options });
  t.after(() => cluster.close());
  return cluster;
}

/** The logs of all nodes, for a test that has failed. */
export function logsOf(cluster: Cluster): string {
  return Object.values(cluster.nodes)
    .map((node) => `--- ${node.name}\n${node.log()}`)
    .join('\n');
}

/** Gives a command to the daemon of a node. */
export function give(cluster: Cluster, node: string, request: ControlRequest): Promise<void> {
  return order(cluster.node(node), request);
}

/** Waits until the node runs the resource and its daemon says so. */
export async function runsOn(cluster: Cluster, node: string, afterMs = 0): Promise<void> {
  const runs = async (): Promise<boolean> => {
    const status = await cluster.node(node).status();
    const beat = cluster.beats().at(-1);
    return status?.state === 'run' && beat?.node === node && beat.first > afterMs;
  };
  await until(runs, patienceMs, () => `the resource does not run on ${node}\n${logsOf(cluster)}`);
}

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs hastmond until it ends; in the background that is its first process. A `script` is for a shell, in which `"$@"` is the
 * program with its arguments.
 */
export function runHastmond(args: readonly string[], script = 'exec "$@"'): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', script, 'sh', process.execPath, hastmond, ...args], {
      env: { ...process.env, NO_COLOR: '1' },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('close', (code) => resolve({ code, stdout, stderr }));
    child.stdin.end();
  });
}

export interface Lone {
  dir: string;
  config: string;
  port: number;
  file(name: string): string;
}

/** A directory with the configuration of one node that is alone. `more`: statements for the whole file. */
export async function loneNode(t: TestContext, more = ''): Promise<Lone> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'hastmon-lone-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const [port = 0] = await freePorts(1);
  const file = (name: string): string => path.join(dir, name);
  writeFileSync(
    file('hastmon.conf'),
    `control ${file('control')}
listen tcp4://127.0.0.1:${port}
state_dir ${file('state')}
${more}
resource shared {
  exec ${service}
  on lone {
    remote none
  }
}
`,
    { mode: 0o600 },
  );
  return { dir, config: file('hastmon.conf'), port, file };
}
