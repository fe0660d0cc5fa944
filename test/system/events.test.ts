/** What hastmonctl events tells of a cluster's life: who did what, in which order, through restarts and to whoever follows. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { HaEvent } from '../../proto/event-types.js';
import { type Cluster, type ClusterNode, must } from './cluster.js';
import { hastmonctl } from './paths.js';
import { clusterFor, patienceMs, runsOn } from './support.js';
import { until } from './wait.js';

const lines = (text: string): HaEvent[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as HaEvent);

async function eventsOf(node: ClusterNode, ...words: string[]): Promise<HaEvent[]> {
  return lines(await must(node.ctl('events', '--json', '--last', '1000', ...words)));
}

const textOf = (events: readonly HaEvent[]): string =>
  events.map(({ kind, number, text }) => `${number} ${kind} ${text}`).join('\n');

/** These happened, in this order: kinds, with a fact where that says which one. */
function inOrder(events: readonly HaEvent[], ...wanted: (string | [kind: string, fact: object])[]): void {
  let at = -1;
  for (const one of wanted) {
    const [kind, fact] = typeof one === 'string' ? [one, {}] : one;
    at = events.findIndex(
      (event, index) =>
        index > at &&
        event.kind === kind &&
        Object.entries(fact).every(([name, value]) => event.data[name] === value),
    );
    assert.ok(at >= 0, `${kind} ${JSON.stringify(fact)} in its place in\n${textOf(events)}`);
  }
}

interface Following {
  child: ChildProcess;
  events(): HaEvent[];
  errors(): string;
}

/** hastmonctl events --follow on a node, from now on. */
function follow(t: TestContext, cluster: Cluster, node: string): Following {
  const words = [
    'events',
    'shared',
    '--follow',
    '--json',
    '--last',
    '0',
    '-c',
    cluster.configFile,
    '-n',
    node,
  ];
  const child = spawn(process.execPath, [hastmonctl, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => void child.kill('SIGKILL'));
  let said = '';
  let errors = '';
  child.stdout?.on('data', (chunk) => {
    said += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  return { child, events: () => lines(said.slice(0, said.lastIndexOf('\n') + 1)), errors: () => errors };
}

test('events tell what happened, why, and who asked for it', async (t) => {
  const cluster = await clusterFor(t);
  const [a, b, c] = ['nodeA', 'nodeB', 'nodeC'].map((name) => cluster.node(name)) as [
    ClusterNode,
    ClusterNode,
    ClusterNode,
  ];
  await cluster.up();
  await runsOn(cluster, 'nodeA');
  let before: HaEvent[] = [];

  await t.test('a start: the lease, the hook and what it took, and the command of its user', async () => {
    before = await eventsOf(a);
    inOrder(before, 'daemon-started', ['role-changed', { to: 'primary' }], 'lease-acquired');
    inOrder(
      before,
      'lease-acquired',
      ['hook', { action: 'start', ok: true }],
      ['run-changed', { to: 'run' }],
    );
    inOrder(before, ['command', { command: 'role primary shared', done: true }]);
    const { by, resource } = before.find(({ kind }) => kind === 'command') ?? {};
    assert.ok(by?.endsWith(`(uid ${process.getuid?.()})`), by);
    assert.equal(resource, 'shared');
    const started = before.find(({ data, kind }) => kind === 'hook' && data.action === 'start');
    assert.ok(Number(started?.data.ms) > 0);
    assert.deepEqual(
      before.map(({ number }) => number),
      before.map((_, index) => index + 1),
    );
    assert.ok(before.every(({ node }) => node === 'nodeA'));
  });

  await t.test('a worker that is killed, and a reload that is refused or changes something', async () => {
    process.kill(a.worker('primary'), 'SIGKILL');
    const replaced = async (): Promise<boolean> =>
      (await eventsOf(a)).some(({ data, kind }) => kind === 'process-ended' && data.process === 'worker');
    await until(replaced, patienceMs, () => a.log());
    const text = readFileSync(cluster.configFile, 'utf8');
    writeFileSync(cluster.configFile, `${text}\nresource {`);
    // Its own file cannot be read, so that hastmonctl cannot be used.
    assert.notEqual((await a.request({ kind: 'reload' })).error, null);
    writeFileSync(cluster.configFile, text.replace('status_interval 300ms', 'status_interval 400ms'));
    await must(a.ctl('reload'));
    await runsOn(cluster, 'nodeA');
    const events = await eventsOf(a);
    inOrder(events, 'reload-failed', ['command', { command: 'reload', done: false }], 'reloaded');
    inOrder(
      events,
      ['command', { command: 'reload', done: false }],
      ['command', { command: 'reload', done: true }],
      'reloaded',
    );
    const { resource, text: what } = events.find(({ kind }) => kind === 'reloaded') ?? {};
    assert.match(`${resource} ${what}`, /^shared status_interval changed$/);
    before = events;
  });

  /** On a busy machine a lease may have been lost, and held again, before. */
  const epochOn = async (node: ClusterNode): Promise<number> => (await node.status())?.lease.epoch ?? 0;

  await t.test('a failover: on each node what it saw of it, in its order', async () => {
    const old = await epochOn(a);
    a.killMachine();
    await a.exited;
    await runsOn(cluster, 'nodeB');
    const epoch = await epochOn(b);
    assert.ok(epoch > old && old > 0);
    const won = await eventsOf(b, 'shared');
    inOrder(
      won,
      ['holder-lost', { peer: 'nodeA', why: 'silent' }],
      ['lease-acquired', { epoch }],
      ['hook', { action: 'start', ok: true }],
      ['run-changed', { to: 'run', epoch }],
    );
    inOrder(won, ['link-down', { peer: 'nodeA' }], ['complaint', { peer: 'nodeC' }], 'lease-acquired');
    inOrder(
      await eventsOf(c, 'shared'),
      ['vote-granted', { peer: 'nodeA', epoch: old }],
      ['vote-ended', { peer: 'nodeA', epoch: old, why: 'ran-out' }],
      ['vote-granted', { peer: 'nodeB', epoch }],
      ['holder-heard', { peer: 'nodeB', epoch }],
    );
  });

  await t.test('a restart: what was before is there, and numbers go on', async () => {
    await a.start();
    const events = await eventsOf(a);
    const known = events.slice(0, before.length);
    assert.deepEqual(known, before);
    for (const [index, { number }] of events.entries())
      assert.ok(number > (events[index - 1]?.number ?? 0), textOf(events));
    const { kind } = events.slice(before.length).find(({ kind }) => /^daemon-/.test(kind)) ?? {};
    assert.equal(kind, 'daemon-started', 'it had no time to say that it ends');
  });

  await t.test('who follows sees a switchover as it happens, and ends without noise', async () => {
    const seen = follow(t, cluster, 'nodeB');
    const closed = follow(t, cluster, 'nodeB');
    const has = (following: Following, kind: string): boolean =>
      following.events().some((event) => event.kind === kind);
    await must(a.ctl('role', 'secondary', 'shared', '--wait'));
    // Each is there when it has seen something.
    await until(
      async () => {
        await b.ctl('switchover', 'shared', '--to', 'nodeX');
        return has(seen, 'command') && has(closed, 'command');
      },
      patienceMs,
      () => `nothing is followed: ${seen.errors()}`,
    );
    const refused = seen.events().find(({ kind }) => kind === 'command');
    assert.equal(refused?.data.done, false);
    assert.match(String(refused?.data.error), /nodeX/);
    closed.child.stdout?.destroy();
    const epoch = await epochOn(b);
    await must(b.ctl('switchover', 'shared', '--wait'));
    await runsOn(cluster, 'nodeA');
    await until(
      () => has(seen, 'lease-released'),
      patienceMs,
      () => textOf(seen.events()),
    );
    inOrder(
      seen.events(),
      ['handover-begun', { to: 'nodeA' }],
      ['hook', { action: 'stop', ok: true }],
      ['lease-released', { epoch }],
    );
    if (closed.child.exitCode === null) await once(closed.child, 'close');
    assert.deepEqual([closed.child.exitCode, closed.errors()], [0, '']);
    seen.child.kill('SIGINT');
    await once(seen.child, 'close');
    assert.equal(seen.errors(), '');
  });

  await t.test('since when, how many and about what', async () => {
    const all = await eventsOf(b);
    const last = lines(await must(b.ctl('events', '--json', '--last', '2')));
    assert.deepEqual([last.length, (last[0]?.number ?? 0) >= all.length - 1], [2, true]);
    const recent = lines(await must(b.ctl('events', '--json', '--since', '1h')));
    assert.deepEqual(recent.slice(0, all.length), all);
    assert.deepEqual(lines(await must(b.ctl('events', '--json', '--since', '0s'))), []);
    const none = await b.ctl('events', 'nobody');
    assert.deepEqual(none, {
      code: 0,
      stdout: '',
      stderr: 'hastmonctl: nothing has happened here about nobody\n',
    });
    const wrong = await b.ctl('events', '--since', 'yesterday');
    assert.equal(wrong.code, 64);
    assert.match(wrong.stderr, /--since: 'yesterday' is neither a length of time \(30m\) nor a time/);
    const shown = await must(b.ctl('events', 'shared', '--last', '1'));
    assert.match(shown, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} {2}shared {2}\S.*\n$/);
  });

  await t.test('an orderly end', async () => {
    c.signal('SIGTERM');
    await c.exited;
    await c.start();
    inOrder(await eventsOf(c), 'daemon-started', ['daemon-ended', { stopped: true }], 'daemon-started');
  });
});
