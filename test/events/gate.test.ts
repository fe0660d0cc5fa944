/** Thousands of events at one moment: so many of each kind, and then how many more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEventGate } from '../../daemon/events/gate.js';
import type { NewEvent } from '../../proto/event-types.js';

const ended = (weight: number): NewEvent => ({ kind: 'ramp-ended', text: '', data: { weight } });
const sorry: NewEvent = { kind: 'sorry-in', service: 'www', text: '', data: { sorry: '' } };

test('fifty of a kind within a second get through, and one that counts the others', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const passed: NewEvent[] = [];
  const gate = createEventGate({ pass: (event) => void passed.push(event) });
  for (let weight = 0; weight < 10_000; weight += 1) gate.record(ended(weight));
  gate.record(sorry);
  assert.equal(passed.length, 51, 'another kind is not held up by it');
  t.mock.timers.tick(999);
  gate.record(ended(1));
  assert.equal(passed.length, 51);
  t.mock.timers.tick(1);
  assert.equal(passed.length, 52);
  assert.deepEqual([passed[51]?.kind, passed[51]?.data], ['more-events', { of: 'ramp-ended', count: 9951 }]);
  gate.record(ended(2));
  assert.equal(passed.length, 53);
  t.mock.timers.tick(1000);
  assert.equal(passed.length, 53, 'nothing was held back');
});

test('what was counted is told at the end', () => {
  const passed: NewEvent[] = [];
  const gate = createEventGate({ pass: (event) => void passed.push(event), singly: 2 });
  for (let weight = 0; weight < 5; weight += 1) gate.record(ended(weight));
  gate.close();
  assert.deepEqual(passed[2]?.data, { of: 'ramp-ended', count: 3 });
  gate.close();
  assert.equal(passed.length, 3);
});
