/** What is said about monitoring on the control socket, there and back; and long lists. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from '../../proto/control-codec.js';
import type { MonitorAnswer, MonitorRequest } from '../../proto/monitor-types.js';
import { checkOf, detailOf, listOf, probeOf } from '../ctl/check-support.js';

const REQUESTS: MonitorRequest[] = [
  { kind: 'checks', down: true, host: 'db1', group: 'g', patterns: ['w*', '?'], from: 4000 },
  { kind: 'checks', down: false, host: '', group: '', patterns: [], from: 0 },
  { kind: 'check', name: 'www@web1' },
  { kind: 'run-check', target: 'https://user:secret@h/', options: ['status 200', 'days 3'] },
  { kind: 'ack', names: ['a', 'b'], by: 'carol' },
  { kind: 'mute', names: ['a'], forMs: 7_200_000 },
  { kind: 'mute', names: ['a'], forMs: 0 },
  { kind: 'test-alert', name: 'ops' },
];

describe('requests', () => {
  for (const request of REQUESTS)
    test(JSON.stringify(request), () =>
      assert.deepEqual(decodeRequest(encodeRequest(request)), { kind: 'request', request }),
    );

  const wrong: [string, MonitorRequest][] = [
    ['an empty name', { kind: 'check', name: '' }],
    ['a name with a control character', { kind: 'test-alert', name: 'a\x1b' }],
    ['a mute beyond 24 days', { kind: 'mute', names: ['a'], forMs: 3e9 }],
    ['a mute of no length', { kind: 'mute', names: ['a'], forMs: Number.NaN }],
    ['too many names', { kind: 'ack', names: new Array(1001).fill('a'), by: 'x' }],
    ['a word that is too long', { kind: 'run-check', target: 'x'.repeat(4097), options: [] }],
  ];
  for (const [what, request] of wrong)
    test(`${what} is refused`, () => assert.equal(decodeRequest(encodeRequest(request)).kind, 'invalid'));
});

describe('answers', () => {
  const answers: MonitorAnswer[] = [
    { kind: 'checks', ...listOf(checkOf(), checkOf({ state: 'down', outage: true, goodMs: null })), next: 7 },
    { kind: 'checks', ...listOf(), lateMs: null, next: 0, note: 'the monitor process does not run' },
    { kind: 'check', ...detailOf() },
    { kind: 'check', ...detailOf(), outageMs: null, depends: [], alerts: [], results: [] },
    { kind: 'probe', ...probeOf() },
    { kind: 'test', alert: 'ops', ok: true, lines: ['220 hello', ''] },
  ];
  for (const monitor of answers)
    test(monitor.kind, () => {
      const reply = {
        final: true,
        progress: '',
        error: null,
        status: [],
        text: '',
        monitor,
        balancer: null,
        events: [],
        explanations: [],
        cluster: null,
      };
      const [bytes, more] = encodeReply(reply);
      assert.equal(more, undefined);
      assert.deepEqual(decodeReply(bytes ?? new Uint8Array()), reply);
    });
});
