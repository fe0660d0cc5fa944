/** The messages of confirmation against their bytes: there and back, out of range, too large, and from the future. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConfirmMessage, LedgerImage, Witness } from '../../daemon/confirm/types.js';
import { decodePeerMessage, encodePeerMessage } from '../../proto/codec.js';
import { peerFrameBytesMax } from '../../proto/frame.js';
import { hastmon } from '../../proto/gen/peer.js';
import { confirmKinds, random, randomConfirm } from './random.js';

const there = (message: ConfirmMessage) => decodePeerMessage(encodePeerMessage({ kind: 'confirm', message }));
const future = (number: number) => number as never;

function decodeWire(confirm: hastmon.Confirm.$Properties): ReturnType<typeof decodePeerMessage> {
  return decodePeerMessage(hastmon.PeerFrame.encode({ confirm }).finish());
}

function ledgerOf(witnesses: readonly Witness[], notes = 8): LedgerImage {
  return {
    ...{ edge: 20, told: 1, said: 1, saidBy: 'a', flap: 0, ack: 0, ackBy: '' },
    ...{ mute: { revision: 0, leftMs: 0 }, sinceMs: 5 },
    notes: Array.from({ length: notes }, (_, index) => ({
      ...({ edge: 20 - notes + index + 1, kind: 'down', atMs: 1, sinceMs: 2, witnesses } as const),
    })),
  };
}

const viewOf = (nature: string): Witness['view'] => ({
  ...{ sight: 'down', forMs: 1, resultAgeMs: 1, failing: true, nature, address: '', latencyMs: 1 },
  goodAgoMs: null,
});

describe('messages of confirmation', () => {
  for (const kind of confirmKinds) {
    test(`[N17] ${kind} arrives as it was sent (300 seeds)`, () => {
      for (let seed = 1; seed <= 300; seed += 1) {
        const message = randomConfirm(random(seed), kind);
        assert.deepEqual(
          there(message),
          { kind: 'message', message: { kind: 'confirm', message } },
          `seed ${seed}`,
        );
      }
    });
  }

  test('[N17] what is too large is made smaller, oldest first, and arrives', () => {
    const witnesses = Array.from({ length: 64 }, (_, index) => ({
      node: `${'n'.repeat(200)}${index}`,
      view: viewOf('x'.repeat(240)),
    }));
    const message: ConfirmMessage = { kind: 'ledger', check: 'web', ledger: ledgerOf(witnesses) };
    const bytes = encodePeerMessage({ kind: 'confirm', message });
    assert.ok(bytes.length < peerFrameBytesMax - 1000, `${bytes.length} bytes`);
    const got = decodePeerMessage(bytes);
    assert.ok(
      got.kind === 'message' && got.message.kind === 'confirm' && got.message.message.kind === 'ledger',
    );
    const counts = got.message.message.ledger.notes.map((note) => note.witnesses.length);
    assert.equal(counts.length, 8);
    assert.deepEqual(counts.slice(0, 7).every((count) => count === 0) && counts[7], 64);
  });

  test('[N17] a text that no message carries is made one that it does, and a length that is none 0', () => {
    const wild = `line\nbreak \u0000 \ud800 ${'😀'.repeat(300)}`;
    const view = { ...viewOf(wild), forMs: Number.POSITIVE_INFINITY, latencyMs: Number.NaN, resultAgeMs: -5 };
    const got = there({ kind: 'answer', check: 'web', id: 1, view });
    assert.ok(
      got.kind === 'message' && got.message.kind === 'confirm' && got.message.message.kind === 'answer',
    );
    const back = got.message.message.view;
    assert.match(back?.nature ?? '', /^line\?break \? \? 😀+$/u);
    assert.deepEqual([back?.forMs, back?.latencyMs, back?.resultAgeMs], [1e14, 0, 0]);
  });

  const wireView = { sight: 2, nature: 'refused' };
  const invalid: [string, hastmon.Confirm.$Properties][] = [
    ['no check', { grant: { edge: 1 } }],
    ['a check with a line break', { check: 'a\nb', grant: { edge: 1 } }],
    ['an edge that nobody can have counted', { check: 'a', grant: { edge: 1_000_000_001 } }],
    ['edge 0', { check: 'a', claim: { edge: 0 } }],
    ['an answer to ask 0', { check: 'a', answer: { id: 0, view: wireView } }],
    ['a view without sight', { check: 'a', answer: { id: 1, view: { nature: 'ok' } } }],
    ['a sight of the future', { check: 'a', answer: { id: 1, view: { sight: future(9) } } }],
    ['a negative length', { check: 'a', answer: { id: 1, view: { ...wireView, forMs: -1 } } }],
    [
      'a length that is no number',
      { check: 'a', answer: { id: 1, view: { ...wireView, forMs: Number.NaN } } },
    ],
    ['an endless length', { check: 'a', answer: { id: 1, view: { ...wireView, forMs: Infinity } } }],
    ['more told than there is', { check: 'a', ledger: { edge: 3, told: 4 } }],
    ['more said than there is', { check: 'a', ledger: { edge: 3, said: 4 } }],
    [
      'a note of an edge that is not there',
      { check: 'a', ledger: { edge: 3, note: [{ edge: 4, kind: 1 }] } },
    ],
    ['a note of no kind', { check: 'a', ledger: { edge: 3, note: [{ edge: 1 }] } }],
    [
      'nine notes',
      { check: 'a', ledger: { edge: 3, note: Array.from({ length: 9 }, () => ({ edge: 1, kind: 1 })) } },
    ],
    [
      '65 witnesses',
      {
        check: 'a',
        ledger: {
          edge: 3,
          note: [
            { edge: 1, kind: 1, witness: Array.from({ length: 65 }, () => ({ node: 'a', view: wireView })) },
          ],
        },
      },
    ],
    [
      'a witness without a view',
      { check: 'a', ledger: { edge: 3, note: [{ edge: 1, kind: 1, witness: [{ node: 'a' }] }] } },
    ],
  ];
  for (const [what, wire] of invalid) {
    test(`[N12] [N17] ${what} is out of range`, () => {
      const decoded = decodeWire(wire);
      assert.equal(decoded.kind, 'invalid', JSON.stringify(decoded));
    });
  }

  test('[N11] a kind that is not known is ignored; [N4] so is a field', () => {
    assert.equal(decodeWire({ check: 'web' }).kind, 'unknown');
    const inner = Buffer.from(hastmon.Confirm.encode({ check: 'a', grant: { edge: 7 } }).finish());
    const more = Buffer.concat([inner, Buffer.from('fa060161', 'hex')]);
    const frame = Buffer.concat([Buffer.from([0x4a, more.length]), more]);
    const message = { kind: 'confirm', message: { kind: 'grant', check: 'a', edge: 7 } };
    assert.deepEqual(decodePeerMessage(frame), { kind: 'message', message });
  });
});
