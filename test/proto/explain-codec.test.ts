/** Explanations on the control socket: there and back, in frames that are not too large. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from '../../proto/control-codec.js';
import type { ControlReply } from '../../proto/control-types.js';
import type { Condition, Explanation } from '../../proto/explain-types.js';
import { controlFrameBytesMax } from '../../proto/frame.js';

const CONDITION: Condition = {
  ...{ topic: 'promotion', name: 'set', holds: false, oneOf: 'reason', enough: 1, what: 'it was set' },
  ...{ value: 'secondary', needed: 'primary', ageMs: null, source: 'operator', change: 'hastmonctl role' },
};
const EXPLANATION: Explanation = {
  ...{ subject: 'resource', name: 'shared', node: 'alpha', sentence: 'secondary; beta holds the lease' },
  verdicts: { running: false, promotion: true, staying: null },
  conditions: [
    CONDITION,
    { ...CONDITION, holds: null, oneOf: '', ageMs: 1200.5 },
    { ...CONDITION, holds: true, enough: 2 },
  ],
};
const NOTHING = { status: [], text: '', monitor: null, balancer: null, events: [], cluster: null };

function thereAndBack(explanations: Explanation[]): { frames: number; back: Explanation[] } {
  const replies = encodeReply({ final: true, progress: '', error: null, ...NOTHING, explanations }).map(
    (frame) => {
      assert.ok(frame.length < controlFrameBytesMax / 2, `a frame of ${frame.length} bytes`);
      const reply = decodeReply(frame);
      assert.ok(typeof reply !== 'string', String(reply));
      return reply;
    },
  );
  assert.deepEqual(replies.map(({ final }) => final).lastIndexOf(false), replies.length - 2);
  return { frames: replies.length, back: replies.flatMap((reply: ControlReply) => reply.explanations) };
}

test('a question arrives as it was asked, and not without a name', () => {
  const request = { kind: 'explain', name: 'web1/www' } as const;
  assert.deepEqual(decodeRequest(encodeRequest(request)), { kind: 'request', request });
  assert.equal(decodeRequest(encodeRequest({ ...request, name: '' })).kind, 'invalid');
});

test('explanations arrive as they were, however many', () => {
  const subjects = (['resource', 'check', 'server'] as const).map((subject) => ({ ...EXPLANATION, subject }));
  assert.deepEqual(thereAndBack(subjects).back, subjects);
  const many = Array.from({ length: 3000 }, (_, at) => ({ ...EXPLANATION, name: `shared${at}` }));
  const { back, frames } = thereAndBack(many);
  assert.ok(frames > 2, `${frames} frames`);
  assert.deepEqual(back, many);
  assert.deepEqual(thereAndBack([]).back, []);
});

test('what a program said at length is cut, and the reply is still one', () => {
  const value = 'no '.repeat(500_000);
  const [back] = thereAndBack([
    { ...EXPLANATION, sentence: value, conditions: [{ ...CONDITION, value, change: value }] },
  ]).back;
  for (const text of [back?.sentence, back?.conditions[0]?.value, back?.conditions[0]?.change])
    assert.match(text ?? '', /^(no )+(no?)?…$/);
});
