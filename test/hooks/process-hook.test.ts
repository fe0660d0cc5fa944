// conf/hooks/process: a plain command with a pidfile.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { readyMade } from './ready-made.js';
import { alive, pidIn, startTimeOf, until, type Workplace, workplace } from './support.js';

/** Settings for a command, whose process ends with the test. */
function settings(place: Workplace, command: string, more = ''): string {
  place.after(() => {
    const pid = Number(place.words('pidfile')[0]);
    if (pid > 1 && alive(pid)) process.kill(pid, 'SIGKILL');
  });
  return `PROCESS_COMMAND='${command}'\nPROCESS_PIDFILE=${place.file('pidfile')}\n${more}`;
}

test('start, status and stop, each twice', async (t) => {
  const place = workplace(t);
  const hook = readyMade(place, 'process');
  hook.settings(settings(place, 'sleep "1000"'));
  await hook.expect('status', 1);
  await hook.expect('start', 0);
  const pid = await pidIn(place, 'pidfile');
  assert.deepEqual(
    readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
    'sleep\x001000\0',
    'the process is the command itself',
  );
  await hook.expect('status', 0);
  await hook.expect('start', 0);
  assert.equal(await pidIn(place, 'pidfile'), pid, 'the second start changes nothing');
  await hook.expect('stop', 0);
  assert.ok(!alive(pid));
  assert.ok(!existsSync(place.file('pidfile')));
  await hook.expect('stop', 0);
  await hook.expect('status', 1);
  for (const action of ['connect', 'disconnect', 'complain', 'role']) await hook.expect(action, 0);
});

test('a command that cannot be executed is a failed start', async (t) => {
  const place = workplace(t);
  const hook = readyMade(place, 'process');
  hook.settings(settings(place, '/nonexistent/shop --port 1'));
  assert.match(
    await hook.expect('start', 1),
    /\/nonexistent\/shop --port 1: ended at once with exit status 127/,
  );
  await hook.expect('status', 1);
  // Long enough to be seen in the pidfile before it becomes, or fails to become, the command.
  hook.settings(settings(place, '$(sleep 0.3; echo /nonexistent/shop)'));
  assert.match(await hook.expect('start', 1), /ended at once with exit status 127/);
});

test('no settings: the error names the file', async (t) => {
  const place = workplace(t);
  assert.match(
    await readyMade(place, 'process').expect('start', 64),
    /no PROCESS_COMMAND in .*settings\/shop\.env/,
  );
});

test('start waits until the service is ready, and fails when it ends before', async (t) => {
  const place = workplace(t);
  const hook = readyMade(place, 'process');
  const ready = `PROCESS_READY='test -e ${place.file('ready')}'`;
  hook.settings(settings(place, `sh -c "sleep 0.2; touch ${place.file('ready')}; exec sleep 1000"`, ready));
  await hook.expect('start', 0);
  assert.ok(existsSync(place.file('ready')));
  await hook.expect('stop', 0);
  hook.settings(settings(place, 'sleep 0.1', `PROCESS_READY=false`));
  assert.match(await hook.expect('start', 1), /ended before it was ready/);
});

test('status is unknown while the service runs and its check fails', async (t) => {
  const place = workplace(t);
  const hook = readyMade(place, 'process');
  hook.settings(settings(place, 'sleep 1000', `PROCESS_CHECK='test -e ${place.file('fine')}'`));
  await hook.expect('status', 1);
  await hook.expect('start', 0);
  assert.match(await hook.expect('status', 2), /runs, but this fails: test -e/);
  writeFileSync(place.file('fine'), '');
  await hook.expect('status', 0);
});

test('a pidfile whose number another process has now is no running service', async (t) => {
  const place = workplace(t);
  const hook = readyMade(place, 'process');
  hook.settings(settings(place, 'sleep 1000'));
  const other = spawn('/bin/sleep', ['1000'], { stdio: 'ignore' });
  place.after(() => other.kill('SIGKILL'));
  const pid = Number(other.pid);
  writeFileSync(place.file('pidfile'), `${pid} ${startTimeOf(pid) - 1}\n`);
  await hook.expect('status', 1);
  await hook.expect('stop', 0);
  assert.ok(alive(pid));
  for (const garbage of ['', 'x y\n', `${pid}\n`, '-1 0\n']) {
    writeFileSync(place.file('pidfile'), garbage);
    await hook.expect('status', 1);
  }
  writeFileSync(place.file('pidfile'), `${pid} ${startTimeOf(pid)}\n`);
  await hook.expect('status', 0);
});

test('a zombie is no running service', async (t) => {
  const place = workplace(t);
  const hook = readyMade(place, 'process');
  hook.settings(settings(place, 'sleep 1000'));
  // A parent that never asks what became of its child.
  const parent = spawn('/bin/sh', ['-c', `sleep 1000 & echo $! >${place.file('child')}; exec sleep 1000`], {
    stdio: 'ignore',
  });
  place.after(() => parent.kill('SIGKILL'));
  const pid = await pidIn(place, 'child');
  writeFileSync(place.file('pidfile'), `${pid} ${startTimeOf(pid)}\n`);
  await hook.expect('status', 0);
  process.kill(pid, 'SIGKILL');
  await until(() => !alive(pid), 'the child to die');
  assert.ok(existsSync(`/proc/${pid}`), 'it is a zombie');
  await hook.expect('status', 1);
});

test('a service that ignores SIGTERM is killed when hastmon terminates the stop', async (t) => {
  const place = workplace(t);
  const hook = readyMade(place, 'process');
  const deaf = `sh -c "trap : TERM; echo ready >${place.file('ready')}; while :; do sleep 0.02; done"`;
  hook.settings(settings(place, deaf, `PROCESS_READY='test -e ${place.file('ready')}'`));
  await hook.expect('start', 0);
  const pid = await pidIn(place, 'pidfile');
  const { child, ended } = hook.begin('stop');
  // The trap of stop is set before the signal goes to the service, whose shell tells of it by a child less or more.
  await until(
    () => readFileSync(`/proc/${child.pid}/status`, 'utf8').match(/^SigCgt:.*[4567cdef]...$/m) !== null,
    'the trap of stop',
  );
  assert.ok(alive(pid));
  process.kill(-Number(child.pid), 'SIGTERM');
  const { code, output } = await ended;
  assert.equal(code, 0, output);
  assert.match(output, /time is up: KILL/);
  assert.ok(!alive(pid));
});
