/**
 * Real failovers on three daemons, and what hastmonctl timeline makes of them: its phases against the times that this test has measured by its
 * own clock.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Failover, Timeline } from '../../proto/timeline-types.js';
import { monotonicMs } from './beats.js';
import { type ClusterNode, must } from './cluster.js';
import { clusterFor, give, logsOf, patienceMs, runsOn } from './support.js';
import { pause, until } from './wait.js';

/** Of calmTimes. */
const LEASE_TIMEOUT_MS = 1000;
const HEARTBEAT_MS = 200;
/** Between what happens and what is seen of it, on a machine that is busy. */
const SPARE_MS = 1500;

async function timelineOf(node: ClusterNode, last = 1): Promise<Timeline> {
  return JSON.parse(await must(node.ctl('timeline', 'shared', '--last', String(last), '--json'))) as Timeline;
}

function wellFormed({ phases, tookMs }: Failover): void {
  let at = 0;
  for (const { beginMs, name, tookMs: took } of phases) {
    assert.equal(beginMs, at, name);
    assert.ok(took > 0, `${name} took ${took} ms`);
    at += took;
  }
  assert.equal(at, tookMs);
}

const namesOf = ({ phases }: Failover): string[] => phases.map(({ name }) => name);

test('a failover and a switchover, phase by phase', async (t) => {
  const cluster = await clusterFor(t);
  const [a, b, c] = ['nodeA', 'nodeB', 'nodeC'].map((name) => cluster.node(name)) as [
    ClusterNode,
    ClusterNode,
    ClusterNode,
  ];
  await cluster.up();
  await runsOn(cluster, 'nodeA');

  await t.test('a first start is no failover', async () => {
    assert.deepEqual(await timelineOf(a), { resource: 'shared', failovers: [], missing: [] });
    const { code, stderr, stdout } = await a.ctl('timeline', 'shared');
    assert.deepEqual([code, stdout, stderr], [0, '', 'hastmonctl: no failover of shared is known\n']);
    const none = await a.ctl('timeline', 'shard');
    assert.deepEqual(
      [none.code, none.stderr],
      [68, 'hastmonctl: no resource shard on node nodeA; it has: shared\n'],
    );
  });

  await t.test('a node is lost', async () => {
    const killedAt = monotonicMs();
    a.killMachine();
    await a.exited;
    const killedWall = Date.now();
    await runsOn(cluster, 'nodeB', killedAt);
    const firstBeat = cluster.beats().at(-1)?.first ?? 0;
    // Its daemon says so after it has seen the start end.
    await until(
      async () => (await timelineOf(b)).failovers.length === 1,
      patienceMs,
      () => logsOf(cluster),
    );
    const epoch = (await b.status())?.lease.epoch;
    const { failovers, missing } = await timelineOf(c);
    assert.deepEqual(
      missing.map(({ node }) => node),
      ['nodeA'],
    );
    const [failover] = failovers;
    assert.ok(failover !== undefined);
    wellFormed(failover);
    assert.deepEqual(
      [failover.kind, failover.from, failover.to, failover.epoch],
      ['lost', 'nodeA', 'nodeB', epoch],
      JSON.stringify(failover, null, 1),
    );
    assert.ok(Math.abs(failover.at - killedWall) < HEARTBEAT_MS + SPARE_MS, `at ${failover.at - killedWall}`);
    // From the last renewal before the kill to the first beat of the new one, and what the hook takes to end.
    const realMs = firstBeat - killedAt;
    const tookMs = failover.tookMs ?? 0;
    assert.ok(
      tookMs > realMs - SPARE_MS && tookMs < realMs + HEARTBEAT_MS + SPARE_MS,
      `${tookMs} of ${realMs} ms`,
    );
    const names = namesOf(failover);
    assert.equal(names[0], 'unnoticed');
    assert.ok(names.includes('complaints') || names.includes('grants'), names.join(' '));
    assert.equal(names.at(-1), 'start');
    const [unnoticed] = failover.phases;
    assert.deepEqual([unnoticed?.setting, unnoticed?.settingMs], ['lease_timeout', LEASE_TIMEOUT_MS]);
    assert.ok(
      (unnoticed?.tookMs ?? 0) > LEASE_TIMEOUT_MS - HEARTBEAT_MS &&
        (unnoticed?.tookMs ?? 0) < LEASE_TIMEOUT_MS + HEARTBEAT_MS + SPARE_MS,
      `unnoticed for ${unnoticed?.tookMs} ms`,
    );
    const seen = new Set(failover.marks.map(({ node }) => node));
    assert.deepEqual([...seen].sort(), ['nodeB', 'nodeC']);
    const text = await must(b.ctl('timeline', 'shared', '-v'));
    assert.match(text, /shared: nodeA was not heard any more; it ran on nodeB after [\d.]+ m?s, epoch \d/);
    assert.match(text, /unnoticed +[\d.]+ m?s +#+ +lease_timeout: 1 s/);
    assert.match(text, /\+\d+ ms +nodeB +this node holds the lease, epoch \d/);
    assert.match(text, /nodeA could not be asked/);
  });

  await t.test('it comes back, and is handed the resource', async () => {
    await a.start();
    await give(cluster, 'nodeA', {
      ...{ kind: 'role', role: 'secondary', resources: ['shared'], force: false, wait: true },
    });
    // Its own voter waits out what it granted before: without the third one's vote it would get no lease.
    const connected = async (): Promise<boolean> =>
      (await a.status())?.voters.every(({ reachable }) => reachable) === true;
    await until(connected, patienceMs, () => `nodeA does not hear all\n${logsOf(cluster)}`);
    const began = monotonicMs();
    const ordered = async (): Promise<boolean> =>
      (await b.request({ kind: 'switchover', resource: 'shared', to: 'nodeA', wait: false })).error === null;
    await until(ordered, patienceMs, () => `no switchover\n${logsOf(cluster)}`);
    await runsOn(cluster, 'nodeA', began);
    await until(
      async () => (await timelineOf(b, 5)).failovers.length === 2,
      patienceMs,
      () => logsOf(cluster),
    );
    const { failovers, missing } = await timelineOf(a, 5);
    assert.deepEqual(missing, []);
    const [first, second] = failovers;
    assert.ok(first !== undefined && second !== undefined);
    wellFormed(second);
    assert.deepEqual(
      [first.to, second.kind, second.from, second.to],
      ['nodeB', 'handover', 'nodeB', 'nodeA'],
    );
    assert.deepEqual([namesOf(second)[0], namesOf(second).at(-1)], ['stop', 'start']);
    assert.ok((second.tookMs ?? 0) < monotonicMs() - began, `${second.tookMs} ms`);
  });

  await t.test(
    'a watchdog that stood still for a while has nothing to do with a later switchover',
    async () => {
      const silences = async (): Promise<number> => {
        const lines = (await must(c.ctl('events', 'shared', '--json', '--last', '50'))).trim().split('\n');
        return lines.filter((line) => /"holder-lost".*"silent"/.test(line)).length;
      };
      const before = await silences();
      const stoodStill = async (): Promise<boolean> => {
        c.signal('SIGSTOP');
        await pause(2 * LEASE_TIMEOUT_MS);
        c.signal('SIGCONT');
        return (await silences()) > before;
      };
      await until(stoodStill, patienceMs, () => logsOf(cluster));
      const able = async (): Promise<boolean> => {
        const { error } = await a.request({ kind: 'switchover-plan', resource: 'shared', to: 'nodeB' });
        return error === null;
      };
      await until(able, patienceMs, () => logsOf(cluster));
      const ordered = monotonicMs();
      await must(a.ctl('switchover', 'shared', '--to', 'nodeB'));
      const failovers = async (): Promise<Failover[]> => (await timelineOf(b, 9)).failovers;
      await until(
        async () => (await failovers()).at(-1)?.to === 'nodeB',
        patienceMs,
        () => logsOf(cluster),
      );
      const tookAtMost = monotonicMs() - ordered;
      const last = (await failovers()).at(-1);
      assert.ok(last !== undefined);
      wellFormed(last);
      assert.deepEqual([last.kind, last.from, last.to], ['handover', 'nodeA', 'nodeB']);
      assert.ok((last.tookMs ?? 0) < tookAtMost, `${last.tookMs} of at most ${tookAtMost} ms`);
    },
  );
});
