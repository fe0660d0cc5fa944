/** The command line about checks and alerts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readArguments } from '../../ctl/arguments.js';
import { invocationOf } from './support.js';

const LIST = { kind: 'checks', down: false, host: '', group: '', patterns: [], from: 0 };
const HOUR_MS = 3_600_000;

describe('what is asked for', () => {
  const cases: [string[], object][] = [
    [['checks'], LIST],
    [
      ['checks', '--down', '--host', 'db1', '--group', 'g', 'w*', '007'],
      {
        ...{ ...LIST, down: true, host: 'db1', group: 'g' },
        patterns: ['w*', '007'],
      },
    ],
    [['checks', '--', '-x', '-x'], { ...LIST, patterns: ['-x'] }],
    [['check', 'www'], { kind: 'check', name: 'www' }],
    [['check', '--', '-x'], { kind: 'check', name: '-x' }],
    [['check', 'run', 'www'], { kind: 'run-check', target: 'www', options: [] }],
    [
      ['check', 'run', '-ostatus 200', 'http://h/', '-o', 'rise 1'],
      {
        ...{ kind: 'run-check', target: 'http://h/' },
        options: ['status 200', 'rise 1'],
      },
    ],
    [['check', 'run', '--', 'run'], { kind: 'run-check', target: 'run', options: [] }],
    [['check', 'ack', 'a', 'b', '--by', 'me'], { kind: 'ack', names: ['a', 'b'], by: 'me' }],
    [['check', 'ack', 'a'], { kind: 'ack', names: ['a'], by: '' }],
    [['check', 'mute', 'a'], { kind: 'mute', names: ['a'], forMs: HOUR_MS }],
    [['mute', 'a', '--for', '2h'], { kind: 'mute', names: ['a'], forMs: 2 * HOUR_MS }],
    [['unmute', 'a'], { kind: 'mute', names: ['a'], forMs: 0 }],
    [['check', 'unmute', 'a', 'b'], { kind: 'mute', names: ['a', 'b'], forMs: 0 }],
    [['alert', 'test', 'ops'], { kind: 'test-alert', name: 'ops' }],
  ];
  for (const [words, request] of cases)
    test(words.join(' '), async () => assert.deepEqual((await invocationOf(words)).request, request));
});

describe('--watch has a value, or none', () => {
  const cases: [string[], number, string[]][] = [
    [['checks'], 0, []],
    [['checks', '--watch'], 2000, []],
    [['checks', '--watch', '5'], 5000, []],
    [['checks', '--watch', '500ms', 'w*'], 500, ['w*']],
    [['checks', '--watch', 'w*'], 2000, ['w*']],
    [['checks', '--watch=1m', 'w*'], 60_000, ['w*']],
    [['checks', '--watch', '--', '--watch', '5'], 2000, ['--watch', '5']],
  ];
  for (const [words, watchMs, patterns] of cases)
    test(words.join(' '), async () => {
      const read = await invocationOf(words);
      assert.equal(read.watchMs, watchMs);
      assert.deepEqual(read.request, { ...LIST, patterns });
    });
});

describe('refusals are one line', () => {
  const cases: [string[], RegExp][] = [
    [['check'], /^'check' takes the name of a check; 'checks' lists them$/],
    [['check', 'a', 'b'], /^unknown argument: b$/],
    [['check', 'a', '--by', 'x'], /^unknown argument: by$/],
    [['check', 'run'], /^'check run' takes the name of a check, or a URL$/],
    [['check', 'run', ''], /^a name or an option is empty$/],
    [['check', 'run', 'a', '-o'], /^not enough arguments following: o$/],
    [['check', 'run', 'a', '--watch'], /^unknown argument: watch$/],
    [['check', 'ack'], /^'check ack' takes the names of checks$/],
    [['check', 'ack', 'a', '--by', ''], /^--by is empty$/],
    [['mute'], /^'mute' takes the names of checks$/],
    [['check', 'unmute'], /^'check unmute' takes the names of checks$/],
    [['mute', 'a', '--for', '3d'], /^--for: '3d' has no unit that is known/],
    [['mute', 'a', '--for', '0'], /^--for: '0' is not from 1s to 576h$/],
    [['mute', 'a', '--for', '577h'], /^--for: '577h' is not from 1s to 576h$/],
    [['mute', 'a', '--for', '1h', '--for', '2h'], /^--for is given twice$/],
    [['unmute', 'a', '--for', '1h'], /^unknown argument: for$/],
    [['alert'], /^'alert' takes a command: test$/],
    [['alert', 'tset', 'ops'], /^unknown command 'tset'; did you mean 'test'\?$/],
    [['alert', 'test'], /^'alert test' takes the name of an alert$/],
    [['chekcs'], /^unknown command 'chekcs'; did you mean 'checks'\?$/],
    [['checks', '--host', 'a', '--host', 'b'], /^--host is given twice$/],
    [['checks', '--watch=soon'], /^--watch: 'soon' is not a duration$/],
    [['checks', '--watch', '10ms'], /^--watch: '10ms' is not from 100ms to 1h$/],
    [['checks', ''], /^a name or an option is empty$/],
  ];
  for (const [words, expected] of cases)
    test(`hastmonctl ${words.join(' ')}`, async () => {
      const read = await readArguments(words);
      assert.equal(read.kind, 'refuse', JSON.stringify(read));
      assert.match(read.kind === 'refuse' ? read.message : '', expected);
    });
});

describe('help', () => {
  const commands = [
    'checks',
    'check',
    'check run',
    'check ack',
    'check mute',
    'check unmute',
    'mute',
    'unmute',
  ];
  for (const command of [...commands, 'alert', 'alert test'])
    test(`of ${command} fits a terminal of 80 columns`, async () => {
      const read = await readArguments([...command.split(' '), '--help']);
      const text = read.kind === 'print' ? read.text : '';
      assert.match(text, new RegExp(`^hastmonctl ${command}\\b`));
      for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
    });
});
