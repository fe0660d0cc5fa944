/** The shell of confirmation: what it keeps on disk, and two of them over real connections with a great many checks. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, type TestContext, test } from 'node:test';
import type { CheckSpec, MonitorConfig } from '../../daemon/checks/spec.js';
import { parseConfig } from '../../daemon/config/load.js';
import type { LedgerRecord } from '../../daemon/confirm/types.js';
import { type LinkGroup, MONITORING } from '../../daemon/net/group.js';
import type { NetLog } from '../../daemon/net/log.js';
import { confirmConfigOf, monitorLinks } from '../../daemon/runtime/confirm-config.js';
import { createConfirmDisk } from '../../daemon/runtime/confirm-disk.js';
import { type ConfirmHost, createConfirmHost } from '../../daemon/runtime/confirm-host.js';
import { createPost } from '../../daemon/runtime/confirm-post.js';
import { openStore, type Store } from '../../daemon/state/store.js';
import { cleanUp, startNode, until } from '../net/cluster.js';

afterEach(cleanUp);

/** In memory where there is such a directory: thousands of files are written, and how fast is not what is tested. */
const place = existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();

function storeFor(t: TestContext): Store {
  const dir = mkdtempSync(path.join(place, 'hastmon-confirm-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const { store } = openStore(path.join(dir, 'confirm'));
  assert.ok(store !== null);
  return store;
}

function logTo(lines: string[]): NetLog {
  const note = (_: object, text: string): void => void lines.push(text);
  return { debug: note, info: note, warn: note, error: note };
}

function recordOf(edge: number, told = edge): LedgerRecord {
  return {
    ...{
      edge,
      told,
      said: told,
      saidBy: 'a',
      flap: 0,
      ack: 0,
      ackBy: '',
      held: 0,
      sinceMs: 5,
      wall: Date.now(),
    },
    ...{ mute: { revision: 0, leftMs: 0 }, notes: [] },
  };
}

/** A file of two nodes that monitor so many checks, as one of them reads it. */
function configOf(
  node: string,
  checks: readonly string[],
  changes: Partial<MonitorConfig> = {},
): MonitorConfig {
  const text = `monitor { nodes a b } alert ops { mail x@mail.example.com }\ncheck one tcp://127.0.0.1:9`;
  const none = (): { ok: false; reason: string } => ({ ok: false, reason: 'no' });
  const monitor = parseConfig(text, '/etc/hastmon.conf', none, { hostname: node }).config?.monitor;
  assert.ok(monitor);
  const [first] = monitor.checks;
  const specs = checks.map((name) => ({ ...(first as CheckSpec), name }));
  return { ...monitor, checks: specs, ...changes };
}

test('[E7] a record is what was written last, whatever the check is called; a corrupt one is set aside and said', async (t) => {
  const store = storeFor(t);
  const lines: string[] = [];
  const recorded: string[] = [];
  const open = () =>
    createConfirmDisk({
      store,
      log: logTo(lines),
      recorded: (check, edge) => recorded.push(`${check}#${edge}`),
    });
  const disk = open();
  const long = `${'n'.repeat(200)}@${'www.example.com.'.repeat(15)}`;
  const names = ['web', 'a/b:c@d+e~f%g', 'floor', long, `${long}x`];
  for (const edge of [1, 2, 3]) for (const name of names) disk.record(name, edge, recordOf(edge));
  disk.floor(8);
  await disk.idle();
  assert.deepEqual(
    new Set(recorded.filter((text) => text.endsWith('#3'))),
    new Set(names.map((name) => `${name}#3`)),
  );
  assert.ok(recorded.length < 3 * names.length, 'what is overtaken before it is written is not written');
  const read = await open().load();
  assert.equal(read.floor, 8);
  assert.deepEqual(Object.keys(read.records).sort(), [...names].sort());
  assert.ok(Object.values(read.records).every(({ edge }) => edge === 3));

  const file = readdirSync(store.dir).find((name) => name.includes('web')) ?? '';
  writeFileSync(
    path.join(store.dir, file),
    readFileSync(path.join(store.dir, file), 'utf8').replace('"edge":3', '"edge":4'),
  );
  await store.write('check other', { check: 'other', record: { edge: 'three' } });
  disk.record('floor', 3, null);
  await disk.idle();
  const after = await open().load();
  assert.deepEqual(Object.keys(after.records).sort(), [names[1], long, `${long}x`].sort());
  assert.equal(lines.filter((line) => line.includes('a record of outages is corrupt')).length, 2);
  assert.ok(readdirSync(store.dir).includes(`${file}.corrupt`));
});

test('[E7] where the disk refuses, people are told all the same, and it is said once', async (t) => {
  const store = storeFor(t);
  const lines: string[] = [];
  const recorded: string[] = [];
  const disk = createConfirmDisk({ store, log: logTo(lines), recorded: (check) => recorded.push(check) });
  rmSync(store.dir, { recursive: true });
  for (let index = 0; index < 20; index += 1) disk.record(`c${index}`, 1, recordOf(1));
  await disk.idle();
  assert.equal(recorded.length, 20);
  assert.equal(lines.length, 1, lines.join('\n'));
});

test('records of checks that go make room for all else between them', async (t) => {
  const store = storeFor(t);
  const disk = createConfirmDisk({ store, log: logTo([]), recorded: () => {} });
  const names = Array.from({ length: 200 }, (_, index) => `c${index}`);
  for (const name of names) store.writeSync(`check ${name}`, { check: name, record: recordOf(2) }, 'process');
  disk.floor(2);
  for (const name of names) disk.record(name, 2, null);
  let turns = 0;
  let over = false;
  const count = (): void => {
    turns += 1;
    if (!over) setImmediate(count);
  };
  count();
  disk.record('c0', 3, null);
  disk.record('c199', 3, null);
  await until('the last of them is about to go', () => store.names().length < 8);
  disk.record('c199', 3, recordOf(3));
  await disk.idle();
  over = true;
  assert.deepEqual(store.names(), ['check c199', 'floor']);
  assert.ok(turns > names.length / 4, `${turns} turns`);
});

test('what is to be said to a peer that has gone is forgotten, not said when it comes back', async () => {
  const said: string[] = [];
  let waiting = Number.POSITIVE_INFINITY;
  let asked = 0;
  const post = createPost({
    send: (to, { kind }) => said.push(`${to} ${kind}`) > 0,
    waiting() {
      asked += 1;
      return waiting;
    },
  });
  post.send('b', { kind: 'grant', check: 'x', edge: 1 });
  await until('it has been looked at', () => asked > 0);
  waiting = 0;
  const before = asked;
  post.send('c', { kind: 'grant', check: 'x', edge: 1 });
  await until('somebody else is told', () => said.length > 0 && asked > before);
  assert.deepEqual(said, ['c grant']);
  post.close();
});

test('what waits for a peer is the newest word of each kind, in the order of the last, and never too much', async () => {
  const said: string[] = [];
  let waiting = 100_000;
  const post = createPost({
    send(to, message) {
      said.push(`${to} ${message.kind} ${message.check} ${'edge' in message ? message.edge : ''}`);
      return true;
    },
    waiting: () => waiting,
  });
  for (const edge of [1, 2]) {
    post.send('b', { kind: 'claim', check: 'x', edge, witness: true });
    post.send('b', { kind: 'release', check: 'x', edge });
  }
  post.send('b', { kind: 'claim', check: 'x', edge: 3, witness: true });
  post.send('c', { kind: 'grant', check: 'x', edge: 3 });
  post.lost('c');
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(said, [], 'the peer does not read');
  waiting = 0;
  await until('it reads again', () => said.length === 2);
  assert.deepEqual(said, ['b release x 2', 'b claim x 3']);
  post.close();
});

test('what is asked again of a peer that is slow does not lose its place', async () => {
  const said: string[] = [];
  let waiting = 100_000;
  const post = createPost({
    send: (_to, { kind, check }) => said.push(`${kind} ${check}`) > 0,
    waiting: () => waiting,
  });
  const ask = (check: string): void => post.send('b', { kind: 'ask', check, id: 1, edge: 0, told: 0 });
  for (const check of ['x', 'y', 'x']) ask(check);
  waiting = 0;
  await until('it reads', () => said.length === 2);
  assert.deepEqual(said, ['ask x', 'ask y']);
  post.close();
});

test('what a file means: the same for all nodes, but for their own addresses', () => {
  const [a, b] = ['a', 'b'].map((node) => configOf(node, ['web']));
  assert.ok(a !== undefined && b !== undefined);
  assert.deepEqual(confirmConfigOf(a), confirmConfigOf(b));
  assert.equal(confirmConfigOf(a).domain, 'mail.example.com');
  assert.equal(confirmConfigOf({ ...a, alerts: [] }).domain, 'hastmon.invalid');
  assert.ok(confirmConfigOf(a).limits.sendMs > 45_000 + 10_000);
  assert.deepEqual(
    monitorLinks(a, 'a').map(({ remote }) => remote.map(({ text }) => text)),
    [['tcp://b']],
  );
  assert.deepEqual(monitorLinks({ ...a, active: false }, 'a'), []);
  assert.deepEqual(monitorLinks({ ...a, nodes: ['a'] }, 'a'), []);
});

test('an outage that this node alone can confirm, and that people were told, are observed once', async (t) => {
  const seen: string[] = [];
  const store = storeFor(t);
  const open = (): ConfirmHost => {
    const host: ConfirmHost = createConfirmHost({
      ...{ node: 'a', store, log: logTo([]), wall: Date.now, clock: () => performance.now() },
      monitor: {
        look: () => Promise.reject(new Error('it is seen')),
        run: () => Promise.reject(new Error('it is seen')),
        sight: () => 'down',
      },
      desk: { tell: ({ check, edge }) => host.told(check, edge, ''), cancel: () => {} },
      ...{ send: () => false, waiting: () => 0, changed: () => {} },
      observed: (check, { edge, kind }) => void seen.push(`${check} ${kind} ${edge}`),
    });
    t.after(() => host.close());
    host.configure({ ...configOf('a', ['x', 'y']), nodes: ['a'] });
    return host;
  };
  const view = { name: 'x', state: 'down', nature: 'refused', detail: 0, sinceAge: 0, age: 0, latencyMs: 1 };
  const given = [
    { ...view, okAge: 5 },
    { address: '', text: '', excerpt: '' },
  ] as unknown;
  const host = open();
  host.seen(...(given as Parameters<ConfirmHost['seen']>));
  await until('it is told', () => seen.length === 2);
  await host.close();
  const again = open();
  await until('it has read what it knew', () => again.state()?.ledgers.x?.edge === 1);
  again.seen(...(given as Parameters<ConfirmHost['seen']>));
  again.mute('y', 1);
  await until('it goes on', () => again.state()?.ledgers.y !== undefined);
  await again.close();
  assert.deepEqual(seen, ['x down 1', 'x told 1']);
});

test('a step that takes its time is followed by four times as much for all else', async (t) => {
  let now = 0;
  const steps: number[] = [];
  const host = createConfirmHost({
    ...{ node: 'a', store: storeFor(t), log: logTo([]), wall: Date.now, clock: () => now },
    monitor: {
      look: () => Promise.reject(new Error('nothing is checked here')),
      run: () => Promise.reject(new Error('nothing is checked here')),
      sight: () => 'unknown',
    },
    desk: { tell: () => {}, cancel: () => {} },
    send: () => false,
    waiting: () => 0,
    // As a step with thousands of checks in trouble.
    changed() {
      now += 25;
      steps.push(performance.now());
    },
  });
  host.configure(configOf('a', ['x', 'y']));
  await until('the first step', () => steps.length === 1);
  host.mute('x', 1000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  host.mute('y', 1000);
  await until('the second step', () => steps.length === 2);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const { ledgers } = host.state() ?? {};
  assert.deepEqual(Object.keys(ledgers ?? {}), ['x', 'y'], 'both are in the second step');
  assert.ok((steps[1] ?? 0) - (steps[0] ?? 0) > 90);
  await host.close();
});

test('[N17] [N36] three thousand ledgers at one connection: all of them come, and nothing else has to wait', async (t) => {
  const names = Array.from({ length: 3000 }, (_, index) => `check-number-${index}`);
  const stores = [storeFor(t), storeFor(t)];
  for (const name of names)
    stores[0]?.writeSync(`check ${name}`, { check: name, record: recordOf(4) }, 'process');
  const hosts: ConfirmHost[] = [];
  const nodes = await Promise.all(
    ['a', 'b'].map((node, index) =>
      startNode(node, {
        onMessage: (_group, from, message) => {
          if (message.kind === 'confirm') hosts[index]?.message(from, message.message);
        },
        onLink: (_group, peer, up) => hosts[index]?.link(peer, up),
      }),
    ),
  );
  const lines: string[] = [];
  for (const [index, { name, network }] of nodes.entries()) {
    const host = createConfirmHost({
      ...{ node: name, store: stores[index] as Store, log: logTo(lines), wall: Date.now, changed: () => {} },
      monitor: {
        look: () => Promise.reject(new Error('nothing is checked here')),
        run: () => Promise.reject(new Error('nothing is checked here')),
        sight: () => 'unknown',
      },
      desk: { tell: () => assert.fail('nothing is to be told'), cancel: () => {} },
      send: (to, message) => network.send(MONITORING, to, { kind: 'confirm', message }),
      waiting: (to) => network.waiting(MONITORING, to),
      clock: () => performance.now(),
    });
    hosts.push(host);
    host.configure(configOf(name, names));
  }
  await until('both have read', () => hosts.every((host) => host.state() !== null));
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  for (const [index, { network }] of nodes.entries()) {
    const group: LinkGroup = {
      ...{ name: MONITORING, voters: ['a', 'b'], key: null, friends: [], probes: true },
      ...{ remote: [nodes[1 - index]?.address as LinkGroup['remote'][number]] },
      ...{ timeoutMs: 5000, heartbeatIntervalMs: 1000, leaseTimeoutMs: 5000 },
    };
    network.configure([group]);
  }
  const known = (): number =>
    Object.values(hosts[1]?.state()?.ledgers ?? {}).filter(({ edge }) => edge === 4).length;
  await until('all have come', () => known() === names.length);
  delay.disable();
  await Promise.all(hosts.map((host) => host.close()));
  assert.equal(readdirSync(stores[1]?.dir ?? '').length, names.length);
  for (const { events } of nodes) assert.equal(events.length, 0, 'no connection was lost');
  t.diagnostic(`the loop was held up for ${Math.round(delay.max / 1e6)} ms at most`);
});
