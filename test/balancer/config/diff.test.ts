/** What `config diff` tells: one line for each thing that differs, and nothing for what is only written differently. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { diffBalancer } from '../../../daemon/balancer/config/diff.js';
import { configOf } from './support.js';

const diff = (before: readonly string[], after: readonly string[]) =>
  diffBalancer(configOf(...before), configOf(...after));

const WWW = '! www 192.0.2.1:80 http://www.example.org/';

describe('differences', () => {
  const table: readonly [string, readonly string[], readonly string[], readonly string[]][] = [
    ['none', [WWW, 'a 10.0.0.1 www=1'], ['# x', 'a 10.0.0.1  www=1 # y', WWW], []],
    [
      'options',
      ['Log.SysLog=1', 'SorryServer.Fallback.IP=10.0.0.9'],
      ['Ramping.Duration=20', 'Email.Headers.To=a@example.org,b@example.org', 'Management.Socket.Port=0'],
      [
        '~ Email.SMTP none -> 127.0.0.1',
        '~ Email.Headers.From none -> ipvs@localhost',
        '~ Email.Headers.To none -> a@example.org,b@example.org',
        '~ Ramping.Duration 10s -> 20s',
        '~ Log.SysLog yes -> no',
        '~ Management.Socket 127.0.0.1:9000 -> none',
        '~ SorryServer.Fallback.Host 10.0.0.9 -> none',
        '~ SorryServer.Fallback.Title 10.0.0.9 -> none',
        '~ SorryServer.Fallback.IP 10.0.0.9 -> none',
      ],
    ],
    [
      'hosts that are new, gone, and other',
      [WWW, '! srv 192.0.2.2:80 -', 'a 10.0.0.1 www=10', 'b 10.0.0.2 www=10 srv=5', 'c 10.0.0.3:81 srv=1'],
      [WWW, '! srv 192.0.2.2:80 -', 'a 10.0.0.1:8080 www=20', 'b 10.0.0.2 srv=5', 'd [fd00::4]:80'],
      [
        '~ host a: address 10.0.0.1 -> 10.0.0.1:8080, www 10 -> 20',
        '~ host b: www 10 -> none',
        '+ host d [fd00::4]:80',
        '- host c 10.0.0.3:81 srv=1',
      ],
    ],
    [
      'services that are new and gone',
      [`${WWW} rise=2,adopt`, '! gone fwmark:5:80 ping family=ipv6'],
      ['! new [2001:db8::1]:80:81 exec:/bin/x?arg=%h persistence=2m', '! plain 192.0.2.9:80 -'],
      [
        '+ service new [2001:db8::1]:80:81 exec:/bin/x?arg=%h persistence=2m',
        '+ service plain 192.0.2.9:80 -',
        '- service www 192.0.2.1:80 http://www.example.org/ adopt=yes,rise=2',
        '- service gone fwmark:5:80 ping family=ipv6',
      ],
    ],
    [
      'services that are other',
      [WWW, '! b 192.0.2.2:80 udp protocol=udp,send=a,expect=b', '! c 192.0.2.3:80 tcp'],
      [
        '! www 192.0.2.1:80:8080 https://www.example.org/ verify,method=masq,scheduler=rr,quorum=2,hysteresis=1',
        '! b 192.0.2.2:80 udp protocol=udp,send=a%0A,expect=b,interval=1,ramp=5,sorry_server=h',
        '! c 192.0.2.3:80 - email=0',
        'h 10.0.0.1',
      ],
      [
        '~ service www: address 192.0.2.1:80 -> 192.0.2.1:80:8080, check http://www.example.org/ -> https://www.example.org/, scheduler wrr -> rr, quorum 1 -> 2, hysteresis 0 -> 1',
        '~ service b: sorry_server none -> h, ramp none -> 5s, interval 3s -> 1s, send a -> a%0A',
        '~ service c: check tcp -> none',
        '+ host h 10.0.0.1',
      ],
    ],
    [
      'a password, which is not shown',
      ['! s 192.0.2.1:80 redis://:old@*'],
      ['! s 192.0.2.1:80 redis://:new@*'],
      ['~ service s: the password of the check'],
    ],
    [
      'another port of the check',
      ['! s 192.0.2.1:80 tcp'],
      ['! s 192.0.2.1:80 tcp check_port=81'],
      ['~ service s: check_port none -> 81'],
    ],
  ];
  for (const [name, before, after, lines] of table)
    test(name, () => assert.deepEqual(diff(before, after), lines));

  test('of a file and itself there are none; of two files there are as many one way as the other', () => {
    const host = fc.record({ tag: fc.constantFrom('a', 'b', 'c'), www: fc.nat(3), port: fc.nat(2) });
    const file = fc.uniqueArray(host, { selector: ({ tag }) => tag });
    const lines = (hosts: readonly { tag: string; www: number; port: number }[]) => [
      WWW,
      ...hosts.map(({ tag, www, port }) => `${tag} ${tag}.int${port === 0 ? '' : `:${port}`} www=${www}`),
    ];
    fc.assert(
      fc.property(file, file, (one, other) => {
        assert.deepEqual(diff(lines(one), lines([...one].reverse())), []);
        const [there, back] = [diff(lines(one), lines(other)), diff(lines(other), lines(one))];
        assert.equal(there.length, back.length);
        assert.equal(
          there.length === 0,
          JSON.stringify([...one].sort(byTag)) === JSON.stringify([...other].sort(byTag)),
        );
      }),
    );
  });
});

function byTag(a: { tag: string }, b: { tag: string }): number {
  return a.tag < b.tag ? -1 : 1;
}

test('1,000 services with 10 servers each: one change is one line', () => {
  const lines = [
    ...Array.from(
      { length: 1000 },
      (_, i) => `! s${i} 10.${i >> 8}.${i & 255}.1:80 http://s${i}.example.org/ok`,
    ),
    ...Array.from({ length: 10_000 }, (_, i) => `h${i} 172.16.${i >> 8}.${i & 255} s${i % 1000}=10`),
  ];
  const before = configOf(...lines);
  assert.equal(before.hosts.length, 10_000);
  lines[5000] = `${lines[5000]}0`;
  assert.deepEqual(diffBalancer(before, configOf(...lines)), ['~ host h4000: s0 10 -> 100']);
});
