/** The sentence about how a hook ended, with what it printed last. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeEnd } from '../../daemon/hooks/words.js';
import { request } from './support.js';

test('what a hook printed last is cut to what can be read, and never leaves half of a character', () => {
  const end = { outcome: 'exit', code: 1, signal: null, durationMs: 12, killSent: false } as const;
  const said = describeEnd(request('start'), end, ['\u{1f6d1}'.repeat(200)]);
  assert.match(said, /^start exited with 1 after 12 ms: …/);
  assert.equal(/\p{Cs}/u.test(said), false);
  assert.ok(said.length <= 'start exited with 1 after 12 ms: '.length + 300);
});
