/** On whose node the table counts, and who is told what: with real processes of a small program in the balancer's place. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ShareEntry } from '../../daemon/balancer/core/types.js';
import type { Config } from '../../daemon/config/types.js';
import type { NodeState } from '../../daemon/core/node-types.js';
import type { PeerNetwork } from '../../daemon/net/peer-network.js';
import { createBalancing } from '../../daemon/runtime/balancing.js';
import type { NewEvent } from '../../proto/event-types.js';
import type { ShareMessage } from '../../proto/share-codec.js';
import { until } from '../net/cluster.js';

/** Logs what it is told. */
const PROGRAM = `
process.on('disconnect', () => process.exit(0));
const say = (text) => process.send({ kind: 'log', level: 'info', fields: {}, text });
process.on('message', (message) => {
  if (message.kind === 'settings') {
    say('settings ' + Object.keys(message.checks).sort().join());
    process.send({ kind: 'share-wanted' });
  }
  if (message.kind === 'word') say('word ' + message.word.node + ' ' + message.word.fresh);
  if (message.kind === 'active') say('active ' + message.active);
  if (message.kind === 'share-all') {
    say('share-all');
    process.send({ kind: 'share', full: true, more: false, entries: [] });
  }
  if (message.kind === 'share') say('share ' + message.full + ' ' + message.entries.map((entry) => entry.host).join());
});
`;

const LINGER_MS = 300;

function sceneFor(t: TestContext) {
  const folder = mkdtempSync(path.join(tmpdir(), 'hastmon-balancing-'));
  const script = path.join(folder, 'program.mjs');
  writeFileSync(script, PROGRAM);
  const lines: string[] = [];
  const events: NewEvent[] = [];
  const sent: { node: string; message: ShareMessage }[] = [];
  const note = (_: object, text: string): void => void lines.push(text);
  /** Who holds the lease as far as this node, a, knows. */
  let holder: string | null = null;
  let kept = false;
  const state = (): NodeState =>
    ({
      role: holder === 'a' ? 'primary' : 'secondary',
      worker: holder === 'a' ? { report: { leaseUntil: 2 } } : null,
      peers: { b: peer('b'), c: peer('c') },
      kept: kept ? {} : null,
      settings: { voters: ['a', 'b', 'c'], leaseMs: 1000 },
    }) as unknown as NodeState;
  const peer = (name: string) => ({
    linked: true,
    heardAt: 1,
    message: { holdingEpoch: holder === name ? 5 : 0 },
  });
  const network = {
    send: (_group: string, node: string, { message }: { message: ShareMessage }) => {
      sent.push({ node, message });
      return true;
    },
  } as unknown as PeerNetwork;
  const balancing = createBalancing({
    ...{ node: 'a', script, network: () => network, state, clock: () => 1, wall: Date.now },
    records: { record: () => {}, forget: () => {} },
    log: { debug: note, info: note, warn: note, error: note },
    lingerMs: LINGER_MS,
    record: (event) => void events.push(event),
    logged: 'terminal',
  });
  t.after(async () => {
    await balancing.close();
    rmSync(folder, { recursive: true });
  });
  const config = {
    node: 'a',
    resources: [{ name: 'lb', voters: ['a', 'b', 'c'] }],
    balancer: {
      ...{ file: '/etc/lb.conf', whilePrimary: 'lb', adopt: false, foreign: 'restore' },
      ...{ sync: null, console: null },
    },
    monitor: null,
  } as unknown as Config;
  return {
    balancing,
    lines,
    events,
    sent,
    config,
    maintain(on: boolean): void {
      kept = on;
    },
    holds(name: string | null): void {
      holder = name;
      balancing.look();
    },
    heard: (line: string, times = 1): Promise<void> =>
      until(`${line} in ${lines.join(' | ')}`, () => lines.filter((one) => one === line).length >= times),
    asked: (node: string): number =>
      sent.filter((one) => one.node === node && isQuestion(one.message)).length,
  };
}

function isQuestion({ entries, full, more }: ShareMessage): boolean {
  return entries.length === 0 && !full && !more;
}

const host = (name: string): ShareEntry => ({ kind: 'host', host: name, off: null });
const FULL: ShareMessage = { full: true, more: false, entries: [host('one')] };
const SILENCED: ShareMessage = { full: false, more: true, entries: [] };
const QUESTION: ShareMessage = { full: false, more: false, entries: [] };

test('[L7] in maintenance the table stays, whatever becomes of the lease', async (t) => {
  const { balancing, config, heard, holds, lines, maintain } = sceneFor(t);
  holds('a');
  balancing.apply(config);
  await heard('active true');
  maintain(true);
  holds(null);
  const since = performance.now();
  await until('longer than it would stay', () => performance.now() - since > 2 * LINGER_MS);
  assert.equal(lines.includes('active false'), false);
  maintain(false);
  holds(null);
  await heard('active false');
});

test('[B12] where the lease is lost and nobody has it, the table stays for a while, and not longer', async (t) => {
  const { balancing, config, events, heard, holds, lines } = sceneFor(t);
  holds('a');
  balancing.apply(config);
  await heard('active true');
  assert.deepEqual(
    events.map(({ data, kind, resource }) => ({ kind, resource, data })),
    [{ kind: 'director', resource: 'lb', data: { active: true } }],
  );
  holds(null);
  // As every heartbeat does it.
  const beat = setInterval(() => balancing.look(), 20);
  t.after(() => clearInterval(beat));
  await heard('active false');
  holds('a');
  await heard('active true', 2);
  holds(null);
  holds('a');
  const before = performance.now();
  await until('a while', () => performance.now() - before > 2 * LINGER_MS);
  assert.equal(lines.filter((line) => line === 'active false').length, 1, 'it had it again in time');
  holds('b');
  await heard('active false', 2);
});

test('[B12] whose balancer has begun, and who has another director, asks for all that is known', async (t) => {
  const { asked, balancing, config, heard, holds, sent } = sceneFor(t);
  balancing.apply(config);
  await heard('active false');
  await until('the process has begun', () => asked('b') === 1 && asked('c') === 1);
  holds('b');
  holds('b');
  assert.deepEqual([asked('b'), asked('c')], [2, 1]);
  holds('c');
  assert.deepEqual([asked('b'), asked('c')], [2, 2]);
  balancing.message('lb', 'b', QUESTION);
  holds('a');
  await heard('share-all');
  await until('it has told all', () => sent.some(({ node, message }) => node === 'b' && message.full));
  balancing.message('lb', 'b', QUESTION);
  await heard('share-all', 2);
  assert.equal(asked('b') + asked('c'), 4);
});

test('[B12] a full picture of which a part is not believed is no full picture', async (t) => {
  const { balancing, config, heard, holds } = sceneFor(t);
  balancing.apply(config);
  await heard('active false');
  holds('b');
  balancing.message('lb', 'b', { full: true, more: true, entries: [host('one')] });
  holds('c');
  balancing.message('lb', 'b', { full: false, more: true, entries: [host('two')] });
  holds('b');
  balancing.message('lb', 'b', { full: false, more: false, entries: [host('three')] });
  await heard('share false three');
  balancing.message('lb', 'b', { full: true, more: true, entries: [host('four')] });
  balancing.message('lb', 'b', { full: false, more: false, entries: [host('five')] });
  await heard('share true four,five');
});

test('[B12] whose balancer has ended says so to the others, whatever becomes of it', async (t) => {
  const { balancing, config, heard, holds, sent } = sceneFor(t);
  holds('a');
  balancing.apply(config);
  await heard('share-all');
  const silenced = (node: string): boolean =>
    sent.some(({ message, node: to }) => to === node && message.more && message.entries.length === 0);
  assert.equal(silenced('b'), false);
  process.kill(balancing.host.pid(), 'SIGKILL');
  await until('the others are told', () => silenced('b') && silenced('c'));
  await heard('share-all', 2);
});

test("[B12] the director's word is unknown from when its balancer ends until that has told all again", async (t) => {
  const { balancing, config, heard, holds, lines } = sceneFor(t);
  balancing.apply(config);
  await heard('active false');
  holds('b');
  balancing.message('lb', 'b', FULL);
  await heard('word b true');
  balancing.message('lb', 'b', SILENCED);
  await heard('word b false');
  balancing.message('lb', 'b', { full: false, more: false, entries: [host('one')] });
  await heard('share false one');
  assert.equal(lines.at(-1), 'share false one', 'a part alone is not all');
  balancing.message('lb', 'b', FULL);
  await heard('word b true', 2);
});

test('[B12] what a node said when it was the director before is not its word when it is again', async (t) => {
  const { asked, balancing, config, heard, holds } = sceneFor(t);
  balancing.apply(config);
  await heard('active false');
  holds('c');
  balancing.message('lb', 'c', FULL);
  await heard('word c true');
  holds('b');
  balancing.message('lb', 'b', FULL);
  await heard('word b true');
  const before = asked('c');
  holds('c');
  await heard('word b false');
  assert.equal(asked('c'), before + 1);
  balancing.message('lb', 'c', FULL);
  await heard('word c true', 2);
});

test('the balancer is told of monitoring what its checks are run by, and nothing else', async (t) => {
  const { balancing, config, heard, holds } = sceneFor(t);
  holds('a');
  const users = ['nobody'];
  const monitor = {
    users,
    chroot: '',
    flights: 1,
    plugins: 1,
    resolveMs: 1,
    checks: [],
    alerts: [],
    key: 'x',
  };
  balancing.apply({ ...config, monitor } as unknown as Config);
  await heard('settings chroot,flights,plugins,resolveMs,users');
});
