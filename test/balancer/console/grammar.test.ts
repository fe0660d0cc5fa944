/** Lines of the console: what they mean, and that nothing whatever makes one fail. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type ConsoleCommand, parseLine } from '../../../daemon/balancer/console/grammar.js';
import { interpret } from '../../../daemon/balancer/console/interpret.js';
import { HISTORY_MAX, newSession } from '../../../daemon/balancer/console/types.js';
import { testHost } from './host.js';

const whole = { services: null, reasons: [] };
const set = (change: object, hosts = ['h']): object => ({ kind: 'set', hosts, change });

const CASES: [string, object | string][] = [
  ['set host h off', set({ kind: 'off', ...whole })],
  ['SET HOST h OFF', set({ kind: 'off', ...whole })],
  ['set hosts h,i,h off', set({ kind: 'off', ...whole }, ['h', 'i'])],
  ['set host h on', set({ kind: 'on', ...whole, rampMs: null })],
  ['set host h on 30', set({ kind: 'on', ...whole, rampMs: 30_000 })],
  ['set host h on in 30', set({ kind: 'on', ...whole, rampMs: 30_000 })],
  ['set host h on in 30s', set({ kind: 'on', ...whole, rampMs: 30_000 })],
  ['set host h on in 0', set({ kind: 'on', ...whole, rampMs: null })],
  ['set host h off vs a', set({ kind: 'off', services: ['a'], reasons: ['default'] })],
  ['set host h off on vs a,b', set({ kind: 'off', services: ['a', 'b'], reasons: ['default'] })],
  ['set host h off for vs a for r,s', set({ kind: 'off', services: ['a'], reasons: ['r', 's'] })],
  ['set host h off in VS a for reasons r', set({ kind: 'off', services: ['a'], reasons: ['r'] })],
  ['set host h off in vs a reason r', set({ kind: 'off', services: ['a'], reasons: ['r'] })],
  ['set host h off vs * for *', set({ kind: 'off', services: ['*'], reasons: ['*'] })],
  ['set host h on vs a', set({ kind: 'on', services: ['a'], reasons: ['default'], rampMs: null })],
  ['set host h on in vs a 9', set({ kind: 'on', services: ['a'], reasons: ['default'], rampMs: 9000 })],
  ['set host h on for vs a for * in 9', set({ kind: 'on', services: ['a'], reasons: ['*'], rampMs: 9000 })],
  ['set host h on for vs a for 9', set({ kind: 'on', services: ['a'], reasons: ['9'], rampMs: null })],
  ['set host h on for vs a for r 9', set({ kind: 'on', services: ['a'], reasons: ['r'], rampMs: 9000 })],
  ['set host h weight 7 for vs a', set({ kind: 'weight', services: ['a'], weight: 7 })],
  ['set host h weight AUTO vs *', set({ kind: 'weight', services: ['*'], weight: null })],
  ['show host a,b in c', { kind: 'show', hosts: ['a', 'b'], services: ['c'] }],
  ['show hosts a, b for c, d', { kind: 'show', hosts: ['a', 'b'], services: ['c', 'd'] }],
  ['show hosts a', { kind: 'show', hosts: ['a'], services: null }],
  ['show hosts for *', { kind: 'list', what: 'hosts' }],
  ['show vss', { kind: 'list', what: 'services' }],
  ['dump config options', { kind: 'dump', what: 'options', name: '' }],
  ['dump hosts *', { kind: 'dump', what: 'hosts', name: '' }],
  ['dump host h', { kind: 'dump', what: 'hosts', name: 'h' }],
  ['log level 10', { kind: 'level', level: 10 }],
  ['  quit ', { kind: 'quit' }],
  ['\x04', { kind: 'quit' }],
  ['', { kind: 'nothing' }],
  ...[
    'set h off',
    'set host h',
    'set host h of',
    'set host , off',
    'set host h off for',
    'set host h off now',
    'set host h off vs a for',
    'set host h off vs a for r in 9',
    'set host h off vs ,',
    'set host h on in',
    'set host h on in soon',
    'set host h on vs a in',
    'set host h on vs a for r in',
    'set host h weight -1 vs a',
    'set host h weight 7',
    'show host',
    'show host for a',
    'show hosts for',
    'show vs www',
    'dump options x',
    'dump host a b',
    'log level',
    'log level x',
    'config',
    'quit now',
  ].map((line): [string, object] => [line, { kind: 'unknown' }]),
];

describe('a line means', () => {
  for (const [line, meant] of CASES)
    test(JSON.stringify(line), () => assert.deepEqual(parseLine(line), meant as ConsoleCommand));
});

/** What has something to do with the grammar, and what has not. */
const words = fc.array(
  fc.oneof(
    fc.constantFrom(
      'show',
      'set',
      'dump',
      'host',
      'hosts',
      'vs',
      'on',
      'off',
      'for',
      'in',
      'weight',
      '*',
      '!',
    ),
    fc.constantFrom(
      'srv1',
      'srv2,srv3',
      'www',
      'www,srv',
      'deploy',
      '30',
      '5s',
      'auto',
      'reasons',
      ',',
      'log',
    ),
    fc.constantFrom(
      '__proto__',
      'constructor',
      'config',
      'reload',
      'diff',
      'level',
      'history',
      'quit',
      '\x04',
    ),
    fc.string({ unit: 'binary' }),
  ),
);

test('whatever is typed is answered with whole lines that steer no terminal, and keeps only so much', async () => {
  const session = newSession('test');
  await fc.assert(
    fc.asyncProperty(words, async (typed) => {
      const line = typed.join(' ');
      const { ended, text } = await interpret(line, session, testHost());
      assert.ok(text === '' || text.endsWith('\n'), line);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what no answer has
      assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/, line);
      assert.ok(session.shown.length <= HISTORY_MAX);
      const typedWords = line
        .replace(/\p{Cc}/gu, ' ')
        .trim()
        .toLowerCase();
      if (ended && line !== '\x04') assert.ok(['q', 'quit', 'exit'].includes(typedWords), line);
    }),
    { numRuns: 2000 },
  );
});

test('what the balancer refuses, and what fails in it, is a line of the answer', async () => {
  const host = testHost();
  host.command = async () => ({ error: 'not this one\nnor now', text: '' });
  host.reload = () => Promise.reject(new Error('the disk is gone'));
  host.diff = async () => '';
  const session = newSession('test');
  const said = async (line: string): Promise<string> => (await interpret(line, session, host)).text;
  assert.equal(await said('set host srv1 off'), '# not this one\n# nor now\n');
  assert.equal(await said('config reload'), '# internal error: the disk is gone\n');
  assert.equal(await said('config diff'), '# a reload would change nothing\n');
  assert.equal(await said('!'), '', 'there is no show to be repeated');
});

test('commands say who gives them, and are given once for each host with the services that it has', async () => {
  const host = testHost();
  await interpret(
    'set host srv1,srv3 off for vs www,srv for deploy',
    newSession('console 10.1.1.1 4711'),
    host,
  );
  const common = { kind: 'off', reasons: ['deploy'], by: 'console 10.1.1.1 4711' };
  assert.deepEqual(host.commands, [
    { ...common, hosts: ['srv1'], services: ['www', 'srv'] },
    { ...common, hosts: ['srv3'], services: ['www'] },
  ]);
});
