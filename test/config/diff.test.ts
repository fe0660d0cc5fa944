/** What a reload changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffConfig } from '../../daemon/config/diff.js';
import { configOf, resourceOf } from './support.js';

const other = (name: string, statements = '') =>
  resourceOf(statements).replace('resource r', `resource ${name}`);

test('nothing', () => {
  const diff = diffConfig(
    configOf(resourceOf('')),
    configOf(`# a comment\nattempts 5 ${resourceOf('heartbeat_interval 1000ms')}`),
  );
  assert.deepEqual(diff, {
    globals: [],
    resources: [{ name: 'r', change: 'unchanged', fields: [] }],
    monitor: { fields: [], checks: [], alerts: [] },
    balancer: false,
    http: false,
    unchanged: true,
  });
});

test('resources added, removed, changed, and moved', () => {
  const before = configOf(other('a') + other('b') + other('c') + other('d'));
  const after = configOf(
    other('d') + other('e') + other('c', 'attempts 9 stop_timeout 6s friends x') + other('a'),
  );
  assert.deepEqual(diffConfig(before, after), {
    globals: [],
    resources: [
      { name: 'd', change: 'unchanged', fields: [] },
      { name: 'e', change: 'added', fields: [] },
      { name: 'c', change: 'changed', fields: ['attempts', 'friends', 'stopTimeoutMs'] },
      { name: 'a', change: 'unchanged', fields: [] },
      { name: 'b', change: 'removed', fields: [] },
    ],
    monitor: { fields: [], checks: [], alerts: [] },
    balancer: false,
    http: false,
    unchanged: false,
  });
});

test('a change elsewhere in the file changes what inherits it', () => {
  const before = configOf(`drift 1% ${other('a')}${other('b', 'drift 1%')}`);
  const after = configOf(`drift 2% ${other('a')}${other('b', 'drift 1%')}`);
  assert.deepEqual(
    diffConfig(before, after).resources.map(({ change, fields }) => [change, fields]),
    [
      ['changed', ['driftPpm']],
      ['unchanged', []],
    ],
  );
});

test('voters and secrets', () => {
  const before = configOf(resourceOf('key { secret aaaaaaaaaaaaaaaa }'));
  const after = configOf(resourceOf('key { secret bbbbbbbbbbbbbbbb } on d { remote a }'));
  const diff = diffConfig(before, after);
  assert.deepEqual(diff.resources[0]?.fields, ['key', 'voters']);
  assert.doesNotMatch(JSON.stringify(diff), /bbbb|aaaa/);
});

test('the globals', () => {
  const before = configOf(resourceOf(''));
  const after = configOf(
    `control /c listen 127.0.0.1 state_dir /s watchdog_device /dev/w log /l ${resourceOf('')}`,
  );
  const diff = diffConfig(before, after);
  assert.deepEqual(diff.globals, ['control', 'listen', 'stateDir', 'watchdogDevice', 'log']);
  assert.equal(diff.unchanged, false);
  assert.deepEqual(diffConfig(after, after).globals, []);
});
