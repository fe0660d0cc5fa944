/** Which machine a name means. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from './support.js';

const file = (...names: string[]) =>
  `exec /etc/r\nresource r {\n${names.map((name) => `on ${name} { remote none }`).join('\n')}\n}\n`;
const found = (hostname: string, ...names: string[]) => parse(file(...names), hostname).config?.node ?? null;

describe('finding this node', () => {
  test('by full or short name, whatever the case', () => {
    assert.equal(found('a', 'a', 'b', 'c'), 'a');
    assert.equal(found('A', 'a', 'b', 'c'), 'a');
    assert.equal(found('a.example.org', 'a', 'b', 'c'), 'a');
    assert.equal(found('a', 'a.example.org', 'b', 'c'), 'a.example.org');
    assert.equal(found('A.example.ORG.', 'a.Example.org', 'b', 'c'), 'a.Example.org');
  });

  test('not by what only begins like it', () => {
    // The ancestor compares as many characters as the short host name has, and takes host10 for host1.
    assert.equal(found('host1.example.org', 'host10', 'b', 'c'), null);
    assert.equal(found('host10.example.org', 'host1', 'b', 'c'), null);
    assert.equal(found('a.example.org', 'a.example.com', 'b', 'c'), null);
    assert.equal(found('a', 'a.example.org', 'a.example.com', 'c'), null, 'it could be either');
  });

  test('an address is a name without a short form', () => {
    assert.equal(found('10.0.0.1', '10.0.0.1', '10.0.0.2', 'c'), '10.0.0.1');
    assert.equal(found('10', '10.0.0.1', '10.0.0.2', 'c'), null);
  });

  test('-n overrides the host name', () => {
    const text = file('a', 'b', 'c');
    const options = { hostname: 'elsewhere', node: 'b' };
    assert.equal(parse(text, 'elsewhere').config, null);
    assert.equal(parse(text, options).config?.node, 'b');
    assert.equal(
      parse(text, { hostname: 'a', node: 'nobody' }).config,
      null,
      'and the host name does not help',
    );
  });

  test('unknown: an error that names the nodes, or no resources where it is allowed', () => {
    const [error] = parse(file('a', 'b', 'c'), 'zebra').diagnostics;
    assert.match(error?.message ?? '', /'zebra': the file names 'a', 'b', 'c'/);
    const { config, diagnostics } = parse(file('a', 'b', 'c'), {
      hostname: 'zebra',
      ignoreUnknownNode: true,
    });
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(config?.resources, []);
    assert.equal(config?.node, 'zebra');
  });

  test('a balancer alone is on this machine, whatever its name', () => {
    const { config, diagnostics } = parse('balancer { config /etc/w.conf ; adopt yes }', 'zebra');
    assert.deepEqual(diagnostics, []);
    assert.deepEqual([config?.node, config?.balancer?.file], ['zebra', '/etc/w.conf']);
    assert.equal(parse('balancer { config /etc/w.conf nodes a }', 'zebra').config, null);
  });

  test('a global section is enough', () => {
    const { config } = parse(`on z { attempts 3 }\n${file('a', 'b', 'c')}`, 'z');
    assert.deepEqual(config?.resources, []);
  });
});

describe('one node under two names', () => {
  test('is one voter, under the name written first', () => {
    const text = `${file('a', 'b', 'c')}resource s {\non A.example.org { remote none }\non b { remote none }\non c { remote none }\n}\n`;
    const { config, diagnostics } = parse(text, 'a.example.org');
    assert.deepEqual(
      config?.resources.map(({ voters }) => voters),
      [
        ['a', 'b', 'c'],
        ['a', 'b', 'c'],
      ],
    );
    assert.match(diagnostics[0]?.message ?? '', /'A.example.org' is taken as the node 'a' of line 3/);
  });

  test('a short name beside two full ones is ambiguous', () => {
    const { config, diagnostics } = parse(file('a', 'a.x', 'a.y', 'b'), 'a');
    assert.equal(config, null);
    assert.match(diagnostics[0]?.message ?? '', /'a' could be a.x or a.y/);
  });
});
