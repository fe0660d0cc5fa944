/** What a node lacks travels as text that every other node can read, whatever a hook has printed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePeerMessage, encodePeerMessage } from '../../proto/codec.js';
import { driven } from './driven.js';

test('[P6] a value that is cut within a character does not make the heartbeat unreadable', () => {
  for (const unfit of [
    `${'x'.repeat(198)}${'\u{1f6d1}'.repeat(20)}`,
    `a lone \ud83d half`,
    'bad \ufffd bytes',
  ]) {
    const b = driven('secondary', { node: 'b' });
    b.feed(1, { kind: 'cleaned', id: b.state().lastCleanId, ok: true, detail: '' });
    b.hear(10, 'a');
    b.feed(20, { kind: 'judged', failed: '', unfit });
    const said = b.state().lastHeartbeat;
    assert.ok(said !== null);
    const [lack] = said.readiness?.lacks ?? [];
    assert.equal(lack?.name, 'fit');
    assert.ok(lack.value.length <= 200);
    assert.doesNotMatch(lack.value, /\ufffd|\p{C}/u);
    assert.deepEqual(decodePeerMessage(encodePeerMessage(said)), { kind: 'message', message: said });
  }
});
