/** Who may ask: tokens, sessions and their bounds, and for whom a request is meant. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAccess, SESSION_MS } from '../../daemon/http/access.js';
import type { HttpSettings } from '../../daemon/http/settings.js';

const TOKEN = '0123456789abcdef-token';
const settings = (more: Partial<HttpSettings> = {}): HttpSettings => {
  const loopback = { address: '127.0.0.1', port: 8480, tokenFile: '', users: [] };
  return { ...loopback, token: TOKEN, health: 'token', ...more };
};
const cookieOf = (given: string | null): { cookie: string } => ({
  cookie: (given ?? '').split(';')[0] ?? '',
});

test('a session lasts for its time, and ends when the token becomes another one', () => {
  let now = 0;
  const access = createAccess(settings(), () => now);
  const session = cookieOf(access.logIn(TOKEN));
  now = SESSION_MS - 1;
  assert.equal(access.allowed(session), true);
  now = SESSION_MS;
  assert.equal(access.allowed(session), false);
  const other = cookieOf(access.logIn(TOKEN));
  access.apply(settings({ health: 'open' }));
  assert.equal(access.allowed(other), true);
  access.apply(settings({ token: 'another-token-of-enough' }));
  assert.equal(access.allowed(other), false);
  assert.equal(access.allowed({ authorization: `Bearer ${TOKEN}` }), false);
});

test('there are so many sessions at most: the oldest ends for a new one', () => {
  const access = createAccess(settings(), () => 0);
  const first = cookieOf(access.logIn(TOKEN));
  const second = cookieOf(access.logIn(TOKEN));
  for (let more = 2; more < 256; more += 1) access.logIn(TOKEN);
  assert.equal(access.allowed(first), true);
  access.logIn(TOKEN);
  assert.deepEqual([access.allowed(first), access.allowed(second)], [false, true]);
});

test('wrong tokens are answered so often in a while; the right one is taken all the same', () => {
  let now = 0;
  const access = createAccess(settings(), () => now);
  const tries = (): unknown[] => Array.from({ length: 21 }, () => access.logIn('wrong'));
  assert.deepEqual(tries(), [...Array.from({ length: 20 }, () => null), 'busy']);
  assert.equal(access.allowed(cookieOf(access.logIn(TOKEN))), true);
  assert.equal(access.logIn('wrong'), 'busy');
  now = 10_000;
  assert.equal(access.logIn('wrong'), null);
});

test('no token, no session and no empty word opens what needs one', () => {
  const access = createAccess(settings(), () => 0);
  for (const authorization of [
    '',
    'Bearer',
    'Bearer ',
    `Basic ${TOKEN}`,
    TOKEN,
    `Bearer ${TOKEN}x`,
    `Bearer x${TOKEN}`,
  ])
    assert.equal(access.allowed({ authorization }), false, authorization);
  for (const cookie of ['', 'hastmon-session', 'hastmon-session=', `hastmon-session=${TOKEN}`])
    assert.equal(access.allowed({ cookie }), false, cookie);
  assert.equal(access.allowed({ authorization: `bearer ${TOKEN}` }), true);
  assert.equal(createAccess(settings({ token: null }), () => 0).allowed({}), true);
});

test('on loopback a request is meant for a name of this machine; where there is a token that keeps others out', () => {
  const open = createAccess(settings({ token: null, address: '127.0.0.2' }), () => 0);
  for (const host of ['localhost', 'localhost:8480', '127.0.0.1:1', '127.0.0.2', '[::1]', undefined])
    assert.equal(open.meant({ host }), true, host);
  for (const host of ['example.com', 'localhost.example.com', '127.0.0.1.example.com', '', '10.0.0.1'])
    assert.equal(open.meant({ host }), false, host);
  assert.equal(createAccess(settings(), () => 0).meant({ host: 'hastmon.example.com' }), true);
  assert.equal(createAccess(settings({ address: '10.0.0.1' }), () => 0).meant({ host: 'example.com' }), true);
});
