/**
 * hastmonctl and the balancer of a real hastmond, with real servers to be checked; without a table to keep: ipvsadm is a file that there is
 * not, so that this may run on a machine that balances.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { invokingUser } from '../../ctl/user.js';
import { freePorts } from '../system/network.js';
import { hastmond } from '../system/paths.js';
import { until } from '../system/wait.js';
import { webFor } from './daemon-support.js';
import { directory, type Heard, hastmonctl } from './support.js';

const LIMIT_MS = 20_000;

/** Node `here` with two servers in www, and one of them in srv; gives hastmonctl and the balancer's file. */
async function balancedFor(
  t: TestContext,
): Promise<{ ctl: (...words: string[]) => Promise<Heard>; file: string }> {
  const dir = directory(t);
  const [web, [listen = 0, port = 0]] = [await webFor(t), await freePorts(2)];
  const file = path.join(dir, 'lb.conf');
  const text = [
    `Management.Socket.Port=${port}\nManagement.Fifo.Path=${dir}/fifo\nDB=${dir}/lb.db\nIPVSADM=${dir}/none`,
    `! www 192.0.2.1:80:${web} http://www.example.com/ interval=100ms`,
    `! srv 192.0.2.2:80:${web} http://www.example.com/ interval=100ms`,
    'srv1 127.0.0.1 www=100 srv=10\nsrv2 127.0.0.2 www=200\n',
  ].join('\n');
  // The server listens on one address of the loopback network: the other check does not pass.
  writeFileSync(file, text);
  const config = path.join(dir, 'hastmon.conf');
  const places = `control ${dir}/control\nstate_dir ${dir}/state\nlisten tcp4://127.0.0.1:${listen}\n`;
  writeFileSync(config, `${places}on here { }\nbalancer { config ${file} }\n`);
  const words = [hastmond, '-F', '-n', 'here', '-c', config, '-P', path.join(dir, 'pid')];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const gone = new Promise((resolve) => child.once('close', resolve));
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  t.after(async () => {
    child.kill('SIGTERM');
    await gone;
  });
  const ctl = (...more: string[]): Promise<Heard> => {
    const [first = '', ...rest] = more;
    return hastmonctl([first, '-n', 'here', '-c', config, ...rest]);
  };
  const checked = async (): Promise<boolean> => {
    const { out } = await ctl('hosts', 'srv1');
    return /^srv1 +www .* up /m.test(out);
  };
  await until(checked, LIMIT_MS, () => said);
  return { ctl, file };
}

test('servers are shown, switched off and on, and worked on in turn', async (t) => {
  const { ctl, file } = await balancedFor(t);
  const { err, out } = await ctl('hosts');
  assert.match(err, /^hastmonctl: .*none/m, 'that the table is not kept');
  assert.match(out, /^srv1 +www +127\.0\.0\.1:\d+ +100 +\? +up +\d+ s +up; not in the kernel$/m);
  assert.match(out, /^srv2 +www +127\.0\.0\.2:\d+ +0\/200 +\? +down, refused .* down; not in the kernel$/m);
  assert.match((await ctl('vs')).out, /^www +192\.0\.2\.1:80 +wrr +masq +1\/2 +100 /m);
  assert.deepEqual(
    [
      (await ctl('hosts', 'nobody')).code,
      (await ctl('vs', 'nothing')).code,
      (await ctl('host', 'no', 'off')).code,
    ],
    [68, 68, 68],
  );

  const drain = ['host', 'srv1', 'drain', '--vs', 'www', '--reason', 'disk'];
  const drained = await ctl(...drain, '--wait', '--timeout', '500ms');
  assert.equal(drained.code, 75, 'nobody knows whether it still has connections');
  assert.match(drained.err, /srv1 in www: the kernel's table cannot be read/);
  const off = await ctl('hosts', 'srv1', '--vs', 'www');
  assert.match(off.out, new RegExp(`off: disk \\(${invokingUser()}, \\d s\\)`));
  assert.match((await ctl('vs')).out, /^srv +.* 1\/1 +10 /m, 'the other service still has it');
  const on = await ctl('host', 'srv1', 'on', '--vs', 'www', '--reason', 'disk', '--ramp', '1s', '--wait');
  assert.equal(on.code, 0, on.err);
  assert.match(on.out, /^srv1 in www: up/);

  const forced = ['--vs', 'www', '--force', '--reason', 'deploy'];
  const rolled = await ctl('rolling', '--hosts', 'srv1', ...forced, '--', 'touch', `${file}.deployed`);
  assert.deepEqual([rolled.code, /the kernel's table cannot be read/.test(rolled.err)], [69, true]);
  assert.ok(!existsSync(`${file}.deployed`), 'nothing is done to a server that may be in use');
  assert.match(
    (await ctl('hosts', 'srv1', '--vs', 'www')).out,
    / up; not in the kernel$/m,
    'nor to the table',
  );

  assert.equal((await ctl('host', 'srv1', 'weight', '7', '--vs', 'srv', '--wait')).code, 0);
  assert.match((await ctl('hosts', '--vs', 'srv')).out, /^srv1 +srv +\S+ +7 .*weight by hand/m);
  assert.equal((await ctl('balancer', 'diff')).out, 'a reload would change nothing\n');
  writeFileSync(file, '! broken\n');
  assert.equal((await ctl('balancer', 'diff')).code, 78);
  const broken = await ctl('balancer', 'reload');
  assert.equal(broken.code, 78);
  assert.match(broken.err, /lb\.conf:1:\d+: error: /);
  assert.match((await ctl('hosts')).out, /^srv1 +www /m, 'it changes nothing');
});

test('without a balancer it is said how to have one', async (t) => {
  const dir = directory(t);
  const [listen = 0] = await freePorts(1);
  const config = path.join(dir, 'hastmon.conf');
  writeFileSync(
    config,
    `control ${dir}/control\nstate_dir ${dir}/state\nlisten tcp4://127.0.0.1:${listen}\non here { }\nmonitor { }\n`,
  );
  const words = [hastmond, '-F', '-n', 'here', '-c', config, '-P', path.join(dir, 'pid')];
  const child = spawn(process.execPath, words, { stdio: 'ignore' });
  const gone = new Promise((resolve) => child.once('close', resolve));
  t.after(async () => {
    child.kill('SIGTERM');
    await gone;
  });
  const ctl = (...more: string[]): Promise<Heard> => hastmonctl([...more, '-n', 'here', '-c', config]);
  await until(async () => (await ctl('version')).code === 0, LIMIT_MS, 'it does not answer');
  for (const each of [['hosts'], ['vs'], ['host', 'srv1', 'off'], ['balancer', 'diff']]) {
    const { code, err } = await ctl(...each);
    assert.deepEqual([code, /^hastmonctl: no balancer is configured/.test(err)], [69, true], err);
  }
});
