/** The notation of checks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCheckUrl, UrlError } from '../../daemon/checks/url.js';

test('every kind, with its usual port', () => {
  const table: [string, string, number, string][] = [
    ['tcp://db1:5432', 'db1', 5432, ''],
    ['tls://db1:636', 'db1', 636, ''],
    ['http://www.example.com', 'www.example.com', 80, ''],
    ['http://www.example.com:8080/a%20b?x=1&y', 'www.example.com', 8080, '/a%20b?x=1&y'],
    ['https://[2001:db8::1]/', '2001:db8::1', 443, '/'],
    ['banner://h:22/SSH-2.0', 'h', 22, '/SSH-2.0'],
    ['smtp://mx', 'mx', 25, ''],
    ['imap://mx', 'mx', 143, ''],
    ['pop3://mx:1110', 'mx', 1110, ''],
    ['ftp://h', 'h', 21, ''],
    ['ssh://h', 'h', 22, ''],
    ['redis://h', 'h', 6379, ''],
    ['postgres://u@h', 'h', 5432, ''],
    ['mysql://h', 'h', 3306, ''],
    ['dns://9.9.9.9/www.example.com?type=A', '9.9.9.9', 53, '/www.example.com'],
    ['ping://10.0.0.1', '10.0.0.1', 0, ''],
    ['udp://h:123', 'h', 123, ''],
    ['exec:/usr/lib/plugin?arg=-w&arg=5', '', 0, '/usr/lib/plugin'],
    ['ping://[fe80::1%eth0]', 'fe80::1%eth0', 0, ''],
  ];
  for (const [text, host, port, path] of table) {
    const url = parseCheckUrl(text);
    assert.deepEqual([url.host, url.port, url.path], [host, port, path], text);
  }
  assert.deepEqual(parseCheckUrl('exec:/p?arg=a%26b&arg=').parameters, [
    ['arg', 'a&b'],
    ['arg', ''],
  ]);
  const { user, password } = parseCheckUrl('redis://:p%40ss@h');
  assert.deepEqual([user, password], ['', 'p@ss']);
});

test('what is wrong, where, and what to do', () => {
  const table: [string, RegExp, number][] = [
    ['www.example.com', /a check is a URL/, 0],
    ['gopher://h', /unknown kind of check 'gopher'/, 0],
    ['tcp://h', /tcp needs a port/, 7],
    ['tcp:h:1', /'\/\/' is missing/, 4],
    ['tcp://:80', /the host is missing/, 6],
    ['tcp://h:70000', /no port: 70000/, 8],
    ['tcp://::1:80', /no host and port/, 6],
    ['tcp://h:1/x', /tcp has no path/, 9],
    ['http://h/ä', /written as %XX/, 8],
    ['http://h/#x', /'#' has no meaning/, 9],
    ['ping://h:7', /ping has no port/, 7],
    ['exec:check_load', /absolute path/, 5],
    ['banner://h:1/%zz', /hexadecimal/, 12],
    ['tcp://h_ä:1', /no host name/, 6],
  ];
  for (const [text, message, at] of table)
    assert.throws(
      () => parseCheckUrl(text),
      (error) => error instanceof UrlError && message.test(error.message) && error.at === at,
      text,
    );
});
