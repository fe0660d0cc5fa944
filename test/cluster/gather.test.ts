/** What all nodes say, as one of them has gathered it: what is known, what is not and since when, and who runs a resource twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimedTwice, doubleRuns } from '../../daemon/cluster/double.js';
import { createGathering, type GatherOptions } from '../../daemon/cluster/gather.js';
import { createClustering, limitOf, nodesOf } from '../../daemon/runtime/clustering.js';
import type { NodeSaid } from '../../proto/cluster-types.js';
import type { ControlReply } from '../../proto/control-types.js';
import { configOf, resourceOf } from '../config/support.js';
import { entryOf } from '../ctl/support.js';
import { NOTHING, reportOf, runs, saidOf } from './support.js';

function replyOf({ status, ...about }: NodeSaid): ControlReply {
  return { ...NOTHING, status, cluster: { kind: 'about', ...about } };
}

/** Three nodes, of which `a` gathers; `answers` are those of the others, one after the other. */
function world(answers: Record<string, (NodeSaid | Error)[]>, other: Partial<GatherOptions> = {}) {
  let now = 100_000;
  const asked: string[] = [];
  const gather = createGathering({
    ...{ node: 'a', nodes: () => ['a', 'b', 'c'], limitMs: () => 500, own: async () => saidOf() },
    async ask(node) {
      asked.push(node);
      now += 10;
      const answer = answers[node]?.shift() ?? new Error('no answer for 500 ms');
      if (answer instanceof Error) throw answer;
      return replyOf(answer);
    },
    ...{ heardAt: () => now - 40, whyGone: () => '', clock: () => now, wall: () => 5 },
    ...other,
  });
  return { gather, asked, at: () => now };
}

test('each says what it says, with its age; the asked one first-hand', async () => {
  const { gather } = world({ b: [saidOf(entryOf())], c: [saidOf()] });
  const view = await gather();
  assert.deepEqual([view.node, view.at, view.double], ['a', 5, []]);
  assert.deepEqual(
    view.nodes.map(({ ageMs, heardMs, node, note, said, self }) => [
      node,
      self,
      note,
      heardMs,
      ageMs,
      said !== null,
    ]),
    [
      ['a', true, '', 0, 0, true],
      ['b', false, '', 40, 20, true],
      ['c', false, '', 40, 10, true],
    ],
  );
  assert.deepEqual(view.nodes[1]?.said, saidOf(entryOf()));
});

test('the own word is of when the others have answered, with its age', async () => {
  let now = 0;
  const order: string[] = [];
  const { gather } = world(
    {},
    {
      clock: () => now,
      async ask(node) {
        await new Promise((resolve) => setImmediate(resolve));
        order.push(node);
        now += 2000;
        return replyOf(saidOf());
      },
      async own() {
        order.push('a');
        now += 300;
        return saidOf();
      },
    },
  );
  const view = await gather();
  assert.deepEqual(order, ['b', 'c', 'a']);
  assert.deepEqual(
    view.nodes.map(({ ageMs, node }) => [node, ageMs]),
    [
      ['a', 300],
      ['b', 4300],
      ['c', 4300],
    ],
  );
});

test('who does not answer is unknown: why, and since when; its last word is not shown', async () => {
  const silent = world({ b: [saidOf(runs('mail', 3))], c: [saidOf()] });
  await silent.gather();
  const again = await silent.gather();
  assert.deepEqual(
    again.nodes.map(({ heardMs, note, said }) => [note, heardMs, said === null]),
    [
      ['', 0, false],
      ['no answer for 500 ms', 40, true],
      ['no answer for 500 ms', 40, true],
    ],
  );
  const gone = world(
    {},
    {
      whyGone: (node) => (node === 'b' ? 'nothing heard for 1000 ms' : 'not connected yet'),
      heardAt: (node) => (node === 'b' ? 88_000 : null),
    },
  );
  const view = await gone.gather();
  assert.deepEqual(gone.asked, [], 'nobody is asked who is not there');
  assert.deepEqual(
    view.nodes.map(({ heardMs, note }) => [note, heardMs]),
    [
      ['', 0],
      ['link lost: nothing heard for 1000 ms', 12_000],
      ['never heard since this daemon began', null],
    ],
  );
});

test('who asks while it is gathered gets that view: nobody is asked twice', async () => {
  const { asked, gather } = world({ b: [saidOf()], c: [saidOf()] });
  const [one, other] = await Promise.all([gather(), gather()]);
  assert.equal(one, other);
  assert.deepEqual(asked, ['b', 'c']);
});

test('two that both run it: asked once more, and red only where both say so again', async () => {
  const [three, four] = [saidOf(runs('mail', 3)), saidOf(runs('mail', 4))];
  const both = world({ b: [three, three], c: [four, four] });
  assert.deepEqual((await both.gather()).double, [{ resource: 'mail', nodes: ['b', 'c'] }]);
  // It moved between the one answer and the other.
  const moved = world({ b: [three, saidOf()], c: [four, four] });
  const view = await moved.gather();
  assert.deepEqual([view.double, view.nodes[1]?.said?.status], [[], []]);
  assert.deepEqual(moved.asked, ['b', 'c', 'b', 'c']);
  // There and back: what ran before is not what runs now.
  const back = world({ b: [three, saidOf(runs('mail', 5))], c: [four, four] });
  assert.deepEqual((await back.gather()).double, []);
  const lost = world({ b: [three, new Error('link lost')], c: [four, four] });
  assert.deepEqual((await lost.gather()).double, [], 'what is not known now is no claim');
});

test('claims are of one resource, of nodes that run it, each with its own', () => {
  const reports = [
    reportOf('a', saidOf(runs('mail', 1), runs('db', 1))),
    reportOf('b', saidOf(runs('db', 2), entryOf({ resource: 'mail', state: 'stopped' }))),
    reportOf('c', null),
    reportOf('d', saidOf(runs('db', 2))),
  ];
  assert.deepEqual(claimedTwice(reports), [{ resource: 'db', nodes: ['a', 'b', 'd'] }]);
  assert.deepEqual(doubleRuns(reports, reports), [{ resource: 'db', nodes: ['a', 'b', 'd'] }]);
  const second = [...reports.slice(0, 3), reportOf('d', saidOf(runs('db', 9)))];
  assert.deepEqual(doubleRuns(reports, second), [{ resource: 'db', nodes: ['a', 'b'] }]);
});

test('who is asked, and how long', () => {
  const resources = [
    { name: 'mail', voters: ['b', 'a'], leaseTimeoutMs: 3000 },
    { name: 'db', voters: ['a', 'c'], leaseTimeoutMs: 700 },
    { name: 'quick', voters: ['a', 'd'], leaseTimeoutMs: 300 },
  ];
  const config = { node: 'a', resources, monitor: { nodes: ['e', 'a'] } } as never;
  assert.deepEqual(nodesOf(config), ['b', 'a', 'c', 'd', 'e']);
  assert.deepEqual(
    ['b', 'c', 'd', 'e'].map((node) => limitOf(config, node)),
    [2000, 700, 500, 2000],
  );
});

test('two timelines are put together at a time, and who asks for another one is told so', async () => {
  const open: (() => void)[] = [];
  const config = configOf(resourceOf(''));
  const clustering = createClustering({
    config: () => config,
    network: () => ({ send: () => false, waiting: () => 0, lastHeard: () => 0 }),
    handle: () => new Promise((resolve) => open.push(() => resolve({}))),
    statuses: () => [],
    sight: () => 'unknown',
    confirm: () => null,
    balancer: () => Promise.reject(new Error('there is none')),
    startedAt: 0,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    clock: () => 0,
    wall: () => 0,
  });
  const ask = () => clustering.handle({ kind: 'timeline', resource: 'r', last: 1 });
  const asked = [ask(), ask()];
  assert.equal((await ask()).error?.code, 75);
  for (const end of open) end();
  for (const { cluster, error } of await Promise.all(asked))
    assert.deepEqual([cluster?.kind, error], ['timeline', undefined]);
  const after = ask();
  open.at(-1)?.();
  assert.equal((await after).cluster?.kind, 'timeline');
  clustering.close();
});
