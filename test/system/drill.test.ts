/**
 * What `hastmonctl drill` says of a real cluster, and what then happens there: for some of its lines the failure is made, and who runs the service,
 * and when, is compared. A machine that runs other tests is slower than the drill's: what was foretold counts as true where it
 * took from 0.3 times as long to twice as long and two seconds.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DrillJson } from '../../ctl/drill.js';
import { monotonicMs, overlapMs } from './beats.js';
import type { Cluster } from './cluster.js';
import { must } from './cluster.js';
import { cutBoth } from './network.js';
import { createProxies } from './proxy.js';
import { calmTimes, clusterFor, give, logsOf, patienceMs, runsOn } from './support.js';
import { until } from './wait.js';

type Failure = DrillJson['failures'][number];

const resources = ['shared'];

/** Foretold by a node, of one failure. */
async function foretold(
  cluster: Cluster,
  by: string,
  kind: Failure['kind'],
  ...nodes: string[]
): Promise<Failure> {
  const [drilled] = JSON.parse(await must(cluster.node(by).ctl('drill', 'shared', '--json'))) as DrillJson[];
  assert.ok(drilled !== undefined && drilled.problem === '', JSON.stringify(drilled));
  const found = drilled.failures.find((each) => each.kind === kind && each.nodes.join() === nodes.join());
  assert.ok(found !== undefined, JSON.stringify(drilled.failures));
  return found;
}

function agrees(what: string, measuredMs: number, expectedMs: number | null, cluster: Cluster): void {
  assert.ok(expectedMs !== null, `${what} was not foretold`);
  const ok = measuredMs >= 0.3 * expectedMs && measuredMs <= 2 * expectedMs + 2000;
  assert.ok(ok, `${what}: ${Math.round(measuredMs)} ms, foretold ${expectedMs} ms\n${logsOf(cluster)}`);
}

/** All is well: all hear each other, and the other candidate is able. */
async function well(cluster: Cluster, holder: string): Promise<void> {
  const ready = async (): Promise<boolean> => {
    const { cluster: answer } = await cluster
      .node(holder)
      .request({ kind: 'drill', resources, depth: 'all' });
    if (answer?.kind !== 'drill' || answer.facts.length < 3) return false;
    const [facts] = answer.facts;
    const linked = answer.facts.every((each) => each.nodes.every((node) => node.fresh && node.linked));
    return (
      linked &&
      facts?.nodes.some(({ able }) => able) === true &&
      facts.nodes.some(({ holds, node }) => holds && node === holder)
    );
  };
  await until(ready, patienceMs, () => `not all is well\n${logsOf(cluster)}`);
}

/** Since that moment the service has beaten on, without a new life, until long after a takeover would have been over. */
async function untouched(cluster: Cluster, node: string, failedAt: number, forMs: number): Promise<void> {
  const before = cluster.beats().length;
  const over = (): boolean => (cluster.beats().at(-1)?.last ?? 0) > failedAt + forMs;
  await until(over, forMs + patienceMs, () => `the service beats no more\n${logsOf(cluster)}`);
  const last = cluster.beats().at(-1);
  assert.deepEqual([last?.node, cluster.beats().length], [node, before], logsOf(cluster));
}

test('what a drill foretells happens', async (t) => {
  // On a machine with much to do, a lease of a second would be lost by itself.
  const statements = calmTimes.replace('lease_timeout 1s', 'lease_timeout 2s');
  const cluster = await clusterFor(t, { network: createProxies, statements });
  const [a, b, c] = [cluster.node('nodeA'), cluster.node('nodeB'), cluster.node('nodeC')];
  await cluster.up();
  await runsOn(cluster, 'nodeA');
  // A stop and a start on each of them, so that they are measured.
  await well(cluster, 'nodeA');
  await give(cluster, 'nodeA', { kind: 'switchover', resource: 'shared', to: 'nodeB', wait: true });
  await runsOn(cluster, 'nodeB');
  await well(cluster, 'nodeB');
  await give(cluster, 'nodeB', { kind: 'switchover', resource: 'shared', to: 'nodeA', wait: true });
  await runsOn(cluster, 'nodeA');
  await well(cluster, 'nodeA');
  /** Of a takeover, as foretold: what stays must stay for longer. */
  let takeoverMs = 0;

  await t.test('hooks are measured on each node, and all single failures are borne', async () => {
    const shown = await must(a.ctl('drill', '--check'));
    assert.match(
      shown,
      /^resource shared on nodeA: runs on nodeA; any single node may be lost: yes; any single link: yes$/m,
    );
    assert.match(
      shown,
      /start is taken to need .* on nodeA \(the longest of \d+ measured\), .* on nodeB \(measured once\)\./s,
    );
    const lost = await foretold(cluster, 'nodeA', 'node-lost', 'nodeA');
    assert.deepEqual(lost.runsOn, ['nodeB']);
    takeoverMs = lost.afterMs ?? 0;
    assert.ok(takeoverMs > 1000 && takeoverMs < 15_000, `${takeoverMs} ms`);
  });

  await t.test('every node foretells the same, but for what was a moment ago', async () => {
    const all = await Promise.all(
      ['nodeA', 'nodeB', 'nodeC'].map((by) => foretold(cluster, by, 'node-lost', 'nodeA')),
    );
    for (const { afterMs, runsOn: where } of all) {
      assert.deepEqual(where, ['nodeB']);
      assert.ok(Math.abs((afterMs ?? 0) - takeoverMs) < 300, `${afterMs} and ${takeoverMs} ms`);
    }
  });

  await t.test('the link between the candidates is cut: it stays', async () => {
    const failure = await foretold(cluster, 'nodeA', 'link-cut', 'nodeA', 'nodeB');
    assert.deepEqual([failure.runsOn, failure.withoutServiceMs], [['nodeA'], 0]);
    await cutBoth(cluster.network, 'nodeA', 'nodeB');
    await untouched(cluster, 'nodeA', monotonicMs(), 2 * takeoverMs);
    await cluster.network.heal();
    await well(cluster, 'nodeA');
  });

  await t.test('the primary is cut off: the other one takes over, after that time', async () => {
    const failure = await foretold(cluster, 'nodeA', 'node-cut-off', 'nodeA');
    assert.deepEqual(failure.runsOn, ['nodeB']);
    const failedAt = monotonicMs();
    for (const other of ['nodeB', 'nodeC']) await cutBoth(cluster.network, 'nodeA', other);
    await runsOn(cluster, 'nodeB', failedAt);
    const lives = cluster.beats();
    const [before, after] = [lives.at(-2), lives.at(-1)];
    agrees('it runs', (after?.first ?? 0) - failedAt, failure.afterMs, cluster);
    agrees(
      'without the service',
      (after?.first ?? 0) - (before?.last ?? 0),
      failure.withoutServiceMs,
      cluster,
    );
    await cluster.network.heal();
    await well(cluster, 'nodeB');
    assert.equal(overlapMs(lives), 0);
  });

  await t.test('the watchdog is lost: it stays, and then one more is one too many', async () => {
    const failure = await foretold(cluster, 'nodeB', 'node-lost', 'nodeC');
    assert.deepEqual([failure.runsOn, failure.withoutServiceMs], [['nodeB'], 0]);
    c.killMachine();
    await untouched(cluster, 'nodeB', monotonicMs(), 2 * takeoverMs);
    const { code, stdout } = await b.ctl('drill', '--check');
    assert.equal(code, 1, stdout);
    assert.match(
      stdout,
      /any single node may be lost: no \(nodeB, nodeA\)|any single node may be lost: no \(nodeA, nodeB\)/,
    );
    assert.match(stdout, /^ {2}nodeB \(primary\) lost, nodeC lost already +nobody +until that is mended$/m);
  });

  await t.test(
    'the primary and the watchdog are lost: nobody runs it, for the reason that was foretold',
    async () => {
      const failure = await foretold(cluster, 'nodeA', 'node-lost', 'nodeB');
      assert.deepEqual(
        [failure.nowhere, failure.runsOn, failure.why.map(({ node }) => node)],
        [true, [], ['nodeA']],
      );
      b.killMachine();
      await b.exited;
      const gone = monotonicMs();
      await until(
        () => monotonicMs() > gone + 2 * takeoverMs,
        3 * takeoverMs + patienceMs,
        'time stands still',
      );
      assert.ok(!cluster.beats().some(({ last }) => last > gone + 500), logsOf(cluster));
      const said = await must(a.ctl('explain', 'shared', '--json'));
      const { sentence } = (JSON.parse(said) as { sentence: string }[])[0] ?? {};
      assert.equal(sentence, failure.why[0]?.sentence);
    },
  );

  await t.test('the watchdog is back: it takes over', async () => {
    await c.start();
    await give(cluster, 'nodeC', { kind: 'role', role: 'watchdog', resources, force: false, wait: true });
    await runsOn(cluster, 'nodeA');
    await b.start();
    await give(cluster, 'nodeB', { kind: 'role', role: 'secondary', resources, force: false, wait: true });
    await well(cluster, 'nodeA');
  });

  await t.test('the machine of the primary is lost: the other one takes over, after that time', async () => {
    const failure = await foretold(cluster, 'nodeA', 'node-lost', 'nodeA');
    assert.deepEqual(failure.runsOn, ['nodeB']);
    const failedAt = monotonicMs();
    a.killMachine();
    await runsOn(cluster, 'nodeB', failedAt);
    agrees('it runs', (cluster.beats().at(-1)?.first ?? 0) - failedAt, failure.afterMs, cluster);
  });
});
