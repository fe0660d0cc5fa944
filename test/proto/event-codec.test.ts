/** Events on the control socket: there and back, and what no honest daemon or client would send. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEventsHandler } from '../../daemon/runtime/event-commands.js';
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from '../../proto/control-codec.js';
import type { ControlReply } from '../../proto/control-types.js';
import { eventToWire } from '../../proto/event-codec.js';
import type { EventsRequest, HaEvent } from '../../proto/event-types.js';
import { controlFrameBytesMax } from '../../proto/frame.js';
import { hastmon } from '../../proto/gen/control.js';
import { random } from './random.js';

const EVENT: HaEvent = {
  ...{ number: 2 ** 40, node: 'a', at: 1_700_000_000_000, boot: '01234567', bootMs: 123.456, kind: 'hook' },
  ...{ resource: 'db', text: 'start has ended well – ✓', data: { ok: true, ms: 1.5, action: 'start' } },
};
const REPLY: ControlReply = {
  ...{ final: false, progress: '', error: null, status: [], text: '', monitor: null, balancer: null },
  ...{ events: [EVENT], explanations: [], cluster: null },
};
const REQUEST: EventsRequest = { kind: 'events', names: [], sinceMs: null, last: null, follow: false };

test('a question arrives as it was asked', () => {
  const cases: Partial<EventsRequest>[] = [
    ...[{}, { names: ['db', 'web'] }, { sinceMs: 0 }, { sinceMs: 1e12 }, { last: 0 }, { last: 1_000_000 }],
    { follow: true },
  ];
  for (const change of cases) {
    const request = { ...REQUEST, ...change };
    assert.deepEqual(decodeRequest(encodeRequest(request)), { kind: 'request', request });
  }
});

test('a question that none may ask is refused', () => {
  for (const change of [
    { names: [''] },
    { names: ['a\nb'] },
    { names: ['x'.repeat(300)] },
    { sinceMs: -1 },
    { sinceMs: Number.NaN },
  ])
    assert.equal(
      decodeRequest(encodeRequest({ ...REQUEST, ...change })).kind,
      'invalid',
      JSON.stringify(change),
    );
});

test('an event arrives as it was recorded, with all that it is about, or nothing', () => {
  const { resource: _, ...nothing } = EVENT;
  for (const event of [
    EVENT,
    nothing,
    { ...EVENT, check: 'c', host: 'h', service: 's', by: 'root (uid 0)' },
  ]) {
    const [only, ...more] = encodeReply({ ...REPLY, events: [event] }).map(decodeReply);
    assert.deepEqual([only, more], [{ ...REPLY, events: [event] }, []]);
  }
});

test('an event that is none is an error in words', () => {
  const wrong: hastmon.Event.$Properties[] = [
    ...['[]', 'null', '7', '{', '"text"'].map((data) => ({ data })),
    ...[{ number: -1 }, { atMs: Number.NaN }, { atMs: -1 }, { bootMs: Number.POSITIVE_INFINITY }],
  ];
  for (const change of wrong) {
    const bytes = hastmon.ControlReply.encode({ event: [{ ...eventToWire(EVENT), ...change }] }).finish();
    assert.equal(typeof decodeReply(bytes), 'string', JSON.stringify(change));
  }
});

test('any bytes are an answer, or an error in words', () => {
  const { below } = random(1);
  const [good = new Uint8Array()] = encodeReply(REPLY);
  for (let round = 0; round < 5000; round += 1) {
    const bytes = Uint8Array.from(good);
    for (let count = 0; count <= below(4); count += 1) bytes[below(bytes.length)] = below(256);
    const cut = bytes.subarray(0, below(4) === 0 ? below(bytes.length) : bytes.length);
    const decoded = decodeReply(cut);
    assert.ok(typeof decoded === 'string' || Array.isArray(decoded.events));
  }
});

test('however long the events are, each reply has room in a frame, and none is left out', async () => {
  const long = { ...EVENT, text: '✓'.repeat(2000), data: { a: '\u0001'.repeat(2000), b: '✓'.repeat(2000) } };
  const events = Array.from({ length: 1000 }, (_, at) => ({
    ...(at % 2 === 0 ? long : EVENT),
    number: at + 1,
  }));
  const handle = createEventsHandler({ read: async () => events, subscribe: () => () => {} }, Date.now);
  const got: number[] = [];
  const reply = (part: Partial<ControlReply>): void => {
    got.push(...(part.events ?? []).map(({ number }) => number));
    for (const bytes of encodeReply({ ...REPLY, ...part }))
      assert.ok(bytes.length < controlFrameBytesMax, `${bytes.length}`);
  };
  await handle(REQUEST, reply, new AbortController().signal);
  assert.deepEqual(
    got,
    events.map(({ number }) => number),
  );
});
