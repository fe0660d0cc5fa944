/** Whether the service notices that the worker process of its resource is lost: a lease of 1 s, so that its successor is there in time. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Cluster, createCluster, monotonicMs, overlapMs, until } from '../test/system/cluster.js';
import { signalProcess } from '../test/system/processes.js';
import { pause } from '../test/system/wait.js';
import { addOverlap, createRow, type Row } from './row.js';
import type { Stage } from './stage.js';
import { createNetwork } from './trials.js';

const leaseMs = 1000;
const statements = `  heartbeat_interval 100ms
  lease_timeout ${leaseMs}ms
  stop_timeout 200ms
  status_interval 200ms`;

/** Kills the primary's worker again and again; a service that had to be started anew counts as a problem. */
export async function measureWorkerLoss(stage: Stage, runs: number): Promise<Row[]> {
  const back = createRow(
    'worker-back',
    'hastmon',
    'worker killed at a lease of 1 s: to the report of its successor',
  );
  const gap = createRow(
    'worker-gap',
    'hastmon',
    'worker killed at a lease of 1 s: longest gap between beats',
  );
  const options = { label: 'lease', network: createNetwork, statements };
  const cluster = await stage.hold(createCluster(options));
  await cluster.up();
  let restarts = 0;
  const usual: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    await spareReady(cluster);
    const from = monotonicMs();
    await pause(leaseMs);
    usual.push(longestGapMs(cluster, from, monotonicMs()));
    const lives = cluster.beats().length;
    const killed = monotonicMs();
    back.values.push((await replaceWorker(cluster)) - killed);
    // Long enough for the lease that the lost worker held to run out.
    await until(() => monotonicMs() > killed + 1.5 * leaseMs, LOOK_ON_LIMIT_MS, 'unreachable');
    gap.values.push(longestGapMs(cluster, killed, monotonicMs()));
    restarts += cluster.beats().length - lives;
  }
  addOverlap(gap, overlapMs(cluster.beats()));
  await stage.release(cluster);
  gap.note = `${restarts} restarts of the service; longest gap while nothing happens ${Math.max(...usual).toFixed(1)} ms`;
  if (restarts > 0) gap.problems.push(`the service was started anew ${restarts} times`);
  return [back, gap];
}

const LOOK_ON_LIMIT_MS = 10_000;

/** The primary runs, and a spare stands ready, as it does most of the time. */
async function spareReady(cluster: Cluster): Promise<void> {
  const primary = cluster.node('nodeA');
  await until(
    async () => primary.worker('spare') > 0 && (await primary.status())?.state === 'run',
    LOOK_ON_LIMIT_MS,
    'the primary has no spare worker',
  );
}

/** Kills the worker; gives the time at which another one reports that the resource runs. */
async function replaceWorker(cluster: Cluster): Promise<number> {
  const primary = cluster.node('nodeA');
  const lost = primary.worker('primary');
  signalProcess(lost, 'SIGKILL');
  await until(
    async () => {
      const status = await primary.status();
      return status?.state === 'run' && status.workerPid > 0 && status.workerPid !== lost;
    },
    LOOK_ON_LIMIT_MS,
    'the lost worker is not replaced',
  );
  return monotonicMs();
}

/** The longest time without a beat between two instants, both of which count as beats. */
function longestGapMs(cluster: Cluster, from: number, to: number): number {
  const lines = readFileSync(path.join(cluster.dir, 'beats'), 'latin1').trimEnd().split('\n');
  let longest = 0;
  let last = from;
  for (const line of lines) {
    const at = Number(BigInt(line.split(' ', 1)[0] ?? 0)) / 1e6;
    if (at <= from || at > to) continue;
    longest = Math.max(longest, at - last);
    last = at;
  }
  return Math.max(longest, to - last);
}
