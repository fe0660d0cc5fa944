/** A check on a command line: the configuration's own parser and its messages. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseOneCheck } from '../../daemon/config/one-check.js';

test('a URL alone has the defaults; statements change them', () => {
  const plain = parseOneCheck('http://h/', []);
  assert.ok(plain.ok && plain.spec.options.intervalMs === 10_000);
  const read = parseOneCheck('http://h/x?a="b"\\', ['status 200-499', 'body "it is {here}"', 'timeout 7s']);
  assert.ok(read.ok, JSON.stringify(read));
  const { options, url } = read.spec;
  assert.deepEqual([url.path, options.timeoutMs, options.http.statuses], ['/x?a="b"\\', 7000, [[200, 499]]]);
  assert.deepEqual(options.http.body, { kind: 'text', text: 'it is {here}' });
});

describe('what is wrong is said with its place', () => {
  const cases: [string, string[], RegExp][] = [
    ['htp://h/', [], /^URL:1:\d+: error: unknown kind of check 'htp'\n/],
    ['tcp://h', [], /^URL:1:\d+: error: tcp needs a port\n/],
    ['ssh://h', ['rise 1', 'sttus 3'], /^option:2:1: error: unknown statement 'sttus'\n/],
    ['ssh://h', ['status 200'], /^option:1:1: error: .*'status'/],
    ['udp://h:1', [], /^URL:1:\d+: error: udp needs 'send' and 'expect'/],
    ['ssh://%h', ['hosts a b'], /^one check at a time: 'hosts'/],
    ['ssh://h', ['template x'], /^option:1:10: error: there is no template 'x'/],
    ['ssh://h', ['include "/etc/passwd"'], /^option:1:\d+: error: /],
    ['ssh://h', ['rise 1 }'], /unexpected|not|'}'/],
    ['ssh://h', ['}\ncheck x ssh://y {'], /^an option is one statement of a check, on one line$/],
  ];
  for (const [url, statements, expected] of cases)
    test(`${url} ${statements.join(' ')}`, () => {
      const read = parseOneCheck(url, statements);
      assert.match(read.ok ? 'no problem' : read.problem, expected);
    });
});

test('a password is not in what is said of its URL', () => {
  const read = parseOneCheck('https://me:s3cret@h:99999/', []);
  assert.ok(!read.ok);
  assert.doesNotMatch(read.problem, /s3cret/);
});
