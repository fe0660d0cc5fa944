/** What is said about the balancer on the control socket, there and back; and long lists. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BalancerCommand, PairView, ServiceView } from '../../daemon/balancer/types.js';
import { joinBalancerAnswers } from '../../proto/balancer-codec.js';
import type { BalancerAnswer, BalancerRequest } from '../../proto/balancer-types.js';
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from '../../proto/control-codec.js';
import { controlFrameBytesMax } from '../../proto/frame.js';
import { OWN_WORD, pairOf, serviceOf } from '../balancer/console/views.js';

const off: BalancerCommand = {
  ...{ kind: 'off', hosts: ['srv1', 'srv2'], services: ['www'], reasons: ['default'], by: 'carol' },
};
const set = (command: BalancerCommand): BalancerRequest => ({ kind: 'balancer-set', command });

const REQUESTS: BalancerRequest[] = [
  { kind: 'balancer-hosts', hosts: ['srv1'], services: ['www', 'srv'] },
  { kind: 'balancer-hosts', hosts: [], services: [] },
  { kind: 'balancer-services', services: ['www'] },
  set(off),
  set({ ...off, services: null, reasons: [] }),
  set({ ...off, kind: 'on', reasons: ['*'], rampMs: 30_000 }),
  set({ ...off, kind: 'on', services: null, reasons: ['*'], rampMs: null }),
  set({ ...off, kind: 'on', services: ['*'], rampMs: 0 }),
  set({ kind: 'weight', hosts: ['srv1'], services: ['*'], weight: 2 ** 31 - 1, by: 'carol' }),
  set({ kind: 'weight', hosts: ['srv1'], services: ['www'], weight: 0, by: 'carol' }),
  set({ kind: 'weight', hosts: ['srv1'], services: ['www'], weight: null, by: 'carol' }),
  set({ kind: 'adopt', services: ['*'], by: 'carol' }),
  { kind: 'balancer-diff' },
  { kind: 'balancer-reload' },
  { kind: 'balancer-console', session: 'a1', by: 'carol', line: 'set host srv1 off' },
  { kind: 'balancer-console', session: 'a1', by: 'carol', line: '' },
];

describe('requests', () => {
  for (const request of REQUESTS)
    test(JSON.stringify(request), () =>
      assert.deepEqual(decodeRequest(encodeRequest(request)), { kind: 'request', request }),
    );

  const weight = { kind: 'weight', hosts: ['srv1'], services: ['www'], by: 'carol' } as const;
  const wrong: [string, BalancerRequest][] = [
    ['no host', set({ ...off, hosts: [] })],
    ['no service, which is not every service', set({ ...off, services: [] })],
    ['a tag with a control character', set({ ...off, hosts: ['a\x1b'] })],
    ['an empty reason', set({ ...off, reasons: [''] })],
    ['nobody who does it', set({ ...off, by: '' })],
    ['nothing to adopt', set({ kind: 'adopt', services: [], by: 'carol' })],
    ['too many tags', { kind: 'balancer-hosts', hosts: new Array(10_001).fill('a'), services: [] }],
    ['a ramp of more than a day', set({ ...off, kind: 'on', rampMs: 1e8 })],
    ['a ramp of no length', set({ ...off, kind: 'on', rampMs: Number.NaN })],
    ['a weight that the kernel has not', set({ ...weight, weight: 2 ** 31 })],
    ['a change that is none', set({ ...off, kind: 'nothing' } as unknown as BalancerCommand)],
    ['a session without a name', { kind: 'balancer-console', session: '', by: 'carol', line: 'show' }],
    ['nobody who types', { kind: 'balancer-console', session: 'a', by: '', line: 'show' }],
    [
      'a line without an end',
      { kind: 'balancer-console', session: 'a', by: 'carol', line: 'x'.repeat(65_537) },
    ],
  ];
  for (const [what, request] of wrong)
    test(`${what} is refused`, () => assert.equal(decodeRequest(encodeRequest(request)).kind, 'invalid'));
});

/** What the reader gets in the end. */
function thereAndBack(balancer: BalancerAnswer): { answer: BalancerAnswer | null; frames: number } {
  const frames = encodeReply({
    ...{
      final: true,
      progress: '',
      error: null,
      status: [],
      text: '',
      monitor: null,
      balancer,
      events: [],
      explanations: [],
      cluster: null,
    },
  });
  const replies = frames.map((frame) => {
    assert.ok(frame.length < controlFrameBytesMax / 2, `a frame of ${frame.length} bytes`);
    const reply = decodeReply(frame);
    if (typeof reply === 'string') throw new Error(reply);
    return reply;
  });
  assert.deepEqual(
    replies.map(({ final }) => final),
    frames.map((_, index) => index === frames.length - 1),
  );
  const parts = replies.flatMap((reply) => (reply.balancer === null ? [] : [reply.balancer]));
  return { answer: joinBalancerAnswers(parts), frames: frames.length };
}

describe('answers', () => {
  const pairs: PairView[] = [
    pairOf(),
    pairOf({
      ...{ disabled: true, overridden: true, sorry: true, status: '0-DISABLED', procWeight: null, real: '' },
      reasons: [
        { name: '', by: 'carol', age: 12.5 },
        { name: 'deploy', by: '', age: 0 },
      ],
      check: { name: '', state: 'unknown', nature: '', sinceAge: null, passAge: null },
    }),
    pairOf({ ramp: { durationMs: 10_000, leftMs: 7000 }, status: '1-RAMPING', procWeight: 0 }),
    pairOf({ weight: 2 ** 31 - 1, status: '1-AWAITPASS' }),
  ];
  const services: ServiceView[] = [
    serviceOf(),
    serviceOf({
      ...{ sorry: 's', sorryAge: 5, owned: false, problem: 'x', weight: 2 ** 40, method: 'ipip' },
    }),
  ];
  const answers: BalancerAnswer[] = [
    { kind: 'hosts', hosts: pairs, note: 'this node is not the director', source: OWN_WORD },
    { kind: 'hosts', hosts: [], note: '', source: OWN_WORD },
    { kind: 'services', services, note: '', source: OWN_WORD },
    { kind: 'console', text: 'a\nb', ended: true },
    { kind: 'console', text: '', ended: false },
  ];
  for (const answer of answers)
    test(JSON.stringify(answer).slice(0, 60), () =>
      assert.deepEqual(thereAndBack(answer), { answer, frames: 1 }),
    );

  test('long ones come in pieces that frames can hold', () => {
    const hosts = Array.from({ length: 10_000 }, (_, n) => pairOf({ host: `srv${n}` }));
    const long: BalancerAnswer[] = [
      { kind: 'hosts', hosts, note: 'said once', source: OWN_WORD },
      {
        ...{ kind: 'services', note: 'said once', source: OWN_WORD },
        services: hosts.map(({ host }) => serviceOf({ service: host, problem: 'é'.repeat(300) })),
      },
      {
        kind: 'console',
        text: hosts.map(({ host }) => `${host} 𝄞${'é'.repeat(300)}\n`).join(''),
        ended: true,
      },
    ];
    for (const answer of long) {
      const { answer: read, frames } = thereAndBack(answer);
      assert.deepEqual(read, answer);
      assert.ok(frames > 4);
    }
  });

  test('pieces of two kinds are no answer', () => {
    assert.equal(
      joinBalancerAnswers([
        { kind: 'console', text: '', ended: false },
        { kind: 'hosts', hosts: [], note: '', source: OWN_WORD },
      ]),
      null,
    );
    assert.equal(joinBalancerAnswers([]), null);
  });

  test('an unknown status is refused', () => {
    const reply = {
      final: true,
      progress: '',
      error: null,
      status: [],
      text: '',
      monitor: null,
      events: [],
      explanations: [],
      cluster: null,
    };
    const status = '2-NEW' as PairView['status'];
    const [bytes] = encodeReply({
      ...reply,
      balancer: { kind: 'hosts', hosts: [pairOf({ status })], note: '', source: OWN_WORD },
    });
    assert.match(String(decodeReply(bytes ?? new Uint8Array())), /balancer_pair\.status/);
  });
});
