/** Maintenance on real daemons: nothing happens by itself, hastmond may come and go, and the service does not miss a beat. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Timeline } from '../../proto/timeline-types.js';
import { monotonicMs, overlapMs } from './beats.js';
import { clusterFor, give, logsOf, patienceMs, runsOn } from './support.js';
import { pause, until } from './wait.js';

test('a resource in maintenance is left alone, whatever becomes of hastmond', async (t) => {
  const cluster = await clusterFor(t);
  const [a, b, c] = [cluster.node('nodeA'), cluster.node('nodeB'), cluster.node('nodeC')];
  await cluster.up();
  await runsOn(cluster, 'nodeA');
  const lives = (): number => new Set(cluster.beats().map(({ node, pid }) => `${node} ${pid}`)).size;
  const alone = (): void => {
    assert.equal(overlapMs(cluster.beats()), 0, logsOf(cluster));
    assert.equal(
      lives(),
      1,
      `the service was started anew: ${JSON.stringify(cluster.beats())}\n${logsOf(cluster)}`,
    );
  };
  const ctl = async (node: typeof a, ...words: string[]): Promise<string> => {
    const { code, stderr, stdout } = await node.ctl(...words);
    assert.equal(code, 0, `${stderr}${logsOf(cluster)}`);
    return stdout;
  };
  const noFailover = async (): Promise<void> => {
    const told = await ctl(b, 'timeline', 'shared', '--json');
    assert.deepEqual((JSON.parse(told) as Timeline).failovers, [], logsOf(cluster));
  };

  await t.test('only where it is held', async () => {
    const { code, stderr } = await b.ctl('maintenance', 'on', 'shared');
    assert.equal(code, 75);
    assert.match(stderr, /shared is held by nodeA: run hastmonctl maintenance on shared there/);
  });

  await t.test('on: every node says so', async () => {
    await ctl(a, 'maintenance', 'on', 'shared', '--reason', 'kernel upgrade');
    assert.match(await ctl(a, 'status'), /maintenance: on nodeA, .*kernel upgrade, by root \(uid 0\)/);
    for (const node of [b, c]) {
      const told = async (): Promise<boolean> => /maintenance: on nodeA/.test(await ctl(node, 'status'));
      await until(told, patienceMs, () => logsOf(cluster));
    }
  });

  await t.test(
    'explain says it in one sentence, on the node that runs it and on one that could',
    async () => {
      const mine = (await ctl(a, 'explain', 'shared')).replace(/\s+/g, ' ');
      assert.match(
        mine,
        /nodeA: primary; in maintenance \(kernel upgrade, by root \(uid 0\)\), and left alone: hastmonctl maintenance off shared ends it /,
      );
      const theirs = await ctl(b, 'explain', 'shared');
      assert.match(theirs, /nodeB: secondary; nodeA is in maintenance \(kernel upgrade, by root \(uid 0\)\)/);
      assert.match(theirs, /CAN BE PROMOTED HERE: no/);
    },
  );

  await t.test('what would move it is refused', async () => {
    for (const words of [
      ['switchover', 'shared'],
      ['role', 'secondary', 'shared'],
    ])
      assert.match(
        (await a.ctl(...words)).stderr,
        /in maintenance \(kernel upgrade\): hastmonctl maintenance off shared first/,
      );
  });

  await t.test('hastmond ends and comes back: not a beat is missing', async () => {
    const exited = a.exited;
    a.signal('SIGTERM');
    assert.equal(await exited, 0, logsOf(cluster));
    // Longer than any grant lasts, and than complaints take.
    const left = monotonicMs();
    await pause(6000);
    assert.ok((cluster.beats().at(-1)?.last ?? 0) > left + 5000, `it does not beat\n${logsOf(cluster)}`);
    assert.equal((await b.status())?.role, 'secondary');
    await noFailover();
    await a.start();
    await until(
      async () => (await a.status())?.state === 'run' && (await a.status())?.lease.held === true,
      patienceMs,
      () => logsOf(cluster),
    );
    alone();
    await noFailover();
  });

  await t.test('kill -9 of hastmond and of its worker: the same', async () => {
    assert.ok(a.running(), 'nothing to kill: pid 0 would be this test itself');
    const killed = a.exited;
    for (const pid of [a.pid, a.worker('primary')]) process.kill(pid, 'SIGKILL');
    await killed;
    await a.start();
    await until(
      async () => (await a.status())?.lease.held === true,
      patienceMs,
      () => logsOf(cluster),
    );
    alone();
    await noFailover();
  });

  await t.test('off: the lease counts again', async () => {
    await ctl(a, 'maintenance', 'off', 'shared');
    assert.doesNotMatch(await ctl(a, 'status'), /maintenance:/);
    alone();
    const before = monotonicMs();
    await give(cluster, 'nodeA', { kind: 'switchover', resource: 'shared', to: 'nodeB', wait: true });
    await runsOn(cluster, 'nodeB', before);
    assert.equal(overlapMs(cluster.beats()), 0);
  });
});
