/** What hastmonctl is told of a check, from what several nodes have told each other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckSpec, MonitorConfig } from '../../daemon/checks/spec.js';
import { parseOneCheck } from '../../daemon/config/one-check.js';
import { type CheckFacts, detailOf, entryOf } from '../../daemon/runtime/check-status.js';
import { DOWN, Table, UP } from '../confirm/given.js';

const NODES = ['a', 'b', 'c'];

function specOf(url: string): CheckSpec {
  const parsed = parseOneCheck(url, []);
  assert.ok(parsed.ok);
  return { ...parsed.spec, name: 'web' };
}

const MONITOR: MonitorConfig = {
  ...{ active: true, nodes: NODES, addresses: [], key: null, users: [], chroot: '', flights: 1, plugins: 1 },
  ...{ resolveMs: 60_000, dmonitor: '', checks: [specOf('tcp://192.0.2.7:80')], alerts: [], judged: [] },
};

/** As node a tells it. */
function factsOf(table: Table, state: 'up' | 'down'): CheckFacts {
  const view = { name: 'web', row: 0, state, nature: state === 'up' ? 'ok' : 'refused', detail: 0 };
  return {
    ...{ spec: specOf('tcp://192.0.2.7:80'), monitor: MONITOR, node: 'a', now: table.now },
    confirm: table.states.a ?? null,
    view: { ...view, latencyMs: 1, age: 0, okAge: 0, sinceAge: 0 },
  };
}

function outage(): Table {
  const table = new Table(NODES);
  for (const node of NODES) table.see(node, 'web', DOWN);
  table.pass(2_000);
  assert.deepEqual(entryOf(factsOf(table, 'down')).seenBy, NODES);
  return table;
}

test('nobody sees it down any more when it is up again, though nobody has asked since', () => {
  const table = outage();
  for (const node of ['b', 'c', 'a']) table.see(node, 'web', UP);
  table.pass(2_000);
  assert.equal(table.edge('a'), 2);
  for (const passed of [0, 60_000]) {
    table.pass(passed);
    const { entry, views } = detailOf(factsOf(table, 'up'), [], []);
    assert.deepEqual([entry.state, entry.outage, entry.seenBy], ['up', false, []]);
    assert.ok(views.every(({ state }) => state !== 'down'));
  }
});

test('a node that is away is not known to see it down any more: unknown, and since when', () => {
  const table = outage();
  table.cut('a', 'c');
  table.pass(30_000);
  const { entry, views } = detailOf(factsOf(table, 'down'), [], []);
  assert.deepEqual(entry.seenBy, ['a', 'b']);
  const last = views.find(({ node }) => node === 'c');
  assert.deepEqual([last?.state, last?.nature, last?.sinceMs, last?.lastMs], ['unknown', '', null, null]);
  assert.match(last?.note ?? '', /^unknown since 3\d s: not connected$/);
});
