// The texts of ipvsadm and of the kernel, as they really are (captured.ts), and what is told of both.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { connectionsOf, type Proc, parseProc, sameTable } from '../../../daemon/balancer/ipvs/proc.js';
import { parseSave } from '../../../daemon/balancer/ipvs/save.js';
import { parseDaemons } from '../../../daemon/balancer/ipvs/sync.js';
import type { Table, TableService } from '../../../daemon/balancer/types.js';
import { PROC, SAVE } from './captured.js';
import { tables } from './tables.js';

function saved(text = SAVE): Table {
  const read = parseSave(text);
  assert.ok('table' in read, JSON.stringify(read));
  return read.table;
}

function shown(text = PROC): Proc {
  const proc = parseProc(text);
  assert.ok(proc !== null);
  return proc;
}

test('ipvsadm -S: services of every kind, with what else is said of them', () => {
  const table = saved();
  assert.deepEqual(
    [...table].map(([key, { scheduler, persistenceSeconds, more, servers }]) =>
      [key, scheduler, persistenceSeconds, more, servers.size].join('|'),
    ),
    [
      '-f 4000000000 -6|wlc|0||0',
      '-t 10.0.0.1:80|wrr|0||7',
      '-t 10.0.0.79:80|wlc|360||4',
      '-t 10.0.0.80:80|sh|0|-b sh-fallback,sh-port|0',
      '-t 10.0.0.81:80|mh|0|-b mh-port|0',
      '-t 10.0.0.82:80|wlc|300|-M 255.255.255.0|0',
      '--sctp-service 10.0.0.1:99|lc|0||1',
      '-u [fd00::1]:53|wrr|10|-M 64|3',
      '-f 5|wlc|0||2',
      '-f 5 -6|rr|50||1',
    ],
  );
  assert.deepEqual(
    [...(table.get('-u [fd00::1]:53')?.servers ?? [])],
    [
      ['[fd00::2]:53', { weight: 3, method: 'masq', more: '' }],
      ['[fd00::3]:5353', { weight: 3, method: 'masq', more: '' }],
      ['10.0.0.9:53', { weight: 3, method: 'ipip', more: '--tun-type ipip' }],
    ],
  );
  assert.deepEqual(table.get('-f 5')?.servers.get('10.0.0.3:0'), { weight: 2, method: 'gate', more: '' });
  assert.equal(table.get('-t 10.0.0.1:80')?.servers.get('10.0.0.3:80')?.weight, 2 ** 31 - 1);
});

test('ipvsadm -S: a persistence engine and one-packet scheduling stay as they are', () => {
  const table = saved('-A -u 10.0.0.1:5060 -s rr -p 60 --pe sip -o\n');
  const [service] = table.values();
  assert.deepEqual(service, {
    ...{ scheduler: 'rr', persistenceSeconds: 60, more: '--pe sip -o' },
    servers: new Map(),
  });
});

test('ipvsadm -S: no table at all is an empty table; a line that is not understood is named', () => {
  assert.equal(saved('').size, 0);
  for (const line of [
    '-A -x 10.0.0.1:80 -s wrr',
    '-A -t 10.0.0.1:80',
    '-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 1',
    '-A -f five -s wrr',
    '-A -t 10.0.0.1:80 -s wrr -p long',
    'IP Virtual Server version 1.2.1 (size=4096)',
  ])
    assert.deepEqual(parseSave(`-A -t 10.1.1.1:80 -s wrr\n${line}\n`), {
      error: `line 2 of ipvsadm -S: ${line}`,
    });
});

test('/proc/net/ip_vs: addresses, methods, weights and connections', () => {
  const proc = shown();
  assert.deepEqual([...proc.keys()].sort(), [
    '--sctp-service 10.0.0.1:99',
    '-f 4000000000',
    '-f 5',
    '-f 5 -6',
    '-t 10.0.0.1:80',
    '-t 10.0.0.79:80',
    '-t 10.0.0.80:80',
    '-t 10.0.0.81:80',
    '-t 10.0.0.82:80',
    '-u [fd00::1]:53',
  ]);
  assert.deepEqual(proc.get('-f 5 -6')?.servers.get('[fd00::2]:0'), {
    ...{ weight: 2, method: 'gate', active: 0, inactive: 0 },
  });
  const busy = shown(PROC.replace('Masq    5      0          0', 'Masq    5      13         4711'));
  assert.deepEqual(connectionsOf(busy, '-t 10.0.0.1:80', '10.0.0.8:80'), {
    ...{ weight: 5, method: 'masq', active: 13, inactive: 4711 },
  });
  assert.equal(connectionsOf(proc, '-t 10.0.0.1:80', '10.9.9.9:80'), null);
  assert.equal(connectionsOf(proc, '-t 10.9.9.9:80', '10.0.0.8:80'), null);
});

test('/proc/net/ip_vs: an empty table, one-packet scheduling, a server on the machine itself; else null', () => {
  const head = PROC.slice(0, PROC.indexOf('UDP'));
  assert.equal(shown(head).size, 0);
  const ops = shown(
    `${head}UDP  0A000053:0035 wrr ops persistent 2500 FFFFFFFF\n  -> 7F000001:0035      Local   1      0          0         \n`,
  );
  const [service] = ops.values();
  assert.deepEqual([service?.scheduler, service?.persistenceTicks], ['wrr', 2500]);
  assert.equal(service?.servers.get('127.0.0.1:53')?.method, 'gate');
  for (const text of [
    '  -> 0A000005:0064      Masq    2      0          0\n',
    'DCCP  0A000001:0063 lc\n',
    'TCP\n',
  ])
    assert.equal(parseProc(head + text), null, text);
});

test('the two texts of one table are the same table, whatever the kernel calls a second', () => {
  assert.ok(sameTable(saved(), shown()));
  const ticks = (factor: number): string =>
    PROC.replace(/persistent ([0-9]+)/g, (_, number) => `persistent ${Number(number) * factor}`);
  assert.ok(sameTable(saved(), shown(ticks(4))));
  assert.ok(!sameTable(saved(), shown(ticks(3))));
});

test('any difference of weight, server, method, scheduler, persistence or service is seen', () => {
  const edits: [string, string][] = [
    ['-r 10.0.0.2:80 -m -w 5', '-r 10.0.0.2:80 -m -w 6'],
    ['-r 10.0.0.2:80 -m -w 5', '-r 10.0.0.2:80 -g -w 5'],
    ['-r 10.0.0.2:80 -m -w 5', '-r 10.0.0.9:80 -m -w 5'],
    ['-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 5\n', ''],
    ['-A -t 10.0.0.1:80 -s wrr', '-A -t 10.0.0.1:80 -s wlc'],
    ['-A -t 10.0.0.81:80 -s mh', '-A -t 10.0.0.85:80 -s mh'],
    ['-A -t 10.0.0.81:80 -s mh -b mh-port\n', ''],
    ['-s wlc -p 360', '-s wlc -p 361'],
    ['-s wlc -p 360', '-s wlc'],
    ['-A -t 10.0.0.81:80 -s mh', '-A -t 10.0.0.81:80 -s mh -p 5'],
    ['-a -f 5 -6 -r [fd00::2]:0 -g -w 2', '-a -f 5 -6 -r [fd00::2]:0 -g -w 1'],
    ['-A -f -294967296', '-A -f -294967295'],
  ];
  for (const [from, to] of edits) {
    assert.ok(SAVE.includes(from), from);
    assert.ok(!sameTable(saved(SAVE.replace(from, to)), shown()), `${from} => ${to}`);
  }
});

/** As the kernel prints it. */
function procOf(table: Table): string {
  const lines = [...table].flatMap(([key, service]) => [serviceLine(key, service), ...serverLines(service)]);
  return `IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n${lines.join('')}`;
}

function serviceLine(key: string, { scheduler, persistenceSeconds }: TableService): string {
  const [flag, name = ''] = key.split(' ');
  const persistent = persistenceSeconds > 0 ? `persistent ${persistenceSeconds * 250} FFFFFFFF` : '';
  const hex = (number: number, digits: number): string =>
    number.toString(16).toUpperCase().padStart(digits, '0');
  if (flag === '-f') return `FWM  ${hex(Number(name), 8)} ${scheduler} ${persistent}\n`;
  const protocol = { '-t': 'TCP', '-u': 'UDP', '--sctp-service': 'SCTP' }[flag ?? ''];
  return `${protocol}  ${hexPlace(name)} ${scheduler}  ${persistent}\n`;
}

function hexPlace(place: string): string {
  const colon = place.lastIndexOf(':');
  const port = Number(place.slice(colon + 1))
    .toString(16)
    .toUpperCase()
    .padStart(4, '0');
  if (place.startsWith('['))
    return `[fd00:0000:0000:0000:0000:0000:0000:000${place.slice(7, colon - 1)}]:${port}`;
  const numbers = place.slice(0, colon).split('.').map(Number);
  return `${numbers.map((number) => number.toString(16).toUpperCase().padStart(2, '0')).join('')}:${port}`;
}

function serverLines({ servers }: TableService): string[] {
  const names = { masq: 'Masq', gate: 'Route', ipip: 'Tunnel' };
  return [...servers].map(
    ([key, { method, weight }]) =>
      `  -> ${hexPlace(key)}      ${names[method].padEnd(7)} ${String(weight).padEnd(6)} 0          0         \n`,
  );
}

test('any table is the same as what /proc would show of it', () => {
  // A service of IPv4 has no server of IPv6.
  const told = tables.filter((table) =>
    [...table].every(
      ([key, { servers }]) =>
        !key.startsWith('-f ') ||
        key.endsWith(' -6') ||
        ![...servers.keys()].some((one) => one.startsWith('[')),
    ),
  );
  fc.assert(fc.property(told, (table) => assert.ok(sameTable(table, shown(procOf(table))))));
});

test('the daemons of connection synchronization', () => {
  const text =
    'master sync daemon (mcast=d0, syncid=5, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n' +
    'backup sync daemon (mcast=eth0.5, syncid=7, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n';
  assert.deepEqual(parseDaemons(text), [
    { state: 'master', interface: 'd0', id: 5 },
    { state: 'backup', interface: 'eth0.5', id: 7 },
  ]);
  assert.deepEqual(parseDaemons(''), []);
});
