/** Switchovers with real daemons, by hastmonctl itself: what it says before, on the way and at the end; put back, and failback. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overlapMs } from './beats.js';
import type { Cluster } from './cluster.js';
import { monotonicMs } from './cluster.js';
import { calmTimes, clusterFor, give, logsOf, patienceMs, runsOn } from './support.js';
import { until } from './wait.js';

/** Waits until a switchover on `from` would be done. */
async function ready(cluster: Cluster, from: string, to: string): Promise<void> {
  const would = async (): Promise<boolean> => {
    const { error } = await cluster.node(from).request({ kind: 'switchover-plan', resource: 'shared', to });
    return error === null;
  };
  await until(would, patienceMs, () => `no switchover from ${from} to ${to}\n${logsOf(cluster)}`);
}

test('a switchover is tried dry, done, and put back where the other one cannot start the service', async (t) => {
  const cluster = await clusterFor(t);
  const [a, b] = [cluster.node('nodeA'), cluster.node('nodeB')];
  const logs = (): string => logsOf(cluster);
  await cluster.up();
  await runsOn(cluster, 'nodeA');
  await ready(cluster, 'nodeA', 'nodeB');

  await t.test('--dry-run says what would be done, and does nothing', async () => {
    const before = cluster.beats().length;
    const would = await a.ctl('switchover', 'shared', '--dry-run');
    assert.equal(would.code, 0, would.stderr);
    assert.match(would.stdout, /^switchover shared on nodeA: would be handed over to nodeB\n/);
    assert.match(would.stdout, /yes +it hears a majority of the voters +it does +it does +\S+ m?s +nodeB/);
    assert.match(would.stdout, /1\. stop it on nodeA: at most 60 s.*; no stop has been measured here/);
    assert.match(would.stdout, /3\. start it on nodeB: at most 10 s.*; the last start here took \d+ ms/);
    const not = await a.ctl('switchover', 'shared', '--to', 'nodeC', '--dry-run');
    assert.equal(not.code, 75, not.stderr);
    assert.match(not.stdout, /would not be handed over: nodeC cannot take over now: its role is watchdog/);
    assert.equal((await b.ctl('switchover', 'shared', '--dry-run')).code, 75);
    assert.equal((await a.status())?.role, 'primary');
    assert.equal(cluster.beats().length, before);
  });

  await t.test('it is waited for, and each phase is said', async () => {
    const moved = await a.ctl('switchover', 'shared');
    assert.equal(moved.code, 0, `${moved.stderr}\n${logs()}`);
    assert.match(
      moved.stdout,
      /^shared: runs on nodeB: stop took .*, lease passed after .*, start took .* in total\n$/,
    );
    assert.match(
      moved.stderr,
      /shared: stopping it here.*\n.*stopped here after .*\n.*nodeB has the lease after/,
    );
    assert.equal((await b.status())?.state, 'run');
    await runsOn(cluster, 'nodeB');
  });

  await t.test('where start fails there, it runs here again, and hastmonctl says so', async () => {
    await ready(cluster, 'nodeB', 'nodeA');
    a.fault('start.fail');
    const begun = monotonicMs();
    const failed = await b.ctl('switchover', 'shared');
    assert.equal(failed.code, 75, failed.stdout);
    assert.match(
      failed.stderr,
      /shared: put back: nodeA could not start it: .*told to fail.*; it runs here again\n$/,
    );
    await runsOn(cluster, 'nodeB', begun);
    assert.equal(
      a.hooks().filter(({ action }) => action === 'start').length,
      2,
      'one attempt, beside the first start',
    );
    assert.match(
      (await b.ctl('switchover', 'shared')).stderr,
      /nodeA.* has just given the resource up: .*told to fail/,
    );
    const events = (await b.ctl('events', 'shared')).stdout;
    assert.match(
      events,
      /nodeA .*: it is put back here\n(.*\n)*.*put back: what was to go to nodeA runs here again/,
    );
    assert.match(
      events,
      /hastmonctl switchover shared \(.*\n.*handing over to nodeA\n(.*\n)*.*hastmonctl switchover shared; failed: /,
    );
    const attempts =
      /attempts +\S+ m?s .*nodeA +nodeA gave it up, epoch \d+, without having run it: .*told to fail/;
    const told = async (): Promise<boolean> => attempts.test((await b.ctl('timeline', 'shared')).stdout);
    await until(told, patienceMs, logs);
    assert.equal(overlapMs(cluster.beats()), 0, logs());
  });

  await t.test('once that is mended, the operator does not have to wait', async () => {
    a.fault('start.fail', null);
    await give(cluster, 'nodeA', {
      ...{ kind: 'role', role: 'secondary', resources: ['shared'], force: false, wait: true },
    });
    await ready(cluster, 'nodeB', 'nodeA');
    assert.equal((await b.ctl('switchover', 'shared', '--to', 'nodeA')).code, 0, logs());
    await runsOn(cluster, 'nodeA');
  });
});

test('failback: a node of better priority that is back gets the service after its time', async (t) => {
  const statements = `${calmTimes}\n  failback after 3s`;
  const cluster = await clusterFor(t, { statements });
  const [a, b] = [cluster.node('nodeA'), cluster.node('nodeB')];
  await cluster.up();
  await runsOn(cluster, 'nodeA');
  await ready(cluster, 'nodeA', 'nodeB');
  const killed = monotonicMs();
  a.killMachine();
  await runsOn(cluster, 'nodeB', killed);
  await a.start();
  await give(cluster, 'nodeA', {
    ...{ kind: 'role', role: 'secondary', resources: ['shared'], force: false, wait: true },
  });
  const told = async (): Promise<boolean> =>
    /would hand over to nodeA (in \d+ s|now) \(failback after 3 s\)/.test(
      (await b.ctl('status', 'shared')).stdout,
    );
  await until(told, patienceMs, () => logsOf(cluster));
  const back = monotonicMs();
  await runsOn(cluster, 'nodeA', back);
  assert.match((await b.ctl('events', 'shared')).stdout, /handing over to nodeA, .* back \(failback\)\n/);
  assert.equal(overlapMs(cluster.beats()), 0, logsOf(cluster));
});
