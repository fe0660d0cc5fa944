/** What a reload changes, in the words of the file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeChanges, statementOf } from '../../daemon/config/changes.js';
import { diffConfig } from '../../daemon/config/diff.js';
import { findRule } from '../../daemon/config/grammar.js';
import { configOf, resourceOf } from './support.js';

const changes = (before: string, after: string): string[] => {
  const [from, to] = [configOf(before), configOf(after)];
  return describeChanges(diffConfig(from, to), from, to).map(({ resource, text }) => `${resource}: ${text}`);
};
const other = (name: string, statements = ''): string =>
  resourceOf(statements).replace('resource r', `resource ${name}`);

test('one line for each thing that differs, by the names of the statements', () => {
  assert.deepEqual(changes(other('a'), `# moved\n${other('a')}`), []);
  assert.deepEqual(changes(other('a') + other('b'), `listen 127.0.0.1 ${other('b')}${other('c')}`), [
    ': listen changed',
    'c: added',
    'a: removed',
  ]);
  assert.deepEqual(changes(other('a'), other('a', 'heartbeat_interval 2s drift 2%')), [
    'a: heartbeat_interval, lease_timeout, status_interval, drift changed',
  ]);
});

test('monitoring: the section, checks and alerts', () => {
  const text = (inside: string): string => `${other('a')}alert ops { syslog }\n${inside}`;
  const many = Array.from({ length: 7 }, (_, index) => `check c${index} tcp://h:${index + 1}`).join('\n');
  assert.deepEqual(changes(text('check w tcp://h:1'), text(`check w tcp://h:1 { alerts ops }\n${many}`)), [
    ': checks c0, c1, c2, c3, c4 and 2 more added',
    ': check w changed as to who is told',
  ]);
  const key =
    'monitor { key { secret "0123456789ab" } resolve_time 9s } check w tcp://h:2 alert x { syslog }';
  assert.deepEqual(changes(text('check w tcp://h:1'), text(key)), [
    ': monitor: key, resolve_time changed',
    ': check w changed',
    ': alert x changed',
  ]);
});

test('changed nodes are named', () => {
  const after = other('a').replace(/\}\s*$/, 'on third { remote none } }');
  assert.match(changes(other('a'), after)[0] ?? '', /^a: the nodes \(\S+( \S+)* -> .* third\) changed$/);
});

test('every field of a configuration has a statement that exists', () => {
  const config = configOf(other('a'));
  const fields = [...Object.keys(config), ...Object.keys(config.resources[0] ?? {})];
  const without = ['node', 'resources', 'file', 'includes', 'name', 'voters', 'shadowed'];
  for (const field of fields.filter((name) => !without.includes(name)))
    assert.ok(
      findRule('global', statementOf(field)) ?? findRule('resource', statementOf(field)),
      `${field} -> ${statementOf(field)}`,
    );
});
