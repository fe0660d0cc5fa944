/** Commands about the balancer, over a real socket. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readArguments } from '../../ctl/arguments.js';
import { formatHosts, formatServices } from '../../ctl/balancer-tables.js';
import { complete } from '../../ctl/console-words.js';
import { invokingUser } from '../../ctl/user.js';
import { pairOf, serviceOf } from '../balancer/console/views.js';
import { balancerFor } from './balancer-support.js';

const WIDE = { columns: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY, colour: false };

const DOWN = { name: 'x', state: 'down', nature: 'http-status 503', sinceAge: null, passAge: null } as const;

test('hosts: a table, of some hosts and services alone, and as JSON', async (t) => {
  const { ctl } = await balancerFor(t);
  const { out } = await ctl('hosts');
  assert.match(out, /^HOST +SERVICE +ADDRESS +WEIGHT +CONNS +CHECK +SINCE +STATUS\n/);
  assert.match(out, /^srv1 +www +10\.0\.0\.2:80 +100 +3\+9 +up +60 s +up$/m);
  assert.equal(out.split('\n').length, 7);
  assert.equal((await ctl('hosts', 'srv1', 'srv3', '--vs', 'www')).out.split('\n').length, 4);
  assert.equal((await ctl('hosts', 'srv1,srv3', '--vs', 'www')).out.split('\n').length, 4);
  const { hosts, note } = JSON.parse((await ctl('hosts', 'srv3', '--json')).out);
  assert.deepEqual([hosts.length, hosts[0].host, hosts[0].status, note], [1, 'srv3', '0-ENABLED', '']);
  assert.deepEqual(await ctl('hosts', 'nobody'), {
    ...{ code: 68, out: '' },
    err: "hastmonctl: there is no 'nobody' in the balancer's file\n",
  });
});

test('hosts: in words how each of them stands', () => {
  const off = pairOf({
    ...{ status: '0-DISABLED', disabled: true, stateWeight: 0, procWeight: 0 },
    reasons: [
      { name: '', by: 'carol', age: 75_000 },
      { name: 'deploy', by: '', age: 840_000 },
    ],
  });
  const cases: [ReturnType<typeof pairOf>, RegExp][] = [
    [off, / 0\/100 .* off: the whole host \(carol, 75 s\), deploy \(14 min\)$/m],
    [
      pairOf({ status: '1-AWAITPASS', procWeight: 100, stateWeight: 0 }),
      /waits for a pass; kernel has 100$/m,
    ],
    [
      pairOf({ status: '1-RAMPING', ramp: { durationMs: 1e4, leftMs: 6200 } }),
      /coming back, 7 s left; kernel has 100$/m,
    ],
    [pairOf({ overridden: true, procWeight: null }), /no weight; weight by hand; not in the kernel$/m],
    [pairOf({ real: '', procWeight: null }), / - .*no weight; its name does not resolve$/m],
    [
      pairOf({
        status: '1-AWAITPASS',
        check: DOWN,
      }),
      / down, http-status 503 +- +down; kernel/m,
    ],
    // Nobody has enabled it: it is not awaited, and it is not up.
    [pairOf({ check: { ...DOWN, nature: 'refused' }, procWeight: 0 }), / down, refused +- +down$/m],
    [pairOf({ weight: 0, procWeight: 0 }), /its weight is 0$/m],
    [pairOf({ procWeight: 0 }), /no weight: its service is below its quorum$/m],
  ];
  for (const [pair, expected] of cases)
    assert.match(formatHosts([{ ...pair, stateWeight: 0 }], WIDE), expected);
  const painted = formatHosts([off], { ...WIDE, colour: true });
  assert.ok(painted.includes('\x1b[33moff: '), painted);
  for (const line of formatHosts([off, pairOf()], { ...WIDE, columns: 70 }).split('\n'))
    assert.ok(line.length <= 70);
});

test('vs: the services, with their sorry servers and what is wrong', async (t) => {
  const { ctl } = await balancerFor(t);
  const { out } = await ctl('vs', 'srv');
  assert.match(out, /^SERVICE +ADDRESS +SCHEDULER +METHOD +SERVERS +WEIGHT +CHECK +STATUS\n/);
  assert.match(out, /^srv +1\.2\.3\.5:8080 +wrr +masq +3\/3 +600 +http:\/\/mysite\.org\/mycheck1 +up\n$/m);
  const sad = serviceOf({
    alive: 0,
    sorry: 's',
    sorryAge: 75_000,
    owned: false,
    problem: 'refused: no memory',
  });
  assert.match(
    formatServices([{ ...sad, persistenceSeconds: 300 }], WIDE),
    /wrr 300s .* 0\/3 .* sorry server s for 75 s; not in the table; refused: no memory$/m,
  );
  assert.equal(JSON.parse((await ctl('vs', '--json')).out).services.length, 2);
});

test('host: what it asks for, and in whose name', async (t) => {
  const { ctl, host } = await balancerFor(t);
  const by = invokingUser();
  const whole = { services: null, reasons: [], by };
  const cases: [string[], object][] = [
    [['srv1', 'off'], { kind: 'off', hosts: ['srv1'], ...whole }],
    [['srv1', 'drain'], { kind: 'off', hosts: ['srv1'], ...whole }],
    [['srv1,srv2', 'on'], { kind: 'on', hosts: ['srv1', 'srv2'], ...whole, rampMs: null }],
    [
      ['srv1', 'off', '--vs', 'www,srv'],
      { kind: 'off', hosts: ['srv1'], services: ['www', 'srv'], reasons: ['default'], by },
    ],
    [
      ['srv1', 'off', '--reason', 'deploy,disk'],
      { kind: 'off', hosts: ['srv1'], services: ['*'], reasons: ['deploy', 'disk'], by },
    ],
    [
      ['srv1', 'on', '--vs', 'all', '--reason', 'all', '--ramp', '30s'],
      { kind: 'on', hosts: ['srv1'], services: ['*'], reasons: ['*'], rampMs: 30_000, by },
    ],
    [['srv1', 'on', '--ramp', '0'], { kind: 'on', hosts: ['srv1'], ...whole, rampMs: 0 }],
    [
      ['srv1', 'weight', '50', '--vs', 'www'],
      { kind: 'weight', hosts: ['srv1'], services: ['www'], weight: 50, by },
    ],
    [
      ['srv1', 'weight', 'auto', '--vs', 'all'],
      { kind: 'weight', hosts: ['srv1'], services: ['*'], weight: null, by },
    ],
  ];
  for (const [words, command] of cases) {
    assert.deepEqual(await ctl('host', ...words), { code: 0, out: '', err: '' });
    assert.deepEqual(host.commands.at(-1), command);
  }
  assert.equal((await ctl('host', 'nobody', 'off')).code, 68);
});

test('host --wait: until nobody uses it, until it is back; what is not done in time says why', async (t) => {
  const { ctl, host } = await balancerFor(t);
  const drained = await ctl('host', 'srv1', 'drain', '--vs', 'www', '--wait');
  assert.deepEqual([drained.code, drained.out], [0, `srv1 in www: off: default (${invokingUser()}, 0 s)\n`]);
  assert.match(drained.err, /^progress: srv1 in www: 2 active connections\n/);
  const back = await ctl('host', 'srv1', 'on', '--vs', 'www', '--wait', '--json');
  assert.match(back.err, /progress: srv1 in www: coming back, 20 s left\n/);
  assert.deepEqual(
    JSON.parse(back.out).map(({ status }: { status: string }) => status),
    ['0-ENABLED'],
  );
  const { pairs } = host;
  host.pairs = (...which) => pairs(...which).map((pair) => ({ ...pair, procWeight: 7 }));
  assert.deepEqual(await ctl('host', 'srv2', 'off', '--vs', 'www', '--wait', '--timeout', '30ms'), {
    ...{ code: 75, out: '' },
    err: 'progress: srv2 in www: the kernel still has weight 7\nhastmonctl: not done after 30 ms: srv2 in www: the kernel still has weight 7\n',
  });
});

test('balancer: the difference, a reload, taking services over', async (t) => {
  const { ctl, host } = await balancerFor(t);
  const reloaded = 'read again: weight of srv1 in www 100 -> 120';
  assert.equal((await ctl('balancer', 'diff')).out, 'weight of srv1 in www: 100 -> 120\n');
  assert.equal((await ctl('balancer', 'reload')).out, `${reloaded}\n`);
  assert.deepEqual(JSON.parse((await ctl('balancer', 'reload', '--json')).out), { text: reloaded });
  assert.equal((await ctl('balancer', 'adopt', 'www')).code, 75);
  assert.equal((await ctl('balancer', 'adopt')).err, 'hastmonctl: nothing is there to be adopted\n');
  const by = invokingUser();
  assert.deepEqual(host.commands, [
    { kind: 'adopt', services: ['www'], by },
    { kind: 'adopt', services: ['*'], by },
  ]);
});

describe('what cannot be meant is refused', () => {
  const cases: [string[], RegExp][] = [
    [['host'], /takes a host, or several/],
    [['host', 'srv1', 'of'], /Given: "of"|of/],
    [['host', 'a,,b', 'off'], /a name is empty/],
    [['host', 'srv1', 'off', '--ramp', '3s'], /--ramp is for 'on'/],
    [['host', 'srv1', 'off', '--reason', 'all'], /can be taken back, but not given/],
    [['host', 'srv1', 'off', '7'], /'off' takes no '7'/],
    [['host', 'srv1', 'weight', '7'], /'weight' takes --vs/],
    [['host', 'srv1', 'weight', '--vs', 'www'], /takes 0 to 2147483647, or auto/],
    [['host', 'srv1', 'weight', '2147483648', '--vs', 'www'], /takes 0 to 2147483647/],
    [['host', 'srv1', 'on', '--vs', 'all,www'], /'all' stands alone/],
    [['host', 'srv1', 'on', '--vs', 'a', '--vs', 'b'], /--vs is given twice/],
    [['host', 'srv1', 'on', '--timeout', '3s'], /--timeout means nothing without --wait/],
    [['balancer'], /'balancer' takes a command/],
    [['console', 'x'], /.+/],
    [['rolling', '--hosts', 'a'], /takes the command behind --/],
    [['rolling', '--', 'true'], /'rolling' takes --hosts/],
    [['rolling', '--hosts', 'all', '--', 'true'], /takes --hosts: their names/],
    [['rolling', '--hosts', 'a', '--reason', 'a,b', '--', 'true'], /takes one reason/],
    [['rolling', '--hosts', 'a', '--ramp', '25h', '--', 'true'], /is not from 0ms to 24h/],
  ];
  for (const [words, expected] of cases)
    test(words.join(' '), async () => {
      const read = await readArguments(words);
      assert.ok(read.kind === 'refuse');
      assert.match(read.message, expected);
    });
});

test('console: lines from a pipe are a script, and only answers are printed', async (t) => {
  const { config, host } = await balancerFor(t);
  const run = async (script: string, ...more: string[]): Promise<{ code: number | null; out: string }> => {
    const words = [program, 'console', '-c', config, '-n', 'alpha', ...more];
    const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(script);
    return { code: await new Promise((resolve) => child.once('close', resolve)), out };
  };
  assert.deepEqual(await run('show vs\n!\nset host srv1 off\nquit\nshow hosts\n'), {
    ...{ code: 0, out: 'srv www\nsrv www\n' },
  });
  assert.equal(host.commands[0]?.by, invokingUser());
  assert.deepEqual(await run('shw\nshow vs'), { code: 64, out: '???\nsrv www\n' });
  const { out } = await run('show vs\nquit\n', '--json');
  assert.deepEqual(
    out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      { line: 'show vs', text: 'srv www\n', ended: false },
      { line: 'quit', text: '', ended: true },
    ],
  );
});

const program = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../ctl/hastmonctl.js');
test('console: what may be typed next', () => {
  const tags = { hosts: ['srv1', 'srv2'], services: ['www', 'srv'] };
  const spaced = (word: string): string => (/^(srv|www)/.test(word) ? word : `${word} `);
  const cases: [string, string[], string][] = [
    ['s', ['show', 'set'], 's'],
    ['show hosts f', ['for'], 'f'],
    ['show host s', ['srv1', 'srv2'], 's'],
    ['SHOW  hosts srv1,', ['for', 'srv1', 'srv2'], ''],
    ['show hosts srv1 for w', ['www'], 'w'],
    ['set host srv1,s', ['srv1', 'srv2'], 's'],
    ['set host srv1 o', ['off', 'on'], 'o'],
    ['set host srv1 on for v', ['vs'], 'v'],
    ['set host srv1 on for vs www,', ['www', 'srv'], ''],
    ['set host srv1 on for vs www ', ['for', 'in'], ''],
    ['dump host x', [], 'x'],
    ['config r', ['reload'], 'r'],
    ['nonsense ', [], ''],
  ];
  for (const [line, words, rest] of cases)
    assert.deepEqual(complete(line, tags), [words.map(spaced), rest], line);
});
