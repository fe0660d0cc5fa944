/** What of the balancer goes into the journal: begin and end, by whom and why, and what somebody else does to the table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HaEvent, NewEvent } from '../../../proto/event-types.js';
import { Given, WWW_KEY } from './given.js';

const up = (options = {}): Given => new Given(options).pass(1, 2, 3);

/** Those since they were looked at last: kind, tags, by and data. */
function happened(given: Given): Partial<HaEvent>[] {
  return given.told('happened').map(({ event }) => {
    const { text, ...rest }: NewEvent = event;
    assert.notEqual(text, '');
    return rest;
  });
}

const kinds = (given: Given): string[] => happened(given).map(({ kind = '' }) => kind);
const S1 = { host: 's1', service: 'www' };

test('a server that fails and comes back: no step of its ramp, but its begin and its end', () => {
  const given = up().after(20_000);
  happened(given);
  given.fail(1);
  assert.deepEqual(happened(given), [
    { kind: 'weight-changed', ...S1, data: { from: 100, to: 0, rampMs: 0, why: 'down: refused' } },
  ]);
  given.now += 200_000;
  given.pass(1);
  assert.deepEqual(happened(given), [
    { kind: 'weight-changed', ...S1, data: { from: 0, to: 100, rampMs: 10_000, why: 'its check passes' } },
  ]);
  given.after(12_000);
  assert.deepEqual(happened(given), [{ kind: 'ramp-ended', ...S1, data: { weight: 100 } }]);
});

test('what an operator does, with who it was, and what follows from it', () => {
  const given = up();
  happened(given);
  given.off(1, ['www'], ['deploy', 'disk']);
  assert.deepEqual(happened(given), [
    { kind: 'server-disabled', ...S1, by: 'root', data: { reasons: 'deploy, disk', whole: false } },
    {
      ...{ kind: 'weight-changed', ...S1, by: 'root' },
      data: { from: 100, to: 0, rampMs: 0, why: 'disabled: deploy by root, disk by root' },
    },
  ]);
  given.on(1, ['www'], ['*']);
  assert.deepEqual(happened(given), [{ kind: 'server-enabled', ...S1, by: 'root', data: { whole: false } }]);
  given.pass(1).off(2);
  assert.deepEqual(kinds(given), ['weight-changed', 'server-disabled', 'weight-changed']);
  given.on(2);
  assert.deepEqual(happened(given), [
    { kind: 'server-enabled', host: 's2', by: 'root', data: { whole: true } },
  ]);
  const weight = { kind: 'weight', hosts: ['s1'], services: ['www'], weight: 7, by: 'root' } as const;
  given.step({ kind: 'command', command: weight });
  assert.deepEqual(happened(given), [
    { kind: 'full-weight', ...S1, by: 'root', data: { weight: 7, own: false } },
  ]);
  given.step({ kind: 'command', command: { ...weight, weight: null } });
  assert.deepEqual(happened(given), [
    { kind: 'full-weight', ...S1, by: 'root', data: { weight: 100, own: true } },
  ]);
});

test('the sorry server, in and out', () => {
  const given = up();
  given.fail(1, 2);
  happened(given);
  given.fail(3);
  assert.deepEqual(happened(given).slice(1), [
    { kind: 'sorry-in', service: 'www', data: { sorry: 'sorry' } },
  ]);
  given.now += 5000;
  given.pass(2);
  const out = happened(given).find(({ kind }) => kind === 'sorry-out');
  assert.deepEqual(out, { kind: 'sorry-out', service: 'www', data: { lastedMs: 5002 } });
});

test('somebody else at the table, once each time; what is refused, once; what is taken over', () => {
  const given = up();
  happened(given);
  given.meddle((service) => service && { ...service, scheduler: 'rr' });
  const [meddled] = happened(given);
  assert.equal(meddled?.kind, 'table-meddled');
  assert.deepEqual([meddled?.service, meddled?.data?.left], ['www', false]);
  assert.match(String(meddled?.data?.what), /scheduler wrr -> rr/);
  const refuse = (): Given => given.step({ kind: 'refused', services: [WWW_KEY], why: 'no such device' });
  refuse();
  refuse();
  assert.deepEqual(happened(given), [
    { kind: 'table-refused', service: 'www', data: { why: 'no such device' } },
  ]);
  given.after(6000);
  given.fail(1);
  assert.ok(kinds(given).includes('table-accepted') || given.state.refused.size === 0);
});

test('one that is somebody else’s is told once, and taken over when that is asked for', () => {
  const table = up().kernel;
  const given = new Given({ table });
  assert.deepEqual(
    happened(given).filter(({ kind }) => kind === 'vs-foreign'),
    [{ kind: 'vs-foreign', service: 'www', data: { virtual: WWW_KEY } }],
  );
  given.step({ kind: 'command', command: { kind: 'adopt', services: ['www'], by: 'root' } });
  assert.deepEqual(happened(given)[0], { kind: 'vs-adopted', service: 'www', data: { virtual: WWW_KEY } });
});
