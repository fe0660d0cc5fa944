/** Valid files: what each line means, the defaults, and the example of ipvs-weightman's description. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { loadBalancerFile, parseBalancerFile } from '../../../daemon/balancer/config/load.js';
import type { BalancerOptions, ServiceConfig } from '../../../daemon/balancer/types.js';
import { configOf, FILE, hostsOf, messagesOf, serviceOf } from './support.js';

/** As the description has it, with the three lines that lost their text. */
const DESCRIPTION = `
# GLOBAL OPTIONS
# key=value
#
Email.Headers.From=my-ipvs-host@myorg.org
Email.Headers.To=it-team@myorg.org
Email.Headers.Reply-To=it-team@myorg.org
Email.SMTP=192.168.1.1
Ramping.TriggerTime=120
Ramping.Duration=10

Config.AutoCheck=1
Config.CheckPeriod=1

Log.Path=/var/log/ipvs-weightman/ipvs-weightman.log
Log.SysLog=1
Log.StdErr=1 # Only when running with --nofork

# Must be placed in non-persistent filesystem e.g. tmpfs, so it does not survive a reboot!
DB=/var/run/ipvs-weightman.db

# Management console
Management.Socket.IP=127.0.0.1
Management.Socket.Port=9000

# Sorry server: default host entry
SorryServer.Default=mysorryserver

SorryServer.Fallback.Host=mysorryserver
SorryServer.Fallback.Title=mysorryserver
SorryServer.Fallback.IP=192.168.1.10

# VIRTUAL SERVICES
# Tag Host:Port[:DefaultRealServerPort] HTTP-Check-Path Options

! www 1.2.3.4:80 http://mysite.org/mycheck1 email=true,sorry_server=mysorryserver
! srv 1.2.3.5:8080:80 http://mysite.org/mycheck2

# HOSTS AND WEIGHTS
# Tag Host[:Port] <service tag1>=<weight1> <service tag2=weight2> ...
#
# Host can be hostname or IP

mysorryserver 192.168.1.10
srv1 srv1.int www=100 srv=10
srv2 srv2.int www=200 srv=20
srv3 192.168.1.20 www=300
`;

const DEFAULTS: BalancerOptions = {
  email: null,
  rampTriggerMs: 120_000,
  rampMs: 10_000,
  autoCheck: true,
  checkPeriodMs: 3000,
  log: { path: '', syslog: false, stderr: false, level: 1 },
  database: '/var/run/ipvs-weightman.db',
  ipvsadm: '/sbin/ipvsadm',
  console: { address: '127.0.0.1', port: 9000 },
  fifo: '',
  sorryDefault: '',
  sorryFallback: null,
};

/** Of `! s 192.0.2.1:80 -`. */
const SERVICE: ServiceConfig = {
  ...{ tag: 's', protocol: 'tcp', host: '192.0.2.1', port: 80, realPort: 80, scheduler: 'wrr' },
  ...{ method: 'masq', persistenceSeconds: 0, check: null, email: false, sorry: '', quorum: 1 },
  ...{ hysteresis: 0, curve: 'weightman', rampTriggerMs: null, rampMs: null, adopt: false, line: 1 },
};

test('the example of the description', () => {
  const { options, services, hosts } = configOf(DESCRIPTION);
  assert.deepEqual(options, {
    ...DEFAULTS,
    email: {
      server: '192.168.1.1',
      from: 'my-ipvs-host@myorg.org',
      replyTo: 'it-team@myorg.org',
      to: ['it-team@myorg.org'],
    },
    checkPeriodMs: 1000,
    log: { path: '/var/log/ipvs-weightman/ipvs-weightman.log', syslog: true, stderr: true, level: 1 },
    sorryDefault: 'mysorryserver',
    sorryFallback: { host: 'mysorryserver', title: 'mysorryserver', address: '192.168.1.10' },
  });
  assert.deepEqual(
    services.map((service) => ({ ...service, check: service.check?.shown })),
    [
      {
        ...SERVICE,
        ...{ tag: 'www', host: '1.2.3.4', check: 'http://mysite.org/mycheck1', email: true },
        ...{ sorry: 'mysorryserver', line: 36 },
      },
      {
        ...SERVICE,
        ...{ tag: 'srv', host: '1.2.3.5', port: 8080, check: 'http://mysite.org/mycheck2', line: 37 },
      },
    ],
  );
  assert.deepEqual(hosts, [
    { tag: 'mysorryserver', host: '192.168.1.10', port: 0, weights: new Map(), line: 44 },
    {
      tag: 'srv1',
      host: 'srv1.int',
      port: 0,
      weights: new Map([
        ['www', 100],
        ['srv', 10],
      ]),
      line: 45,
    },
    {
      tag: 'srv2',
      host: 'srv2.int',
      port: 0,
      weights: new Map([
        ['www', 200],
        ['srv', 20],
      ]),
      line: 46,
    },
    { tag: 'srv3', host: '192.168.1.20', port: 0, weights: new Map([['www', 300]]), line: 47 },
  ]);
});

describe('options', () => {
  test('an empty file has the defaults', () =>
    assert.deepEqual(configOf(''), { options: DEFAULTS, services: [], hosts: [] }));

  const table: readonly [string, Partial<BalancerOptions>][] = [
    ['ramping.TRIGGERTIME = 5m', { rampTriggerMs: 300_000 }],
    ['  Ramping.Duration\t=\t0 ; none', { rampMs: 0 }],
    ['Config.AutoCheck=no', { autoCheck: false }],
    ['Config.AutoCheck=', { autoCheck: false }],
    ['Config.CheckPeriod=0.5', { checkPeriodMs: 500 }],
    ['Log.Level=10\r', { log: { ...DEFAULTS.log, level: 10 } }],
    ['Log.SysLog=TRUE', { log: { ...DEFAULTS.log, syslog: true } }],
    ['DB=/run/a b.db', { database: '/run/a b.db' }],
    ['IPVSADM=/usr/sbin/ipvsadm', { ipvsadm: '/usr/sbin/ipvsadm' }],
    ['Management.Socket.Port=0', { console: null }],
    ['Management.Socket.IP=::1', { console: { address: '::1', port: 9000 } }],
    ['Management.Fifo.Path=/run/hastmon/fifo', { fifo: '/run/hastmon/fifo' }],
    [
      'SorryServer.Fallback.IP=10.0.0.9',
      { sorryFallback: { host: '10.0.0.9', title: '10.0.0.9', address: '10.0.0.9' } },
    ],
    ['Config.Path=/etc/ipvs-weightman.conf', {}],
    ['\ufeffLog.Path=', {}],
    [
      'Email.Headers.To=a@example.org, B C <b@example.org>',
      {
        email: {
          server: '127.0.0.1',
          from: 'ipvs@localhost',
          replyTo: '',
          to: ['a@example.org', 'b@example.org'],
        },
      },
    ],
  ];
  for (const [line, changed] of table)
    test(JSON.stringify(line), () => assert.deepEqual(configOf(line).options, { ...DEFAULTS, ...changed }));

  test('mail that nobody is named for goes where it went, with a warning', () => {
    assert.deepEqual(messagesOf('! s 192.0.2.1:80 - email'), []);
    assert.deepEqual(messagesOf('! s 192.0.2.1:80 - email', 'warning'), [
      '1:20 nobody is named who gets the mail: it goes to webmaster@localhost',
    ]);
  });

  const warned: readonly [string, RegExp][] = [
    ['Management.Socket.IP=0.0.0.0', /^1:22 the console asks nobody/],
    ['Management.Fifo.Path=/tmp/fifo', /^1:22 every user/],
    ['Config.Path=/etc/other.conf', /^1:13 the file that is read/],
    ['SorryServer.Fallback.Host=x', /^1:1 the fallback has no address/],
  ];
  for (const [line, pattern] of warned)
    test(`${line}: a warning`, () => {
      const [message = '', more] = messagesOf(line, 'warning');
      assert.match(message, pattern);
      assert.deepEqual([more, messagesOf(line)], [undefined, []]);
    });
});

describe('services', () => {
  const table: readonly [string, Partial<ServiceConfig>][] = [
    ['! s 192.0.2.1:80 -', {}],
    ['  !\ts  192.0.2.1:80\t- # email', {}],
    ['! s 192.000.002.001:80:8080 -', { realPort: 8080 }],
    ['! s www.example.org:80 -', { host: 'www.example.org' }],
    ['! s [2001:DB8:0::1]:80:81 -', { host: '2001:db8::1', realPort: 81 }],
    ['! s fwmark:4294967295 -', { protocol: 'fwmark', host: '', port: 4294967295, realPort: 0 }],
    ['! s FWMARK:5:80 - family=ipv6', { protocol: 'fwmark', host: '::', port: 5, realPort: 80 }],
    ['! s 192.0.2.1:80 - Scheduler=WLC,METHOD=gate', { scheduler: 'wlc', method: 'gate' }],
    [
      '! s 192.0.2.1:80 - method=ipip,adopt,curve=slowstart',
      { method: 'ipip', adopt: true, curve: 'slowstart' },
    ],
    ['! s 192.0.2.1:80 - protocol=sctp,persistence', { protocol: 'sctp', persistenceSeconds: 300 }],
    ['! s 192.0.2.1:80 - persistence=90', { persistenceSeconds: 90 }],
    ['! s 192.0.2.1:80 - persistence=744h,', { persistenceSeconds: 2_678_400 }],
    ['! s 192.0.2.1:80 - persistence=0,email=false', {}],
    ['! s 192.0.2.1:80 - quorum=10,hysteresis=9', { quorum: 10, hysteresis: 9 }],
    ['! s 192.0.2.1:80 - ramp=0,ramp_trigger=1.5m', { rampMs: 0, rampTriggerMs: 90_000 }],
  ];
  for (const [line, changed] of table)
    test(line, () => assert.deepEqual(serviceOf(line), { ...SERVICE, ...changed }));

  test('one address over two protocols, and one mark of both families', () => {
    const lines = [
      '! a 192.0.2.1:53 -',
      '! b 192.0.2.1:53 - protocol=udp',
      '! c fwmark:1 -',
      '! d fwmark:1 - family=ipv6',
    ];
    assert.equal(configOf(...lines).services.length, 4);
  });

  test('a sorry server that there is not gives way to the fallback, with a warning', () => {
    const text = 'SorryServer.Fallback.IP=10.0.0.9\n! s 192.0.2.1:80 - sorry_server=gone';
    assert.deepEqual(messagesOf(text), []);
    assert.deepEqual(messagesOf(text, 'warning'), ["2:33 there is no host 'gone' to be the sorry server"]);
    assert.equal(parseBalancerFile(text, FILE).config?.services[0]?.sorry, '');
    const fallback = parseBalancerFile(text.replace('! s', 'SorryServer.Default=lost\n! s'), FILE);
    assert.equal(fallback.config?.options.sorryDefault, '');
  });

  const warned: readonly [string, string, RegExp][] = [
    ['! s 192.0.2.1:80 tcp sorry_server=a', 'a 10.0.0.1 s=1', /^1:35 'a' is a server of 's' as well/],
    [
      '! s 192.0.2.1:80 tcp quorum=3',
      'a 10.0.0.1 s=2',
      /^1:29 the weights of 's' add up to 2, which never makes 3/,
    ],
    ['! s 192.0.2.1:80 - rise=2', '', /^1:20 this belongs to a check/],
    ['! s 192.0.2.1:443 http://www.example.org/', '', /^1:19 HTTP is asked at the servers' own port, 443/],
    ['! s 192.0.2.1:80 http://www.example.org/a;b', '', /^1:42 the comment begins inside of a word/],
    ['! s 192.0.2.1:80 tcp://db:5432', '', /^1:24 'db:5432' means nothing/],
    ['! s 192.0.2.1:80 tls://db:443', '', /^1:26 ':443' means nothing/],
    ['! s 192.0.2.1:80 http://*:8080/', '', /^1:26 ':8080' means nothing/],
  ];
  for (const [service, host, pattern] of warned)
    test(`${service}: a warning`, () => {
      const [message = '', more] = messagesOf(`${service}\n${host}`, 'warning');
      assert.match(message, pattern);
      assert.deepEqual([more, messagesOf(`${service}\n${host}`)], [undefined, []]);
    });
  for (const line of [
    '! s 192.0.2.1:443 http://www.example.org/ check_port=80',
    '! s 192.0.2.1:443 https://www.example.org/',
    '! s 192.0.2.1:8080 http://www.example.org:8080/',
    '! s 192.0.2.1:443 tls://www.example.org',
  ])
    test(`${line}: none`, () => assert.deepEqual(messagesOf(line, 'warning'), []));
});

describe('hosts', () => {
  const of = (line: string) => hostsOf(line).map(({ tag, host, port }) => [tag, host, port]);
  test('a name, a port, IPv6, zeros', () => {
    assert.deepEqual(of('a a.example.org'), [['a', 'a.example.org', 0]]);
    assert.deepEqual(of(' a 010.000.000.001:8080 ; x'), [['a', '10.0.0.1', 8080]]);
    assert.deepEqual(of('a [FD00::0001]:80'), [['a', 'fd00::1', 80]]);
    assert.deepEqual(of('a [fd00::1]'), [['a', 'fd00::1', 0]]);
  });

  test('weights from 0 to the greatest', () => {
    const { hosts } = configOf('! s 192.0.2.1:80 -', '! t 192.0.2.2:80 -', 'a 10.0.0.1 t=0 s=2147483647');
    assert.deepEqual(
      [...(hosts[0]?.weights ?? [])],
      [
        ['t', 0],
        ['s', 2147483647],
      ],
    );
  });

  test('a service and a host may have one tag, and one machine several ports', () => {
    assert.equal(configOf('! a 192.0.2.1:80 -', 'a 10.0.0.1:80 a=1', 'b 10.0.0.1:81 a=1').hosts.length, 2);
  });

  test('ipip leads from IPv4 to IPv6, and a firewall mark to any port', () => {
    configOf(
      '! a 192.0.2.1:80 - method=ipip',
      '! b fwmark:1:80 - method=gate',
      'h [fd00::1] a=1',
      'i 10.0.0.1:81 b=1',
    );
  });
});

describe('a file', () => {
  test('that is not there, or is a directory', () => {
    for (const [file, code] of [
      ['/nowhere/ipvs-weightman.conf', 'ENOENT'],
      ['/', 'EISDIR'],
    ] as const) {
      const { config, diagnostics, unreadable } = loadBalancerFile(file);
      assert.deepEqual([config, unreadable, diagnostics.length, diagnostics[0]?.line], [null, code, 1, 0]);
    }
  });

  test('that is there', (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'balancer-file-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'x.conf');
    writeFileSync(file, DESCRIPTION);
    const { config, diagnostics, unreadable } = loadBalancerFile(file);
    assert.deepEqual([config?.services.length, diagnostics, unreadable], [2, [], null]);
  });
});
