/**
 * A thousand checks go down at once, and come back, on three daemons that hold a resource with a heartbeat of 100 ms: people are told of each
 * outage and of its end, and the service has one life. `node dist/test/system/run-storm.js [CHECKS]`; exits with 1 where that is not so.
 */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Cluster, createCluster, monotonicMs } from './cluster.js';
import { freePorts } from './network.js';
import { watchStalls } from './stalls.js';
import { until } from './wait.js';

const leaseMs = 1000;
/** Of processor time, for one turn of the loop of a main process. */
const turnMsMax = 250;
const patienceMs = 120_000;
const count = Number(process.argv[2] ?? 1000);

const dir = mkdtempSync(path.join(os.tmpdir(), 'hastmon-storm-'));
// The alert is a program, which may run as somebody else.
chmodSync(dir, 0o755);
const toldFile = path.join(dir, 'told');
writeFileSync(toldFile, '');
chmodSync(toldFile, 0o666);
const alert = path.join(dir, 'alert.sh');
const line = `echo "$HASTMON_EVENT $HASTMON_EDGES" >> "${toldFile}"`;
writeFileSync(alert, `#!/bin/sh\ncat > /dev/null\n${line}\n`, { mode: 0o755 });
process.env.HASTMON_METER = dir;
const meter = path.join(path.dirname(fileURLToPath(import.meta.url)), 'loop-meter.js');
process.env.NODE_OPTIONS = `--import=${meter}`;

function told(event: string): number {
  const lines = readFileSync(toldFile, 'utf8').split('\n');
  const counts = lines.map((text) => text.split(' ')).filter(([what]) => what === event);
  return counts.reduce((sum, [, edges]) => sum + Number(edges), 0);
}

/** The turns of the daemons' loops since then that took the most processor time, in milliseconds. */
function longestTurn(cluster: Cluster, from: number): number {
  const files = Object.values(cluster.nodes).map(({ pid }) => path.join(dir, String(pid)));
  const lines = files.flatMap((file) =>
    existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [],
  );
  const turns = lines.map((text) => text.split(' ').map(Number)).filter(([at = 0]) => at >= from);
  return Math.max(0, ...turns.map(([, , used = 0]) => used));
}

async function storm(cluster: Cluster, port: number): Promise<string> {
  let server: Server | null = null;
  const open = (): Promise<void> =>
    new Promise((resolve) => {
      server = createServer((socket) => socket.on('error', () => {}).destroy()).listen(
        port,
        '127.0.0.1',
        resolve,
      );
    });
  await open();
  await cluster.up();
  const known = async (): Promise<boolean> =>
    (await cluster.node('nodeA').ctl('checks')).stdout.includes(`${count} up, 0 down`);
  await until(known, patienceMs, 'checks are not up');
  const from = monotonicMs();
  const lives = cluster.beats().length;
  const stalls = watchStalls();
  try {
    for (const event of ['down', 'up']) {
      if (event === 'down') (server as Server | null)?.close();
      else await open();
      const began = performance.now();
      await until(
        () => told(event) >= count,
        patienceMs,
        () => `${told(event)} of ${count} are told to be ${event}`,
      );
      process.stdout.write(
        `ok  ${count} are told to be ${event} (${((performance.now() - began) / 1000).toFixed(1)} s)\n`,
      );
    }
  } finally {
    (server as Server | null)?.close();
    stalls.close();
  }
  const [turn, machine] = [longestTurn(cluster, from), stalls.worstSince(from)];
  process.stdout.write(
    `the longest turn took ${turn} ms of the processor; the machine stood still for ${machine} ms\n`,
  );
  if (turn > turnMsMax) return `a turn of a main process took ${turn} ms`;
  const lost = cluster.beats().length - lives;
  return lost > 0 && machine < leaseMs / 2 ? `the service was started ${lost} times more` : '';
}

async function main(): Promise<number> {
  const [port = 0] = await freePorts(1);
  const checks = Array.from({ length: count }, (_, index) => `check web-${index} tcp://127.0.0.1:${port}`);
  const cluster = await createCluster({
    globals: `monitor { interval 3s retry_interval 500ms timeout 2s rise 1 fall 2 }
alert people { program ${alert} gather 1s }
${checks.join('\n')}`,
    statements: `  heartbeat_interval 100ms\n  lease_timeout ${leaseMs}ms\n  stop_timeout 1s\n  start_timeout 10s`,
  });
  const close = (): Promise<void> =>
    cluster.close().then(() => rmSync(dir, { recursive: true, force: true }));
  const interrupted = (): void => void close().then(() => process.exit(130));
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  try {
    const problem = await storm(cluster, port);
    if (problem !== '') process.stdout.write(`VIOLATED  ${problem}\n`);
    return problem === '' ? 0 : 1;
  } catch (error) {
    process.stdout.write(`VIOLATED  ${(error as Error).message}\n`);
    return 1;
  } finally {
    await close();
  }
}

process.exitCode = await main();
