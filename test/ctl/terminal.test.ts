/** The program on a terminal: what is typed, and what a person sees. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../system/wait.js';
import { balancerFor } from './balancer-support.js';
import { noScript, onTerminal } from './on-terminal.js';
import { fakeDaemon } from './support.js';

const program = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../ctl/hastmonctl.js');
const at = (config: string, ...words: string[]): string =>
  [process.execPath, program, ...words, '-c', config, '-n', 'alpha'].join(' ');

test('console: on a terminal words are completed, lines come back, and Ctrl-D ends it', {
  skip: noScript,
}, async (t) => {
  const { config, host } = await balancerFor(t);
  const { ended, says, type } = onTerminal(t, at(config, 'console'));
  await says('$ ');
  type('sh');
  await says('sh');
  type('\t');
  await says('ow ');
  type('vs\r');
  await says('srv www\r\n');
  type('\x1b[A\r');
  await says('srv www\r\n');
  type('set host my');
  await says('set host my');
  type('\t');
  await says('sorryserver');
  type(' off\r');
  await until(() => host.commands.length === 1, 20_000, 'no command');
  assert.deepEqual(host.commands[0]?.kind === 'off' && host.commands[0].hosts, ['mysorryserver']);
  type('\x04');
  assert.equal(await ended, 0);
});

test('console: lines that are pasted, or typed before an answer is there, are all taken', {
  skip: noScript,
}, async (t) => {
  const { config, host } = await balancerFor(t);
  const { ended, says, type } = onTerminal(t, at(config, 'console'));
  await says('$ ');
  type('show vs\rset host srv1 off\rset host srv2 off\rshow v');
  await until(() => host.commands.length === 2, 20_000, 'two commands');
  // What is not a whole line yet goes on behind the new prompt.
  await says('$ show v');
  type('s\r');
  await says('srv www\r\n');
  type('set host srv1 on\rquit\rset host srv2 on\r');
  assert.equal(await ended, 0);
  assert.deepEqual(
    host.commands.map(({ kind }) => kind),
    ['off', 'off', 'on'],
  );
});

test('console: goes on after Ctrl-Z and fg, with what has been typed', { skip: noScript }, async (t) => {
  const { config } = await balancerFor(t);
  const { ended, says, type } = onTerminal(t, 'exec sh -i');
  await says('shell> ');
  type(`${at(config, 'console')}\r`);
  await says('\x1b[0J$ ');
  type('show ');
  await says('show ');
  type('\x1a');
  await says('shell> ');
  type('fg\r');
  await says('$ show ');
  type('vs\r');
  await says('srv www\r\n');
  type('quit\r');
  await says('shell> ');
  type('exit\r');
  assert.equal(await ended, 0);
});

test('a question: Ctrl-C and Ctrl-D are a no, and Ctrl-Z and fg go back to it', {
  skip: noScript,
}, async (t) => {
  const roles: unknown[] = [];
  const config = await fakeDaemon(t, async (request) => {
    roles.push(request);
    return {};
  });
  const words = at(config, 'role', 'primary', '--force', 'mail');
  const question = "Type the resource's name (mail) to go on: ";
  for (const key of ['\x03', '\x04']) {
    const { ended, says, type } = onTerminal(t, words);
    await says(question);
    type(key);
    await says('\r\nhastmonctl: not confirmed; nothing has been done\r\n');
    assert.equal(await ended, 64);
  }
  assert.deepEqual(roles, []);
  const { ended, says, type } = onTerminal(t, 'exec sh -i');
  await says('shell> ');
  type(`${words}\r`);
  await says(question);
  type('\x1a');
  await says('shell> ');
  type('fg\r');
  await says(question);
  type('mail\r');
  await says('shell> ');
  assert.equal(roles.length, 1);
  type('exit\r');
  await ended;
});
