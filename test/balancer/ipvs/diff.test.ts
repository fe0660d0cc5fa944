// The difference of two tables: that it makes one of the other, in an order that harms nobody, at the cost of what is different.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  afterChanges,
  diffService,
  inOrder,
  lineOf,
  tookEffect,
} from '../../../daemon/balancer/ipvs/diff.js';
import { parseSave } from '../../../daemon/balancer/ipvs/save.js';
import type { Change, Table, TableService } from '../../../daemon/balancer/types.js';
import { compared, tables } from './tables.js';

function changesOf(actual: Table, wanted: Table): Change[] {
  const keys = new Set([...actual.keys(), ...wanted.keys()]);
  return inOrder([...keys].flatMap((key) => diffService(key, actual.get(key), wanted.get(key))));
}

const sorted = (table: Table): unknown => compared(new Map([...table].sort(([a], [b]) => (a < b ? -1 : 1))));
const hasWeight = (service: TableService | undefined): boolean =>
  [...(service?.servers.values() ?? [])].some(({ weight }) => weight > 0);

test('the changes between two tables make one of the other, and nothing is left to change then', () => {
  fc.assert(
    fc.property(tables, tables, (actual, wanted) => {
      const changes = changesOf(actual, wanted);
      const after = afterChanges(actual, changes);
      assert.deepEqual(sorted(after), sorted(wanted));
      assert.deepEqual(changesOf(after, wanted), []);
      for (const change of changes) assert.ok(tookEffect(change, after), lineOf(change));
    }),
  );
});

test('what is the same costs no change: each one has an effect that was not there', () => {
  fc.assert(
    fc.property(tables, tables, (actual, wanted) => {
      for (const change of changesOf(actual, wanted)) assert.ok(!tookEffect(change, actual), lineOf(change));
    }),
  );
});

test('a service that had a server with weight, and is to have one, has one after each single change', () => {
  fc.assert(
    fc.property(tables, tables, (actual, wanted) => {
      const served = [...wanted.keys()].filter(
        (key) => hasWeight(actual.get(key)) && hasWeight(wanted.get(key)),
      );
      let table = actual;
      for (const change of changesOf(actual, wanted)) {
        table = afterChanges(table, [change]);
        for (const key of served) assert.ok(hasWeight(table.get(key)), `${key} after ${lineOf(change)}`);
      }
    }),
  );
});

test('the tables that changes are applied to are not touched', () => {
  fc.assert(
    fc.property(tables, tables, (actual, wanted) => {
      const before = compared(actual);
      afterChanges(actual, changesOf(actual, wanted));
      assert.deepEqual(compared(actual), before);
    }),
  );
});

test('a table that is written as lines is read as the same table', () => {
  fc.assert(
    fc.property(tables, (wanted) => {
      // In the order of ipvsadm -S: a service, then its servers.
      const text = [...wanted].flatMap(([key, service]) => diffService(key, undefined, service).map(lineOf));
      const read = parseSave(`${text.join('\n')}\n`);
      assert.ok('table' in read);
      assert.deepEqual(read.table, wanted);
    }),
  );
});

test('what else ipvsadm says of a service or server is kept when it is changed', () => {
  const read = parseSave(
    '-A -t 10.0.0.1:80 -s wlc -p 300 -M 255.255.255.0\n' +
      '-a -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 3 --tun-type gue --tun-port 6080\n',
  );
  assert.ok('table' in read);
  const [key = '', service] = [...read.table][0] ?? [];
  assert.ok(service !== undefined);
  const servers = new Map([['10.0.0.2:80', { weight: 4, method: 'ipip' as const, more: '' }]]);
  const wanted = { scheduler: 'wrr', persistenceSeconds: 300, more: '', servers };
  assert.deepEqual(diffService(key, service, wanted).map(lineOf), [
    '-E -t 10.0.0.1:80 -s wrr -p 300 -M 255.255.255.0',
    '-e -t 10.0.0.1:80 -r 10.0.0.2:80 -i -w 4 --tun-type gue --tun-port 6080',
  ]);
});

test('ten thousand changes of one large service do not copy it ten thousand times', () => {
  const servers = new Map<string, { weight: number; method: 'masq'; more: string }>();
  const changes: Change[] = [];
  for (let at = 0; at < 10_000; at += 1) {
    const server = `10.0.${at >> 8}.${at & 255}:80`;
    servers.set(server, { weight: 1, method: 'masq', more: '' });
    changes.push({
      kind: 'edit-server',
      service: '-t 10.9.9.9:80',
      server,
      method: 'masq',
      weight: 2,
      more: '',
    });
  }
  const service = { scheduler: 'wrr', persistenceSeconds: 0, more: '', servers };
  const begin = performance.now();
  const after = afterChanges(new Map([['-t 10.9.9.9:80', service]]), changes);
  // A copy for each takes seconds; one takes milliseconds.
  assert.ok(performance.now() - begin < 1000);
  assert.ok([...(after.get('-t 10.9.9.9:80')?.servers.values() ?? [])].every(({ weight }) => weight === 2));
});
