/** hastmonctl rolling, over a real socket and with real commands: the loop, and every way in which it stops. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../system/wait.js';
import { balancerFor, type FakeBalancer } from './balancer-support.js';
import { directory } from './support.js';

const HOSTS = ['--hosts', 'srv1,srv2', '--vs', 'www', '--reason', 'deploy'];
const program = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../ctl/hastmonctl.js');

function namesOf({ host }: FakeBalancer): string[] {
  return host.commands.map((command) => (command.kind === 'adopt' ? '' : `${command.kind} ${command.hosts}`));
}

/** A shell that writes down what it is run for, in a file of this test. */
function recorder(t: TestContext, script: string): { words: string[]; recorded(): string[] } {
  const file = path.join(directory(t), 'record');
  writeFileSync(file, '');
  return {
    words: [
      '--',
      '/bin/sh',
      '-c',
      `echo "$1 $HASTMON_HOST $HASTMON_HOST_ADDRESS" >> ${file}; ${script}`,
      'sh',
      'for {}',
    ],
    recorded: () => readFileSync(file, 'utf8').trimEnd().split('\n'),
  };
}

test('each host is off, unused, worked on, on again and back before the next', async (t) => {
  const balancer = await balancerFor(t);
  const { host, program: run } = balancer;
  const seen: string[] = [];
  const { command } = host;
  host.command = (given) => {
    for (const pair of host.pairList)
      if (pair.service === 'www' && pair.status !== '0-ENABLED')
        seen.push(`${given.kind}: ${pair.host} ${pair.status} ${pair.connections?.active}`);
    return command(given);
  };
  const { recorded, words } = recorder(t, 'echo worked');
  const { code, err, out } = await run('rolling', ...HOSTS, '--ramp', '30s', ...words);
  assert.equal(code, 0, err);
  assert.equal(out, 'worked\nworked\n');
  assert.deepEqual(recorded(), ['for srv1 srv1 10.0.0.2', 'for srv2 srv2 10.0.0.3']);
  assert.deepEqual(namesOf(balancer), ['off srv1', 'on srv1', 'off srv2', 'on srv2']);
  const [, on] = host.commands;
  assert.ok(on?.kind === 'on');
  assert.deepEqual([on.services, on.reasons, on.rampMs], [['www'], ['deploy'], 30_000]);
  assert.deepEqual(seen, ['on: srv1 0-DISABLED 0', 'on: srv2 0-DISABLED 0']);
  const steps = ['off (deploy)', 'no connections; running /bin/sh', 'on', 'done after'];
  const expected = ['srv1', 'srv2'].flatMap((name) => steps.map((step) => `${name}: ${step}`));
  const said = err.split('\n').filter((line) => expected.some((step) => line.startsWith(step)));
  assert.equal(said.length, 8, err);
});

test('a command that fails ends it: the host stays off, and how it is put back is said', async (t) => {
  const balancer = await balancerFor(t);
  const { code, err } = await balancer.program(
    'rolling',
    ...HOSTS,
    '--ramp',
    '5s',
    '--',
    '/bin/sh',
    '-c',
    'exit 3',
  );
  assert.equal(code, 75);
  assert.match(
    err,
    /^hastmonctl: srv1: the command ended with status 3\nhastmonctl: srv1 stays off; this puts it back: hastmonctl (host srv1 on --vs www --reason deploy --ramp 5000ms)\nhastmonctl: not begun with: srv2\n$/m,
  );
  assert.deepEqual(namesOf(balancer), ['off srv1']);
  assert.equal(balancer.host.pairList.find(({ host }) => host === 'srv1')?.status, '0-DISABLED');
  const putBack = /puts it back: hastmonctl (.*)/.exec(err)?.[1]?.split(' ') ?? [];
  assert.equal((await balancer.ctl(...putBack)).code, 0);
  assert.notEqual(balancer.host.pairList.find(({ host }) => host === 'srv1')?.status, '0-DISABLED');
});

test('so does one that cannot be run; in JSON all of it is one object, and its output is none of it', async (t) => {
  const { program: run } = await balancerFor(t);
  const { code, out } = await run('rolling', '--json', ...HOSTS, '--', '/nowhere/deploy');
  assert.equal(code, 75);
  assert.deepEqual(JSON.parse(out), {
    ...{ done: [], left: ['srv2'] },
    failed: {
      ...{ host: 'srv1', why: 'the command cannot be run: spawn /nowhere/deploy ENOENT', off: true },
      putBack: 'hastmonctl host srv1 on --vs www --reason deploy',
    },
  });
  const good = await run('rolling', '--json', ...HOSTS, '--', 'echo', '{}');
  assert.deepEqual(JSON.parse(good.out).failed, null);
  assert.match(good.err, /^srv1$/m);
});

test('connections that do not end, and a host that does not come back, end it in time', async (t) => {
  const balancer = await balancerFor(t);
  const { pairs } = balancer.host;
  balancer.host.pairs = (...which) =>
    pairs(...which).map((pair) => ({ ...pair, connections: { active: 2, inactive: 0 } }));
  const busy = await balancer.program('rolling', ...HOSTS, '--drain-timeout', '50ms', '--', 'true');
  assert.equal(busy.code, 75);
  assert.match(
    busy.err,
    /srv1: not so after 50 ms: srv1 in www: 2 active connections\nhastmonctl: srv1 stays off/,
  );
  assert.deepEqual(namesOf(balancer), ['off srv1']);

  const other = await balancerFor(t);
  const { host } = other;
  const real = host.pairs;
  host.pairs = (...which) =>
    real(...which).map((pair) => (pair.status === '1-RAMPING' ? { ...pair, status: '1-AWAITPASS' } : pair));
  const down = await other.program('rolling', ...HOSTS, '--up-timeout', '50ms', '--', 'true');
  assert.equal(down.code, 75);
  assert.match(down.err, /srv1: not so after 50 ms: srv1 in www: waits for a pass\nhastmonctl: not begun/);
  assert.deepEqual(namesOf(other), ['off srv1', 'on srv1']);
});

test('nothing is begun with names that do not exist, or where a service is left without a server', async (t) => {
  const balancer = await balancerFor(t);
  const { host } = balancer;
  const refused = async (words: string[], code: number, message: RegExp): Promise<void> => {
    const heard = await balancer.program('rolling', ...words, '--', 'true');
    assert.deepEqual([heard.code, heard.out], [code, '']);
    assert.match(heard.err, message);
    assert.deepEqual(host.commands, []);
  };
  await refused(['--hosts', 'srv1,nobody'], 68, /no host nobody in any service/);
  await refused(['--hosts', 'srv1', '--vs', 'www,nothing'], 68, /no service nothing with servers/);
  await refused(['--hosts', 'srv1,srv3', '--vs', 'srv'], 68, /srv3 is not in srv/);
  host.change('srv2', { stateWeight: 0 });
  await refused(
    ['--hosts', 'srv1'],
    69,
    /without srv1 no server is left in srv; --force does it all the same/,
  );
  assert.equal((await balancer.program('rolling', '--hosts', 'srv1', '--force', '--', 'true')).code, 0);
});

test('a service that would be left without a server in the middle ends it before the host is off', async (t) => {
  const balancer = await balancerFor(t);
  const { host } = balancer;
  const { command } = host;
  host.command = (given) => {
    if (given.kind === 'on')
      for (const name of ['srv1', 'srv3']) host.change(name, { stateWeight: 0, weight: 0 });
    return command(given);
  };
  const { code, err } = await balancer.program('rolling', ...HOSTS, '--', 'true');
  assert.equal(code, 75);
  assert.match(err, /^hastmonctl: srv2: without srv2 no server is left in www$/m);
  assert.doesNotMatch(err, /stays off/);
  assert.deepEqual(namesOf(balancer), ['off srv1', 'on srv1']);
});

test('a hastmond that is away for a while is waited for', async (t) => {
  const balancer = await balancerFor(t);
  let looks = 0;
  balancer.before = (request) => {
    if (request.kind !== 'balancer-hosts') return null;
    looks += 1;
    return looks > 3 && looks < 6 ? { error: { code: 69, message: 'the balancer does not run' } } : null;
  };
  const { code, err } = await balancer.program('rolling', ...HOSTS, '--', 'true');
  assert.equal(code, 0, err);
  assert.ok(looks > 6);
});

test('an interrupt ends it when the command has ended: the host stays off, and the next is not begun with', async (t) => {
  const balancer = await balancerFor(t);
  const marks = directory(t);
  const script = `trap 'echo told > ${marks}/told; exit 0' INT TERM; echo > ${marks}/begun; while :; do sleep 0.02; done`;
  const words = ['rolling', '-c', balancer.config, '-n', 'alpha', ...HOSTS, '--', '/bin/sh', '-c', script];
  const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
  let err = '';
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  await until(
    () => existsSync(path.join(marks, 'begun')),
    20_000,
    () => err,
  );
  child.kill('SIGINT');
  assert.equal(await ended, 75);
  assert.ok(existsSync(path.join(marks, 'told')), 'the command was told');
  assert.match(err, /SIGINT: it stops as soon as that is safe/);
  assert.match(err, /srv1: interrupted\nhastmonctl: srv1 stays off; this puts it back: /);
  assert.deepEqual(namesOf(balancer), ['off srv1']);
});
