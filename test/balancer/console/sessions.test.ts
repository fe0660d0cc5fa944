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

test('what was to change something is told of, with who typed it and what came of it', async () => {
  const typed: string[][] = [];
  const host = { ...testHost(), typed: (...words: string[]) => void typed.push(words) };
  const say = createSessions(host);
  for (const line of [
    'show vs',
    'set host srv1 off',
    ' config reload',
    'config diff',
    '!',
    'log level 2',
    'set host',
  ])
    await say('a', 'carol', line);
  assert.deepEqual(
    typed.map(([by, line]) => [by, line]),
    [
      ['carol', 'set host srv1 off'],
      ['carol', 'config reload'],
    ],
  );
  assert.match(typed[1]?.[2] ?? '', /^# read again: weight of srv1/);
  await say('a', 'carol', `set host ${'x'.repeat(500)} off`);
  assert.ok((typed[2]?.[2]?.length ?? 0) <= 200);
});
