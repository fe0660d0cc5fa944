/** What a drill starts from on the control socket and between nodes: there and back, and nothing that could not be computed with. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from '../../proto/control-codec.js';
import type { ControlReply } from '../../proto/control-types.js';
import { DRILL_DEPTHS, type DrillAnswer } from '../../proto/drill-types.js';
import { hastmon } from '../../proto/gen/control.js';
import { createReplyJoiner } from '../../proto/reply-joiner.js';
import { factsOf, MEASURED, nodeOf } from '../drill/support.js';

const NOTHING = { status: [], text: '', monitor: null, balancer: null, events: [], explanations: [] };

function thereAndBack(answer: DrillAnswer): ControlReply['cluster'] {
  const joiner = createReplyJoiner(() => assert.fail('nothing of it is a line of progress'));
  const whole = {
    final: true,
    progress: '',
    error: null,
    ...NOTHING,
    cluster: { kind: 'drill', ...answer },
  } as const;
  const replies = encodeReply(whole).map((frame) => {
    const reply = decodeReply(frame);
    assert.ok(typeof reply !== 'string', String(reply));
    return joiner.take(reply);
  });
  return replies.at(-1)?.cluster ?? null;
}

test('a question arrives as it was asked', () => {
  for (const depth of DRILL_DEPTHS)
    for (const resources of ['all', ['shared', 'mail']] as const) {
      const request = {
        kind: 'drill',
        resources: resources === 'all' ? 'all' : [...resources],
        depth,
      } as const;
      assert.deepEqual(decodeRequest(encodeRequest(request)), { kind: 'request', request });
    }
});

test('one without a depth, or with one that is not known, is none', () => {
  for (const depth of [0, 9]) {
    const bytes = hastmon.ControlRequest.encode({
      protocol: 1,
      drill: { resources: { all: true }, depth },
    }).finish();
    assert.equal(decodeRequest(bytes).kind, 'invalid');
  }
});

test('facts arrive as they were, of however many resources and nodes', () => {
  const forced = nodeOf('beta', {
    forced: true,
    heardMs: null,
    history: false,
    role: null,
    roleSet: null,
    run: null,
  });
  const facts = [
    factsOf({
      hooks: MEASURED,
      gaveUpMs: 1200.5,
      startFailed: 'start exited with 1: no disk',
      votersChanging: true,
      serviceFailed: 'web is down',
      unfit: 'x',
    }),
    factsOf({ nodes: { beta: forced, gamma: { priority: -5, linked: false } } }),
    factsOf({
      maintenance: { node: 'beta', reason: 'upgrade', by: 'root' },
      settings: { fenceTimeoutMs: 3000 },
    }),
    ...Array.from({ length: 300 }, (_, at) =>
      factsOf({ resource: `r${at}`, settings: { resource: `r${at}` } }),
    ),
  ];
  const answer = { facts, missing: [{ node: 'gamma', why: 'not connected' }] };
  assert.deepEqual(thereAndBack(answer), { kind: 'drill', ...answer });
});

test('times with which nothing could be computed are refused', () => {
  const bad = {
    heartbeatMs: Number.NaN,
    leaseMs: -1,
    complaintIntervalMs: Number.POSITIVE_INFINITY,
    driftPpm: 2e6,
  };
  for (const [name, value] of Object.entries(bad)) {
    const [frame] = encodeReply({
      ...{ final: true, progress: '', error: null, ...NOTHING },
      cluster: { kind: 'drill', facts: [factsOf({ settings: { [name]: value } })], missing: [] },
    });
    assert.match(
      String(decodeReply(frame ?? new Uint8Array(0))),
      /^drill\.settings\.\w+ is out of range$/,
      name,
    );
  }
  // What is done again and again must not be done without end.
  const [still] = (
    thereAndBack({ facts: [factsOf({ settings: { heartbeatMs: 0 } })], missing: [] }) as DrillAnswer
  ).facts;
  assert.equal(still?.settings.heartbeatMs, 1);
});
