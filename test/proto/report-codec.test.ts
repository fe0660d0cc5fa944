/** What checks of actions say, on the control socket: there and back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from '../../proto/control-codec.js';
import type { ControlReply } from '../../proto/control-types.js';
import { entryOf } from '../ctl/support.js';

test('[N42] a report arrives as it was sent, and not without a check and a state', () => {
  for (const resource of ['', 'db']) {
    const request = { kind: 'report', check: 'check_db', state: 'lagging', resource } as const;
    assert.deepEqual(decodeRequest(encodeRequest(request)), { kind: 'request', request });
    for (const wrong of [{ check: '' }, { state: '' }])
      assert.equal(decodeRequest(encodeRequest({ ...request, ...wrong })).kind, 'invalid');
  }
});

test('[N42] so does what a status says of them', () => {
  const report = { node: 'bolek', check: 'check_db', state: 'lagging', ageMs: 1200.5, forMs: 60_000 };
  const reply: ControlReply = {
    ...{
      final: true,
      progress: '',
      error: null,
      text: '',
      monitor: null,
      balancer: null,
      events: [],
      explanations: [],
      cluster: null,
    },
    status: [entryOf({ reports: [report, { ...report, node: 'lolek' }] })],
  };
  const [only, ...more] = encodeReply(reply).map(decodeReply);
  assert.deepEqual([only, more], [reply, []]);
});
