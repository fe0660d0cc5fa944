/** What is wrong with monitoring, each with its place: line and column in the text given. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DNS_TYPES } from '../../daemon/checks/dns.js';
import { formatDiagnostics } from '../../daemon/config/diagnostic.js';
import { DNS_TYPE_NAMES } from '../../daemon/config/monitor-kinds.js';
import { messagesOf, NODES } from './monitor-support.js';
import { parse, resourceOf } from './support.js';

/** A text, and all errors it must give. */
type Case = readonly [text: string, ...errors: string[]];

const groups: Record<string, readonly Case[]> = {
  'names that nobody has': [
    ['check c tcp://h:1 { template web }', "1:30 there is no template 'web'"],
    [
      'check c tcp://h:1 { depends gate wall }',
      "1:29 there is no check 'gate'",
      "1:34 there is no check 'wall'",
    ],
    ['check c tcp://h:1 { alerts oops }', "1:28 there is no alert 'oops'"],
    ['monitor { nodes a z }', "1:19 there is no node 'z'"],
    ['check c tcp://%h:1 { hosts x depends y@%h }', "1:38 there is no check 'y@x'"],
    [
      `check c tcp://h:1\n${resourceOf('check x c\nrequire y')}`,
      "4:7 there is no check 'x'",
      "5:9 there is no check 'y'",
    ],
  ],
  'where nodes are reached': [
    ['monitor { address z tcp4://10.0.0.1 }', "1:19 there is no node 'z'"],
    ['on c { } monitor { nodes a b address c tcp4://10.0.0.1 }', "1:38 'c' does not monitor"],
    ['monitor { address a 10.0.0.1 address a 10.0.0.2 }', "1:38 'a' has an address already"],
    [
      'monitor { address a 10.0.0.1 address b 10.0.0.1 }',
      ...['1:21', '1:40'].map((at, index) => `${at} '10.0.0.1' is where '${'ba'[index]}' is reached`),
    ],
    ['on c { listen 10.0.0.3 }\nmonitor { address a 10.0.0.3 }', "2:21 '10.0.0.3' is where 'c' is reached"],
    ['monitor { address a tcp6://[::] }', "1:21 no node is reached at 'tcp6://[::]'"],
    [
      'monitor { address a htp://x }',
      "1:21 'htp://x' has an unknown scheme: htp:// is none of tcp, tcp4, tcp6, unix, uds",
    ],
    ['monitor { address a }', "1:11 'address a' is incomplete"],
    ['monitor { address }', "1:11 'address' is incomplete"],
    ['monitor { key { algorithm SHA256 } }', '1:11 the key has no secret'],
    ['monitor { key { secret "0123456789ab" } key { secret "0123456789ab" } }'],
  ],
  'names that are there twice': [
    ['check c tcp://h:1\ncheck c tcp://h:2', "2:7 check 'c' is there twice"],
    ['check c@x tcp://h:1\ncheck c tcp://%h:1 { hosts x }', "2:7 check 'c@x' is there twice"],
    ['check c ssh://%h { hosts x y x }', "1:30 'x' is named twice"],
    ['template t { } template t { }', "1:25 template 't' is there twice"],
    ['group g { }\ngroup g { }', "2:7 group 'g' is there twice"],
    ['alert ops { syslog }', "1:7 alert 'ops' is there twice"],
  ],
  'names that are none': [
    ['check "a b" tcp://h:1', "1:7 'a b' cannot be the name of a check"],
    ['check all tcp://h:1', "1:7 'all' cannot be the name of a check"],
    ['check constructor tcp://h:1', "1:7 'constructor' cannot be the name of a check"],
    ['on __proto__ { }\ncheck c tcp://h:1', "1:4 '__proto__' cannot be a node's name"],
    ['check tcp://h:1', '1:7 the check has a URL, but no name'],
    ['check c\ncheck d tcp://h:1', "1:7 check 'c' has no URL"],
    ['check c { rise 1 }', "1:7 check 'c' has no URL"],
    ['check c ssh://%h { hosts "a b" }', "1:26 'a b' is neither a host's name nor its address"],
    ['check c ssh://%h', "1:9 '%h' stands for a host of 'hosts'"],
    ['check c ssh://h { hosts a }', "1:9 the URL does not say where the host belongs that 'hosts' names"],
  ],
  circles: [
    ['check c tcp://h:1 { depends c }', "1:29 'c' depends on itself: c -> c"],
    [
      'check a tcp://h:1 { depends b }\ncheck b tcp://h:1 { depends c }\ncheck c tcp://h:1 { depends x a }\ncheck x tcp://h:1',
      "3:29 'c' depends on itself: a -> b -> c -> a",
    ],
    [
      'check a tcp://%h:1 { hosts x y depends b@%h }\ncheck b tcp://%h:1 { hosts x y depends a }',
      "2:40 'b' depends on itself: a -> b -> a",
    ],
  ],
  URLs: [
    ['check c htp://h', "1:9 unknown kind of check 'htp'"],
    ['check c tcp://h', '1:15 tcp needs a port'],
    ['check c tcp://h:99999', '1:17 no port: 99999'],
    ['check c "tcp://h"', '1:17 tcp needs a port'],
    ['check c tcp://%h:0 { hosts www.example.com }', '1:18 no port: 0'],
    ['check c ping://h:7', '1:16 ping has no port'],
    ['check c banner://h:22', '1:21 the banner that is expected is missing'],
    ['check c banner://h:22//(/', '1:22 no regular expression: Unterminated group'],
    ['check c dns://h', '1:15 the name to ask for is missing'],
    ['check c dns://h/a..b', '1:16 this is no domain name'],
    ['check c dns://h/n?typ=A', "1:19 unknown parameter 'typ'"],
    ['check c dns://h/n?type=Z', "1:19 unknown type 'Z'"],
    ['check c exec:/p?x=y', "1:17 unknown parameter 'x'"],
    ['check c exec:p', '1:14 a plugin is named by its absolute path'],
    ['check c ssh://u@h', '1:15 a ssh check has no user'],
    ['check c redis://u:p@h', '1:17 a redis check has no user'],
    ['check c udp://h:1', "1:9 udp needs 'send' and 'expect'"],
    ['check c udp://h:1 { expect "x" send "y" }', "1:21 udp begins with 'send'"],
    ['check c udp://h:1 { send "x" }', "1:21 udp needs 'expect' after 'send'"],
  ],
  'options of another kind': [
    ['check c ssh://h { status 200 }', "1:19 'status' is not for ssh checks"],
    [
      'check c http://h { days 3 send "x" }',
      "1:20 'days' is not for http checks",
      "1:27 'send' is not for http checks",
    ],
    ['check c exec:/p { source 10.0.0.1 }', "1:19 'source' is not for exec checks"],
    ['check c ping://h { connect_timeout 1s }', "1:20 'connect_timeout' is not for ping checks"],
    ['check c tcp://h:1 { warning ok }', "1:21 'warning' is not for tcp checks"],
    ['check c redis://h { database x }', "1:21 'database' is not for redis checks"],
    [
      'template t { body "x" }\ncheck c ssh://h { template t }',
      "2:28 template 't' has 'body', which is not for ssh checks",
    ],
    ['group g { status 200 }', "1:11 'status' is not allowed in a 'group' section"],
    ['check c tcp://h:1 { flights 3 }', "1:21 'flights' is not allowed in a 'check' section"],
    ['check c tcp://h:1 { intervall 3 }', "1:21 unknown statement 'intervall'"],
  ],
  values: [
    ['monitor { interval 9ms }', "1:20 '9ms' is too small"],
    ['monitor { rise 0 }', "1:16 '0' is too small"],
    ['monitor { addresses some }', "1:21 'some' is not known here"],
    ['monitor { source example.com }', "1:18 'example.com' is not a numeric address"],
    ['monitor { chroot var }', "1:18 'var' is not an absolute path"],
    ['monitor { timeout 1s interval }', "1:22 'interval' is incomplete"],
    ['template t { method get }', "1:21 'get' is no method"],
    ['template t { version 2 }', "1:22 '2' is not known here"],
    [
      'template t { status 99 200-100 x }',
      "1:21 '99' is no status",
      "1:24 '200-100' is no status",
      "1:32 unknown statement 'x'",
    ],
    ['template t { match "a(" }', '1:20 no regular expression: Unterminated group'],
    ['template t { body "" }', '1:19 an empty text is in every answer'],
    ['template t { body "a" match "b" }', "1:23 'match' beside 'body' of line 3"],
    ['template t { header "x" }', '1:21 this is no header field'],
    ['template t { header "Host: x" }', '1:21 this header field has a statement of its own'],
    ['template t { size 64X }', "1:19 '64X' is not a number of bytes"],
    ['template t { send "a é" }', '1:22 a letter beyond ASCII'],
    ['template t { expect "\\xE9é" }', '1:26 a letter beyond ASCII'],
    ['template t { expect "" }', '1:21 the text is empty'],
    ['template t { body "a\\r" }', '1:21 unknown escape in a quoted string'],
    ['exec "/a\\x00"', '1:9 unknown escape in a quoted string'],
    ['template t { verify maybe }', "1:21 'maybe' is not known here"],
    ['template t { ca ca.pem }', "1:17 'ca.pem' is not an absolute path"],
  ],
  'what does not fit together': [
    [
      'check c tcp://h:1 { connect_timeout 6s }',
      "1:37 'connect_timeout' is longer than the timeout of the whole check, 5s",
    ],
    [
      'check c ping://h { receive_timeout 2s timeout 1s }',
      "1:36 'receive_timeout' is longer than the timeout of the whole check, 1s",
    ],
    ['check c tcp://h:1 { down_after 3s }', "1:32 'down_after' is shorter than the interval, 10s"],
    ['check c tcp://h:1 { confirm 3 }', "1:29 'confirm' asks for more nodes than there are: 2 nodes monitor"],
    ['monitor { nodes a confirm 2 }', "1:27 'confirm' asks for more nodes than there are: 1 node monitors"],
    ['check c http://h { body "x" method HEAD }', "1:29 'body' with the method HEAD"],
  ],
  alerts: [
    ['alert x { }', "1:7 alert 'x' tells nobody"],
    ['alert x { gather 5s }', "1:7 alert 'x' tells nobody"],
    ['alert x { syslog from a@b }', "1:18 'from' means nothing without 'mail'"],
    ['alert x { mail a@b@c }', "1:16 'a@b@c' is no e-mail address"],
    ['alert x { mail a@b server m:x }', "1:27 'm:x' is no mail server"],
    ['alert x { webhook ftp://h/x }', '1:19 this is no URL of a webhook'],
    ['alert x { mail a@b login joe }', "1:20 'login' names no password"],
    ['alert x { syslog yes }', "1:18 unexpected 'yes' after 'syslog'"],
  ],
  sections: [
    ['monitor { check c tcp://h:1 {\ncheck d tcp://h:1 }', "1:11 'check c' is never closed"],
    [
      'check c tcp://h:1 { rise 1\nresource r { }',
      "1:1 'check c' is never closed",
      "2:10 resource 'r' has no 'on' section",
    ],
    [resourceOf('check c { rise 1 }'), "3:7 there is no check 'c'", "3:9 unexpected '{' after 'check'"],
    ['on a { check c tcp://h:1 }', "1:1 'on a' is never closed"],
  ],
};

for (const [title, cases] of Object.entries(groups))
  describe(title, () => {
    for (const [text, ...errors] of cases) test(text, () => assert.deepEqual(messagesOf(text), errors));
  });

describe('warnings', () => {
  const cases: Case[] = [
    ['check c tcp://h:1 { retry_interval 20s }', "1:36 'retry_interval' is longer than the interval, 10s"],
    [
      'check c tcp://h:1 { rise 1 rise 2 }',
      "1:28 'rise' is set twice in this section; this one replaces that of line 3",
    ],
    ['check c https://h { verify no ca /x }', "1:31 'ca' means nothing with 'verify no'"],
    ['check c mysql://u:p@h', '1:17 the password is not used: no login is made'],
    ['alert x { mail a@b server m login j p }', '1:29 the password is sent unencrypted'],
    ['monitor { nodes a a }', "1:19 'a' is named twice"],
  ];
  for (const [text, ...warnings] of cases)
    test(text, () => assert.deepEqual([messagesOf(text), messagesOf(text, 'warning')], [[], warnings]));

  test('nobody is told', () => {
    const { diagnostics } = parse('on a { } on b { }\ncheck c tcp://h:1');
    assert.deepEqual(
      diagnostics.map(({ line, message }) => [line, message]),
      [[2, 'nobody is told of outages: there is no alert']],
    );
  });
});

test('a message has its line, its caret and its help', () => {
  const { diagnostics } = parse(`${NODES}check web http://h\ncheck c ssh://h { depends wbe }\n`);
  assert.equal(
    formatDiagnostics(diagnostics),
    "/etc/hastmon.conf:4:27: error: there is no check 'wbe'\n" +
      'check c ssh://h { depends wbe }\n' +
      '                          ^~~\n' +
      "  did you mean 'web'?\n",
  );
});

describe('secrets are in no message', () => {
  const texts = [
    'check c http://u:HUSH@h { rise x }',
    'check c ssh://u:HUSH@h/path',
    'check c http://u:HUSH@h:x/',
    'chekc c http://u:HUSH@h',
    'check http://u:HUSH@h',
    'check c http://h { header "Authorization: HUSH" rise x }',
    'check c http://h { header "X-Api-Key HUSH" }',
    'alert x { mail a@b login joe HUSH gather x }',
    'alert x { mail a@b lgoin joe HUSH }',
    'alert x { mail a@b login joe "HUSH" extra }',
    'alert x { webhook "https://h/HUSH" gather x }',
    'alert x { webhook "ftp://h/HUSH" }',
  ];
  for (const text of texts)
    test(text, () => {
      const { diagnostics } = parse(NODES + text);
      assert.ok(diagnostics.length > 0);
      assert.doesNotMatch(JSON.stringify(diagnostics) + formatDiagnostics(diagnostics), /HUSH/);
    });
});

test('the types of DNS are those of the check', () => {
  assert.deepEqual([...DNS_TYPE_NAMES].sort(), Object.keys(DNS_TYPES).sort());
});
