// What nodes without a part in a resource know of its maintenance, and for how long.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MonitorConfig } from '../../daemon/checks/spec.js';
import type { Config } from '../../daemon/config/types.js';
import { checksKept, createKeptElsewhere, HOLD_MS } from '../../daemon/runtime/kept-elsewhere.js';
import type { ControlReply, StatusEntry } from '../../proto/control-types.js';
import { until } from '../system/wait.js';

const judged = [
  { resource: 'shared', checks: ['web', 'db'], nodes: ['a', 'b'] },
  { resource: 'mail', checks: ['smtp'], nodes: ['a', 'm'] },
];
const word = (at: number, ...kept: string[]) => ({
  at,
  kept: new Map(kept.map((resource) => [resource, 'c'])),
});

test('checks of what one node says is in maintenance are held, and those of nothing else', () => {
  const words = new Map([
    ['a', word(0)],
    ['b', word(0, 'shared', 'unknown')],
  ]);
  assert.deepEqual(
    [...checksKept(judged, words, 10)],
    [
      ['web', 'shared'],
      ['db', 'shared'],
    ],
  );
});

test('the node that is to be in maintenance goes before what others say of it', () => {
  const held = (own: number, other: number): number => {
    const words = new Map([
      ['b', word(other, 'shared')],
      ['c', word(own)],
    ]);
    return checksKept(judged, words, Math.max(own, other) + 1).size;
  };
  assert.equal(held(50_000, 20_000), 0, 'who is cut off from it has not heard of the end');
  assert.equal(held(50_000, 55_000), 0, 'nor of late');
  assert.equal(held(20_000, 50_000), 2, 'what it said before maintenance began says nothing');
});

test('what was heard too long ago holds nothing', () => {
  const words = new Map([['a', word(100, 'shared')]]);
  assert.equal(checksKept(judged, words, 100 + HOLD_MS - 1).size, 2);
  assert.equal(checksKept(judged, words, 100 + HOLD_MS).size, 0);
});

test('nodes with a part in it are asked when they are configured or linked, and what does not answer changes nothing', async (t) => {
  const maintenance = { node: 'a', reason: 'upgrade', by: 'op' };
  const entry = (resource: string, on: boolean) =>
    ({ resource, maintenance: on ? maintenance : null }) as StatusEntry;
  const asked: string[] = [];
  let answer: () => Promise<ControlReply> = async () =>
    ({ status: [entry('shared', true), entry('mail', true)] }) as ControlReply;
  const elsewhere = createKeptElsewhere({
    ask(node) {
      asked.push(node);
      return answer();
    },
    clock: () => 1000,
    changed() {},
  });
  t.after(() => elsewhere.close());
  const monitor = { active: true, nodes: ['a', 'm', 'n'], judged } as unknown as MonitorConfig;
  const config = { node: 'm', monitor, resources: [{ name: 'mail' }] } as unknown as Config;
  elsewhere.configure(config);
  await until(
    () => elsewhere.checks().size === 2,
    5000,
    () => 'not known',
  );
  // b does not monitor, and n has no part in it; of mail this node's own voter knows.
  assert.deepEqual(asked, ['a']);
  assert.deepEqual([...elsewhere.checks().keys()], ['web', 'db']);
  answer = () => Promise.reject(new Error('not connected'));
  elsewhere.link('a', true);
  assert.equal(asked.length, 2);
  await new Promise(setImmediate);
  assert.equal(elsewhere.checks().size, 2);
  answer = async () => ({ status: [entry('shared', false)] }) as ControlReply;
  elsewhere.link('a', true);
  await until(
    () => elsewhere.checks().size === 0,
    5000,
    () => 'still held',
  );
  elsewhere.link('n', true);
  elsewhere.link('a', false);
  assert.equal(asked.length, 3);
});
