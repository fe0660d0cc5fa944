/** Monitoring: what the statements mean, what is inherited, and what is meant by a name. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CheckOptions, HttpOptions, TlsOptions } from '../../daemon/checks/spec.js';
import { parseCheckUrl } from '../../daemon/checks/url.js';
import { alertOf, checkOf, messagesOf, monitorOf, NODES, namesOf } from './monitor-support.js';
import { configOf, parse, resourceOf } from './support.js';

describe('what a file without options means', () => {
  test('nothing about monitoring', () => {
    assert.equal(configOf(resourceOf('')).monitor, null);
  });

  test('one check', () => {
    const expected: CheckOptions = {
      ...{ intervalMs: 10_000, retryIntervalMs: 2000, timeoutMs: 5000, connectTimeoutMs: 5000 },
      ...{ receiveTimeoutMs: 5000, rise: 2, fall: 3, downAfterMs: 0, addresses: 'first', source: '' },
      ...{ confirm: 0, alerts: [], depends: [], steps: [], warningFails: false, database: '' },
      http: {
        ...{ method: 'GET', version: '1.1', host: '', headers: [], statuses: [[200, 299]], body: null },
        ...{ bodyBytesMax: 65_536, redirects: 0 },
      },
      tls: { verify: true, ca: '', serverName: '', days: 0 },
    };
    const url = 'http://www.example.com/path?x=1,2&y=%20';
    assert.deepEqual(monitorOf(`check c ${url}`), {
      active: true,
      nodes: ['a', 'b'],
      addresses: ['a', 'b'].map((node) => ({
        node,
        address: { scheme: 'tcp', host: node, port: 8458, text: `tcp://${node}` },
      })),
      key: null,
      users: ['hastmon', 'dmonitor', 'nobody'],
      chroot: '',
      ...{ flights: 1024, plugins: 32, resolveMs: 60_000, dmonitor: '' },
      checks: [{ name: 'c', group: '', url: parseCheckUrl(url), shownUrl: url, options: expected }],
      alerts: [
        {
          name: 'ops',
          mail: {
            ...{ to: ['ops@example.com'], from: 'hastmon@a', server: 'localhost:25', tls: 'none' },
            ...{ user: '', password: '' },
          },
          ...{ program: '', webhook: '', syslog: false, gatherMs: 10_000, recovery: true },
        },
      ],
      judged: [],
    });
  });

  test('a plugin has ten seconds', () => {
    assert.equal(checkOf('check c exec:/p').options.timeoutMs, 10_000);
    assert.equal(checkOf('check c exec:/p { timeout 3s }').options.timeoutMs, 3000);
  });
});

describe('options of every check', () => {
  const cases: [string, Partial<CheckOptions>][] = [
    ['interval 10ms', { intervalMs: 10, retryIntervalMs: 10 }],
    ['interval 5', { intervalMs: 5000, retryIntervalMs: 2000 }],
    ['retry_interval 1s', { retryIntervalMs: 1000 }],
    ['timeout 1s', { timeoutMs: 1000, connectTimeoutMs: 1000, receiveTimeoutMs: 1000 }],
    ['timeout 20s', { timeoutMs: 20_000, connectTimeoutMs: 5000, receiveTimeoutMs: 5000 }],
    ['connect_timeout 2s receive_timeout 3s', { connectTimeoutMs: 2000, receiveTimeoutMs: 3000 }],
    ['rise 1 fall 255', { rise: 1, fall: 255 }],
    ['down_after 1m', { downAfterMs: 60_000 }],
    ['confirm 1', { confirm: 1 }],
    ['addresses all', { addresses: 'all' }],
    ['source 2001:db8::1', { source: '2001:db8::1' }],
    ['alerts ops', { alerts: ['ops'] }],
    ['alerts all', { alerts: [] }],
    ['depends other', { depends: ['other'] }],
    ['depends none', { depends: [] }],
  ];
  for (const [options, expected] of cases)
    test(options, () => {
      const found = checkOf(`check c tcp://h:1 { ${options} } check other tcp://h:2`).options;
      assert.deepEqual({ ...found, ...expected }, found);
    });
});

describe('options of HTTP', () => {
  const cases: [string, Partial<HttpOptions>][] = [
    ['method POST version 1.0 host "x:8080"', { method: 'POST', version: '1.0', host: 'x:8080' }],
    [
      'header "A: b" header "C:d: e"',
      {
        headers: [
          ['A', 'b'],
          ['C', 'd: e'],
        ],
      },
    ],
    [
      'status 200 404 status 300-399',
      {
        statuses: [
          [200, 200],
          [404, 404],
          [300, 399],
        ],
      },
    ],
    ['body "Welcome, Gäste"', { body: { kind: 'text', text: 'Welcome, Gäste' } }],
    ['match "^a\\\\d{2}$"', { body: { kind: 'pattern', text: '^a\\d{2}$' } }],
    ['size 500', { bodyBytesMax: 500 }],
    ['size 64KB', { bodyBytesMax: 65_536 }],
    ['size 1M', { bodyBytesMax: 1_048_576 }],
    ['redirects 3', { redirects: 3 }],
  ];
  for (const [options, expected] of cases)
    test(options, () => {
      const { http } = checkOf(`check c https://h { ${options} }`).options;
      assert.deepEqual({ ...http, ...expected }, http);
    });
});

test('options of TLS, plugins and databases', () => {
  const { tls } = checkOf('check c tls://h:1 { verify no servername x days 14 }').options;
  assert.deepEqual(tls, { verify: false, ca: '', serverName: 'x', days: 14 } satisfies TlsOptions);
  assert.equal(checkOf('check c https://h { ca /etc/ca.pem }').options.tls.ca, '/etc/ca.pem');
  assert.equal(checkOf('check c exec:/p { warning fail }').options.warningFails, true);
  assert.equal(checkOf('check c postgres://u@h { database "my db" }').options.database, 'my db');
});

test('send and expect, in their order, byte by byte', () => {
  const { steps } = checkOf(
    'check c tcp://h:1 { expect "+" send "a\\r\\n\\x00\\xFF" expect_match "^\\\\d\\xe9" }',
  ).options;
  assert.deepEqual(steps, [
    { expect: { kind: 'text', text: '+' } },
    { send: 'a\r\n\u0000\u00ff' },
    { expect: { kind: 'pattern', text: '^\\d\u00e9' } },
  ]);
});

describe('what is inherited', () => {
  const text = `monitor { interval 30s rise 4 source 10.0.0.1 connect_timeout 4s alerts ops }
template one { interval 20s status 404 fall 7 }
template two { interval 15s header "A: 1" }
group g {
  template one
  rise 5
  check plain http://h
  check own http://h { template two interval 1s rise 6 alerts all timeout 1s }
  check twice http://h { template one two header "B: 2" }
}
check outside tcp://h:1`;
  const cases: [string, Partial<CheckOptions>][] = [
    ['outside', { intervalMs: 30_000, rise: 4, fall: 3, source: '10.0.0.1', alerts: ['ops'] }],
    ['plain', { intervalMs: 20_000, rise: 5, fall: 7, source: '10.0.0.1', alerts: ['ops'] }],
    [
      'own',
      { intervalMs: 1000, retryIntervalMs: 1000, rise: 6, fall: 7, alerts: [], connectTimeoutMs: 1000 },
    ],
    ['twice', { intervalMs: 15_000, rise: 5, fall: 7, connectTimeoutMs: 4000 }],
  ];
  for (const [name, expected] of cases)
    test(name, () => {
      const { options } = checkOf(text, name);
      assert.deepEqual({ ...options, ...expected }, options);
    });

  test('a list of an inner section stands for that of an outer one', () => {
    assert.deepEqual(checkOf(text, 'twice').options.http.headers, [['B', '2']]);
    assert.deepEqual(checkOf(text, 'own').options.http.headers, [['A', '1']]);
  });

  test('groups are known', () => {
    assert.deepEqual(
      monitorOf(text).checks.map(({ group }) => group),
      ['g', 'g', 'g', ''],
    );
  });

  test('options that nobody says otherwise are shared', () => {
    const { checks } = monitorOf(
      'template t { fall 9 } check a tcp://h:1 { template t } check b tcp://h:2 { template t }',
    );
    assert.equal(checks[0]?.options, checks[1]?.options);
  });
});

describe('one block for many hosts', () => {
  const text = 'check c ssh://%h:22 { hosts web1 10.0.0.1 "2001:db8::1" web2 }\n';

  test('names and URLs', () => {
    assert.deepEqual(
      monitorOf(text).checks.map(({ name, shownUrl, url }) => [name, shownUrl, url.host]),
      [
        ['c@web1', 'ssh://web1:22', 'web1'],
        ['c@10.0.0.1', 'ssh://10.0.0.1:22', '10.0.0.1'],
        ['c@2001:db8::1', 'ssh://[2001:db8::1]:22', '2001:db8::1'],
        ['c@web2', 'ssh://web2:22', 'web2'],
      ],
    );
  });

  test('the host in a path and in an argument', () => {
    assert.equal(checkOf('check c http://h/%h { hosts ::1 }', 'c@::1').url.path, '/::1');
    const { url } = checkOf('check c exec:/p?arg=-H&arg=%h { hosts ::1 }', 'c@::1');
    assert.deepEqual(url.parameters, [
      ['arg', '-H'],
      ['arg', '::1'],
    ]);
  });

  test('the name of the block means all of them; %h the one on the same host', () => {
    const more = `${text}check ping ping://%h { hosts web1 web2 10.0.0.1 2001:db8::1 }
check d http://%h { hosts web1 web2 depends ping@%h gate }
check e tcp://e:1 { depends c }
check gate ping://gate`;
    assert.deepEqual(checkOf(more, 'd@web2').options.depends, ['ping@web2', 'gate']);
    assert.deepEqual(checkOf(more, 'e').options.depends, ['c@web1', 'c@10.0.0.1', 'c@2001:db8::1', 'c@web2']);
  });
});

test('what a group depends on may be in the group', () => {
  const text = 'group g { depends gate check gate ping://g check c tcp://h:1 }';
  assert.deepEqual(checkOf(text, 'gate').options.depends, []);
  assert.deepEqual(checkOf(text).options.depends, ['gate']);
});

describe('alerts', () => {
  test('every way to tell', () => {
    const text = `alert x { mail a@x b@x mail c@x a@x from m@x server mail:25 tls none program /p
webhook "https://h/p?q" syslog gather 0 recovery no }`;
    assert.deepEqual(alertOf(text), {
      name: 'x',
      mail: {
        ...{ to: ['a@x', 'b@x', 'c@x'], from: 'm@x', server: 'mail:25', tls: 'none', user: '', password: '' },
      },
      ...{ program: '/p', webhook: 'https://h/p?q', syslog: true, gatherMs: 0, recovery: false },
    });
  });

  const ports: [string, string][] = [
    ['mail', 'none'],
    ['mail:25', 'none'],
    ['mail:587', 'starttls'],
    ['mail:465', 'tls'],
  ];
  for (const [server, tls] of ports)
    test(`${server} means tls ${tls}`, () =>
      assert.equal(alertOf(`alert x { mail a@x server ${server} }`).mail?.tls, tls));

  test('a login', () => {
    const { mail } = alertOf('alert x { mail a@x server mail:587 login joe "pass word" }');
    assert.deepEqual([mail?.user, mail?.password], ['joe', 'pass word']);
  });
});

describe('where it stands', () => {
  test('checks, templates, groups and alerts at the top or in monitor', () => {
    const inside =
      'template t { rise 9 } alert x { syslog } check c tcp://h:1 { template t } group g { check d tcp://h:1 }';
    const top = monitorOf(inside);
    assert.deepEqual(monitorOf(`monitor { ${inside} }`), top);
    assert.deepEqual(namesOf(top), ['c', 'd']);
  });

  test('what belongs to the section', () => {
    const text = 'monitor { user x y chroot /c flights 5 plugins 6 resolve_time 7s nodes b }';
    const { users, chroot, flights, plugins, resolveMs, nodes, active } = monitorOf(text);
    assert.deepEqual(
      { users, chroot, flights, plugins, resolveMs, nodes, active },
      {
        users: ['x', 'y'],
        chroot: '/c',
        flights: 5,
        plugins: 6,
        resolveMs: 7000,
        nodes: ['b'],
        active: false,
      },
    );
  });

  test('a user called as a statement is', () => {
    assert.deepEqual(monitorOf('monitor { user hastmon dmonitor nobody rise 1 }').users, [
      ...['hastmon', 'dmonitor', 'nobody'],
    ]);
  });

  test('without an on section the nodes are those that monitor', () => {
    const text = 'monitor { nodes a.example.com b } check c tcp://h:1 { } alert x { syslog }';
    const { config, diagnostics } = parse(text, 'a');
    assert.deepEqual(diagnostics, []);
    assert.deepEqual([config?.node, config?.monitor?.nodes], ['a.example.com', ['a.example.com', 'b']]);
    assert.match(parse(text, 'z').diagnostics[0]?.message ?? '', /no 'on' section for this node, 'z'/);
  });

  test('a file without nodes is for one node', () => {
    const { config, diagnostics } = parse('check c tcp://h:1 alert x { syslog }', 'alone');
    assert.deepEqual([config?.monitor?.nodes, config?.monitor?.active], [['alone'], true]);
    assert.match(diagnostics[0]?.message ?? '', /nobody confirms/);
  });
});

test('a resource is judged by checks, and requires others', () => {
  const text = `${resourceOf('check c d\nrequire gate')}check c tcp://h:1 check gate ping://g
check d ssh://%h { hosts x y }`;
  const [resource] = configOf(text).resources;
  assert.deepEqual(resource?.checks, ['c', 'd@x', 'd@y']);
  assert.deepEqual(resource?.requires, ['gate']);
});

describe('words of monitoring mean nothing elsewhere', () => {
  const texts = [
    resourceOf('friends check monitor group alert template require'),
    resourceOf('friends interval depends status mail tls host user'),
    resourceOf('friends check\nmonitor\ngroup alert template').replace('resource r', 'resource\ncheck'),
    resourceOf('friends x').replaceAll('on b', 'on monitor'),
  ];
  for (const text of texts)
    test(text.split('\n')[2] ?? '', () => {
      const { config, diagnostics } = parse(text);
      assert.equal(config?.monitor, null, JSON.stringify(diagnostics));
      const friends = /friends ([a-z \n]*?)\non/.exec(text)?.[1]?.split(/\s+/) ?? [];
      assert.deepEqual(
        config?.resources[0]?.friends.map(({ text: friend }) => friend.replace('tcp4://', '')),
        friends,
      );
    });
});

test('ten thousand checks are read in less than a second', () => {
  const lines = Array.from(
    { length: 10_000 },
    (_, index) => `check c${index} http://h${index}.example.com/x?a=${index} { interval 5s depends gate }`,
  );
  const text = `${NODES}check gate ping://g\n${lines.join('\n')}\n`;
  // Time of this process alone, and the best of some: other work on the machine is not what is measured.
  const times = [1, 2, 3, 4].map(() => {
    const before = process.cpuUsage();
    assert.equal(parse(text).config?.monitor?.checks.length, 10_001);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  assert.ok(Math.min(...times) < 1000, `${times} ms`);
});

test('where nodes are reached: what is said, else where they listen, else by their names', () => {
  const reached = (text: string): string[] =>
    (parse(`${text}\nalert ops { syslog } check c tcp://h:1`).config?.monitor?.addresses ?? []).map(
      ({ node, address }) => `${node} ${address.text}`,
    );
  const nodes = 'on a { listen 0.0.0.0 10.0.0.1:99 } on b { listen [::]:77 } on c.example.com { }';
  assert.deepEqual(reached(nodes), [
    'a tcp4://10.0.0.1:99',
    'b tcp://b:77',
    'c.example.com tcp://c.example.com',
  ]);
  assert.deepEqual(reached(`${nodes} monitor { nodes b c address c tcp4://x:1 }`), [
    'b tcp://b:77',
    'c.example.com tcp4://x:1',
  ]);
  assert.deepEqual(reached('listen tcp4://0.0.0.0:5\nmonitor { nodes a b 10.0.0.9 }'), [
    'a tcp://a:5',
    'b tcp://b:5',
    '10.0.0.9 tcp4://10.0.0.9:5',
  ]);
});

test('the key of monitoring is its own, else that of the whole file', () => {
  const keyOf = (text: string): string | undefined => monitorOf(`${text}\ncheck c tcp://h:1`).key?.secret;
  assert.equal(keyOf('key { secret "of the whole file" }'), 'of the whole file');
  assert.equal(
    keyOf('key { secret "of the whole file" } monitor { key { secret "of monitoring" } }'),
    'of monitoring',
  );
  assert.equal(keyOf(''), undefined);
});

test('what does not fit a resource that is judged, or has a key, is said', () => {
  const warnings = messagesOf(
    `check w tcp://h:1 monitor { nodes a c }\n${resourceOf('check w\nrequire w\nkey { secret "0123456789ab" }')}`,
    'warning',
  );
  assert.ok(
    warnings.some((text) =>
      text.includes("'b' does not monitor: while it runs there, no check judges resource 'r'"),
    ),
  );
  assert.ok(warnings.some((text) => text.includes("resource 'r' is never promoted on 'b'")));
  const keyed = messagesOf(`check w tcp://h:1\n${resourceOf('key { secret "0123456789ab" }')}`, 'warning');
  assert.ok(keyed.some((text) => text.includes("monitoring has no key, though resource 'r' has one")));
});
