/** The messages between nodes against their bytes: there and back, out of range, from the future, and garbage. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PeerMessage } from '../../daemon/core/types.js';
import { decodePeerMessage, encodePeerMessage, encodeProbe } from '../../proto/codec.js';
import { peerFrameBytesMax } from '../../proto/frame.js';
import { hastmon } from '../../proto/gen/peer.js';
import { messageKinds, random, randomMessage } from './random.js';

const holder = { node: 'nodeA', incarnation: 5 };
const memory = {
  history: true,
  epochMax: 3,
  sets: [['nodeA', 'nodeB', 'nodeC']],
  longestGrantMs: 0,
  grant: null,
};
const wireMemory = { history: true, epochMax: 3, set: [{ node: ['nodeA', 'nodeB', 'nodeC'] }] };
const wireState = { incarnation: 1, role: 2, roleSet: 2, run: 4, memory: wireMemory };
const wireRequest = { holder, epoch: 1, request: 1, terms: { leaseMs: 300 }, set: wireMemory.set };
const wireAnswer = { to: 2, holder, verdict: 1, memory: wireMemory };

/** A number that its enum does not have, as a newer version may send it. */
const future = (number: number) => number as never;

function decodeWire(frame: hastmon.PeerFrame.$Properties): ReturnType<typeof decodePeerMessage> {
  return decodePeerMessage(hastmon.PeerFrame.encode(frame).finish());
}

describe('messages between nodes', () => {
  for (const kind of messageKinds) {
    test(`[N10] ${kind} arrives as it was sent (500 seeds)`, () => {
      for (let seed = 1; seed <= 500; seed += 1) {
        const message = randomMessage(random(seed), kind);
        const bytes = encodePeerMessage(message);
        assert.ok(bytes.length < peerFrameBytesMax, `seed ${seed}: ${bytes.length} bytes`);
        assert.deepEqual(decodePeerMessage(bytes), { kind: 'message', message }, `seed ${seed}`);
      }
    });
  }

  test('[N10] the bytes of each kind are what they were', () => {
    const golden: [PeerMessage, string][] = [
      [{ kind: 'complaint', incarnation: 300, sequence: 2 }, '320508ac021002'],
      [{ kind: 'handover', holder, epoch: 7 }, '3a0d0a090a056e6f6465411005' + '1007'],
      [
        { kind: 'release', holder, epoch: 7, successor: 'nodeB', reservationMs: 1500 },
        '2a1d0a090a056e6f6465411005' + '10071a056e6f646542' + '210000000000709740',
      ],
      [
        { kind: 'ask', holder, request: 9, sets: [['a', 'b']] },
        '12150a090a056e6f6465411005' + '10091a060a01610a0162',
      ],
    ];
    for (const [message, hex] of golden) {
      assert.equal(Buffer.from(encodePeerMessage(message)).toString('hex'), hex, message.kind);
    }
  });

  test('[N4] unknown fields are skipped, in the frame and inside a message', () => {
    const message: PeerMessage = { kind: 'complaint', incarnation: 300, sequence: 2 };
    const inside = Buffer.from('320908ac021002f2060161', 'hex');
    const beside = Buffer.concat([encodePeerMessage(message), Buffer.from('fa060161', 'hex')]);
    for (const bytes of [inside, beside]) {
      assert.deepEqual(decodePeerMessage(bytes), { kind: 'message', message });
    }
  });

  test('[N11] an unknown kind is told apart from garbage; a probe from both', () => {
    assert.deepEqual(decodePeerMessage(Buffer.from('a2060161', 'hex')), { kind: 'unknown' });
    assert.deepEqual(decodePeerMessage(new Uint8Array(0)), { kind: 'unknown' });
    assert.deepEqual(decodePeerMessage(encodeProbe()), { kind: 'probe' });
  });

  test('[N13] bytes that are no message are malformed', () => {
    const bytes = Buffer.from(encodePeerMessage({ kind: 'ask', holder, request: 9, sets: [['a', 'b']] }));
    for (let cut = 1; cut < bytes.length; cut += 1) {
      assert.equal(decodePeerMessage(bytes.subarray(0, cut)).kind, 'malformed', `cut at ${cut}`);
    }
    assert.equal(decodePeerMessage(Buffer.from([0xff, 0xff, 0xff])).kind, 'malformed');
    assert.equal(decodePeerMessage(Buffer.alloc(50, 0x0b)).kind, 'malformed');
  });

  const invalid: [string, hastmon.PeerFrame.$Properties][] = [
    ['a state without memory', { state: { ...wireState, memory: null } }],
    ['a state without role', { state: { ...wireState, role: 0 } }],
    ['a role of the future', { state: { ...wireState, role: future(99) } }],
    ['a run state of the future', { state: { ...wireState, run: future(99) } }],
    ['incarnation 0', { state: { ...wireState, incarnation: 0 } }],
    ['an incarnation above 2^53-1', { state: { ...wireState, incarnation: 2 ** 53 } }],
    ['a sequence above 2^53-1', { state: { ...wireState, sequence: 2 ** 63 } }],
    ['an ask without holder', { ask: { set: wireMemory.set } }],
    ['an ask without voter sets', { ask: { holder } }],
    ['three voter sets', { ask: { holder, set: [...wireMemory.set, ...wireMemory.set, ...wireMemory.set] } }],
    ['an empty voter set', { ask: { holder, set: [{ node: [] }] } }],
    ['a voter twice', { ask: { holder, set: [{ node: ['a', 'b', 'a'] }] } }],
    [
      '65 voters',
      { ask: { holder, set: [{ node: Array.from({ length: 65 }, (_, index) => `n${index}`) }] } },
    ],
    ['a voter without name', { ask: { holder, set: [{ node: ['a', ''] }] } }],
    ['a holder without name', { handover: { holder: { incarnation: 1 }, epoch: 1 } }],
    ['a name of 256 characters', { handover: { holder: { ...holder, node: 'x'.repeat(256) }, epoch: 1 } }],
    ['a name with a line break', { handover: { holder: { ...holder, node: 'a\nb' }, epoch: 1 } }],
    ['a request without terms', { request: { ...wireRequest, terms: null } }],
    ['a lease of 0 ms', { request: { ...wireRequest, terms: { leaseMs: 0 } } }],
    ['a negative lease', { request: { ...wireRequest, terms: { leaseMs: -1 } } }],
    ['a lease that is not a number', { request: { ...wireRequest, terms: { leaseMs: Number.NaN } } }],
    ['an endless lease', { request: { ...wireRequest, terms: { leaseMs: Number.POSITIVE_INFINITY } } }],
    ['a lease of a month', { request: { ...wireRequest, terms: { leaseMs: 2 ** 31 } } }],
    ['a drift above 100 %', { request: { ...wireRequest, terms: { leaseMs: 1, driftPpm: 1_000_001 } } }],
    ['an answer to nothing', { answer: { ...wireAnswer, to: 0 } }],
    ['an answer without verdict', { answer: { ...wireAnswer, verdict: 0 } }],
    ['a verdict of the future', { answer: { ...wireAnswer, verdict: future(77) } }],
    ['history without voters', { answer: { ...wireAnswer, memory: { history: true } } }],
    ['a negative reservation', { release: { holder, epoch: 1, reservationMs: -0.5 } }],
    ['a complaint without incarnation', { complaint: { sequence: 1 } }],
  ];
  for (const [what, frame] of invalid) {
    test(`[N12] [N14] ${what} is out of range`, () => {
      const decoded = decodeWire(frame);
      assert.equal(decoded.kind, 'invalid', JSON.stringify(decoded));
    });
  }

  test('[N14] the same messages with everything in range are taken', () => {
    for (const frame of [{ state: wireState }, { request: wireRequest }, { answer: wireAnswer }]) {
      assert.equal(decodeWire(frame).kind, 'message');
    }
  });

  test('[N50] what a node lacks: names of later versions are taken, too many are not, an earlier version says nothing', () => {
    const readinessIn = (readiness: hastmon.Readiness.$Properties | null): unknown => {
      const decoded = decodeWire({ state: { ...wireState, readiness } });
      return decoded.kind === 'message' && decoded.message.kind === 'state'
        ? decoded.message.readiness
        : decoded.kind;
    };
    const lack = { name: 'of later', value: 'it lacks it' };
    assert.deepEqual(readinessIn({ lack: [lack], failbackMs: 500 }), { lacks: [lack], failbackMs: 500 });
    assert.deepEqual(readinessIn({}), { lacks: [], failbackMs: Number.POSITIVE_INFINITY });
    assert.equal(readinessIn(null), null);
    assert.equal(readinessIn({ lack: Array(33).fill(lack) }), 'invalid');
    assert.equal(readinessIn({ lack: [{ name: '' }] }), 'invalid');
    for (const [value, taken] of [
      ['two\nlines', 'two lines'],
      ['bad \ufffd bytes', 'bad   bytes'],
      ['x'.repeat(300), 'x'.repeat(255)],
      [`${'x'.repeat(254)}\u{1f6d1}`, `${'x'.repeat(254)} `],
    ] as const)
      assert.deepEqual(readinessIn({ lack: [{ name: 'x', value }] }), {
        lacks: [{ name: 'x', value: taken }],
        failbackMs: Number.POSITIVE_INFINITY,
      });
    assert.equal(readinessIn({ failbackMs: -1 }), 'invalid');
  });

  test('[N12] an unknown verdict is never a grant', () => {
    for (let verdict = 0; verdict < 300; verdict += 1) {
      const decoded = decodeWire({ answer: { ...wireAnswer, verdict: future(verdict) } });
      const granted =
        decoded.kind === 'message' && decoded.message.kind === 'answer' && decoded.message.refusal === null;
      assert.equal(granted, verdict === 1, `verdict ${verdict}`);
    }
  });

  test('[N15] times with fractions arrive to the last bit', () => {
    const message: PeerMessage = {
      ...{ kind: 'answer', to: 'ask', holder, epoch: 0, request: 1, refusal: 'held', by: 'nodeB' },
      ...{ leftMs: 1234.567890123, memory },
    };
    assert.deepEqual(decodePeerMessage(encodePeerMessage(message)), { kind: 'message', message });
  });

  test('[N18] reports arrive as they were sent; too many at once, or without a state, are out of range', () => {
    const report = { check: 'check_db', state: 'lagging', ageMs: 1200.25, forMs: 75_000 };
    const message = { kind: 'reports' as const, reports: [report, { ...report, check: 'other' }] };
    assert.deepEqual(decodePeerMessage(encodePeerMessage(message)), { kind: 'message', message });
    for (const reports of [Array(65).fill(report), [{ ...report, state: '' }], [{ ...report, ageMs: -1 }]])
      assert.equal(decodePeerMessage(encodePeerMessage({ kind: 'reports', reports })).kind, 'invalid');
  });

  test('[N16] there is no message that sets a role', () => {
    const kinds = Object.getOwnPropertyNames(hastmon.PeerFrame.prototype).filter(
      (key) => key !== 'constructor',
    );
    assert.deepEqual(
      kinds.sort(),
      [...messageKinds, 'body', 'probe', 'confirm', 'reports', 'share', 'inquiry', 'reply'].sort(),
    );
  });
});
