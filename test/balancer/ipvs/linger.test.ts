// Servers that are to go linger without weight until nothing is under way to them [B13].
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { afterChanges, diffService, inOrder, lineOf } from '../../../daemon/balancer/ipvs/diff.js';
import { type Leaving, LINGER_MS, lingering } from '../../../daemon/balancer/ipvs/linger.js';
import type { Proc } from '../../../daemon/balancer/ipvs/proc.js';
import type { Change, Table } from '../../../daemon/balancer/types.js';
import { compared, tables } from './tables.js';

const WWW = '-t 10.0.0.1:80';
const server = (weight: number) => ({ weight, method: 'masq' as const, more: '' });

function tableOf(servers: Record<string, number>): Table {
  const list = Object.entries(servers).map(([key, weight]) => [key, server(weight)] as const);
  return new Map([[WWW, { scheduler: 'wrr', persistenceSeconds: 0, more: '', servers: new Map(list) }]]);
}

/** What the kernel would show of it, with so many active connections to each server. */
function procOf(table: Table, active: number): Proc {
  return new Map(
    [...table].map(([key, { scheduler, persistenceSeconds, servers }]) => [
      key,
      {
        ...{ scheduler, persistenceTicks: persistenceSeconds * 250, familyUnsure: false },
        servers: new Map(
          [...servers].map(([name, { weight, method }]) => [name, { weight, method, active, inactive: 3 }]),
        ),
      },
    ]),
  );
}

function changesOf(actual: Table, wanted: Table): Change[] {
  const keys = new Set([...actual.keys(), ...wanted.keys()]);
  return inOrder([...keys].flatMap((key) => diffService(key, actual.get(key), wanted.get(key))));
}

/** One kernel's table, kept as the keeper keeps it. */
function scene(first: Table, wanted: Table) {
  const leaving: Leaving = new Map();
  let table = first;
  let counted: { proc: Proc; at: number } | null = null;
  return {
    step(now: number, active: number | null): string[] {
      if (active !== null) counted = { proc: procOf(table, active), at: now };
      const changes = lingering(changesOf(table, wanted), table, counted, leaving, now);
      table = afterChanges(table, changes);
      return changes.map(lineOf);
    },
    table: () => table,
    leaving,
  };
}

const before = tableOf({ '10.0.1.1:80': 5, '10.0.1.2:80': 5 });
const after = tableOf({ '10.0.1.1:80': 5 });

test('[B13] it loses its weight at once, and goes when no connection is active any more', () => {
  const { leaving, step } = scene(before, after);
  assert.deepEqual(step(0, 7), [`-e ${WWW} -r 10.0.1.2:80 -m -w 0`]);
  assert.deepEqual(step(500, 7), []);
  assert.deepEqual(step(1000, 1), []);
  assert.deepEqual(step(1500, 0), [`-d ${WWW} -r 10.0.1.2:80`]);
  assert.equal(leaving.size, 0);
});

test('what was counted before it lost its weight does not count', () => {
  const { step } = scene(before, after);
  assert.equal(step(0, 0).length, 1);
  assert.deepEqual(step(0, null), []);
  assert.deepEqual(step(100, null), []);
  assert.deepEqual(step(500, 0), [`-d ${WWW} -r 10.0.1.2:80`]);
});

test('what was counted while it still had weight does not count, however late that was read', () => {
  const leaving: Leaving = new Map();
  const changes = changesOf(before, after);
  assert.equal(lingering(changes, before, null, leaving, 0).length, 1);
  const without = tableOf({ '10.0.1.1:80': 5, '10.0.1.2:80': 0 });
  const counted = { proc: procOf(before, 0), at: 100 };
  assert.deepEqual(lingering(changesOf(without, after), without, counted, leaving, 200), []);
  counted.proc = procOf(without, 0);
  assert.equal(lingering(changesOf(without, after), without, counted, leaving, 300).length, 1);
});

test('one that has had no weight, and has no connection, goes at once', () => {
  const { step } = scene(tableOf({ '10.0.1.1:80': 5, '10.0.1.2:80': 0 }), after);
  assert.deepEqual(step(0, 0), [`-d ${WWW} -r 10.0.1.2:80`]);
});

test('one that is never idle goes after its time', () => {
  const { step } = scene(before, after);
  step(0, 7);
  assert.deepEqual(step(LINGER_MS - 1, 7), []);
  assert.deepEqual(step(LINGER_MS, 7), [`-d ${WWW} -r 10.0.1.2:80`]);
});

test('one that is wanted again has its weight back, and its time begins anew when it goes again', () => {
  const { leaving, step, table } = scene(before, after);
  step(0, 7);
  assert.deepEqual(lingering(changesOf(table(), before), table(), null, leaving, 30_000).map(lineOf), [
    `-e ${WWW} -r 10.0.1.2:80 -m -w 5`,
  ]);
  assert.equal(leaving.size, 0);
});

test('a service that goes as a whole goes at once', () => {
  const { step } = scene(before, new Map());
  assert.deepEqual(step(0, 7), [`-D ${WWW}`]);
});

test('in the end any table is as wanted, and no server with a connection was deleted from a service that stays', () => {
  fc.assert(
    fc.property(tables, tables, (actual, wanted) => {
      const { step, table } = scene(actual, wanted);
      for (const now of [0, 500, 1000]) for (const line of step(now, 1)) assert.doesNotMatch(line, /^-d /);
      step(1500, 0);
      const sorted = (one: Table): unknown =>
        compared(new Map([...one].sort(([a], [b]) => (a < b ? -1 : 1))));
      assert.deepEqual(sorted(table()), sorted(wanted));
    }),
  );
});
