/**
 * The balancer around its core, in this process: what it is told in any order, with a real monitor process and real servers. There is
 * no table to keep: ipvsadm is a file that there is not, or one that hangs.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ShareEntry } from '../../../daemon/balancer/core/types.js';
import type { BalancerToMain } from '../../../daemon/balancer/ipc.js';
import { type Balancer, createBalancerShell } from '../../../daemon/balancer/process/balancer.js';
import type { BalancerSettings } from '../../../daemon/balancer/settings.js';
import type { PairView } from '../../../daemon/balancer/types.js';
import { UNCONFIGURED } from '../../../daemon/runtime/monitor-settings.js';
import { bootTime } from '../../../daemon/sys/clock.js';
import type { EventData, NewEvent } from '../../../proto/event-types.js';
import { freePorts } from '../../system/network.js';
import { hastmond } from '../../system/paths.js';
import { until } from '../../system/wait.js';

const LIMIT_MS = 20_000;

interface Stage {
  folder: string;
  /** Where the checks go. */
  port: number;
  write(text?: string): void;
  settings(other?: Partial<BalancerSettings>): Parameters<Balancer['take']>[0];
  shell(): { balancer: Balancer; said: BalancerToMain[] };
}

async function stageFor(t: TestContext): Promise<Stage> {
  const folder = mkdtempSync(path.join(tmpdir(), 'hastmon-shell-'));
  const [port = 0] = await freePorts(1);
  const open: Balancer[] = [];
  t.after(async () => {
    await Promise.all(open.map((balancer) => balancer.close()));
    rmSync(folder, { recursive: true });
  });
  const usual = `DB=${folder}/db
IPVSADM=${folder}/there-is-no-ipvsadm
Config.CheckPeriod=1
! www 192.0.2.1:80:${port} tcp interval=50ms
srv1 127.0.0.1 www=100
`;
  return {
    folder,
    port,
    write: (text = '') => writeFileSync(path.join(folder, 'lb.conf'), usual + text),
    settings: (other = {}) => ({
      kind: 'settings',
      logged: 'terminal',
      checks: UNCONFIGURED,
      settings: {
        ...{ file: `${folder}/lb.conf`, whilePrimary: 'lb', adopt: false, foreign: 'restore' },
        ...{ sync: null, console: null },
        ...other,
      },
    }),
    shell() {
      const said: BalancerToMain[] = [];
      const say = (message: BalancerToMain): void => void said.push(message);
      const balancer = createBalancerShell({ script: hastmond, say, clock: bootTime, wall: Date.now });
      open.push(balancer);
      return { balancer, said };
    },
  };
}

/** A server in a process of its own, which goes on while this one is busy. Gone when the test is over. */
async function serverFor(t: TestContext, program: string, port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', program, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
  return child;
}

const SERVER = `
const port = Number(process.argv[1]);
require('net').createServer((s) => s.on('error', () => {})).listen(port, '127.0.0.1', () => console.log('there'));
`;

async function pair(balancer: Balancer, said: BalancerToMain[]): Promise<PairView | undefined> {
  const what = { kind: 'balancer-hosts' as const, hosts: [], services: [] };
  await balancer.answer({ kind: 'ask', request: 1, what });
  const answer = said.filter((message) => message.kind === 'answer').at(-1)?.answer;
  return answer?.kind === 'hosts' ? answer.hosts[0] : undefined;
}

function comes(balancer: Balancer, said: BalancerToMain[], is: (view: PairView) => boolean): Promise<void> {
  let last: PairView | undefined;
  return until(
    async () => {
      last = await pair(balancer, said);
      return last !== undefined && is(last);
    },
    LIMIT_MS,
    () => JSON.stringify(last),
  );
}

const texts = (said: BalancerToMain[]): string[] =>
  said.flatMap((message) => (message.kind === 'log' ? [message.text] : []));

test('[B9] a file that is wrong at the start serves as soon as it is right', async (t) => {
  const { folder, port, settings, shell, write } = await stageFor(t);
  await serverFor(t, SERVER, port);
  write('srv2 127.0.0.2 wwww=1\n');
  const { balancer, said } = shell();
  await balancer.take(settings());
  await balancer.take({ kind: 'active', active: true });
  assert.ok(texts(said).some((text) => text.includes("there is no service 'wwww'")));
  const before = said.length;
  await balancer.answer({ kind: 'ask', request: 1, what: { kind: 'balancer-reload' } });
  assert.match(JSON.stringify(said.slice(before)), /"code":78/);
  assert.equal(said.filter(({ kind }) => kind === 'share-wanted').length, 0);
  write();
  await comes(balancer, said, ({ stateWeight }) => stateWeight === 100);
  assert.equal(said.filter(({ kind }) => kind === 'share-wanted').length, 1);
  await until(() => existsSync(`${folder}/db`), LIMIT_MS, 'it is on disk');
  const happened = said.flatMap((message) => (message.kind === 'event' ? [message.event.kind] : []));
  for (const kind of ['balancer-reload-failed', 'table-lost', 'weight-changed'])
    assert.ok(happened.includes(kind as (typeof happened)[number]), `${kind} in ${happened.join(' ')}`);
});

test('what happens to many servers at once is a bounded number of events; a line on the fifo is one', async (t) => {
  const { folder, settings, shell, write } = await stageFor(t);
  const many = Array.from({ length: 80 }, (_, at) => `many${at} 127.0.1.${at + 1} plain=1`);
  write(`Management.Fifo.Path=${folder}/fifo\n! plain 192.0.2.2:81:81 -\n${many.join('\n')}\n`);
  const { balancer, said } = shell();
  await balancer.take(settings());
  await balancer.take({ kind: 'active', active: true });
  const events = (): NewEvent[] =>
    said.flatMap((message) => (message.kind === 'event' ? [message.event] : []));
  const dataOf = (event: NewEvent | undefined): EventData => ({ ...event?.data });
  const more = () =>
    events().find(({ data, kind }) => kind === 'more-events' && data.of === 'weight-changed');
  await until(() => more() !== undefined, LIMIT_MS, 'it is told how many more there were');
  assert.equal(events().filter(({ kind }) => kind === 'weight-changed').length, 50);
  assert.equal(dataOf(more()).count, 30);
  await until(() => existsSync(`${folder}/fifo`), LIMIT_MS, 'the fifo is there');
  appendFileSync(`${folder}/fifo`, 'show vs\nset host many1 off\n');
  const typed = () => events().find(({ kind }) => kind === 'console-command');
  await until(() => typed() !== undefined, LIMIT_MS, 'the line is on record');
  assert.equal(typed()?.by, `fifo ${folder}/fifo`);
  assert.equal(dataOf(typed()).command, 'set host many1 off');
  assert.ok(
    events().some(({ by, host, kind }) => kind === 'server-disabled' && host === 'many1' && by !== ''),
  );
});

test('[B12] a check that was up here, and down as the last director saw it, comes up', async (t) => {
  const { port, settings, shell, write } = await stageFor(t);
  await serverFor(t, SERVER, port);
  write();
  const first = shell();
  await first.balancer.take(settings());
  await first.balancer.take({ kind: 'active', active: true });
  await comes(first.balancer, first.said, ({ stateWeight }) => stateWeight === 100);
  const name = (await pair(first.balancer, first.said))?.check.name ?? '';
  await first.balancer.close();
  const { balancer, said } = shell();
  await balancer.take(settings());
  await balancer.take({ kind: 'active', active: false });
  const entries: ShareEntry[] = [
    { kind: 'check', name, state: 'down', nature: 'refused', sinceAge: 5000, passAge: 9000 },
    {
      ...{ kind: 'pair', host: 'srv1', service: 'www', real: `127.0.0.1:${port}`, reasons: [] },
      ...{ zeroAge: 5000, awaitAge: null, ramp: null, rampAskedMs: null, override: null },
    },
    { kind: 'service', service: 'www', sorryAge: 5000 },
  ];
  await balancer.take({ kind: 'share', full: true, entries });
  await balancer.take({ kind: 'word', word: { node: 'nodeB', ageMs: 0, fresh: true } });
  assert.equal((await pair(balancer, said))?.check.state, 'down');
  // What it said does not count any more: nothing of it is shown.
  await balancer.take({ kind: 'word', word: { node: 'nodeB', ageMs: 7000, fresh: false } });
  const unknown = await pair(balancer, said);
  assert.ok(unknown !== undefined && (unknown.unknownMs ?? 0) >= 7000, JSON.stringify(unknown));
  assert.deepEqual([unknown.status, unknown.desiredWeight, unknown.weight], ['?-UNKNOWN', null, 100]);
  assert.deepEqual([unknown.check.name, unknown.check.state, unknown.check.nature], [name, 'unknown', '']);
  await balancer.take({ kind: 'active', active: true });
  await comes(balancer, said, ({ stateWeight }) => stateWeight === 100);
});

test('[B12] all that is known is said in pieces, with nothing between them', async (t) => {
  const { settings, shell, write } = await stageFor(t);
  write('srv[2-250] 127.0.0.[2-250] www=1\n');
  const { balancer, said } = shell();
  await balancer.take(settings());
  await balancer.take({ kind: 'active', active: true });
  await balancer.take({ kind: 'share-all' });
  const first = said.findIndex((message) => message.kind === 'share' && message.full);
  const pieces = said.slice(first, first + 3).flatMap((message) => (message.kind === 'share' ? message : []));
  assert.deepEqual(
    pieces.map(({ entries, full, more }) => [full, more, entries.length > 0 && entries.length <= 100]),
    [
      [true, true, true],
      [false, true, true],
      [false, false, true],
    ],
  );
  assert.ok(pieces.flatMap(({ entries }) => entries).filter(({ kind }) => kind === 'pair').length === 250);
});

test('where nothing can be kept that is said once, and once that it can again', async (t) => {
  const { folder, settings, shell, write } = await stageFor(t);
  write();
  const { balancer, said } = shell();
  await balancer.take(settings());
  await balancer.take({ kind: 'active', active: true });
  rmSync(`${folder}/db`, { force: true });
  mkdirSync(`${folder}/db`);
  const set = (kind: 'off' | 'on') => {
    const command = { hosts: ['srv1'], services: ['www'], reasons: ['deploy'], by: 'root' };
    const what = kind === 'off' ? { kind, ...command } : { kind, rampMs: null, ...command };
    return balancer.answer({ kind: 'ask', request: 1, what: { kind: 'balancer-set', command: what } });
  };
  const kept = (): string[] => texts(said).filter((text) => text.startsWith('what the balancer knows'));
  for (const kind of ['off', 'on', 'off', 'on'] as const) await set(kind);
  assert.equal(kept().length, 1);
  assert.match(kept()[0] ?? '', /cannot be kept for a restart: cannot write/);
  rmSync(`${folder}/db`, { recursive: true });
  await set('off');
  assert.deepEqual(kept().slice(1), ['what the balancer knows is kept for a restart again']);
  assert.match(readFileSync(`${folder}/db`, 'utf8'), /"deploy"/);
});

/** Goes at the first byte of its input, and is back a little later. */
const FLAPPING = `
const port = Number(process.argv[1]);
const sockets = new Set();
const open = (then) => {
  const server = require('net').createServer((s) => s.on('error', () => {}));
  server.listen(port, '127.0.0.1', () => then(server));
};
open((server) => {
  console.log('there');
  process.once('SIGUSR2', () => {
    server.close();
    setTimeout(() => open(() => {}), 400);
  });
});
`;

test('[B2] one that was down and is back while the balancer was busy gets its weight again', async (t) => {
  const { port, settings, shell, write } = await stageFor(t);
  const server = await serverFor(t, FLAPPING, port);
  write();
  const { balancer, said } = shell();
  await balancer.take(settings());
  await balancer.take({ kind: 'active', active: true });
  await comes(balancer, said, ({ stateWeight }) => stateWeight === 100);
  server.kill('SIGUSR2');
  const end = performance.now() + 1500;
  while (performance.now() < end);
  await until(
    () => texts(said).some((text) => / is down: /.test(text)),
    LIMIT_MS,
    () => texts(said).join('\n'),
  );
  await comes(balancer, said, ({ stateWeight }) => stateWeight === 100);
});

test('the console is where hastmon.conf says now', async (t) => {
  const { settings, shell, write } = await stageFor(t);
  const [one = 0, other = 0] = await freePorts(2);
  write();
  const { balancer, said } = shell();
  const console_ = (port: number) => settings({ console: { address: '127.0.0.1', port } });
  await balancer.take(console_(one));
  await until(() => isOpen(one), LIMIT_MS, 'the first one is there');
  await balancer.take(console_(other));
  await until(async () => !(await isOpen(one)) && (await isOpen(other)), LIMIT_MS, 'it is at the other one');
  const named = settings({ console: { address: '::ffff:127.0.0.1', port: other } });
  await balancer.take(named);
  const listens = (): number =>
    texts(said).filter((text) => text.startsWith('the console listens on')).length;
  await until(
    () => listens() === 3,
    LIMIT_MS,
    () => texts(said).join('\n'),
  );
  assert.ok(!texts(said).some((text) => text.startsWith('the console cannot listen')), 'by another name');
  await balancer.take(settings());
  await until(async () => !(await isOpen(other)), LIMIT_MS, 'it is gone');
});

async function isOpen(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  const open = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.destroy();
  return open;
}

test('one that ends while its file is read leaves nothing behind', async (t) => {
  const { folder, settings, shell, write } = await stageFor(t);
  write(`Management.Fifo.Path=${folder}/fifo\n`);
  const { balancer } = shell();
  const given = balancer.take(settings());
  await balancer.close();
  await given;
  assert.ok(!existsSync(`${folder}/fifo`));
});

test('an ipvsadm that hangs holds up nothing but the table', async (t) => {
  const { folder, port, settings, shell } = await stageFor(t);
  const server = net.createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const program = path.join(folder, 'hangs');
  writeFileSync(program, '#!/bin/sh\nexec sleep 300\n');
  chmodSync(program, 0o755);
  writeFileSync(
    path.join(folder, 'lb.conf'),
    `DB=${folder}/db\nIPVSADM=${program}\n! www 192.0.2.1:80:${port} tcp\nsrv1 127.0.0.1 www=100\n`,
  );
  const { balancer, said } = shell();
  await balancer.take(settings());
  const begun = performance.now();
  await balancer.take({ kind: 'active', active: true });
  await comes(balancer, said, ({ stateWeight }) => stateWeight === 100);
  await balancer.take({ kind: 'active', active: false });
  await comes(balancer, said, ({ stateWeight }) => stateWeight === 0);
  await balancer.close();
  assert.ok(performance.now() - begun < 15_000);
});
