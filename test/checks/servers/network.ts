/** A DNS server, and hosts that answer pings, or do not. */
import { readlinkSync } from 'node:fs';
import { until } from '../../system/wait.js';
import type { Server } from './server.js';

export const dnsmasq: Server = {
  name: 'dnsmasq',
  programs: ['dnsmasq'],
  start(stage) {
    const directory = stage.directory('dnsmasq');
    const records = [
      ...[
        '--local=/zone.test/',
        '--address=/www.zone.test/192.0.2.1',
        '--address=/www.zone.test/2001:db8::1',
      ],
      ...['--cname=alias.zone.test,www.zone.test', '--mx-host=zone.test,mail.zone.test,10'],
      ...['--txt-record=zone.test,v=spf1 -all', '--srv-host=_x._tcp.zone.test,www.zone.test,80,1,2'],
      ...['--ptr-record=1.2.0.192.in-addr.arpa,www.zone.test', '--host-record=mail.zone.test,192.0.2.2'],
    ];
    const words = ['-k', '-C', '/dev/null', '--log-facility=-', '--no-resolv', '--no-hosts', '--pid-file='];
    return stage.start(directory, 'dnsmasq', [
      ...words,
      '--user=root',
      '--listen-address=127.0.0.1',
      ...records,
    ]);
  },
  up: [
    ['dns://127.0.0.1/www.zone.test', 'ok', /^A 192\.0\.2\.1$/],
    ['dns://127.0.0.1/www.zone.test?type=A&expect=192.0.2.1', 'ok'],
    ['dns://127.0.0.1/www.zone.test?type=A&expect=192.0.2.9', 'answer-mismatch'],
    ['dns://127.0.0.1/www.zone.test?type=AAAA&expect=2001:db8::1', 'ok'],
    ['dns://127.0.0.1/zone.test?type=MX&expect=10%20mail.zone.test', 'ok'],
    ['dns://127.0.0.1/zone.test?type=TXT&expect=v%3Dspf1%20-all', 'ok'],
    ['dns://127.0.0.1/_x._tcp.zone.test?type=SRV', 'ok'],
    ['dns://127.0.0.1/1.2.0.192.in-addr.arpa?type=PTR&expect=www.zone.test', 'ok'],
    ['dns://127.0.0.1/none.zone.test', 'answer-mismatch', /NXDOMAIN/],
    ['dns://127.0.0.1/elsewhere.example', 'answer-mismatch', /REFUSED/],
    [
      'udp://127.0.0.1:53 { send "\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x03www\\x04zone\\x04test\\x00\\x00\\x01\\x00\\x01" expect "\\x12\\x34" expect "\\xc0\\x00\\x02\\x01" }',
      'ok',
    ],
    [
      'udp://127.0.0.1:53 { send "\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x03www\\x04zone\\x04test\\x00\\x00\\x01\\x00\\x01" expect "\\xc0\\x00\\x02\\x01" }',
      'ok',
    ],
  ],
  down: [['dns://127.0.0.1/www.zone.test', 'refused']],
  complaints: /failed|error/i,
};

/** A host of its own beyond a cable, in a namespace of its own; down means that the cable is out. */
export const pinged: Server = {
  name: 'ICMP',
  programs: ['ip', 'nsenter', 'unshare'],
  async start(stage) {
    const directory = stage.directory('ping');
    const program = stage.start(directory, 'unshare', ['--net', 'sleep', 'infinity']);
    const ours = readlinkSync('/proc/self/ns/net');
    const theirs = (): string => readlinkSync(`/proc/${program.pid}/ns/net`);
    await until(() => theirs() !== ours, 5000, 'the namespace');
    const there = ['--net', '-t', String(program.pid), 'ip'];
    stage.run('ip', [
      'link',
      'add',
      'cable',
      'type',
      'veth',
      'peer',
      'name',
      'plug',
      'netns',
      String(program.pid),
    ]);
    for (const [address, theirAddress, ...more] of [
      ['10.9.0.1/24', '10.9.0.2/24'],
      ['fd09::1/64', 'fd09::2/64', 'nodad'],
    ] as const) {
      stage.run('ip', ['address', 'add', address, 'dev', 'cable', ...more]);
      stage.run('nsenter', [...there, 'address', 'add', theirAddress, 'dev', 'plug', ...more]);
    }
    stage.run('ip', ['link', 'set', 'cable', 'up']);
    stage.run('nsenter', [...there, 'link', 'set', 'plug', 'up']);
    stage.run('ip', ['route', 'add', 'unreachable', '10.10.0.0/24']);
    return {
      ...program,
      async stop() {
        // With a namespace its cables go, but not at once.
        stage.run('ip', ['link', 'del', 'cable']);
        await program.stop('SIGKILL');
      },
    };
  },
  up: [
    ['ping://10.9.0.2', 'ok'],
    ['ping://127.0.0.1', 'ok'],
    ['ping://[::1]', 'ok'],
    ['ping://[fd09::2]', 'ok'],
    ['ping://10.9.0.2 { source 10.9.0.1 }', 'ok'],
    ['ping://10.10.0.1', 'unreachable'],
    // Nobody there has this address.
    ['ping://10.9.0.77 { timeout 5s }', 'unreachable'],
    ['tcp://10.10.0.1:80', 'unreachable'],
  ],
  later: {
    async prepare(stage, program) {
      // Its own answers have nowhere to go.
      const there = ['--net', '-t', String(program.pid), 'ip'];
      stage.run('nsenter', [...there, 'address', 'del', '10.9.0.2/24', 'dev', 'plug']);
      stage.run('nsenter', [...there, 'link', 'set', 'plug', 'down']);
    },
    findings: [['ping://10.9.0.2 { timeout 300ms }', 'timeout-receive']],
  },
  down: [['ping://10.9.0.2', 'unreachable']],
  complaints: /./,
};
