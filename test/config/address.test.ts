/** Addresses: every notation of the ancestor and ours, the normal form, and what is refused. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatAddress, parseAddress, UNIX_PATH_BYTES_MAX } from '../../daemon/config/address.js';

const TCP: readonly [string, string, string, number, string][] = [
  // The ancestor's manual: these six are one and the same address.
  ['0.0.0.0', 'tcp4', '0.0.0.0', 8458, 'tcp4://0.0.0.0'],
  ['0.0.0.0:8458', 'tcp4', '0.0.0.0', 8458, 'tcp4://0.0.0.0'],
  ['tcp://0.0.0.0', 'tcp4', '0.0.0.0', 8458, 'tcp4://0.0.0.0'],
  ['tcp://0.0.0.0:8458', 'tcp4', '0.0.0.0', 8458, 'tcp4://0.0.0.0'],
  ['tcp4://0.0.0.0', 'tcp4', '0.0.0.0', 8458, 'tcp4://0.0.0.0'],
  ['tcp4://0.0.0.0:8458', 'tcp4', '0.0.0.0', 8458, 'tcp4://0.0.0.0'],
  ['lolek', 'tcp4', 'lolek', 8458, 'tcp4://lolek'],
  ['lolek:9000', 'tcp4', 'lolek', 9000, 'tcp4://lolek:9000'],
  ['tcp://lolek', 'tcp', 'lolek', 8458, 'tcp://lolek'],
  ['TCP4://lolek:1', 'tcp4', 'lolek', 1, 'tcp4://lolek:1'],
  ['tcp6://lolek:65535', 'tcp6', 'lolek', 65535, 'tcp6://lolek:65535'],
  ['tcp6://[::]:8458', 'tcp6', '::', 8458, 'tcp6://[::]'],
  ['tcp6://[::1]:9', 'tcp6', '::1', 9, 'tcp6://[::1]:9'],
  ['tcp6://::1', 'tcp6', '::1', 8458, 'tcp6://[::1]'],
  ['tcp://[2001:db8::1]', 'tcp6', '2001:db8::1', 8458, 'tcp6://[2001:db8::1]'],
  ['[::1]:8458', 'tcp6', '::1', 8458, 'tcp6://[::1]'],
  ['::', 'tcp6', '::', 8458, 'tcp6://[::]'],
  ['fe80::1%eth0', 'tcp6', 'fe80::1%eth0', 8458, 'tcp6://[fe80::1%eth0]'],
  ['a_b.example.org.', 'tcp4', 'a_b.example.org.', 8458, 'tcp4://a_b.example.org.'],
];

describe('parseAddress', () => {
  for (const [text, scheme, host, port, normal] of TCP) {
    test(text, () => {
      const parsed = parseAddress(text);
      assert.deepEqual(parsed, { ok: true, value: { scheme, host, port, text: normal } });
      assert.deepEqual(parseAddress(normal), parsed, 'the normal form is read as the same address');
    });
  }

  for (const text of ['/var/run/hastmonctl', 'unix:///var/run/hastmonctl', 'uds:///var/run/hastmonctl']) {
    test(text, () => {
      const value = { scheme: 'unix', path: '/var/run/hastmonctl', text: 'unix:///var/run/hastmonctl' };
      assert.deepEqual(parseAddress(text), { ok: true, value });
    });
  }

  const refused = [
    '',
    ':1',
    'x:',
    'x:0',
    'x:65536',
    'x:1:2',
    '10.0.0.256',
    '1',
    '1.2.3',
    'a..b',
    '-a',
    'a b',
  ];
  const schemes = [
    'http://x',
    'tcp5://x',
    'tcp4://',
    'tcp4://[::1]',
    'tcp6://10.0.0.1',
    'uds://x',
    'unix://',
    '://x',
  ];
  for (const text of [
    ...refused,
    ...schemes,
    '[::1',
    '[]',
    '[x]',
    '[::1]:x',
    '::1:zz',
    `${'a'.repeat(64)}.org`,
  ]) {
    test(`refuses ${JSON.stringify(text)}`, () => {
      const parsed = parseAddress(text);
      assert.equal(parsed.ok, false);
      assert.ok(!parsed.ok && parsed.reason.length > 5);
    });
  }

  test('a UNIX socket path ends where sun_path does', () => {
    const longest = `/${'x'.repeat(UNIX_PATH_BYTES_MAX - 1)}`;
    assert.equal(parseAddress(longest).ok, true);
    assert.equal(parseAddress(`${longest}x`).ok, false);
    assert.equal(
      parseAddress(`/${'é'.repeat(UNIX_PATH_BYTES_MAX / 2 + 1)}`).ok,
      false,
      'bytes count, not characters',
    );
  });
});

test('formatAddress leaves the default port out and brackets IPv6', () => {
  assert.equal(formatAddress({ scheme: 'tcp6', host: '::1', port: 8458 }), 'tcp6://[::1]');
  assert.equal(formatAddress({ scheme: 'tcp', host: 'x', port: 1 }), 'tcp://x:1');
});
