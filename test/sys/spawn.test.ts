// Held processes: nothing executes before it is released, and what executes is clean.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { emptyCgroup, openCgroup, removeCgroup } from '../../daemon/sys/cgroup.js';
import { groupAlive, killGroup, processAlive, processStartTime } from '../../daemon/sys/process.js';
import { type Exit, type HeldProcess, type SpawnOptions, spawnHeld } from '../../daemon/sys/spawn.js';
import { run, start, temporaryDirectory, until, withoutKoffi } from './support.js';

const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

function hold(t: TestContext, options: Partial<SpawnOptions> & { script?: string }): HeldProcess {
  const { script, ...others } = options;
  const { held, reason } = spawnHeld({ program: '/bin/sh', args: ['-c', script ?? ':'], env, ...others });
  assert.ok(held !== null, reason);
  t.after(() => {
    if (groupAlive(held.pid)) killGroup(held.pid, 'SIGKILL');
  });
  return held;
}

function runHeld(t: TestContext, options: Partial<SpawnOptions> & { script?: string }): Promise<Exit> {
  const held = hold(t, options);
  held.release();
  return held.exited;
}

test('nothing executes before it is released; then it does, as the same process', async (t) => {
  const mark = path.join(temporaryDirectory(t), 'mark');
  const held = hold(t, { script: `echo $$ >${mark}` });
  assert.equal(held.startTime, processStartTime(held.pid));
  assert.equal(processAlive(held.pid, held.startTime), true);
  // It sleeps: the shell has come to its read, and goes no further.
  await until('the shell to wait', () => readFileSync(`/proc/${held.pid}/stat`, 'latin1').includes(') S '));
  assert.equal(existsSync(mark), false);
  held.release();
  assert.equal((await held.exited).code, 0);
  assert.equal(readFileSync(mark, 'utf8'), `${held.pid}\n`);
});

test('aborted, it ends without executing; a later release is nothing', async (t) => {
  const mark = path.join(temporaryDirectory(t), 'mark');
  const held = hold(t, { script: `: >${mark}` });
  held.abort();
  held.release();
  assert.notEqual((await held.exited).code, 0);
  assert.equal(existsSync(mark), false);
  assert.equal(groupAlive(held.pid), false);
});

test('released, it cannot be aborted any more', async (t) => {
  const held = hold(t, { script: 'exit 7' });
  held.release();
  held.abort();
  assert.equal((await held.exited).code, 7);
});

test('when the caller dies before the release, nothing executes', async (t) => {
  const mark = path.join(temporaryDirectory(t), 'mark');
  const caller = start(t, 'holder', [mark]);
  const pid = Number(await caller.line());
  const startTime = processStartTime(pid);
  assert.ok(startTime !== null);
  caller.child.kill('SIGKILL');
  await until('the held process to end', () => !processAlive(pid, startTime));
  assert.equal(existsSync(mark), false);
});

test('the program leads a session and a group of its own', async (t) => {
  const held = hold(t, { script: 'cat /proc/$$/stat' });
  held.release();
  const { stdout } = await held.exited;
  // pid (comm) state ppid pgrp session tty
  const [, parent, group, session, terminal] = stdout
    .slice(stdout.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  assert.deepEqual({ group, session, terminal }, { group: held.pid, session: held.pid, terminal: 0 });
  assert.equal(parent, process.pid);
});

test('it inherits stdin from /dev/null, its output, and no other descriptor of ours', async (t) => {
  const script = 'exec ls -l /proc/self/fd';
  const { stdout } = await runHeld(t, { script });
  const links = (text: string) =>
    [...text.matchAll(/([0-9]+) -> (.*)$/gm)].map(([, fd = '', to = '']) => [fd, to] as const);
  const [stdin, out, err, ...others] = links(stdout);
  assert.deepEqual(stdin, ['0', '/dev/null']);
  assert.match(out?.[1] ?? '', /^pipe:/);
  assert.match(err?.[1] ?? '', /^pipe:/);
  // ls has the directory open; what this process was started with, any child of it inherits.
  const inherited = links(spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).stdout).map(
    ([, to]) => to,
  );
  assert.deepEqual(
    others.filter(([, to]) => !to.startsWith('/proc/') && !inherited.includes(to)),
    [],
  );
});

test('its environment is what was given, its umask and directory are plain', async (t) => {
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  const { stdout } = await runHeld(t, {
    script: 'env; umask; pwd -P',
    env: { ...env, HASTMON_RESOURCE: 'a b' },
  });
  const lines = stdout.trim().split('\n');
  // PWD, OLDPWD, SHLVL and _ are the shell's own.
  const given = lines.slice(0, -2).filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(line));
  assert.deepEqual(given.sort(), ['HASTMON_RESOURCE=a b', `PATH=${env.PATH}`]);
  assert.deepEqual(lines.slice(-2), ['0022', '/']);
});

test('arguments arrive as they are', async (t) => {
  const args = ['a b', '', '$(false)', "'", '*', '-n', 'größer\n'];
  const { stdout } = await runHeld(t, { program: '/usr/bin/printf', args: ['%s|', ...args] });
  assert.equal(stdout, args.map((word) => `${word}|`).join(''));
});

test('a directory to work in', async (t) => {
  const cwd = realpathSync(temporaryDirectory(t));
  assert.equal((await runHeld(t, { script: 'pwd -P', cwd })).stdout, `${cwd}\n`);
});

test('exit codes and signals are told', async (t) => {
  const { code, signal } = await runHeld(t, { script: 'exit 3' });
  assert.deepEqual({ code, signal }, { code: 3, signal: null });
  const killed = await runHeld(t, { script: 'kill -TERM $$; sleep 60' });
  assert.deepEqual({ code: killed.code, signal: killed.signal }, { code: null, signal: 'SIGTERM' });
});

test('what is not there, or cannot be executed, exits 127 or 126 and says so', async (t) => {
  const plain = path.join(temporaryDirectory(t), 'plain');
  writeFileSync(plain, '');
  const missing = await runHeld(t, { program: '/no/such/program' });
  assert.equal(missing.code, 127);
  assert.match(missing.stderr, /\/no\/such\/program/);
  assert.equal((await runHeld(t, { program: plain })).code, 126);
});

test('a script without #! is run by the shell', async (t) => {
  const script = path.join(temporaryDirectory(t), 'script');
  writeFileSync(script, 'echo "$1"\n');
  chmodSync(script, 0o755);
  assert.equal((await runHeld(t, { program: script, args: ['works'] })).stdout, 'works\n');
});

test('what cannot be started at all has a reason', (t) => {
  const outcome = spawnHeld({
    program: '/bin/true',
    args: [],
    env,
    cwd: path.join(temporaryDirectory(t), 'missing'),
  });
  assert.equal(outcome.held, null);
  assert.match(outcome.reason ?? '', /^cannot start \/bin\/true: .*missing$/);
  const huge = spawnHeld({ program: '/bin/true', args: ['x'.repeat(300_000)], env });
  assert.match(huge.reason ?? '', /E2BIG/);
});

test('stdout and stderr are real pipes: programs open them by name', async (t) => {
  const { stdout, stderr } = await runHeld(t, { script: 'echo out >/dev/stdout; echo err >/dev/stderr' });
  assert.deepEqual([stdout, stderr], ['out\n', 'err\n']);
});

test('lines come one by one, the last one also without its end', async (t) => {
  const lines: string[] = [];
  const { code } = await runHeld(t, {
    script: 'echo one; echo two >&2; printf "gr\\303"; sleep 0.05; printf "\\266\\303\\237er"',
    onLine: (stream, line) => lines.push(`${stream} ${line}`),
  });
  assert.equal(code, 0);
  assert.deepEqual(lines.sort(), ['stderr two', 'stdout größer', 'stdout one']);
});

test('output is bounded, and the program is not held up by it', async (t) => {
  const { code, stdout, stderr, truncated } = await runHeld(t, {
    script: 'head -c 3000000 /dev/zero | tr "\\0" x; echo done >&2; exit 5',
    outputBytesMax: 1000,
  });
  assert.deepEqual(
    { code, stdout, stderr, truncated },
    { code: 5, stdout: 'x'.repeat(1000), stderr: 'done\n', truncated: true },
  );
  const exact = await runHeld(t, { script: 'printf 0123456789', outputBytesMax: 10 });
  assert.deepEqual([exact.stdout, exact.truncated], ['0123456789', false]);
});

test('its end is not waited for where a daemon holds its output; that one can go on writing', async (t) => {
  const mark = path.join(temporaryDirectory(t), 'mark');
  const held = hold(t, {
    script: `head -c 60000 /dev/zero | tr "\\0" y
      (trap '' PIPE; until [ -e ${mark}.go ]; do sleep 0.01; done; echo late && : >${mark}) &
      exit 4`,
  });
  held.release();
  const { code, stdout } = await held.exited;
  assert.deepEqual([code, stdout.length], [4, 60_000]);
  assert.equal(groupAlive(held.pid), true);
  writeFileSync(`${mark}.go`, '');
  await until('the daemon to have written', () => existsSync(mark));
});

test('what it printed last is told, though its end is noticed first', async (t) => {
  const held = hold(t, { script: 'echo last' });
  const other = spawn('/bin/echo', ['wake up'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const busyUntil = (condition: () => boolean) => {
    const end = performance.now() + 10_000;
    while (!condition()) assert.ok(performance.now() < end);
  };
  const zombie = (pid = 0) => readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  // While a callback of one turn runs, the process prints and ends: that turn, which handles signals last, then learns of its
  // end, but has looked for its output before.
  other.stdout.once('data', () => {
    held.release();
    busyUntil(() => zombie(held.pid));
  });
  busyUntil(() => zombie(other.pid));
  assert.equal((await held.exited).stdout, 'last\n');
});

test('kill reaches the whole group, also after its leader has ended', async (t) => {
  const held = hold(t, { script: 'sleep 60 & sleep 61 & exit 0' });
  held.release();
  await held.exited;
  assert.equal(groupAlive(held.pid), true);
  assert.equal(held.kill('SIGKILL'), true);
  await until('the group to be gone', () => !groupAlive(held.pid));
});

test('output to a named pipe that the caller reads', async (t) => {
  const fifo = path.join(temporaryDirectory(t), 'fifo');
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
  // Opened for reading and writing by the program too, so nobody has to be there to read it.
  const exit = await runHeld(t, {
    outputPath: fifo,
    script: 'readlink /proc/$$/fd/1; echo err >&2; cat <&1 >&2 & sleep 0.01; kill $!',
  });
  assert.deepEqual(exit, { code: 0, signal: null, stdout: '', stderr: '', truncated: false });
  const lost = await runHeld(t, { outputPath: path.join(path.dirname(fifo), 'no/such'), script: ':' });
  assert.equal(lost.code, 125);
});

const group = openCgroup('/hastmon-test', 'probe');
if (group.path !== null) removeCgroup(group.path);

test('it is in its control group before it executes', {
  skip: group.path === null ? group.reason : false,
}, async (t) => {
  const { path: cgroup, reason } = openCgroup(temporaryDirectory(t), 'mail');
  assert.ok(cgroup !== null, reason);
  t.after(async () => {
    await emptyCgroup(cgroup, 5000);
    removeCgroup(cgroup);
  });
  const held = hold(t, { cgroup, script: 'grep ^0:: /proc/self/cgroup' });
  await until(
    'it to be in the group',
    () => readFileSync(`${cgroup}/cgroup.procs`, 'utf8') === `${held.pid}\n`,
  );
  held.release();
  const { stdout } = await held.exited;
  assert.equal(path.basename(stdout.trim()), path.basename(cgroup));
});

test('a control group that cannot be joined: nothing executes', async (t) => {
  const mark = path.join(temporaryDirectory(t), 'mark');
  const { code, stderr } = await runHeld(t, { cgroup: '/no/such/group', script: `: >${mark}` });
  assert.equal(code, 125);
  assert.match(stderr, /\/no\/such\/group\/cgroup\.procs/);
  assert.equal(existsSync(mark), false);
});

test('without koffi it works too, with sockets in the place of pipes', async (t) => {
  const result = await run(t, 'holder', [], { nodeArgs: withoutKoffi });
  assert.deepEqual(result, { code: 6, signal: null, stdout: 'out\n', stderr: 'err\n', truncated: false });
});
