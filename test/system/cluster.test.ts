/**
 * Three real daemons on loopback and one service that leaves beats: the daily life of a cluster, one step after the other.
 * The bounds are generous, for any machine; that no two services are ever alive at once is not.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openCgroup } from '../../daemon/sys/cgroup.js';
import { epochFault, monotonicMs, overlapMs } from './beats.js';
import type { Cluster } from './cluster.js';
import { clusterProcesses, signalProcess } from './processes.js';
import { clusterFor, give, logsOf, patienceMs, runsOn } from './support.js';
import { pause, until } from './wait.js';

function assertAlone(cluster: Cluster): void {
  const beats = cluster.beats();
  assert.equal(overlapMs(beats), 0, `two services at once: ${JSON.stringify(beats)}\n${logsOf(cluster)}`);
  assert.equal(epochFault(beats), '');
}

async function secondaryReady(cluster: Cluster, node: string): Promise<void> {
  const ready = async (): Promise<boolean> => {
    const status = await cluster.node(node).status();
    return (
      status?.role === 'secondary' &&
      status.workerPid > 0 &&
      status.holder !== '' &&
      status.state !== 'unknown'
    );
  };
  await until(ready, patienceMs, () => `${node} is no secondary\n${logsOf(cluster)}`);
}

const resources = ['shared'];

test('a cluster lives through what befalls it, and never runs the service twice', async (t) => {
  const cluster = await clusterFor(t);
  const [a, b, c] = ['nodeA', 'nodeB', 'nodeC'].map((name) => cluster.node(name)) as [
    ReturnType<Cluster['node']>,
    ReturnType<Cluster['node']>,
    ReturnType<Cluster['node']>,
  ];

  await t.test(
    'first start: the role is set, the service runs, the processes have their titles',
    async () => {
      await cluster.up();
      await runsOn(cluster, 'nodeA');
      await secondaryReady(cluster, 'nodeB');
      const titles = clusterProcesses(cluster.dir).map((entry) => `${entry.node} ${entry.title}`);
      for (const title of [
        'nodeA hastmon: shared (primary)',
        'nodeB hastmon: shared (secondary)',
        'nodeC hastmon: shared (watchdog)',
        'nodeA hastmond',
      ])
        assert.ok(titles.includes(title), `${title} in ${titles.join(', ')}`);
    },
  );

  await t.test('a worker of the primary is killed: the service goes on, without a new one', async () => {
    const before = cluster.beats().at(-1);
    const worker = a.worker('primary');
    signalProcess(worker, 'SIGKILL');
    await until(() => ![0, worker].includes(a.worker('primary')), patienceMs, 'no new worker');
    await runsOn(cluster, 'nodeA');
    const seen = monotonicMs();
    await until(() => (cluster.beats().at(-1)?.last ?? 0) > seen, patienceMs, 'no beats');
    assert.equal(cluster.beats().at(-1)?.pid, before?.pid, logsOf(cluster));
  });

  await t.test('planned switchover: the service moves, and only then', async () => {
    await secondaryReady(cluster, 'nodeB');
    await give(cluster, 'nodeA', { kind: 'switchover', resource: 'shared', to: 'nodeB', wait: true });
    await runsOn(cluster, 'nodeB');
    assertAlone(cluster);
  });

  await t.test(
    'SIGTERM of the primary: it stops, releases and exits 0, and the other takes over at once',
    async () => {
      await secondaryReady(cluster, 'nodeA');
      const exited = b.exited;
      const told = monotonicMs();
      b.signal('SIGTERM');
      assert.equal(await exited, 0);
      await runsOn(cluster, 'nodeA', told);
      assert.match(b.log(), /SIGTERM: stopping what runs here and releasing the leases/);
      assertAlone(cluster);
      await b.start();
      await give(cluster, 'nodeB', { kind: 'role', role: 'secondary', resources, force: false, wait: true });
      await secondaryReady(cluster, 'nodeB');
    },
  );

  await t.test(
    'SIGSTOP of the main process of the primary: the other takes over; SIGCONT changes nothing',
    async () => {
      const stopped = monotonicMs();
      a.signal('SIGSTOP');
      await runsOn(cluster, 'nodeB', stopped);
      a.signal('SIGCONT');
      await secondaryReady(cluster, 'nodeA');
      assertAlone(cluster);
    },
  );

  await t.test('the machine of the primary is lost: the other takes over', async () => {
    await give(cluster, 'nodeA', { kind: 'role', role: 'secondary', resources, force: false, wait: true });
    await secondaryReady(cluster, 'nodeA');
    const killed = monotonicMs();
    b.killMachine();
    await runsOn(cluster, 'nodeA', killed);
    assertAlone(cluster);
  });

  await t.test('it comes back and is a secondary again; nothing is left of what was killed', async () => {
    await b.start();
    await give(cluster, 'nodeB', { kind: 'role', role: 'secondary', resources, force: false, wait: true });
    await secondaryReady(cluster, 'nodeB');
    const beaters = clusterProcesses(cluster.dir).filter((entry) => entry.title.includes('beater'));
    assert.deepEqual(
      beaters.map((entry) => entry.node),
      ['nodeA'],
    );
    assertAlone(cluster);
  });

  await t.test('every hook knows the epoch of the lease that its node holds, or held last', async () => {
    for (const name of ['nodeA', 'nodeB']) {
      // A daemon that was started anew does not know a lease that was released before: nodeB's was told to end once.
      const sinceStart = (): string[][] => {
        const hooks = readFileSync(path.join(cluster.dir, name, 'hooks.log'), 'utf8')
          .trim()
          .split('\n');
        const calls = hooks.map((line) => line.split(' '));
        const last = calls.findLastIndex(([action]) => action === 'start');
        return calls.slice(last).filter(([action]) => action !== 'complain');
      };
      // Such hooks follow what happens; nothing waits for them.
      await until(
        () => sinceStart().some(([action]) => action === 'role' || action === 'connect'),
        10_000,
        () => `${name} was told of nothing:\n${logsOf(cluster)}`,
      );
      for (const [action, , epoch] of sinceStart())
        assert.ok(Number(epoch) > 0, `${name}: ${action} with epoch ${epoch}`);
    }
  });

  await t.test('the log says resource, role and peer', () => {
    assert.match(a.log(), / shared \(primary\): the resource runs/);
    assert.match(a.log(), / shared \([a-z]+\) nodeB: connected (to|from) /);
    assert.match(c.log(), / shared \(watchdog\): nobody runs the resource .*: complaining/);
  });

  await t.test(
    'all told to end: each exits 0, and neither processes nor control groups are left',
    async () => {
      const states = [a, b, c].map(({ name }) => path.join(cluster.dir, name, 'state'));
      const groups = states.flatMap((state) => openCgroup(state, cluster.resource).path ?? []);
      const ended = [c, b, a].map((node) => node.exited);
      for (const node of [c, b, a]) node.signal('SIGTERM');
      assert.deepEqual(await Promise.all(ended), [0, 0, 0]);
      await until(
        () => clusterProcesses(cluster.dir).length === 0,
        patienceMs,
        () =>
          clusterProcesses(cluster.dir)
            .map(({ title }) => title)
            .join(', '),
      );
      assert.deepEqual(groups.filter(existsSync), []);
      assertAlone(cluster);
    },
  );
});

test('the judge of beats sees two services at once', async (t) => {
  const cluster = await clusterFor(t);
  await cluster.up();
  await runsOn(cluster, 'nodeA');
  assertAlone(cluster);
  // A service that somebody started by hand, on the watchdog, where hastmon touches no resource.
  const { spawn } = await import('node:child_process');
  const { beater } = await import('./paths.js');
  const args = [beater, `${cluster.dir}/beats`, 'nodeC', '1', `${cluster.dir}/nodeC/by-hand.pid`];
  const stray = spawn(process.execPath, args, { stdio: 'ignore' });
  await until(
    () => (cluster.beats().find((life) => life.node === 'nodeC')?.count ?? 0) > 20,
    patienceMs,
    'no beats',
  );
  stray.kill('SIGKILL');
  await pause(20);
  assert.ok(overlapMs(cluster.beats()) > 0);
  assert.notEqual(epochFault([...cluster.beats()].reverse()), '');
});
