// Whether a recorded process is still there. The dangerous answer is "no" about one that lives.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { bootId } from '../../daemon/sys/clock.js';
import {
  groupAlive,
  groupMembers,
  killGroup,
  killProcess,
  parseStat,
  processAlive,
  processRecord,
  processStartTime,
  recordAlive,
} from '../../daemon/sys/process.js';
import { run, until } from './support.js';

/** A shell with a process group of its own, which is killed when the test ends. */
function shell(t: TestContext, script: string): ChildProcess & { pid: number } {
  const child = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const { pid } = child;
  assert.ok(pid !== undefined);
  t.after(() => void killGroup(pid, 'SIGKILL'));
  return Object.assign(child, { pid });
}

async function printedPid(child: ChildProcess): Promise<number> {
  assert.ok(child.stdout !== null);
  const [text] = await once(child.stdout, 'data');
  return Number(String(text));
}

function startTimeOf(pid: number): number {
  const startTime = processStartTime(pid);
  assert.ok(startTime !== null, `process ${pid} is there`);
  return startTime;
}

test('field 22 is found behind every name', () => {
  const rest = 'S 10 77 78 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 9 9 9';
  for (const name of ['sh', 'a b', ') Z 1 1 1', '((', 'x) S 10 (y']) {
    const stat = parseStat(`42 (${name}) ${rest}\n`);
    assert.deepEqual(stat, { pid: 42, zombie: false, group: 77, session: 78, startTime: 123456 });
  }
  assert.equal(parseStat(`42 (sh) ${rest.replace('S', 'Z')}`).zombie, true);
});

test('a running process has a start time, and only with that one it is alive', (t) => {
  const { pid } = shell(t, 'sleep 60');
  const startTime = startTimeOf(pid);
  assert.ok(startTime >= startTimeOf(process.pid));
  assert.equal(processAlive(pid, startTime), true);
  assert.equal(processAlive(pid, startTime + 1), false);
});

test('a process that is gone has none', async (t) => {
  const child = shell(t, ':');
  const startTime = startTimeOf(child.pid);
  await once(child, 'exit');
  assert.equal(processStartTime(child.pid), null);
  assert.equal(processAlive(child.pid, startTime), false);
  assert.equal(processRecord(child.pid), null);
  assert.equal(groupAlive(child.pid), false);
  assert.equal(killProcess(child.pid, startTime, 'SIGKILL'), false);
  assert.equal(killGroup(child.pid, 'SIGKILL'), false);
});

test('a record holds for its own boot only', () => {
  const record = processRecord();
  assert.ok(record !== null);
  assert.equal(record.pid, process.pid);
  assert.equal(record.bootId, bootId());
  assert.equal(recordAlive(record), true);
  assert.equal(recordAlive({ ...record, bootId: 'another' }), false);
  assert.equal(recordAlive({ ...record, startTime: record.startTime - 1 }), false);
});

test('killProcess spares another process of the same number', async (t) => {
  const child = shell(t, 'exec sleep 60');
  const startTime = startTimeOf(child.pid);
  assert.equal(killProcess(child.pid, startTime - 1, 'SIGKILL'), false);
  assert.equal(processAlive(child.pid, startTime), true);
  assert.equal(killProcess(child.pid, startTime, 'SIGTERM'), true);
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGTERM');
});

test('a group lives as long as any of its processes, leader or not', async (t) => {
  const child = shell(t, 'sleep 60 & echo $!');
  const left = await printedPid(child);
  if (child.exitCode === null) await once(child, 'exit');
  assert.equal(groupAlive(child.pid), true);
  assert.deepEqual(groupMembers(child.pid), [
    { pid: left, startTime: startTimeOf(left), session: child.pid },
  ]);
  assert.equal(killGroup(child.pid, 'SIGKILL'), true);
  await until('the group to be gone', () => !groupAlive(child.pid));
});

test('a stopped process is alive', async (t) => {
  const { pid } = shell(t, 'exec sleep 60');
  killGroup(pid, 'SIGSTOP');
  await until('it to be stopped', () => readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') T '));
  assert.equal(groupAlive(pid), true);
  assert.equal(processAlive(pid, startTimeOf(pid)), true);
});

test('zombies are not alive, though the kernel lets them be signalled', async (t) => {
  // The inner shell ends in a session of its own; sleep, into which its parent has turned, never waits for it.
  const child = shell(t, 'setsid sh -c : & echo $!; exec sleep 60');
  const zombie = await printedPid(child);
  await until('the zombie', () => readFileSync(`/proc/${zombie}/stat`, 'latin1').includes(') Z '));
  assert.doesNotThrow(() => process.kill(-zombie, 0));
  assert.equal(groupAlive(zombie), false);
  assert.deepEqual(groupMembers(zombie), []);
  assert.equal(processAlive(zombie, startTimeOf(zombie)), false);
});

test("this process's own group, init and everybody are never meant", () => {
  for (const pgid of [0, 1, -1]) {
    assert.equal(killGroup(pgid, 'SIGCONT'), false);
    assert.equal(killProcess(pgid, 0, 'SIGCONT'), false);
  }
});

test('where the kernel cannot be asked, a process counts as alive', async (t) => {
  const answers = await run(t, 'no-descriptors', []);
  assert.deepEqual(answers, { alive: true, group: true, start: 'EMFILE', members: 'EMFILE' });
});
