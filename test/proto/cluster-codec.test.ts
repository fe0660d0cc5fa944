/** What all nodes say, and failovers, against their bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterAnswer } from '../../proto/cluster-types.js';
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from '../../proto/control-codec.js';
import type { ControlReply, ControlRequest } from '../../proto/control-types.js';
import { controlFrameBytesMax } from '../../proto/frame.js';
import { createReplyJoiner } from '../../proto/reply-joiner.js';
import { OWN_WORD } from '../balancer/console/views.js';
import { reportOf, runs, saidOf } from '../cluster/support.js';

/** The answer as it comes at the other end, and in how many frames. */
function thereAndBack(cluster: ClusterAnswer): { frames: number; back: ControlReply | null } {
  const joiner = createReplyJoiner(() => {});
  const payloads = encodeReply({
    ...{ final: true, progress: '', error: null, status: [], text: '', monitor: null, balancer: null },
    ...{ events: [], explanations: [], cluster },
  });
  let back: ControlReply | null = null;
  for (const payload of payloads) {
    assert.ok(payload.length < controlFrameBytesMax, `a frame of ${payload.length} bytes`);
    const reply = decodeReply(payload);
    assert.ok(typeof reply !== 'string', String(reply));
    assert.equal(back, null, 'something follows the final reply');
    back = joiner.take(reply);
  }
  return { frames: payloads.length, back };
}

test('requests about all nodes arrive as they were asked', () => {
  const requests: ControlRequest[] = [
    { kind: 'about' },
    { kind: 'cluster' },
    { kind: 'timeline', resource: 'mail', last: 3 },
  ];
  for (const request of requests)
    assert.deepEqual(decodeRequest(encodeRequest(request)), { kind: 'request', request });
  for (const last of [0, 101])
    assert.equal(decodeRequest(encodeRequest({ kind: 'timeline', resource: 'mail', last })).kind, 'invalid');
});

test('answers about all nodes arrive as they were given', () => {
  const checks = { up: 3, down: 2, unknown: 1, outages: 1 };
  const balancer = { services: 2, servicesDown: 1, servers: 8, serversDown: 3, source: OWN_WORD };
  const about = { version: '0.1.0', uptimeMs: 12.5, checks, balancer };
  const answers: ClusterAnswer[] = [
    { kind: 'about', ...about },
    {
      ...{
        kind: 'cluster',
        node: 'alpha',
        at: 1_700_000_000_000,
        double: [{ resource: 'mail', nodes: ['a', 'b'] }],
      },
      nodes: [
        reportOf('alpha', { ...about, status: [runs('mail', 3), runs('db', 4)] }, { self: true }),
        reportOf('beta', null, { note: 'link lost: closed', heardMs: 12_000 }),
        reportOf('gamma', null, { note: 'never heard', heardMs: null }),
        reportOf('delta', saidOf()),
      ],
    },
    {
      ...{ kind: 'timeline', resource: 'mail', missing: [{ node: 'gamma', why: 'not connected' }] },
      failovers: [
        {
          ...{ epoch: 7, from: 'alpha', to: 'beta', at: 1_700_000_000_000, kind: 'lost', text: 'so it was' },
          ...{ tookMs: 1234.5 },
          phases: [
            {
              ...{ name: 'unnoticed', beginMs: 0, tookMs: 1000.5, node: 'beta', text: 'x' },
              ...{ setting: 'lease_timeout', settingMs: 1000 },
            },
            {
              ...{
                name: 'start',
                beginMs: 1000.5,
                tookMs: 234,
                node: 'beta',
                text: '',
                setting: '',
                settingMs: null,
              },
            },
          ],
          marks: [{ node: 'beta', afterMs: -3.5, number: 12, kind: 'holder-lost', text: 'y' }],
        },
        {
          ...{
            epoch: 0,
            from: '',
            to: '',
            at: 0,
            kind: 'other',
            text: '',
            tookMs: null,
            phases: [],
            marks: [],
          },
        },
      ],
    },
  ];
  for (const answer of answers) {
    const { back } = thereAndBack(answer);
    assert.deepEqual(back?.cluster, answer);
  }
});

test('many nodes with many resources come in frames that fit, and are joined', () => {
  const status = Array.from({ length: 400 }, (_, index) => ({
    ...runs(`r${index}`, index + 1),
    warnings: ['w'.repeat(3000)],
  }));
  const answer: ClusterAnswer = {
    ...{ kind: 'cluster', node: 'alpha', at: 1, double: [] },
    nodes: ['alpha', 'beta'].map((node) => reportOf(node, saidOf(...status))),
  };
  const { back, frames } = thereAndBack(answer);
  assert.ok(frames > 6, `${frames} frames`);
  assert.deepEqual(back?.cluster, answer);
});
