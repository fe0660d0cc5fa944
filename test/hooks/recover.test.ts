// What a process finds that comes after one that was killed: hooks on record, and services that go on.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { takeOver } from '../../daemon/hooks/exclusive.js';
import { type HookRecord, openHookRecords } from '../../daemon/hooks/records.js';
import { endRecorded, killLeftovers, listLeftovers } from '../../daemon/hooks/recover.js';
import { bootId, bootTime } from '../../daemon/sys/clock.js';
import {
  alive,
  memoryLog,
  pidIn,
  runnerIn,
  startTimeOf,
  until,
  type Workplace,
  workplace,
} from './support.js';

const program = path.join(path.dirname(fileURLToPath(import.meta.url)), 'fixtures/worker.js');

/** Starts a process that runs the actions; see fixtures/worker.ts. */
function worker(
  place: Workplace,
  exec: string,
  actions: string[],
  env = {},
): { child: ChildProcess; results: string[] } {
  const child = spawn(process.execPath, [program, place.records, exec, '', ...actions], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const results: string[] = [];
  if (child.stdout !== null) createInterface(child.stdout).on('line', (line) => results.push(line));
  place.after(() => killLeftovers(place.records, { cgroup: null, log: memoryLog().log }));
  place.after(() => endRecorded(place.records, { log: memoryLog().log }));
  place.after(() => kill(child));
  return { child, results };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** A process that has nothing to do with any hook, in a group of its own. */
function bystander(place: Workplace): number {
  const child = spawn('/bin/sleep', ['1000'], { detached: true, stdio: 'ignore' });
  place.after(() => kill(child));
  return Number(child.pid);
}

function recordOf(pid: number, overrides: Partial<HookRecord> = {}): HookRecord {
  const fixed = {
    kind: 'running' as const,
    action: 'start' as const,
    program: '/hook',
    cgroup: null,
    output: null,
  };
  const process = { pid, startTime: startTimeOf(pid), bootId: bootId(), mark: 'test-mark', members: [] };
  return { name: `${bootId().slice(0, 8)}-test-${pid}`, ...fixed, ...process, ...overrides };
}

function recordsIn(place: Workplace): string[] {
  return readdirSync(place.records).filter((name) => name !== 'output');
}

test('endRecorded() ends the hook of a killed process with its whole group', async (t) => {
  const place = workplace(t);
  const exec = place.script(
    'hook',
    "trap '' TERM; sh -c 'sleep 1000 & echo $! >grandchild; wait' & echo $$ >leader; wait",
  );
  const { child } = worker(place, exec, ['start']);
  const [leader, grandchild] = [await pidIn(place, 'leader'), await pidIn(place, 'grandchild')];
  await kill(child);
  assert.ok(alive(leader), 'the hook goes on without the process that ran it');
  const { log, texts } = memoryLog();
  assert.deepEqual(await endRecorded(place.records, { log }), { ended: 1, failed: [] });
  assert.ok(!alive(leader) && !alive(grandchild));
  assert.deepEqual(recordsIn(place), []);
  assert.equal(texts('warn').length, 1);
  assert.deepEqual(await endRecorded(place.records, { log }), { ended: 0, failed: [] });
});

test('endRecorded() finds the group when its leader has ended meanwhile', async (t) => {
  const place = workplace(t);
  const exec = place.script(
    'hook',
    'echo $$ >leader; sleep 1000 & echo $! >child; until [ -e go ]; do sleep 0.01; done',
  );
  const { child } = worker(place, exec, ['connect']);
  const [leader, orphan] = [await pidIn(place, 'leader'), await pidIn(place, 'child')];
  await kill(child);
  writeFileSync(place.file('go'), '');
  await until(() => !alive(leader), 'the leader to end');
  assert.ok(alive(orphan));
  assert.deepEqual(await endRecorded(place.records, { log: memoryLog().log }), { ended: 1, failed: [] });
  assert.ok(!alive(orphan));
});

test('killed between the record and the release, nothing is executed', async (t) => {
  const place = workplace(t);
  const { child } = worker(place, place.script('hook', 'echo ran >ran'), ['start'], {
    HASTMON_TEST_DIE: 'start',
  });
  await once(child, 'exit');
  assert.equal(child.signalCode, 'SIGKILL');
  const [record] = openHookRecords(place.records).list().records;
  assert.equal(record?.action, 'start', 'it is on record');
  await until(() => !alive(Number(record?.pid)), 'the held process to end by itself');
  assert.deepEqual(await endRecorded(place.records, { log: memoryLog().log }), { ended: 0, failed: [] });
  assert.deepEqual(place.words('ran'), []);
});

test('a number that is used again is not killed: the start time tells', async (t) => {
  const place = workplace(t);
  const pid = bystander(place);
  const records = openHookRecords(place.records);
  records.write(recordOf(pid, { startTime: startTimeOf(pid) - 1 }));
  const { log } = memoryLog();
  assert.deepEqual(await endRecorded(place.records, { log }), { ended: 0, failed: [] });
  records.write(recordOf(pid, { startTime: startTimeOf(pid) - 1, kind: 'left' }));
  assert.equal(await killLeftovers(place.records, { cgroup: null, log }), 'none');
  assert.ok(alive(pid));
  assert.deepEqual(recordsIn(place), []);
  records.write(recordOf(pid));
  assert.deepEqual(await endRecorded(place.records, { log }), { ended: 1, failed: [] });
  assert.ok(!alive(pid), 'and with the right start time it is');
});

test('a record of another boot names nobody', async (t) => {
  const place = workplace(t);
  const pid = bystander(place);
  openHookRecords(place.records).write(recordOf(pid, { bootId: 'another' }));
  assert.deepEqual(await endRecorded(place.records, { log: memoryLog().log }), { ended: 0, failed: [] });
  assert.ok(alive(pid));
  assert.deepEqual(recordsIn(place), []);
});

test('a group without its leader is killed only when a process of it is recognised', async (t) => {
  const place = workplace(t);
  const script = place.script(
    'orphans',
    'env $1 sleep 1000 </dev/null >/dev/null & echo $! >orphan; echo $$ >leader',
  );
  const { log } = memoryLog();
  for (const [given, known] of [
    ['HASTMON_HOOK=test-mark', true],
    ['HASTMON_HOOK=test-mark-2', false],
  ] as const) {
    const leader = spawn(script, [given], { detached: true, stdio: 'ignore' });
    await once(leader, 'exit');
    const orphan = await pidIn(place, 'orphan');
    place.after(() => alive(orphan) && process.kill(orphan, 'SIGKILL'));
    // Before it is that program, it is a copy of the script, which has no mark.
    const name = (): string => readFileSync(`/proc/${orphan}/comm`, 'utf8').trim();
    await until(() => name() === 'sleep', 'the orphan to be what it is to be');
    const record = recordOf(orphan, { pid: Number(leader.pid), startTime: startTimeOf(orphan) });
    const records = openHookRecords(place.records);
    records.write(record);
    const { ended, failed } = await endRecorded(place.records, { log });
    if (known) {
      assert.deepEqual({ ended, failed }, { ended: 1, failed: [] });
      continue;
    }
    assert.equal(ended, 0);
    assert.match(failed.join(), /process group \d+ of start \(\/hook\) may be running/);
    assert.ok(alive(orphan));
    records.write({ ...record, members: [{ pid: orphan, startTime: startTimeOf(orphan) }] });
    assert.equal((await endRecorded(place.records, { log })).ended, 1, 'a process on record will do');
    assert.ok(!alive(orphan));
  }
});

test('a torn record of this boot is told; one of an earlier boot is dropped', async (t) => {
  const place = workplace(t);
  openHookRecords(place.records).write(recordOf(process.pid, { pid: 4_000_000, startTime: 1 }));
  const [file = ''] = recordsIn(place);
  writeFileSync(path.join(place.records, file), 'torn');
  const { log } = memoryLog();
  const { failed } = await endRecorded(place.records, { log });
  assert.match(failed.join(), /^a hook may be running: .*records/);
  assert.equal(await killLeftovers(place.records, { cgroup: null, log }), 'failed');
  writeFileSync(path.join(place.records, `another-${file}`), 'torn');
  await endRecorded(place.records, { log });
  assert.deepEqual(recordsIn(place), [file]);
});

test('a service goes on when the process that started it is killed; the next one has its output and its end', async (t) => {
  const place = workplace(t);
  const service = 'echo $$ >service; while :; do echo tick; echo 1 >>ticks; sleep 0.01; done';
  const { child, results } = worker(place, place.script('hook', `sh -c '${service}' &`), ['start']);
  await until(() => results.length === 1, 'the start to be over');
  const pid = await pidIn(place, 'service');
  await kill(child);
  const ticks = place.words('ticks').length;
  await until(() => place.words('ticks').length > ticks + 5, 'the service to go on printing into its pipe');
  const { log, texts } = memoryLog();
  assert.deepEqual(await endRecorded(place.records, { log }), { ended: 0, failed: [] });
  assert.deepEqual(
    listLeftovers(place.records).map(({ action, members }) => [
      action,
      members.map((member) => member.pid).includes(pid),
    ]),
    [['start', true]],
  );
  const runner = runnerIn(place, '/bin/true', { log });
  await until(
    () => texts('info').filter((text) => text === 'start: tick').length > 10,
    'the output of the service',
  );
  assert.ok(alive(pid));
  assert.equal(await runner.killLeftovers(), 'killed');
  assert.ok(!alive(pid));
  assert.deepEqual(listLeftovers(place.records), []);
});

test('hooks of a living process are left alone, but for start and stop', async (t) => {
  const place = workplace(t);
  const runner = runnerIn(place, place.script('hook', 'echo $$ >$1; sleep 1000'));
  const run = (action: 'role' | 'stop') =>
    runner.run({ action, args: [], env: {}, termAfterMs: 60_000, killAfterMs: 60_000 });
  const [role, stop] = [run('role'), run('stop')];
  place.after(() => role.kill());
  const [rolePid, stopPid] = [await pidIn(place, 'role'), await pidIn(place, 'stop')];
  assert.equal((await endRecorded(place.records, { log: memoryLog().log })).ended, 1);
  assert.equal((await stop.done).outcome, 'signal');
  assert.ok(!alive(stopPid) && alive(rolePid));
  role.kill();
  await role.done;
});

test('the output of a service has one reader: who adopts it takes the record over', async (t) => {
  const place = workplace(t);
  const service =
    'while [ ! -e end ]; do sleep 0.01; done; for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.02; done';
  const { child, results } = worker(place, place.script('hook', `sh -c '${service}' &`), ['start']);
  await until(() => results.length === 1, 'the start to be over');
  const early = memoryLog();
  runnerIn(place, '/bin/true', early);
  await kill(child);
  const [first, second] = [memoryLog(), memoryLog()];
  runnerIn(place, '/bin/true', first);
  runnerIn(place, '/bin/true', second);
  writeFileSync(place.file('end'), '');
  await until(() => first.texts('info').includes('start: 8'), 'all lines');
  assert.equal(first.texts('info').length, 8);
  assert.deepEqual([...early.texts(), ...second.texts()], []);
  assert.equal(recordsIn(place).length, 1);
});

test('takeOver() lets a stop go on that a killed process had begun', async (t) => {
  const place = workplace(t);
  const stop =
    'echo $$ >leader; until [ -e go ]; do sleep 0.01; done; yes line | head -n 20000; echo yes >stopped; sleep 1000 &';
  const { child } = worker(place, place.script('hook', stop), ['stop']);
  const leader = await pidIn(place, 'leader');
  await kill(child);
  const { log, texts } = memoryLog();
  const taken = takeOver(place.records, { log, stopUntil: (began) => began + 10_000 });
  writeFileSync(place.file('go'), '');
  assert.deepEqual(
    await taken,
    { ended: 1, failed: [], stop: 'finished', fenceBegan: null },
    'its child was killed, it was not',
  );
  assert.deepEqual(place.words('stopped'), ['yes']);
  assert.ok(!alive(leader));
  assert.ok(texts('info').includes('stop: line'));
});

test('takeOver() kills a stop that does not end in time, and everything else at once', async (t) => {
  const place = workplace(t);
  const exec = place.script('hook', "trap '' TERM; echo $$ >$1; sleep 1000");
  const { child } = worker(place, exec, ['stop']);
  const other = worker(place, exec, ['role']);
  const [stop, role] = [await pidIn(place, 'stop'), await pidIn(place, 'role')];
  await Promise.all([kill(child), kill(other.child)]);
  let began = 0;
  const stopUntil = (time: number): number => {
    began = time;
    return time + 2000;
  };
  const before = bootTime();
  const taken = takeOver(place.records, { log: memoryLog().log, stopUntil });
  assert.ok(began <= before && began > before - 2000, 'when it began is read from its record');
  await until(() => !alive(role), 'the other hook to be killed');
  assert.ok(alive(stop), 'while the stop goes on');
  assert.deepEqual(await taken, { ended: 2, failed: [], stop: 'killed', fenceBegan: null });
  assert.ok(bootTime() - began >= 2000);
  assert.ok(!alive(stop));
});

test('takeOver() without a deadline kills a stop too; with nothing on record it does nothing', async (t) => {
  const place = workplace(t);
  const { child } = worker(place, place.script('hook', 'echo $$ >leader; sleep 1000'), ['stop']);
  const leader = await pidIn(place, 'leader');
  await kill(child);
  const { log, texts } = memoryLog();
  assert.deepEqual(await takeOver(place.records, { log }), {
    ended: 1,
    failed: [],
    stop: 'killed',
    fenceBegan: null,
  });
  assert.deepEqual(texts('info'), [], 'nothing is waited for');
  assert.ok(!alive(leader));
  assert.deepEqual(await takeOver(place.records, { log }), {
    ended: 0,
    failed: [],
    stop: 'none',
    fenceBegan: null,
  });
});

test('takeOver() says since when a fence was under way, which a killed process had begun', async (t) => {
  const place = workplace(t);
  const exec = place.script('hook', 'echo $$ >leader; sleep 1000');
  const { child } = worker(place, exec, ['fence']);
  const leader = await pidIn(place, 'leader');
  await kill(child);
  const before = bootTime();
  const { ended, stop, fenceBegan } = await takeOver(place.records, { log: memoryLog().log });
  assert.deepEqual({ ended, stop }, { ended: 1, stop: 'none' });
  assert.ok(fenceBegan !== null && fenceBegan <= before && fenceBegan > before - 5000);
  assert.ok(!alive(leader));
});
