/** Monitoring written down, read back, and compared with what it was. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MonitorConfig } from '../../daemon/checks/spec.js';
import { diffConfig } from '../../daemon/config/diff.js';
import { dumpConfig } from '../../daemon/config/dump.js';
import { sameCheck } from '../../daemon/config/monitor-diff.js';
import { checkOf, monitorOf, NODES } from './monitor-support.js';
import { configOf, resourceOf } from './support.js';

/** Every statement, most values other than the defaults, and names that are statements. */
const ALL = `monitor { user x chroot /c nodes a flights 5 plugins 6 resolve_time 7s interval 20s rise 5 fall 6 }
alert mail { mail x@host b@x from m@x server mail:25 tls starttls gather 0 recovery no syslog }
alert other { program /p webhook "https://h/" }
template t { rise 9 body "a\\"b\\\\\\n" }
check plain tcp://h:1
group g {
  depends gate
  check fall http://u@h:8080/p?a=b,c=d&e=%20 { template t method POST version 1.0 host "x:1"
    header "A: b" header "C:" status 200 300-399 size 1M redirects 2 }
  check match https://h { match "^\\\\d" days 3 ca /ca.pem servername s addresses all source ::1 }
}
check gate ping://g { interval 500ms down_after 2s confirm 1 alerts mail }
group h {
  check steps tcp://[::1]:1 { send "a\\r\\n\\x00\\xff\\"" expect "\\\\" expect_match "^\\t\\\\d" timeout 2s }
  check quick udp://h:5 { send x expect y timeout 20s receive_timeout 10s }
}
check slow tls://h:5 { verify no connect_timeout 1s retry_interval 5s }
check p exec:/usr/lib/check%20me?arg=-w&arg=5,4&arg=a%26b { warning fail timeout 3s }
check db postgres://joe@db { database "my db" }
check dns dns://10.0.0.53/www.example.com?type=AAAA&expect=::1
check ssh ssh://%h { hosts web1 2001:db8::1 depends p }
check banner banner://h:22//^SSH-2/
`;

describe('dump', () => {
  test('what it writes means the same', () => {
    const config = configOf(NODES + ALL + resourceOf('check plain ssh\nrequire gate'));
    const dump = dumpConfig(config);
    const again = configOf(dump);
    assert.deepEqual({ ...again, file: '' }, { ...config, file: '' });
    assert.equal(dumpConfig(again), dump);
  });

  test('secrets are not in it', () => {
    const text = `${NODES}alert x { mail a@b server m:587 login joe HUSH webhook "https://HUSH@h/HUSH?HUSH" }
check c http://joe:HUSH@h:80/p { header "X-Auth-Token: HUSH" header "Cookie: HUSH" header "A: b" }
check d redis://:HUSH@h`;
    const dump = dumpConfig(configOf(text));
    assert.doesNotMatch(dump, /HUSH/);
    for (const shown of [
      'login joe ***',
      'https://h/***',
      'http://joe:***@h:80/p',
      'redis://:***@h',
      '"A: b"',
    ])
      assert.ok(dump.includes(shown), shown);
    assert.equal(dumpConfig(configOf(dump)), dump);
  });

  test('a URL of a check is shown without its password', () => {
    const check = checkOf('check c http://joe:HU%40SH@h/a@b');
    assert.equal(check.shownUrl, 'http://joe:***@h/a@b');
    assert.equal(check.url.password, 'HU@SH');
  });
});

describe('sameCheck', () => {
  const base = 'check c http://h/p { rise 3 }';
  const cases: [string, boolean][] = [
    ['monitor { interval 10s } check c "http://h/p" { fall 3 rise 3 }', true],
    ['group g { check c http://h/p { rise 3 } }', true],
    ['check c http://h/p { rise 3 alerts ops confirm 1 depends d } check d tcp://h:1', true],
    ['check c http://h/p { rise 4 }', false],
    ['check c http://h/q { rise 3 }', false],
    ['check c http://u:p@h/p { rise 3 }', false],
    ['check c https://h/p { rise 3 }', false],
    ['check c http://h/p { rise 3 header "A: b" }', false],
    ['check c http://h/p { rise 3 interval 9s }', false],
  ];
  for (const [text, same] of cases)
    test(text, () => assert.equal(sameCheck(checkOf(base), checkOf(text)), same));

  test('another name is another check', () => {
    assert.equal(sameCheck(checkOf('check c tcp://h:1'), checkOf('check d tcp://h:1', 'd')), false);
  });
});

describe('diff', () => {
  const diff = (before: string, after: string) =>
    diffConfig(configOf(NODES + before), configOf(NODES + after));

  test('nothing', () => {
    const { monitor, unchanged } = diff(ALL, `# a comment\n${ALL}`);
    assert.deepEqual([monitor, unchanged], [{ fields: [], checks: [], alerts: [] }, true]);
  });

  test('checks, alerts and the section', () => {
    const before =
      'alert x { syslog } check a tcp://h:1 check b tcp://h:2 check c tcp://h:3 check d tcp://h:4';
    const after =
      'monitor { flights 7 nodes b } alert x { syslog gather 1s } alert y { syslog } ' +
      'check d tcp://h:4 { alerts x } check e tcp://h:5 check c tcp://h:3 { rise 9 } check a tcp://h:1';
    const { monitor, unchanged } = diff(before, after);
    assert.deepEqual(monitor, {
      fields: ['active', 'nodes', 'addresses', 'flights'],
      checks: [
        { name: 'd', change: 'retold' },
        { name: 'e', change: 'added' },
        { name: 'c', change: 'changed' },
        { name: 'b', change: 'removed' },
      ],
      alerts: ['x', 'y'],
    });
    assert.equal(unchanged, false);
  });

  test('monitoring begins, and ends', () => {
    const none = configOf(resourceOf(''));
    const some = configOf(`${resourceOf('')}check c tcp://h:1 alert x { syslog }`);
    const fields: (keyof MonitorConfig)[] = [
      ...(['active', 'nodes', 'addresses', 'key', 'users', 'chroot', 'flights'] as const),
      ...(['plugins', 'resolveMs', 'dmonitor'] as const),
    ];
    const begins = { fields, checks: [{ name: 'c', change: 'added' }], alerts: ['x'] };
    assert.deepEqual(diffConfig(none, some).monitor, begins);
    assert.deepEqual(diffConfig(some, none).monitor.checks, [{ name: 'c', change: 'removed' }]);
    assert.equal(diffConfig(none, some).unchanged, false);
  });

  test('which checks judge a resource is of the resource', () => {
    const checks = `${NODES}check c tcp://h:1 check d tcp://h:2\n`;
    const before = configOf(checks + resourceOf('check c'));
    const after = configOf(checks + resourceOf('check c d\nrequire d'));
    assert.deepEqual(diffConfig(before, after).resources[0]?.fields, ['checks', 'requires']);
  });
});

test('many checks of a dump keep their order', () => {
  const names = monitorOf(ALL).checks.map(({ name }) => name);
  assert.equal(names.length, 13);
  assert.deepEqual(names.slice(0, 4), ['plain', 'fall', 'match', 'gate']);
});
