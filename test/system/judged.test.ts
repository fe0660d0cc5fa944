/**
 * A resource that is judged by its checks, on three real daemons: a service that runs and does not answer is given up and handed over,
 * and a node that does not see what the resource requires is not promoted.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overlapMs } from './beats.js';
import { listener } from './listener.js';
import { freePorts } from './network.js';
import { calmTimes, clusterFor, give, logsOf, patienceMs, runsOn } from './support.js';
import { until } from './wait.js';

test('a service that does not answer moves, and only to where what it requires is seen', async (t) => {
  const [webPort = 0, gatewayPort = 0] = await freePorts(2);
  const web = await listener(t, webPort);
  const gateway = await listener(t, gatewayPort);
  const cluster = await clusterFor(t, {
    globals: `monitor {
  interval 200ms
  retry_interval 100ms
  timeout 1s
  rise 1
  fall 2
}
check web tcp://127.0.0.1:${webPort}
check gateway tcp://127.0.0.1:${gatewayPort}`,
    statements: `${calmTimes}\n  attempts 1\n  check web\n  require gateway`,
  });
  await cluster.up();
  await runsOn(cluster, 'nodeA');
  const status = (node: string) => cluster.node(node).status();

  await t.test('it is given up on its node, and the other one has it', async () => {
    web.close();
    await until(
      async () => /does not answer|given the resource up/.test((await status('nodeA'))?.lastError ?? ''),
      2 * patienceMs,
      () => `nodeA does not notice\n${logsOf(cluster)}`,
    );
    await runsOn(cluster, 'nodeB');
    await web.open();
    assert.match(cluster.node('nodeA').log(), /the service runs and does not answer: web is confirmed down/);
    assert.match(cluster.node('nodeA').log(), /giving up after 1 failed attempt/);
    await until(
      async () => !/the service to answer/.test((await status('nodeB'))?.waiting ?? ''),
      patienceMs,
      () => `nodeB has not heard that it answers\n${logsOf(cluster)}`,
    );
  });

  await t.test('a node that does not see the gateway is not promoted until it does', async () => {
    gateway.close();
    await give(cluster, 'nodeA', {
      ...{ kind: 'role', role: 'secondary', resources: ['shared'], force: false, wait: true },
    });
    const unfit = async (): Promise<boolean> =>
      (await status('nodeC'))?.role === 'watchdog' && !(await able());
    const able = async (): Promise<boolean> =>
      !/requires of its primary/.test((await status('nodeA'))?.waiting ?? 'requires of its primary');
    cluster.node('nodeB').killMachine();
    await until(unfit, patienceMs, () => `nodeA does not say what it waits for\n${logsOf(cluster)}`);
    const complained = async (): Promise<boolean> => ((await status('nodeA'))?.complaints.now ?? 0) > 3;
    await until(complained, patienceMs, () => `nobody complains\n${logsOf(cluster)}`);
    assert.equal(
      (await status('nodeA'))?.role,
      'secondary',
      'complaints are enough, and it stays what it is',
    );
    assert.match((await status('nodeA'))?.waiting ?? '', /gateway is down as seen from here/);
    await gateway.open();
    await runsOn(cluster, 'nodeA', cluster.beats().at(-1)?.last ?? 0);
  });
  assert.equal(overlapMs(cluster.beats()), 0);
});
