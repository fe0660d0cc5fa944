/** Sessions without a connection: each has its own past, and not for ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSessions } from '../../../daemon/balancer/console/sessions.js';
import { testHost } from './host.js';

test('each session has its own last show, and the oldest are forgotten', async () => {
  const host = testHost();
  const say = createSessions(host);
  await say('a', 'carol', 'show vs');
  await say('b', 'dave', 'show hosts');
  assert.equal((await say('a', 'carol', '!')).text, 'srv www\n');
  assert.equal((await say('b', 'dave', 'history')).text, '>> show hosts\n');
  await say('b', 'dave', 'set host srv1 off');
  assert.equal(host.commands[0]?.by, 'dave');
  for (let n = 0; n < 99; n += 1) await say(`n${n}`, 'erin', 'show vs');
  assert.equal((await say('b', 'dave', '!')).text, 'mysorryserver srv1 srv2 srv3\n');
  assert.equal((await say('a', 'carol', '!')).text, '', 'it was used before all others');
  assert.equal((await say('n99', 'erin', 'quit')).ended, true);
});
