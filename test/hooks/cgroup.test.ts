// With a control group, nothing that `start` leaves behind can get away.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openHookRecords } from '../../daemon/hooks/records.js';
import { endRecorded } from '../../daemon/hooks/recover.js';
import { alive, cgroupFor, memoryLog, pidIn, request, runnerIn, until, workplace } from './support.js';

// As daemons do it: a session of its own, no parent, none of the inherited descriptors or variables.
const daemon = "env -i setsid sh -c 'echo $$ >daemon; exec sleep 1000' </dev/null >/dev/null 2>&1 &";

test('a daemon that has left the process group of start is killed by killLeftovers()', async (t) => {
  const place = workplace(t);
  const cgroup = cgroupFor(t, place);
  if (cgroup === null) return;
  const runner = runnerIn(place, place.script('hook', daemon), { cgroup });
  await runner.run(request('start')).done;
  const pid = await pidIn(place, 'daemon');
  assert.ok(alive(pid));
  assert.equal(await runner.killLeftovers(), 'killed');
  assert.ok(!alive(pid));
  assert.equal(await runner.killLeftovers(), 'none');
});

test('only start runs in the control group', async (t) => {
  const place = workplace(t);
  const cgroup = cgroupFor(t, place);
  if (cgroup === null) return;
  const runner = runnerIn(place, place.script('hook', 'cat /proc/self/cgroup >$1'), { cgroup });
  for (const action of ['start', 'status', 'stop'] as const) await runner.run(request(action)).done;
  const name = cgroup.slice(cgroup.lastIndexOf('/'));
  assert.deepEqual(
    ['start', 'status', 'stop'].map((action) => readFileSync(place.file(action), 'utf8').includes(name)),
    [true, false, false],
  );
});

test('a start that is killed while it starts a daemon leaves it to killLeftovers(), also of a later process', async (t) => {
  const place = workplace(t);
  const cgroup = cgroupFor(t, place);
  if (cgroup === null) return;
  const runner = runnerIn(place, place.script('hook', `${daemon} sleep 1000`), { cgroup });
  const run = runner.run(request('start'));
  const pid = await pidIn(place, 'daemon');
  run.kill();
  assert.equal((await run.done).outcome, 'killed');
  assert.ok(alive(pid), 'it is not in the process group');
  assert.equal(openHookRecords(place.records).list().records[0]?.kind, 'left');
  // As if that process were in another control group now, or found none.
  const later = runnerIn(place, '/bin/true');
  assert.equal(await later.killLeftovers(), 'killed');
  assert.ok(!alive(pid));
});

test('endRecorded() of a start keeps its control group on record', async (t) => {
  const place = workplace(t);
  const cgroup = cgroupFor(t, place);
  if (cgroup === null) return;
  const run = runnerIn(place, place.script('hook', `${daemon} sleep 1000`), { cgroup }).run(request('start'));
  const pid = await pidIn(place, 'daemon');
  const { log } = memoryLog();
  assert.deepEqual(await endRecorded(place.records, { log }), { ended: 1, failed: [] });
  await run.done;
  assert.ok(alive(pid));
  assert.equal(await runnerIn(place, '/bin/true').killLeftovers(), 'killed');
  await until(() => !alive(pid), 'the daemon to end');
});

test('a start whose control group cannot be joined does not run', async (t) => {
  const place = workplace(t);
  const runner = runnerIn(place, place.script('hook', 'echo ran >ran'), { cgroup: place.file('no-cgroup') });
  const result = await runner.run(request('start')).done;
  assert.equal(result.code, 125);
  assert.match(result.detail, /control group/);
  assert.deepEqual(place.words('ran'), []);
});
