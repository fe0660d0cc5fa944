/** A resource that goes from a hook program to lists and back by a reload, while it runs: real daemons. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { overlapMs } from '../system/beats.js';
import type { Cluster } from '../system/cluster.js';
import { signalProcess } from '../system/processes.js';
import { listsOf } from '../system/scene.js';
import { calmTimes, clusterFor, give, logsOf, patienceMs, runsOn } from '../system/support.js';
import { until } from '../system/wait.js';

async function runBy(cluster: Cluster, statement: string): Promise<void> {
  const file = path.join(cluster.dir, 'hastmon.conf');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^ {2}(exec|actions) .*$/m, `  ${statement}`));
  for (const name of ['nodeA', 'nodeB', 'nodeC']) {
    const { code, stderr, stdout } = await cluster.node(name).ctl('reload');
    assert.deepEqual([code, /changed/.test(stdout)], [0, true], stderr + stdout);
  }
}

/** Its service goes on, and a worker that comes after the one that is killed looks after it. */
async function survives(cluster: Cluster, node: string): Promise<void> {
  const service = cluster.beats().at(-1)?.pid;
  const worker = async (): Promise<number> => (await cluster.node(node).status())?.workerPid ?? 0;
  const killed = await worker();
  signalProcess(killed, 'SIGKILL');
  await until(
    async () => ![0, killed].includes(await worker()),
    patienceMs,
    () => logsOf(cluster),
  );
  await runsOn(cluster, node);
  assert.equal(cluster.beats().at(-1)?.pid, service, logsOf(cluster));
}

test('from a hook program to lists and back while it runs: the service goes on, fails over, and is never there twice', async (t) => {
  const cluster = await clusterFor(t, {
    label: 'reload',
    statements: calmTimes.replace('stop_timeout 1s', 'stop_timeout 2s'),
  });
  await cluster.up();
  await runsOn(cluster, 'nodeA');
  const exec = `exec ${cluster.dir}/service.sh`;
  await runBy(cluster, `actions ${listsOf(cluster.dir)}`);
  await survives(cluster, 'nodeA');
  assert.match((await cluster.node('nodeA').ctl('status')).stdout, /exec: actions /);
  await give(cluster, 'nodeA', { kind: 'switchover', resource: cluster.resource, to: 'nodeB', wait: true });
  await runsOn(cluster, 'nodeB');
  await runBy(cluster, exec);
  await survives(cluster, 'nodeB');
  cluster.node('nodeB').killMachine();
  await runsOn(cluster, 'nodeA', cluster.beats().at(-1)?.last ?? 0);
  assert.equal(overlapMs(cluster.beats()), 0, logsOf(cluster));
});
