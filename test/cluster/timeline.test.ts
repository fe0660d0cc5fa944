/** Failovers put together from the events of nodes: what each phase was, however the clocks stand and whatever is missing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { timelineOf } from '../../daemon/runtime/timeline-commands.js';
import type { EventData } from '../../proto/event-types.js';
import { configOf, resourceOf } from '../config/support.js';
import { ALL, BEGAN, holds, loses, of, only, phasesOf, story, takes } from './stories.js';
import { NOTHING } from './support.js';

const LOST: [string, number, string][] = [
  ['unnoticed', 1000, 'b'],
  ['complaints', 100, 'b'],
  ['grants', 913, 'b'],
  ['lease', 4, 'b'],
  ['start', 303, 'b'],
];

test('a node is lost: from its last renewal to the run on the other one, and what rules each part', () => {
  const told = loses(takes(story(), 'a', 1, ALL), 1);
  for (const answered of [ALL, ['b', 'c']]) {
    const events = told.events.filter(({ node }) => answered.includes(node));
    const failover = only(of(events, answered));
    assert.deepEqual(
      [failover.kind, failover.from, failover.to, failover.epoch, failover.tookMs],
      ['lost', 'a', 'b', 2, 2320],
    );
    assert.deepEqual(phasesOf(failover), LOST);
    assert.deepEqual(
      failover.phases.map(({ setting, settingMs }) => [setting, settingMs]),
      [
        ['lease_timeout', 1000],
        ['complaint_count', 800],
        ['stop_timeout', 1000],
        ['', null],
        ['start_timeout', 10_000],
      ],
    );
    assert.equal(failover.at, BEGAN + told.now - 2320);
    assert.match(failover.text, /^a was not heard any more; it ran on b after 2\.3 s$/);
    assert.deepEqual([...new Set(failover.marks.map(({ node }) => node))].sort(), ['b', 'c']);
  }
});

test('clocks that differ by hours change nothing by more than the messages took', () => {
  for (const offsets of [
    { c: 7_200_000 },
    { a: -5000, c: 400 },
    { b: 90_000 },
    { a: 86_400_000, b: -1, c: -60_000 },
  ]) {
    const failover = only(of(loses(takes(story(offsets), 'a', 1, ALL), 1).events));
    const phases = phasesOf(failover);
    assert.deepEqual(
      phases.map(([name, , node]) => [name, node]),
      LOST.map(([name, , node]) => [name, node]),
      JSON.stringify(offsets),
    );
    for (const [index, [name, tookMs]] of phases.entries())
      assert.ok(
        Math.abs(tookMs - (LOST[index]?.[1] ?? 0)) <= 10,
        `${name} took ${tookMs} ms with ${JSON.stringify(offsets)}`,
      );
    const order = failover.marks.map(({ kind, node }) => `${kind} ${node}`);
    assert.ok(order.indexOf('vote-granted c') < order.indexOf('lease-acquired b'), order.join(', '));
    assert.ok(order.indexOf('lease-acquired b') < order.indexOf('holder-heard c'), order.join(', '));
  }
});

test('a handover: the stop, then the votes, the lease and the start', () => {
  const told = takes(story({ b: 3000 }), 'a', 1, ALL);
  told.after(60_000, 'a', 'handover-begun', { to: 'b' });
  told.after(2, 'a', 'run-changed', { from: 'run', to: 'stopping', epoch: 1, error: '' });
  told.after(80, 'a', 'hook', { action: 'stop', ok: true, outcome: 'exit', code: 0, ms: 78 });
  told.after(5, 'a', 'lease-released', { epoch: 1 });
  takes(told, 'b', 2, ALL);
  const failover = only(of(told.events));
  assert.deepEqual([failover.kind, failover.from, failover.to], ['handover', 'a', 'b']);
  const [stop, ...rest] = phasesOf(failover);
  assert.deepEqual([stop?.[0], rest.at(-1)?.[0]], ['stop', 'start']);
  assert.ok(Math.abs((stop?.[1] ?? 0) - 87) <= 10, `stop took ${stop?.[1]}`);
  assert.match(failover.phases[0]?.text ?? '', /^stopped, and the lease released; stop took 78 ms$/);
});

test('a service that fails is started anew on its own node', () => {
  const told = takes(story(), 'a', 1, ALL);
  told.after(5000, 'a', 'attempt-failed', { attempts: 1, limit: 5, error: 'it died' });
  told.after(1, 'a', 'run-changed', { from: 'run', to: 'stopping', epoch: 1, error: '' });
  told.after(50, 'a', 'hook', { action: 'stop', ok: true, outcome: 'exit', code: 0, ms: 49 });
  told.after(1000, 'a', 'run-changed', { from: 'stopping', to: 'starting', epoch: 1, error: '' });
  told.after(200, 'a', 'hook', { action: 'start', ok: true, outcome: 'exit', code: 0, ms: 200 });
  told.after(1, 'a', 'run-changed', { from: 'starting', to: 'run', epoch: 1, error: '' });
  const failover = only(of(told.events));
  assert.deepEqual([failover.kind, failover.from, failover.to, failover.epoch], ['failed', 'a', 'a', 1]);
  assert.deepEqual(phasesOf(failover), [
    ['stop', 51, 'a'],
    ['start', 1201, 'a'],
  ]);
});

test('a worker that is replaced and finds it running is no failover, nor what ran by force', () => {
  const told = takes(story(), 'a', 1, ALL);
  told.after(9, 'a', 'run-changed', { from: 'run', to: 'unknown', epoch: 1, error: '' });
  told.after(9, 'a', 'run-changed', { from: 'unknown', to: 'run', epoch: 1, error: '' });
  told.after(9, 'b', 'hook', { action: 'start', ok: true, outcome: 'exit', code: 0, ms: 9 });
  told.after(9, 'b', 'run-changed', { from: 'starting', to: 'run', epoch: 0, error: '' });
  told.after(9, 'b', 'hook', { action: 'stop', ok: true, outcome: 'exit', code: 0, ms: 9 });
  told.after(9, 'b', 'run-changed', { from: 'run', to: 'stopped', epoch: 0, error: '' });
  assert.deepEqual(of(told.events), []);
  assert.deepEqual(of([]), []);
});

test('it does not run again: what is known so far, where all say so', () => {
  const told = takes(story(), 'a', 1, ALL);
  told.after(1000, 'b', 'holder-lost', { peer: 'a', epoch: 1, why: 'silent', lastHeardMs: 1000 });
  const others = told.events.filter(({ node }) => node !== 'a');
  assert.deepEqual(of(others, ['b', 'c']), [], 'c hears it');
  assert.deepEqual(of(told.events), [], 'it says itself that it runs');
  told.after(30, 'c', 'holder-lost', { peer: 'a', epoch: 1, why: 'silent', lastHeardMs: 1010 });
  told.after(300, 'b', 'complaint', { peer: 'c', count: 1, needed: 4 });
  const failover = only(
    of(
      told.events.filter(({ node }) => node !== 'a'),
      ['b', 'c'],
    ),
  );
  assert.deepEqual(
    [failover.kind, failover.from, failover.to, failover.tookMs, failover.epoch],
    ['lost', 'a', '', null, 0],
  );
  assert.deepEqual(
    failover.phases.map(({ name }) => name),
    ['unnoticed', 'complaints'],
  );
  assert.match(failover.text, /it runs nowhere since$/);
});

test('the last so many, the oldest first', () => {
  const told = takes(story(), 'a', 1, ALL);
  for (let epoch = 2; epoch <= 6; epoch += 1) {
    const [from, to] = epoch % 2 === 0 ? ['a', 'b'] : ['b', 'a'];
    told.after(10_000, from ?? '', 'handover-begun', { to: to ?? '' });
    told.after(5, from ?? '', 'lease-released', { epoch: epoch - 1 });
    takes(told, to ?? '', epoch, ALL);
  }
  assert.deepEqual(
    of(told.events, ALL, 3).map(({ epoch }) => epoch),
    [4, 5, 6],
  );
  assert.equal(of(told.events).length, 5);
});

test('any order and any loss of the events of failovers that were', () => {
  const told = loses(takes(story({ a: 500, c: -300 }), 'a', 1, ALL), 1);
  told.after(5000, 'b', 'handover-begun', { to: 'a' }).after(70, 'b', 'lease-released', { epoch: 2 });
  takes(told, 'a', 3, ALL);
  fc.assert(
    fc.property(fc.shuffledSubarray(told.events), fc.subarray(ALL), (events, answered) => {
      holds(of(events, answered));
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.shuffledSubarray(told.events, { minLength: told.events.length }), (events) => {
      assert.deepEqual(of(events), of(told.events));
    }),
  );
});

const KINDS = [
  ...['run-changed', 'lease-acquired', 'lease-released', 'holder-heard', 'holder-lost', 'vote-granted'],
  ...['vote-ended', 'complaint', 'handover-begun', 'attempt-failed', 'hook', 'service-failed'],
  ...['maintenance-on', 'maintenance-off', 'lease-lost', 'service-answers'],
];

test('events that never were', () => {
  const data = fc.record(
    {
      ...{ peer: fc.constantFrom(...ALL, ''), epoch: fc.integer({ min: 0, max: 3 }) },
      ...{ from: fc.constantFrom('run', 'stopped'), to: fc.constantFrom('run', 'failed', 'stopped') },
      why: fc.constantFrom('silent', 'released'),
      ...{ lastHeardMs: fc.double({ min: 0, max: 1e6, noNaN: true }), lastRenewedMs: fc.nat(100_000) },
      ...{ count: fc.nat(5), needed: fc.nat(5), action: fc.constantFrom('start', 'stop'), ms: fc.nat(1000) },
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<EventData>;
  const event = fc.record({
    ...{
      number: fc.nat(50),
      node: fc.constantFrom(...ALL),
      at: fc.nat(2_000_000_000),
      boot: fc.constantFrom('x', 'y'),
    },
    ...{ bootMs: fc.nat(1_000_000), kind: fc.constantFrom(...KINDS), text: fc.constant('t'), data },
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), fc.subarray(ALL), (events, answered) => {
      holds(of(events, answered));
    }),
    { numRuns: 3000 },
  );
});

test('between two failovers everything else has its turn', async () => {
  const config = configOf(resourceOf(''));
  const told = takes(story(), 'a', 1, ALL);
  for (let epoch = 2; epoch <= 9; epoch += 1) takes(told, epoch % 2 === 0 ? 'b' : 'a', epoch, ALL);
  const events = told.events.map((event) => ({ ...event, resource: 'r' }));
  let turns = 0;
  let over = false;
  const turn = (): void => {
    turns += 1;
    if (!over) setImmediate(turn);
  };
  turn();
  const { cluster } = await timelineOf(
    {
      config: () => config,
      handle: async (_request, reply) => {
        reply({ events: events.filter(({ node }) => node === 'a') });
        return {};
      },
      ask: async (node) => ({ ...NOTHING, events: events.filter((event) => event.node === node) }),
    },
    { kind: 'timeline', resource: 'r', last: 8 },
  );
  over = true;
  assert.equal(cluster?.kind === 'timeline' && cluster.failovers.length, 8);
  assert.ok(turns >= 8, `${turns} turns`);
});
