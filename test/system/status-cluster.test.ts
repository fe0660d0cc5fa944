/**
 * What all nodes say, gathered by one of them: three real daemons, one of which is killed, one cut off. What is not known any more is shown
 * as unknown, with its age, within the heartbeat's bound, in every view.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import type { ClusterView, NodeReport } from '../../proto/cluster-types.js';
import { monotonicMs } from './beats.js';
import { type Cluster, type ClusterNode, must } from './cluster.js';
import { cutBoth, freePorts } from './network.js';
import { hastmonctl } from './paths.js';
import { createProxies } from './proxy.js';
import { calmTimes, clusterFor, logsOf, patienceMs, runsOn } from './support.js';
import { until } from './wait.js';

/** Of calmTimes; and what a busy machine may take on top of it. */
const LEASE_TIMEOUT_MS = 1000;
const SPARE_MS = 3000;

async function viewOf(node: ClusterNode): Promise<ClusterView> {
  return JSON.parse(await must(node.ctl('status', '--cluster', '--json'))) as ClusterView;
}

/** What the live view shows first, where it is no terminal. */
async function live({ configFile }: Cluster, node: ClusterNode): Promise<string> {
  const args = [hastmonctl, 'status', '--watch', '--json', '-c', configFile, '-n', node.name];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    text += chunk;
    if (text.includes('\n')) break;
  }
  child.kill('SIGINT');
  return text;
}

async function reportOf(node: ClusterNode, about: string): Promise<NodeReport> {
  const found = (await viewOf(node)).nodes.find((report) => report.node === about);
  assert.ok(found, `a report of ${about}`);
  return found;
}

/** The second node serves HTTP. */
async function upWithProxies(
  t: TestContext,
): Promise<{ cluster: Cluster; nodes: ClusterNode[]; get: (path: string) => Promise<string> }> {
  const [port = 0] = await freePorts(1);
  const cluster = await clusterFor(t, {
    ...{ network: createProxies, statements: calmTimes },
    ownFile: { nodeB: `http 127.0.0.1:${port}` },
  });
  await cluster.up();
  await runsOn(cluster, 'nodeA');
  return {
    ...{ cluster, nodes: ['nodeA', 'nodeB', 'nodeC'].map((name) => cluster.node(name)) },
    get: async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).text(),
  };
}

test('one table of all nodes; what is not known any more is unknown, since when', async (t) => {
  const { cluster, get, nodes } = await upWithProxies(t);
  const [a, b, c] = nodes as [ClusterNode, ClusterNode, ClusterNode];

  await t.test('every node tells of itself, whichever is asked', async () => {
    for (const node of nodes) {
      const whole = async (): Promise<boolean> =>
        (await viewOf(node)).nodes.every(({ said }) => said !== null && said.status[0]?.holder === 'nodeA');
      await until(whole, patienceMs, () => `${node.name} does not hear all\n${logsOf(cluster)}`);
      const view = await viewOf(node);
      assert.deepEqual(
        view.nodes.map(({ node: name, note, said, self }) => [name, self, note, said?.status[0]?.role]),
        [
          ['nodeA', node === a, '', 'primary'],
          ['nodeB', node === b, '', 'secondary'],
          ['nodeC', node === c, '', 'watchdog'],
        ],
      );
      assert.deepEqual(view.double, []);
      for (const { ageMs, said } of view.nodes) {
        assert.ok(ageMs < LEASE_TIMEOUT_MS + SPARE_MS, `a word of ${ageMs} ms`);
        assert.match(said?.version ?? '', /^\d+\.\d+/);
      }
    }
    const text = await must(b.ctl('status', '--cluster', 'shared'));
    assert.match(text, /^NODE +RESOURCE +ROLE +STATE +LEASE/);
    assert.match(text, /nodeA +shared +primary +run +held, .* left +1 /);
    const none = await b.ctl('status', '--cluster', 'shard');
    assert.deepEqual(
      [none.code, none.stderr],
      [68, 'hastmonctl: no resource shard on any node that has answered\n'],
    );
  });

  await t.test('a node that is cut off', async () => {
    const cutAt = monotonicMs();
    await cutBoth(cluster.network, 'nodeA', 'nodeB');
    await until(
      async () => (await reportOf(b, 'nodeA')).said === null,
      patienceMs,
      () => `nodeA is still known\n${logsOf(cluster)}`,
    );
    const tookMs = monotonicMs() - cutAt;
    assert.ok(tookMs < LEASE_TIMEOUT_MS + SPARE_MS, `unknown after ${tookMs} ms`);
    const report = await reportOf(b, 'nodeA');
    assert.notEqual(report.note, '');
    assert.ok((report.heardMs ?? -1) <= monotonicMs() - cutAt + 100, `heard ${report.heardMs} ms ago`);
    assert.match(await must(b.ctl('status', '--cluster')), /nodeA +- +unknown since [\d.]+ m?s /);
    // The third node hears both.
    assert.ok((await viewOf(c)).nodes.every(({ said }) => said !== null));
    const alone = async (): Promise<boolean> => {
      const status = await b.status();
      const voter = status?.voters.find(({ node }) => node === 'nodeA');
      return voter?.reachable === false && status?.holder === '';
    };
    await until(alone, patienceMs, () => logsOf(cluster));
    assert.match(await must(b.ctl('status')), /nodeA \(unreachable\) unknown since /);
    assert.match(await must(b.ctl('explain', 'shared')), /it holds the lease.* nobody is known to hold it /);
    const [look = ''] = (await live(cluster, b)).split('\n');
    const seen = [look, await get('/api/v1/cluster')].map((text) => JSON.parse(text));
    for (const view of [seen[0].cluster, seen[1]] as ClusterView[]) {
      const { heardMs, note, said } = view.nodes.find(({ node }) => node === 'nodeA') ?? {};
      assert.equal(said, null);
      assert.notEqual(note, '');
      assert.ok(Number(heardMs) > 0, `heard ${heardMs} ms ago`);
    }
    const figures = await get('/metrics');
    assert.match(figures, /^hastmon_node_reachable\{peer="nodeA"\} 0$/m);
    assert.match(figures, /^hastmon_link_up\{resource="shared",peer="nodeA"\} 0$/m);
    assert.match(figures, /^hastmon_primaries_seen\{resource="shared"\} 0$/m);
    await cluster.network.heal();
    await until(
      async () => (await reportOf(b, 'nodeA')).said !== null,
      patienceMs,
      () => `nodeA does not come back\n${logsOf(cluster)}`,
    );
  });

  await t.test('a node that is killed', async () => {
    const killedAt = monotonicMs();
    c.killMachine();
    await c.exited;
    await until(
      async () => (await reportOf(a, 'nodeC')).said === null,
      patienceMs,
      () => `nodeC is still known\n${logsOf(cluster)}`,
    );
    const tookMs = monotonicMs() - killedAt;
    assert.ok(tookMs < LEASE_TIMEOUT_MS + SPARE_MS, `unknown after ${tookMs} ms`);
    await until(
      async () => (await reportOf(a, 'nodeC')).note.startsWith('link lost: '),
      patienceMs,
      () => logsOf(cluster),
    );
    assert.match(await must(a.ctl('status', '--cluster')), /nodeC +- +unknown since .* link lost: /);
  });
});

test('two nodes that both run it are a line at the top, and the exit status says so', async (t) => {
  const { cluster, nodes } = await upWithProxies(t);
  const [, b, c] = nodes as [ClusterNode, ClusterNode, ClusterNode];
  await cutBoth(cluster.network, 'nodeA', 'nodeB');
  // By force, which is refused while a lawful holder is heard.
  const forced = async (): Promise<boolean> =>
    (await b.ctl('role', 'primary', '--force', '--yes', 'shared')).code === 0;
  await until(forced, patienceMs, () => logsOf(cluster));
  const double = async (): Promise<boolean> => (await c.ctl('status', '--cluster')).code === 1;
  await until(double, patienceMs, () => logsOf(cluster));
  const { code, stdout } = await c.ctl('status', '--cluster');
  assert.equal(code, 1, stdout);
  assert.match(stdout, /^shared RUNS ON MORE THAN ONE NODE: nodeA and nodeB\n\nNODE /);
  assert.match(stdout, /nodeB .* forced, outside the lease/);
  // Who hears one of them alone knows of no second one.
  assert.deepEqual((await viewOf(b)).double, []);
  await cluster.network.heal();
  const lawful = async (): Promise<boolean> => (await c.ctl('status', '--cluster')).code === 0;
  await until(lawful, patienceMs, () => logsOf(cluster));
});
