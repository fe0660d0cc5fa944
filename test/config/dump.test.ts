/** The effective configuration as text. That every golden file's dump is read back is in golden.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dumpConfig } from '../../daemon/config/dump.js';
import { configOf, parse, resourceOf } from './support.js';

const other = (name: string) => resourceOf('').replace('resource r', `resource ${name}`);

test('only the resources asked for', () => {
  const config = configOf(other('x') + other('y') + other('z'));
  const names = (text: string) => [...text.matchAll(/^resource (\S+)/gm)].map(([, name]) => name);
  assert.deepEqual(names(dumpConfig(config)), ['x', 'y', 'z']);
  assert.deepEqual(names(dumpConfig(config, ['z', 'x', 'nobody'])), ['x', 'z']);
  assert.deepEqual(names(dumpConfig(config, [])), []);
  assert.deepEqual(configOf(dumpConfig(config, [])).resources, []);
});

test('a secret is not shown', () => {
  const text = dumpConfig(configOf(resourceOf('key { algorithm SHA384 secret "hush hush hush" }')));
  assert.doesNotMatch(text, /hush/);
  assert.match(text, /algorithm SHA384\n\t\tsecret \*\*\*\n/);
});

test('what needs quotes gets them', () => {
  const text = `exec "/a b" state_dir "/x\\"y\\\\z#" log "/{l}" control "/c;," ${other('resource1').replace('exec /etc/r', 'fence "/tab\\t"')}`;
  const config = configOf(text);
  const dump = dumpConfig(config);
  assert.deepEqual({ ...configOf(dump), file: '' }, { ...config, file: '' });
  assert.equal(dumpConfig(configOf(dump)), dump);
});

test('the dump of a file with settings for other nodes is without warnings', () => {
  const text = `key { secret 0123456789abcdef }\n${resourceOf('fence /f fence_timeout 1s heartbeat_interval 100ms')}`;
  assert.deepEqual(parse(dumpConfig(configOf(text)).replace('***', '0123456789abcdef')).diagnostics, []);
});
