/** Where things are drawn: nodes and lines, leases, phases, weights. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PairView, ServiceView } from '../../../daemon/balancer/types.js';
import { forgottenServices, servicesOf } from '../../../daemon/http/page/model/balancer.js';
import { type Layout, layout, lineBetween } from '../../../daemon/http/page/model/layout.js';
import { approach, leftOf, levelOf } from '../../../daemon/http/page/model/lease.js';
import { timelineOf } from '../../../daemon/http/page/model/timeline.js';
import type { Failover } from '../../../proto/timeline-types.js';

const widths = [300, 336, 560, 680, 1200];

function overlaps({ boxes }: Layout): boolean {
  return boxes.some((one, index) =>
    boxes
      .slice(index + 1)
      .some(
        (other) =>
          Math.abs(one.x - other.x) < one.width &&
          Math.abs(one.y - other.y) < (one.height + other.height) / 2,
      ),
  );
}

/** Some are taller than others. */
const heightsOf = (nodes: number): number[] =>
  Array.from({ length: nodes }, (_, index) => 90 + (index % 3) * 60);

test('any number of nodes has room at any width, and no box covers another', () => {
  for (let nodes = 1; nodes <= 12; nodes += 1)
    for (const width of widths) {
      const plan = layout(heightsOf(nodes), width);
      const what = `${nodes} nodes, ${width} pixels`;
      assert.equal(plan.boxes.length, nodes, what);
      assert.ok(!overlaps(plan), what);
      for (const [index, box] of plan.boxes.entries()) {
        assert.ok(box.height >= (heightsOf(nodes)[index] ?? 0), what);
        assert.ok(box.x - box.width / 2 >= -0.5 && box.x + box.width / 2 <= width + 0.5, what);
        assert.ok(box.y - box.height / 2 >= -0.5 && box.y + box.height / 2 <= plan.height + 0.5, what);
      }
    }
});

test('a line is straight, but for one that would go behind a third box', () => {
  const three = layout(heightsOf(3), 680);
  assert.match(lineBetween(0, 1, three).path, /^M[\d.,]+ L[\d.,]+$/);
  const six = layout(heightsOf(6), 336);
  assert.match(lineBetween(0, 4, six).path, /^M[\d.,]+ Q[\d.,]+ [\d.,]+$/);
});

test('the mark of a link that is cut is where it is seen', () => {
  for (let nodes = 2; nodes <= 6; nodes += 1)
    for (const width of widths) {
      const plan = layout(heightsOf(nodes), width);
      const { middle } = lineBetween(0, nodes - 1, plan);
      for (const box of plan.boxes)
        assert.ok(
          Math.abs(middle.x - box.x) >= box.width / 2 || Math.abs(middle.y - box.y) >= box.height / 2,
          `${nodes} nodes, ${width} pixels`,
        );
    }
});

test('a lease runs down with time, not below nothing, and is filled again quickly', () => {
  const lease = { kind: 'lease', leftMs: 2000, ofMs: 3000, saidAt: 1000 } as const;
  assert.equal(leftOf(lease, 1500), 1500);
  assert.equal(levelOf(lease, 2500), 500 / 3000);
  assert.equal(leftOf(lease, 9000), 0);
  assert.equal(leftOf(lease, 0), 3000);
  assert.equal(approach(0.9, 0.5, 16), 0.5);
  const risen = approach(0.2, 0.9, 16);
  assert.ok(risen > 0.2 && risen < 0.9);
  assert.equal(approach(0.85, 0.9, 100), 0.9);
});

const failover: Failover = {
  ...{ epoch: 8, from: 'nodeA', to: 'nodeB', at: 0, kind: 'lost', text: 'nodeA was lost', tookMs: 8000 },
  phases: [
    {
      name: 'unnoticed',
      beginMs: 0,
      tookMs: 2000,
      node: 'nodeC',
      text: '',
      setting: 'heartbeat_interval',
      settingMs: 1000,
    },
    { name: 'grants', beginMs: 2000, tookMs: 5000, node: 'nodeB', text: '', setting: '', settingMs: null },
    {
      name: 'start',
      beginMs: 7000,
      tookMs: 1000,
      node: 'nodeB',
      text: '',
      setting: 'start_timeout',
      settingMs: null,
    },
  ],
  marks: [
    { node: 'nodeC', afterMs: 2000, number: 1, kind: 'complaint', text: 'complains' },
    { node: 'nodeB', afterMs: 9000, number: 4, kind: 'run-changed', text: 'runs' },
  ],
};

test('phases are bars along one axis, with what rules them', () => {
  const model = timelineOf(
    { resource: 'web', failovers: [failover], missing: [{ node: 'nodeA', why: 'no answer' }] },
    0,
  );
  assert.deepEqual(
    model?.phases.map(({ begin, length, longest, setting, share, took }) => [
      begin,
      length,
      took,
      share,
      setting,
      longest,
    ]),
    [
      [0, 0.25, '2 s', '25 %', 'heartbeat_interval 1 s', false],
      [0.25, 0.625, '5 s', '63 %', '', true],
      [0.875, 0.125, '1 s', '13 %', 'start_timeout', false],
    ],
  );
  assert.deepEqual(
    model?.ticks.map(({ text }) => text),
    ['0', '2 s', '4 s', '6 s', '8 s'],
  );
  // By another node's clock it may seem to be after the end: it is drawn at the end.
  assert.deepEqual(
    model?.lanes.map(({ marks, node }) => [node, marks[0]?.at]),
    [
      ['nodeC', 0.25],
      ['nodeB', 1],
    ],
  );
  assert.equal(model?.missing, 'Without the events of nodeA (no answer)');
});

test('a failover that is not over says so, and there may be none', () => {
  assert.equal(timelineOf({ resource: 'web', failovers: [], missing: [] }, 0), null);
  const open = timelineOf(
    { resource: 'web', failovers: [{ ...failover, to: '', tookMs: null }], missing: [] },
    0,
  );
  assert.deepEqual(
    open?.facts.filter(({ name }) => name === 'Took' || name === 'To').map(({ value }) => value),
    ['nowhere yet', 'not over'],
  );
});

const service: ServiceView = {
  ...{
    service: 'www',
    virtual: '192.0.2.10:80',
    scheduler: 'wrr',
    method: 'gate',
    persistenceSeconds: 0,
    check: 'http',
  },
  unknownMs: null,
  ...{ servers: 2, alive: 2, weight: 120, sorry: '', sorryAge: null, owned: true, problem: '' },
};
const pair: PairView = {
  ...{
    unknownMs: null,
    host: 'web1',
    service: 'www',
    real: '10.0.0.1:80',
    virtual: '192.0.2.10:80',
    disabled: false,
    reasons: [],
  },
  ...{
    weight: 100,
    overridden: false,
    stateWeight: 100,
    desiredWeight: 100,
    procWeight: 100,
    connections: null,
  },
  ...{ ramp: null, status: '0-ENABLED', sorry: false },
  check: { name: 'c', state: 'up', nature: 'ok', sinceAge: 1, passAge: 1 },
};

test('weights are of the greatest of their service, with the goal of a ramp', () => {
  const ramping: PairView = {
    ...{ ...pair, host: 'web2', stateWeight: 25, procWeight: 20, status: '1-RAMPING' },
    ramp: { durationMs: 30_000, leftMs: 22_000 },
  };
  const off: PairView = {
    ...{
      ...pair,
      host: 'web3',
      disabled: true,
      stateWeight: 0,
      desiredWeight: 0,
      procWeight: 0,
      status: '0-DISABLED',
    },
    reasons: [{ name: 'deploy', by: 'root', age: 1000 }],
  };
  const [model] = servicesOf({ services: [service], hosts: [pair, ramping, off], note: '' });
  assert.deepEqual(
    model?.servers.map(({ goal, level, tone, weight, word }) => [level, goal, weight, tone, word]),
    [
      [1, 1, '100', 'good', 'up'],
      [0.2, 1, '20 of 100', 'busy', 'ramping, 22 s left'],
      [0, 0, '0', 'quiet', 'disabled: deploy by root'],
    ],
  );
  const [gone] = forgottenServices(model === undefined ? [] : [model]);
  assert.deepEqual(
    new Set(gone?.servers.map(({ level, weight, word }) => `${level} ${weight} ${word}`)),
    new Set(['0  unknown']),
  );
});

test('a service is as bad as what is left of it', () => {
  const toneOf = (given: Partial<ServiceView>): string[] =>
    servicesOf({ services: [{ ...service, ...given }], hosts: [], note: '' }).map(
      ({ tone, word }) => `${tone}: ${word}`,
    );
  assert.deepEqual(toneOf({}), ['good: up']);
  assert.deepEqual(toneOf({ alive: 1 }), ['warn: up, not whole']);
  assert.deepEqual(toneOf({ alive: 0 }), ['bad: no server']);
  assert.deepEqual(toneOf({ alive: 0, sorry: 'sorry1', sorryAge: 9000 }), [
    'bad: sorry server sorry1 for 9 s',
  ]);
  assert.deepEqual(toneOf({ problem: 'not read' }), ['warn: not read']);
});

test('what the director said and does not count any more is unknown since then', () => {
  const unknown = { unknownMs: 12_000, alive: null, weight: null };
  const server: PairView = { ...pair, unknownMs: 12_000, desiredWeight: null, status: '?-UNKNOWN' };
  const [model] = servicesOf({ services: [{ ...service, ...unknown }], hosts: [server], note: '' });
  assert.deepEqual([model?.tone, model?.word], ['unknown', 'unknown since 12 s']);
  assert.deepEqual(
    model?.servers.map(({ tone, weight, word }) => [tone, weight, word]),
    [['unknown', '', 'unknown since 12 s']],
  );
});
