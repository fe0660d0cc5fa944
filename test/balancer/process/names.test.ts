/** Names and numeric addresses of the balancer's file. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBalancerFile } from '../../../daemon/balancer/config/load.js';
import { createNames, numericForm } from '../../../daemon/balancer/process/names.js';
import type { BalancerConfig } from '../../../daemon/balancer/types.js';

test('numeric addresses are written as the kernel writes them', () => {
  const forms: [string, string | null][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['FD00:0:0:0::1', 'fd00::1'],
    ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
    ['::', '::'],
    ['www.example.com', null],
    ['10.0.0', null],
    ['', null],
  ];
  for (const [written, expected] of forms) assert.equal(numericForm(written), expected, written);
});

function configOf(...names: string[]): BalancerConfig {
  const hosts = names.map((name) => `${name} ${name} www=1\n`);
  return parseBalancerFile(`! www 10.0.0.1:80 -\n${hosts.join('')}`, '').config as BalancerConfig;
}

test('names have the first of their addresses, or a reason why not', async () => {
  const known: Record<string, string[]> = { one: ['10.0.0.5', 'fd00::5'], two: ['FD00::2'], none: [] };
  const ask = async (name: string): Promise<readonly string[]> => {
    const found = known[name];
    if (found === undefined) throw Object.assign(new Error('no'), { code: 'ENOTFOUND' });
    return found;
  };
  const { addresses, failed } = await createNames(ask).resolve(configOf('two', 'one', 'none', 'gone'));
  assert.deepEqual(Object.fromEntries(addresses), {
    '10.0.0.1': '10.0.0.1',
    one: '10.0.0.5',
    two: 'fd00::2',
  });
  assert.deepEqual(failed, [
    { name: 'gone', why: 'ENOTFOUND' },
    { name: 'none', why: 'it has no address' },
  ]);
});

test('a resolver that does not answer holds nobody up, is not asked twice, and others have their turn', async () => {
  const asked: string[] = [];
  const release = new Map<string, () => void>();
  const ask = (name: string): Promise<readonly string[]> => {
    asked.push(name);
    return new Promise((resolve) => release.set(name, () => resolve(['10.0.0.9'])));
  };
  const names = Array.from({ length: 20 }, (_, at) => `name${at}`);
  const resolver = createNames(ask, 20);
  const config = configOf(...names);
  const first = await resolver.resolve(config);
  assert.equal(first.failed.length, 20);
  assert.equal(first.failed[0]?.why, 'no answer within 0.02 s');
  assert.deepEqual(asked, names.slice(0, 16));
  await resolver.resolve(config);
  assert.equal(asked.length, 16, 'those that are under way are not asked again');
  const third = resolver.resolve(config);
  for (const name of names.slice(0, 16)) release.get(name)?.();
  const { addresses } = await third;
  assert.equal(addresses.get('name3'), '10.0.0.9');
  assert.deepEqual(asked.slice(16).sort(), names.slice(16).sort());
});
