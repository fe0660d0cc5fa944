/** What nodes ask each other for people against its bytes: there and back, out of range, and in frames that fit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePeerMessage, encodePeerMessage } from '../../proto/codec.js';
import { peerFrameBytesMax } from '../../proto/frame.js';
import { hastmon } from '../../proto/gen/peer.js';
import { INQUIRY_BYTES_MAX, PART_BYTES_MAX } from '../../proto/inquiry-codec.js';
import { random, randomInquiry } from './random.js';

test('[N47] a question and a part of an answer arrive as they were sent (500 seeds)', () => {
  for (let seed = 1; seed <= 500; seed += 1) {
    const message = randomInquiry(random(seed));
    assert.deepEqual(
      decodePeerMessage(encodePeerMessage(message)),
      { kind: 'message', message },
      `seed ${seed}`,
    );
  }
});

test('[N47] what came is a copy: the buffer that it came in is used again', () => {
  const bytes = encodePeerMessage({ kind: 'inquiry', number: 1, part: 0, request: new Uint8Array([7, 8]) });
  const decoded = decodePeerMessage(bytes);
  bytes.fill(0);
  assert.ok(decoded.kind === 'message' && decoded.message.kind === 'inquiry');
  assert.deepEqual([...decoded.message.request], [7, 8]);
});

test('[N49] what is missing or too large is ignored; the largest part fits into a frame', () => {
  const invalid: hastmon.PeerFrame.$Properties[] = [
    { inquiry: { number: 0, request: new Uint8Array(1) } },
    { inquiry: { number: 1, part: 257 } },
    { inquiry: { number: 1, request: new Uint8Array(INQUIRY_BYTES_MAX + 1) } },
    { reply: { number: 0 } },
    { reply: { number: 1, bytes: new Uint8Array(PART_BYTES_MAX + 1) } },
    { reply: { number: 1, refusal: 'a\nb' } },
  ];
  for (const frame of invalid)
    assert.equal(
      decodePeerMessage(hastmon.PeerFrame.encode(frame).finish()).kind,
      'invalid',
      JSON.stringify(frame),
    );
  const largest = encodePeerMessage({
    ...{ kind: 'reply', number: Number.MAX_SAFE_INTEGER, part: 256 },
    ...{ bytes: new Uint8Array(PART_BYTES_MAX), more: true, refusal: '' },
  });
  assert.ok(largest.length < peerFrameBytesMax / 2, `${largest.length} bytes`);
});
