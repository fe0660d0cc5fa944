// In the virtual machine, with the real kernel and ipvsadm: reading, changing, errors, connection synchronization. Prints TAP.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterChanges, diffService, inOrder, lineOf } from '../../../daemon/balancer/ipvs/diff.js';
import { runIpvsadm } from '../../../daemon/balancer/ipvs/ipvsadm.js';
import { openKernel } from '../../../daemon/balancer/ipvs/kernel.js';
import { connectionsOf, type Proc, parseProc, sameTable } from '../../../daemon/balancer/ipvs/proc.js';
import { parseSave } from '../../../daemon/balancer/ipvs/save.js';
import type { Change, Table } from '../../../daemon/balancer/types.js';
import { SAVE } from '../../balancer/ipvs/captured.js';

const IPVSADM = '/usr/sbin/ipvsadm';
const kernel = openKernel({ ipvsadm: IPVSADM, log: () => {} });

function tableOf(text: string): Table {
  const read = parseSave(text);
  assert.ok('table' in read, JSON.stringify(read));
  return read.table;
}

async function read(): Promise<Table> {
  const reading = await kernel.read();
  assert.ok('table' in reading, JSON.stringify(reading));
  return reading.table;
}

async function peek(): Promise<Proc> {
  const proc = await kernel.peek();
  assert.ok(proc !== null);
  return proc;
}

function changesOf(actual: Table, wanted: Table): Change[] {
  const keys = new Set([...actual.keys(), ...wanted.keys()]);
  return inOrder([...keys].flatMap((key) => diffService(key, actual.get(key), wanted.get(key))));
}

/** Makes the kernel's table this one, and is sure of it. */
async function make(wanted: Table): Promise<void> {
  assert.deepEqual(await kernel.apply(changesOf(await read(), wanted)), { ok: true });
  const actual = await read();
  assert.deepEqual(changesOf(actual, wanted), []);
  assert.ok(sameTable(actual, await peek()), 'what /proc shows');
}

const add = (service: string, server: string, weight = 1): Change => ({
  ...{ kind: 'add-server', service, server, method: 'masq', weight, more: '' },
});
const A = '-t 10.0.0.1:80';
const B = '-t 10.0.0.2:80';
const two = tableOf(
  `-A ${A} -s wrr\n-a ${A} -r 10.0.1.1:80 -m -w 5\n-A ${B} -s wlc -p 300\n-a ${B} -r 10.0.1.1:80 -g -w 1\n`,
);

test('an empty table, by both ways', async () => {
  assert.equal((await read()).size, 0);
  assert.equal((await peek()).size, 0);
});

test('every protocol, method and option: as the texts that are committed say', async () => {
  await make(tableOf(SAVE));
  assert.deepEqual([...(await read())], [...tableOf(SAVE)]);
});

test('to another table and back: the difference is all that it takes', async () => {
  await make(two);
  await make(tableOf(SAVE));
  await make(new Map());
});

test('every scheduler that is loaded', async () => {
  const names = ['rr', 'wrr', 'lc', 'wlc', 'sh', 'mh'];
  await make(tableOf(names.map((name, at) => `-A -t 10.0.0.${at + 1}:80 -s ${name}\n`).join('')));
  // A service is given another one while it is there.
  await make(tableOf(names.map((_, at) => `-A -t 10.0.0.${at + 1}:80 -s wrr -p ${at + 1}\n`).join('')));
});

test('any number of marks, of both families, with servers and without', async () => {
  await make(
    tableOf(
      '-A -f 1 -s wrr\n-A -f 1 -6 -s wlc\n-A -f 2 -6 -s rr -p 10\n-A -f 4294967295 -s rr\n' +
        '-A -f 3 -s wrr\n-A -f 3 -6 -s wrr\n-a -f 3 -6 -r [fd00::1]:0 -m -w 1\n-A -f 4 -6 -s wrr\n-a -f 4 -6 -r [fd00::1]:80 -g -w 1\n',
    ),
  );
});

test('what is refused is named, and the other services go on [B8]', async () => {
  await make(two);
  const changes: Change[] = [
    {
      kind: 'add-service',
      service: '-t 10.0.0.3:80',
      scheduler: 'none-such',
      persistenceSeconds: 0,
      more: '',
    },
    add('-t 10.0.0.3:80', '10.0.1.1:80'),
    add(A, '10.0.1.2:80', 7),
    { kind: 'edit-server', service: B, server: '10.0.1.9:80', method: 'gate', weight: 1, more: '' },
    { kind: 'add-service', service: '-t 10.0.0.4:80', scheduler: 'wrr', persistenceSeconds: 0, more: '' },
    { kind: 'delete-service', service: '-t 10.0.0.5:80' },
  ];
  const applied = await kernel.apply(changes);
  assert.ok(!applied.ok);
  assert.deepEqual(applied.failed, ['-t 10.0.0.3:80', B]);
  assert.match(
    applied.why,
    /Scheduler or persistence engine not found; Service not defined; No such destination/,
  );
  assert.match(applied.why, /No such service/);
  const table = await read();
  assert.equal(table.get(A)?.servers.get('10.0.1.2:80')?.weight, 7);
  assert.ok(table.has('-t 10.0.0.4:80') && table.has(B));
});

test('what ends ipvsadm in the middle is named, and all that comes after it is done [B8]', async () => {
  await make(two);
  const bad = (service: string): Change => ({
    ...{ kind: 'add-service', service, scheduler: 'wrr', persistenceSeconds: 99_999_999, more: '' },
  });
  const good = (service: string): Change => ({ ...bad(service), persistenceSeconds: 60 }) as Change;
  const applied = await kernel.apply([
    ...[add(A, '10.0.1.3:80'), bad('-t 10.0.0.6:80'), add('-t 10.0.0.6:80', '10.0.1.1:80')],
    ...[good('-t 10.0.0.7:80'), add(B, '10.0.1.77:80', -1), add(A, '10.0.1.4:80'), good('-t 10.0.0.8:80')],
  ]);
  assert.ok(!applied.ok);
  assert.deepEqual(applied.failed, ['-t 10.0.0.6:80', B]);
  assert.match(applied.why, /invalid timeout value `99999999' specified; ipvsadm: illegal weight specified/);
  const table = await read();
  assert.deepEqual([...table.keys()].sort(), [A, B, '-t 10.0.0.7:80', '-t 10.0.0.8:80'].sort());
  assert.deepEqual([...(table.get(A)?.servers.keys() ?? [])], ['10.0.1.1:80', '10.0.1.3:80', '10.0.1.4:80']);
});

test('nothing but lines that end it: given up after some rounds, all named', async () => {
  await make(two);
  const services = Array.from({ length: 15 }, (_, at) => `-t 10.0.2.${at}:80`);
  const applied = await kernel.apply(
    services.map(
      (service): Change => ({
        ...{ kind: 'add-service', service, scheduler: 'wrr', persistenceSeconds: 99_999_999, more: '' },
      }),
    ),
  );
  assert.ok(!applied.ok);
  assert.deepEqual(applied.failed, services);
});

test('a complaint about what is as wanted all the same is no failure', async () => {
  await make(two);
  assert.deepEqual(await kernel.apply([add(A, '10.0.1.1:80', 5)]), { ok: true });
});

test("somebody else's change is seen in /proc", async () => {
  await make(two);
  const table = await read();
  for (const line of [
    `-e ${A} -r 10.0.1.1:80 -m -w 4`,
    `-E ${B} -s wlc -p 301`,
    `-A -t 10.0.0.9:80 -s wrr`,
  ]) {
    assert.ok(sameTable(await read(), await peek()));
    execFileSync(IPVSADM, line.split(' '));
    assert.ok(!sameTable(table, await peek()), line);
  }
  execFileSync(IPVSADM, ['-C']);
});

test('a table of 150 services is made, changed and taken away by one stream each', async () => {
  const lines = Array.from({ length: 150 }, (_, at) => {
    const service = `-t 10.3.${at >> 8}.${at & 255}:80`;
    const servers = Array.from({ length: 10 }, (_, n) => `-a ${service} -r 10.4.0.${n}:80 -m -w ${n + 1}\n`);
    return `-A ${service} -s wrr\n${servers.join('')}`;
  });
  const wanted = tableOf(lines.join(''));
  await make(wanted);
  const changes: Change[] = [...wanted.keys()].map((service) => ({
    ...{ kind: 'edit-server', service, server: '10.4.0.1:80', method: 'masq', weight: 0, more: '' },
  }));
  assert.deepEqual(await kernel.apply(changes), { ok: true });
  const after = afterChanges(wanted, changes);
  assert.ok(sameTable(after, await peek()));
  assert.deepEqual(connectionsOf(await peek(), '-t 10.3.0.5:80', '10.4.0.2:80'), {
    ...{ method: 'masq', weight: 3, active: 0, inactive: 0 },
  });
  await make(new Map());
});

test('a stream whose giver dies is done to its end, and no line of it is cut', async () => {
  const lines = Array.from({ length: 400 }, (_, at) => `-A -u 10.5.${at >> 8}.${at & 255}:5353 -s wrr`);
  writeFileSync('/tmp/lines', `${lines.join('\n')}\n`);
  const program = new URL('./giver.js', import.meta.url).pathname;
  assert.equal(spawnSync(process.execPath, [program, IPVSADM, '/tmp/lines']).signal, 'SIGKILL');
  for (let tries = 0; (await read()).size < 400 && tries < 200; tries += 1) await sleep(50);
  assert.deepEqual([...(await read()).keys()].sort(), lines.map((line) => line.slice(3, -7)).sort());
  execFileSync(IPVSADM, ['-C']);
});

test('calls at once come one after the other', async () => {
  const service = (weight: number): Table =>
    tableOf(`-A ${A} -s wrr\n-a ${A} -r 10.0.1.1:80 -m -w ${weight}\n`);
  const changes = [
    changesOf(new Map(), service(1)),
    changesOf(service(1), service(2)),
    changesOf(service(2), service(3)),
  ];
  const answers = await Promise.all([...changes.map((some) => kernel.apply(some)), kernel.read()]);
  assert.deepEqual(answers.slice(0, 3), [{ ok: true }, { ok: true }, { ok: true }]);
  assert.deepEqual(await kernel.apply(changesOf(service(3), new Map())), { ok: true });
});

test('connection synchronization is as wanted, and told why not', async () => {
  const daemons = (): string => execFileSync(IPVSADM, ['-L', '--daemon'], { encoding: 'utf8' });
  execFileSync('ip', 'link add d0 type dummy'.split(' '));
  execFileSync('ip', 'link set d0 up multicast on'.split(' '));
  execFileSync('ip', 'addr add 10.9.9.1/24 dev d0'.split(' '));
  const master = { state: 'master', interface: 'd0', id: 5 } as const;
  assert.equal(await kernel.sync({ state: 'none' }), '');
  for (let times = 0; times < 2; times += 1) assert.equal(await kernel.sync(master), '');
  assert.match(daemons(), /^master sync daemon \(mcast=d0, syncid=5, [^\n]*\n$/);
  assert.equal(await kernel.sync({ ...master, state: 'backup' }), '');
  assert.match(daemons(), /^backup sync daemon \(mcast=d0, syncid=5, [^\n]*\n$/);
  assert.equal(await kernel.sync({ ...master, id: 6 }), '');
  assert.match(daemons(), /^master sync daemon \(mcast=d0, syncid=6, [^\n]*\n$/);
  const nowhere = await kernel.sync({ ...master, interface: 'nowhere' });
  assert.match(
    nowhere,
    /^connection synchronization on nowhere \(master\): .*No such device; there is no such interface$/,
  );
  execFileSync('ip', 'link add d1 type dummy'.split(' '));
  assert.match(
    await kernel.sync({ ...master, interface: 'd1' }),
    /Network is unreachable; the interface has to/,
  );
  assert.equal(daemons(), '');
  assert.equal(await kernel.sync(master), '');
  assert.equal(await kernel.sync({ state: 'none' }), '');
  assert.equal(daemons(), '');
});

test('one that may not: said, with what to do', async () => {
  writeFileSync(
    '/tmp/unprivileged',
    '#!/bin/sh\nexec setpriv --reuid 65534 --clear-groups /usr/sbin/ipvsadm "$@"\n',
    {
      mode: 0o755,
    },
  );
  const reading = await openKernel({ ipvsadm: '/tmp/unprivileged', log: () => {} }).read();
  assert.ok('error' in reading);
  assert.match(
    reading.error,
    /^the kernel refuses: hastmond has to run as root, in a container with CAP_NET_ADMIN/,
  );
});

test('the raw facts that decision 13 stands on', async () => {
  const give = async (lines: string[]): Promise<string> => {
    const { status, errors } = await runIpvsadm(IPVSADM, ['-R'], lines.join('\n'), 10_000).ran;
    return `${status}: ${errors.join('; ')}`;
  };
  const exists = await give([`-A ${A} -s wrr`, `-A ${A} -s rr`, lineOf(add(A, '10.0.1.1:80'))]);
  assert.equal(exists, '0: Service already exists');
  assert.equal(await give([`-a ${A} -r 10.0.1.2:80 -m -w 10`.slice(0, -1)]), '0: ');
  assert.equal((await read()).get(A)?.servers.get('10.0.1.2:80')?.weight, 1);
  assert.equal(await give([`-a ${A} -r 10.0.1.3:80 -m -w x`, `-D ${A}`]), '2: illegal weight specified');
  assert.ok((await read()).has(A));
  // Direct routing has no port of its own.
  assert.equal(await give([`-a ${A} -r 10.0.1.4:8080 -g -w 1`]), '0: ');
  assert.ok((await read()).get(A)?.servers.has('10.0.1.4:80'));
  assert.equal(await give([`-D ${A}`]), '0: ');
  assert.ok(
    existsSync('/proc/net/ip_vs') && parseProc(readFileSync('/proc/net/ip_vs', 'latin1'))?.size === 0,
  );
});
