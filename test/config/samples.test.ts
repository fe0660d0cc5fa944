/** Every file of conf/ is read, and the ancestor's two examples mean what its manual says of them. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { formatDiagnostics } from '../../daemon/config/diagnostic.js';
import { RULES } from '../../daemon/config/grammar.js';
import { BALANCER_RULES } from '../../daemon/config/grammar-balancer.js';
import { HTTP_RULES } from '../../daemon/config/grammar-http.js';
import { MONITOR_RULES } from '../../daemon/config/grammar-monitor.js';
import type { Config, ResourceConfig } from '../../daemon/config/types.js';
import { filesIn, parse, parseAsEtc, ROOT } from './support.js';

const CONF = path.join(ROOT, 'conf');
// Files in formats of their own: test/balancer/config/samples.test.ts and test/actions/ read them.
const OTHER_FORMATS = /^(ipvs-weightman|actions|checks)\.conf$/;
const samples = filesIn(CONF, '').filter((name) => /\.conf(\.|$)/.test(name) && !OTHER_FORMATS.test(name));

function sample(name: string, node: string): Config {
  const { config, diagnostics } = parseAsEtc(CONF, name, node);
  assert.equal(formatDiagnostics(diagnostics), '');
  assert.ok(config !== null);
  return config;
}

/** What the ancestor's files say of a resource; all else is default. */
function facts({ exec, friends, remote, priority, voters }: ResourceConfig) {
  return {
    exec,
    friends: friends.map(({ text }) => text),
    remote: remote.map(({ text }) => text),
    priority,
    voters,
  };
}

describe('three-nodes.conf', () => {
  const nodes: readonly [string, string[], number][] = [
    ['lolek', ['tcp4://bolek'], 0],
    ['bolek', ['tcp4://lolek'], 1],
    ['reksio', ['tcp4://lolek', 'tcp4://bolek'], 100],
  ];
  for (const [node, remote, priority] of nodes) {
    test(node, () => {
      const { resources } = sample('three-nodes.conf', `${node}.example.org`);
      const friends = ['tcp4://lolek', 'tcp4://bolek', 'tcp4://reksio'];
      const common = { friends, remote, priority, voters: ['lolek', 'bolek', 'reksio'] };
      assert.deepEqual(resources.map(facts), [
        { exec: '/etc/daemon.sh', ...common },
        { exec: '/etc/storage.sh', ...common },
      ]);
      assert.deepEqual(
        resources.map(({ name }) => name),
        ['daemon', 'storage'],
      );
      assert.ok(resources.every(({ roleOnStart, key }) => roleOnStart === 'init' && key === null));
    });
  }
});

describe('two-resources.conf', () => {
  const watchdogs = ['tcp4://10.0.0.4', 'tcp4://10.0.0.5'];
  const hast = (remote: string[], friends: string[], priority: number) => ({
    exec: '/usr/local/etc/rc.d/hast',
    friends,
    remote,
    priority,
    voters: ['host1', 'host2', 'host3'],
  });
  const mail = (remote: number[], priority: number) => ({
    exec: '/usr/local/etc/rc.d/mail',
    friends: watchdogs,
    remote: remote.map((last) => `tcp4://10.0.0.${last}`),
    priority,
    voters: ['host1', 'host2', 'host3', 'host4', 'host5'],
  });
  const expected: readonly [string, object[]][] = [
    ['host1', [hast(['tcp4://host2'], ['tcp4://host3'], 1), mail([2, 3], 1)]],
    ['host2', [hast(['tcp4://host1'], ['tcp4://host3'], 2), mail([1, 3], 2)]],
    ['host3', [hast(['tcp4://host1', 'tcp4://host2'], [], 100), mail([1, 2], 3)]],
    ['host4', [mail([1, 2, 3], 100)]],
    ['host5', [mail([1, 2, 3], 100)]],
  ];
  for (const [node, resources] of expected) {
    test(node, () => assert.deepEqual(sample('two-resources.conf', node).resources.map(facts), resources));
  }
});

describe('hastmon.conf.sample', () => {
  const name = 'hastmon.conf.sample';
  const text = existsSync(path.join(CONF, name)) ? readFileSync(path.join(CONF, name), 'utf8') : '';

  test('means something on each of its machines, without a warning', () => {
    const [alpha, beta, gamma] = ['alpha', 'beta', 'gamma'].map((node) => sample(name, node));
    assert.equal(alpha?.resources[0]?.roleOnStart, 'primary');
    assert.equal(beta?.resources[0]?.roleOnStart, 'secondary');
    assert.equal(gamma?.resources[0]?.roleOnStart, 'watchdog');
    assert.notEqual(alpha?.watchdogDevice, null);
    assert.equal(gamma?.watchdogDevice, null);
  });

  for (const statement of [...RULES.keys(), ...HTTP_RULES.map((rule) => rule.name)]) {
    test(`shows ${statement}`, () => assert.match(text, new RegExp(`^#?\\s*${statement}\\b`, 'm')));
  }
});

describe('monitor.conf', () => {
  const name = 'monitor.conf';
  const text = existsSync(path.join(CONF, name)) ? readFileSync(path.join(CONF, name), 'utf8') : '';

  test('means something on each of its machines, without a warning', () => {
    for (const node of ['alpha', 'beta', 'gamma']) {
      const { monitor, resources } = sample(name, node);
      assert.deepEqual([monitor?.active, monitor?.nodes], [true, ['alpha', 'beta', 'gamma']]);
      assert.equal(monitor?.checks.length, 16);
      assert.deepEqual(resources[0]?.checks, ['smtp', 'imaps']);
    }
  });

  test('the short one in its comment is a file', () => {
    const [, short = ''] = /such files:\n#\n((?:#.*\n)+?)#\n/.exec(text) ?? [];
    const { config, diagnostics } = parse(short.replace(/^#/gm, ''), 'alpha.example.org');
    assert.deepEqual(diagnostics, []);
    assert.equal(config?.monitor?.checks.length, 1);
  });

  for (const statement of new Set(MONITOR_RULES.map((rule) => rule.name)))
    test(`shows ${statement}`, () => assert.match(text, new RegExp(`(^|[{\\s#])${statement}\\b`, 'm')));
});

describe('directors.conf', () => {
  const name = 'directors.conf';

  test('has the balancer on the two directors', () => {
    const [alpha, beta, gamma] = ['alpha', 'beta', 'gamma'].map((node) => sample(name, node).balancer);
    assert.equal(alpha?.whilePrimary, 'lb');
    assert.deepEqual(beta, alpha);
    assert.equal(gamma, null);
  });

  const text = readFileSync(path.join(CONF, name), 'utf8');
  for (const statement of BALANCER_RULES.map((rule) => rule.name))
    test(`shows ${statement}`, () => assert.match(text, new RegExp(`^\\s*#?${statement}\\b`, 'm')));
});

test('the manual has an item on every statement of the balancer', () => {
  const page = readFileSync(path.join(ROOT, 'man/hastmon.conf.5'), 'utf8').split(/^\.Sh BALANCER$/m)[1] ?? '';
  const items = new Set([...page.matchAll(/^\.It Ic (\w+)/gm)].map(([, item]) => item));
  assert.deepEqual(
    BALANCER_RULES.filter(({ name }) => !items.has(name)),
    [],
  );
});

test('the manual has an item on every statement of monitoring', () => {
  const page =
    readFileSync(path.join(ROOT, 'man/hastmon.conf.5'), 'utf8').split(/^\.Sh MONITORING$/m)[1] ?? '';
  const items = new Set([...page.matchAll(/^\.It Ic (\w+)/gm)].map(([, item]) => item));
  const missing = MONITOR_RULES.filter(({ name }) => name !== 'include' && !items.has(name));
  assert.deepEqual(missing, []);
});

for (const name of samples) {
  test(`${name} is read on every node of it`, () => {
    const text = readFileSync(path.join(CONF, name), 'utf8').replace(/#.*$/gm, '');
    const nodes = new Set([...text.matchAll(/\bon\s+(\S+)\s*\{/g)].map(([, node]) => node ?? ''));
    assert.ok(nodes.size > 0);
    for (const node of nodes) assert.equal(sample(name, node).node, node);
  });
}

test('there are samples', () => assert.ok(samples.length >= 3));
