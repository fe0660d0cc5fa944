/** What balancers tell each other against its bytes: there and back, out of range, and in parts that fit. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ShareEntry } from '../../daemon/balancer/core/types.js';
import { decodePeerMessage, encodePeerMessage } from '../../proto/codec.js';
import { peerFrameBytesMax } from '../../proto/frame.js';
import { hastmon } from '../../proto/gen/peer.js';
import { partsOf, type ShareMessage } from '../../proto/share-codec.js';
import { random, randomShare } from './random.js';

const there = (message: ShareMessage) => decodePeerMessage(encodePeerMessage({ kind: 'share', message }));

function decodeWire(share: hastmon.Share.$Properties): ReturnType<typeof decodePeerMessage> {
  return decodePeerMessage(hastmon.PeerFrame.encode({ share }).finish());
}

function pairOf(host: string, reasons: number): ShareEntry {
  return {
    ...{
      kind: 'pair',
      host,
      service: 'www',
      real: '10.0.0.2:80',
      zeroAge: 5,
      awaitAge: null,
      ramp: null,
      rampAskedMs: null,
    },
    ...{
      override: null,
      reasons: Array.from({ length: reasons }, (_, i) => ({ name: `r${i}`, by: 'x', age: i })),
    },
  };
}

describe('messages of the balancer', () => {
  test('[N19] they arrive as they were sent (500 seeds)', () => {
    for (let seed = 1; seed <= 500; seed += 1) {
      const message = randomShare(random(seed));
      const expected = { kind: 'message', message: { kind: 'share', message } };
      assert.deepEqual(there(message), expected, `seed ${seed}`);
    }
  });

  test('[N19] what is missing or out of range is ignored', () => {
    const invalid: hastmon.Share.$Properties[] = [
      { check: [{ name: '', state: 1 }] },
      { check: [{ name: 'x', state: 0 }] },
      { check: [{ name: 'x', state: 3 }] },
      { check: [{ name: 'x'.repeat(5000), state: 1 }] },
      { check: [{ name: 'x', state: 1, sinceMs: -1 }] },
      { host: [{ host: '' }] },
      { host: [{ host: 'a', off: { by: 'a\nb' } }] },
      { pair: [{ host: 'a', service: '' }] },
      { pair: [{ host: 'a', service: 'b', zeroAgo: { ms: Number.NaN } }] },
      { pair: [{ host: 'a', service: 'b', override: 2 ** 31 }] },
      { pair: [{ host: 'a', service: 'b', reason: Array.from({ length: 65 }, () => ({ name: 'r' })) }] },
    ];
    for (const share of invalid) assert.equal(decodeWire(share).kind, 'invalid', JSON.stringify(share));
  });

  test('[N19] a large picture is in parts that fit into frames, and nothing of it is lost', () => {
    const entries = Array.from({ length: 3000 }, (_, index) => pairOf(`host${index}`, index % 65));
    const parts = partsOf({ full: true, more: false, entries });
    assert.ok(parts.length > 1);
    for (const message of parts)
      assert.ok(encodePeerMessage({ kind: 'share', message }).length < peerFrameBytesMax - 1000);
    assert.deepEqual(
      parts.map(({ full, more }) => [full, more]),
      parts.map((_, index) => [index === 0, index < parts.length - 1]),
    );
    assert.deepEqual(
      parts.flatMap((part) => part.entries),
      entries,
    );
    const nothing = { full: true, more: false, entries: [] };
    assert.deepEqual(partsOf(nothing), [nothing]);
    assert.ok(partsOf({ full: false, more: true, entries }).every(({ full, more }) => !full && more));
  });

  test('[N19] a check whose name nobody would believe is left out', () => {
    const named = (name: string): ShareEntry => ({
      ...{ kind: 'check', name, state: 'up', nature: 'ok', sinceAge: 1, passAge: 1 },
    });
    const entries = [named('x'.repeat(4096)), named('x'.repeat(4097))];
    const message = { full: true, more: false, entries: entries.slice(0, 1) };
    assert.deepEqual(there({ full: true, more: false, entries }), {
      kind: 'message',
      message: { kind: 'share', message },
    });
  });
});
