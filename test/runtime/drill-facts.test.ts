/** What a node tells of itself and asks of others for a drill. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNode, stepNode } from '../../daemon/core/node.js';
import type { NodeState } from '../../daemon/core/node-types.js';
import { createDrillHandler, type DrillOptions } from '../../daemon/runtime/drill-facts.js';
import type { ControlReply } from '../../proto/control-types.js';
import type { DrillRequest } from '../../proto/drill-types.js';
import type { HaEvent } from '../../proto/event-types.js';
import { heartbeat, settings } from '../core/given.js';
import { factsOf } from '../drill/support.js';

function stateOf(change: Parameters<typeof settings>[0] = {}): NodeState {
  const init = { settings: settings(change), incarnation: 1, record: null, leftRunning: null, kept: null };
  let { state } = startNode({ ...init, roleOnStart: 'secondary' }, 0);
  const holder = heartbeat({
    role: 'primary',
    roleSet: 'primary',
    run: 'run',
    able: false,
    holdingEpoch: 4,
    priority: 7,
  });
  state = stepNode(state, { kind: 'link', node: 'b', up: true, now: 10 }).state;
  return stepNode(state, { kind: 'peer', from: 'b', message: holder, now: 20 }).state;
}

function hookEvent(number: number, resource: string, action: string, ok: boolean): HaEvent {
  const data = { action, ok, outcome: 'exit', code: 0, ms: number };
  return { number, node: 'a', at: number, boot: 'x', bootMs: number, kind: 'hook', resource, text: '', data };
}

const REPLY: ControlReply = {
  ...{ final: true, progress: '', error: null, status: [], text: '', monitor: null, balancer: null },
  ...{ events: [], explanations: [], cluster: null },
};

function given(change: Partial<DrillOptions> = {}) {
  const asked: [string, DrillRequest][] = [];
  const events = [
    ...Array.from({ length: 30 }, (_, at) => hookEvent(at, 'shared', 'start', true)),
    ...[hookEvent(40, 'shared', 'stop', true), hookEvent(41, 'shared', 'stop', false)],
    ...[hookEvent(42, 'mail', 'start', true), hookEvent(43, 'shared', 'role', true)],
  ];
  let reads = 0;
  const handler = createDrillHandler({
    resources: new Map([['shared', { state: () => stateOf() }]]),
    journal: {
      async read(wanted) {
        reads += 1;
        return events.filter(wanted);
      },
    },
    ask: async (node, request) => {
      asked.push([node, request]);
      if (node === 'c') throw new Error('not connected');
      const facts = [factsOf({ node }), factsOf({ node: 'c' })];
      return { ...REPLY, cluster: { kind: 'drill', facts, missing: [] } };
    },
    now: () => 1020,
    ...change,
  });
  return { handler, asked, reads: () => reads };
}

test('the present state: itself as it would say, others as they last said, and no disk is read for it', async () => {
  const { asked, handler, reads } = given();
  const { facts, missing } = await handler(['shared', 'unknown'], 'state');
  assert.deepEqual([facts.length, missing, asked.length, reads()], [1, [], 0, 0]);
  const [only] = facts;
  assert.deepEqual([only?.resource, only?.node, only?.bootMs, only?.hooks], ['shared', 'a', 1020, []]);
  const [a, b, c] = only?.nodes ?? [];
  assert.deepEqual(
    [a?.node, a?.role, a?.fresh, a?.linked, a?.holds, a?.heardMs],
    ['a', 'secondary', true, true, false, 0],
  );
  assert.deepEqual(
    [b?.role, b?.run, b?.priority, b?.holds, b?.linked, b?.heardMs],
    ['primary', 'run', 7, true, true, 1000],
  );
  assert.deepEqual([c?.role, c?.fresh, c?.heardMs, c?.linked], [null, false, null, false]);
});

test('who has been silent holds nothing any more, as far as this node knows', async () => {
  const { facts } = await given({ now: () => 4000 }).handler(['shared'], 'state');
  const b = facts[0]?.nodes[1];
  assert.deepEqual(
    [b?.fresh, b?.holds, b?.able, b?.role, b?.heardMs],
    [false, false, false, 'primary', 3980],
  );
});

test('hooks: the last ones that have ended well, of this resource alone', async () => {
  const { facts } = await given().handler(['shared'], 'node');
  const hooks = facts[0]?.hooks ?? [];
  assert.deepEqual(
    hooks.filter(({ action }) => action === 'start').map(({ ms }) => ms),
    Array.from({ length: 20 }, (_, at) => at + 10),
  );
  assert.deepEqual(
    hooks.filter(({ action }) => action !== 'start'),
    [{ action: 'stop', ms: 40 }],
  );
});

test('all: every other voter is asked for what it knows itself, its word on others does not count, and who is missing is named', async () => {
  const { asked, handler } = given();
  const { facts, missing } = await handler(['shared'], 'all');
  assert.deepEqual(
    asked,
    ['b', 'c'].map((node) => [node, { kind: 'drill', resources: ['shared'], depth: 'node' }]),
  );
  assert.deepEqual(
    facts.map(({ node }) => node),
    ['a', 'b'],
  );
  assert.deepEqual(missing, [{ node: 'c', why: 'not connected' }]);
});

test('a node that answers with an error is missing for that reason', async () => {
  const ask = async (): Promise<ControlReply> => ({
    ...REPLY,
    error: { code: 68, message: 'no resource shared' },
  });
  const { missing } = await given({ ask }).handler(['shared'], 'all');
  assert.deepEqual(
    missing,
    ['b', 'c'].map((node) => ({ node, why: 'no resource shared' })),
  );
});

test('why the last attempt to run it here has failed, until one ends well or the operator sets a role', async () => {
  let number = 0;
  const event = (kind: string, data: HaEvent['data'], resource = 'shared'): HaEvent => {
    number += 1;
    return { ...hookEvent(number, resource, 'start', true), kind, data };
  };
  const failed = event('attempt-failed', { attempts: 1, limit: 5, error: 'start exited with 1: no disk' });
  const gaveUp = event('gave-up', { error: 'start exited with 2' });
  const started = event('hook', { action: 'start', ok: true, ms: 4 });
  const stopped = event('hook', { action: 'stop', ok: true, ms: 4 });
  const command = (words: string, done = true): HaEvent =>
    event('command', { command: words, done, error: '' });
  const why = async (...events: HaEvent[]): Promise<string | undefined> => {
    const journal: DrillOptions['journal'] = { read: async (wanted) => events.filter(wanted) };
    return (await given({ journal }).handler(['shared'], 'node')).facts[0]?.startFailed;
  };
  assert.equal(await why(), '');
  assert.equal(await why(started, failed, stopped), 'start exited with 1: no disk');
  assert.equal(await why(failed, gaveUp, event('gave-up', { error: 'x' }, 'mail')), 'start exited with 2');
  assert.equal(await why(failed, started), '');
  for (const forgotten of ['role secondary shared', 'role secondary mail shared', 'role primary all'])
    assert.equal(await why(gaveUp, command(forgotten)), '', forgotten);
  for (const other of [
    command('role secondary mail'),
    command('role secondary shared', false),
    command('reload'),
  ])
    assert.equal(await why(gaveUp, other), 'start exited with 2');
  assert.equal((await why(event('gave-up', { error: 'x'.repeat(5000) })))?.length, 200);
});
