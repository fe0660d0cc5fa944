/** Spellings of addresses, the names behind them, and what may be said again and again. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { canonicalAddress, isLoopback, isWildcard } from '../../daemon/net/addresses.js';
import { createOnce } from '../../daemon/net/once.js';
import { createResolver, type Lookup } from '../../daemon/net/resolver.js';
import { until } from './cluster.js';

const log = { debug() {}, info() {}, warn() {}, error() {} };

describe('addresses', () => {
  const spellings: [string, string | null][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:0a00:0001', '10.0.0.1'],
    ['0:0:0:0:0:ffff:255.255.255.255', '255.255.255.255'],
    ['::1', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['FE80::1%eth0', 'fe80::1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::', '::'],
    ['bolek', null],
    ['', null],
    ['10.0.0', null],
    ['10.0.0.1%eth0', null],
    ['::1]', null],
  ];
  for (const [text, canonical] of spellings) {
    test(`[N6] '${text}' is ${canonical ?? 'no address'}`, () =>
      assert.equal(canonicalAddress(text), canonical));
  }

  test('loopback and wildcard', () => {
    assert.deepEqual(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '10.0.0.1', 'x'].map(isLoopback), [
      ...[true, true, true, true, false, false],
    ]);
    assert.deepEqual(['0.0.0.0', '::', '127.0.0.1'].map(isWildcard), [true, true, false]);
  });
});

describe('names', () => {
  test('[N6] one lookup runs at a time, however many names there are', async () => {
    let running = 0;
    let most = 0;
    const asked: string[] = [];
    const lookup: Lookup = async (host) => {
      running += 1;
      most = Math.max(most, running);
      asked.push(host);
      // As a reload does, while the lookup is under way.
      if (asked.length === 1) setImmediate(() => resolver.want(hosts));
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      return ['10.0.0.1'];
    };
    const resolver = createResolver({ clock: () => performance.now(), log, lookup, onChange() {} });
    const hosts = Array.from({ length: 10 }, (_, index) => ({ host: `h${index}`, family: 4 as const }));
    resolver.want([...hosts, { host: '10.1.1.1', family: 4 }]);
    await until('all resolved', () => hosts.every((host) => resolver.addresses(host).length === 1));
    assert.equal(most, 1);
    assert.deepEqual(
      [...new Set(asked)].sort(),
      hosts.map(({ host }) => host).sort(),
      'an address is no name',
    );
    assert.deepEqual(resolver.addresses({ host: '::ffff:10.1.1.1', family: 0 }), ['10.1.1.1']);
    resolver.close();
  });

  test('[N6] asks again every minute, follows changes, and keeps what it has when nobody answers', async () => {
    let now = 0;
    let answer: string[] | null = ['10.0.0.2', '::ffff:10.0.0.1', '10.0.0.1'];
    let changes = 0;
    let lookups = 0;
    const warnings: string[] = [];
    const resolver = createResolver({
      clock: () => now,
      log: { ...log, warn: (_fields, text) => warnings.push(text) },
      lookup: async () => {
        lookups += 1;
        if (answer === null) throw Object.assign(new Error('down'), { code: 'EAI_AGAIN' });
        return answer;
      },
      onChange: () => {
        changes += 1;
      },
    });
    const host = { host: 'bolek', family: 4 as const };
    /** Lets time pass and asks: want() looks at what is due. */
    const askAt = async (time: number) => {
      now = time;
      const before = lookups;
      resolver.want([host]);
      await until('asked', () => lookups > before);
      await new Promise((resolve) => setImmediate(resolve));
    };
    await askAt(0);
    assert.deepEqual(resolver.addresses(host), ['10.0.0.1', '10.0.0.2']);
    answer = ['10.0.0.1', '10.0.0.2'];
    await askAt(60_000);
    assert.equal(changes, 1, 'another order is no change');
    answer = null;
    await askAt(120_000);
    await askAt(125_000);
    assert.deepEqual(resolver.addresses(host), ['10.0.0.1', '10.0.0.2']);
    assert.deepEqual(warnings, [
      'bolek cannot be resolved (EAI_AGAIN), 10.0.0.1 10.0.0.2 stays in use; trying again',
    ]);
    answer = ['10.0.0.9'];
    await askAt(190_000);
    assert.deepEqual([...resolver.addresses(host), changes], ['10.0.0.9', 2]);
    resolver.want([]);
    assert.deepEqual(resolver.addresses(host), []);
    resolver.close();
  });
});

describe('the log', () => {
  test('[N12] says a thing once a minute, and eight different ones of a source', () => {
    let now = 0;
    const once = createOnce(() => now);
    assert.equal(once.first('a', 'source'), true);
    assert.equal(once.first('a', 'source'), false);
    assert.equal(once.first('a', 'other source'), true);
    const said = Array.from({ length: 100 }, (_, index) => once.first(`thing ${index}`, 'source')).filter(
      Boolean,
    );
    assert.equal(said.length, 7);
    now = 60_000;
    assert.equal(once.first('a', 'source'), true);
    once.forget('sour');
    assert.equal(once.first('a', 'source'), true);
  });
});
