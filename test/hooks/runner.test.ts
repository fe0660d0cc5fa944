// Running hooks, with real processes: limits, groups, what `done` promises.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { createHookRunner } from '../../daemon/hooks/runner.js';
import { warmHooks } from '../../daemon/hooks/warm.js';
import { groupAlive } from '../../daemon/sys/process.js';
import { alive, memoryLog, pidIn, request, runnerIn, until, workplace } from './support.js';

test('the program gets the action, its arguments and the environment, and nothing that is meant for hastmond', async (t) => {
  const place = workplace(t);
  const exec = place.script('hook', 'echo "$@" >arguments; env >environment; pwd >directory; cat >input');
  const env = {
    ...process.env,
    NOTIFY_SOCKET: '/run/x',
    WATCHDOG_USEC: '1',
    NODE_OPTIONS: '',
    LANGUAGE: 'pl',
  };
  const runner = runnerIn(place, exec, { env });
  const result = await runner.run(request('role', { args: ['shop', 'init', 'primary'] })).done;
  assert.equal(result.outcome, 'exit');
  assert.deepEqual(place.words('arguments'), ['role', 'shop', 'init', 'primary']);
  const given = readFileSync(place.file('environment'), 'utf8').split('\n');
  for (const line of ['HASTMON_RESOURCE=shop', 'HASTMON_EPOCH=7', 'HASTMON_ACTION=role', 'LANGUAGE=pl']) {
    assert.ok(given.includes(line), `${line} in the environment`);
  }
  assert.doesNotMatch(given.join('\n'), /^(NOTIFY_SOCKET|WATCHDOG_USEC|NODE_OPTIONS|HASTMON_HOLD)=/m);
  assert.match(given.join('\n'), /^PATH=.*\/sbin/m);
  assert.deepEqual(readFileSync(place.file('input'), 'utf8'), '');
});

test('an exit is told with its code and the time it took', async (t) => {
  const place = workplace(t);
  const runner = runnerIn(place, place.script('hook', 'exit $(cat code)'));
  for (const code of [0, 1, 3]) {
    writeFileSync(place.file('code'), String(code));
    const result = await runner.run(request('status')).done;
    assert.deepEqual(
      { ...result, durationMs: 0, detail: '' },
      { action: 'status', outcome: 'exit', code, signal: null, durationMs: 0, detail: '' },
    );
    assert.match(result.detail, new RegExp(`^status exited with ${code} after \\d+ ms$`));
    assert.ok(result.durationMs > 0 && result.durationMs < 5000);
  }
});

test('an end by a signal is told with its name', async (t) => {
  const place = workplace(t);
  const runner = runnerIn(place, place.script('hook', 'kill -s SEGV $$'));
  const result = await runner.run(request('start')).done;
  assert.equal(result.outcome, 'signal');
  assert.equal(result.signal, 'SIGSEGV');
  assert.match(result.detail, /^start was ended by SIGSEGV after \d+ ms$/);
});

test('what cannot be run is an outcome that names the path and the reason', async (t) => {
  const place = workplace(t);
  const runner = runnerIn(place, place.file('missing'));
  writeFileSync(place.file('plain'), '#!/bin/sh\n', { mode: 0o644 });
  const cases: [string, RegExp][] = [
    [place.file('missing'), /missing cannot be run: there is no such file$/],
    [place.file('plain/below'), /below cannot be run: there is no such file$/],
    [place.file('plain'), /plain cannot be run: it is not executable/],
    [place.dir, /cannot be run: it is not a file$/],
    ['hook', /^fence: hook cannot be run: its path must be absolute$/],
  ];
  for (const [program, pattern] of cases) {
    const result = await runner.run(request('fence', { program })).done;
    assert.equal(result.outcome, 'spawn-error');
    assert.equal(result.code, null);
    assert.match(result.detail, pattern);
  }
  assert.equal((await runner.run(request('start')).done).outcome, 'spawn-error');
  assert.equal(
    (await runner.run(request('stop')).done).outcome,
    'spawn-error',
    'start is over for the runner too',
  );
});

test('a script whose interpreter is missing exits with 127, and the sentence says what that may be', async (t) => {
  const place = workplace(t);
  writeFileSync(place.file('hook'), '#!/nonexistent/interpreter\n', { mode: 0o755 });
  const result = await runnerIn(place, place.file('hook')).run(request('start')).done;
  assert.equal(result.code, 127);
  assert.match(result.detail, /interpreter/);
});

test('SIGTERM comes when the time is over, and the sentence says so', async (t) => {
  const place = workplace(t);
  const { log, texts } = memoryLog();
  const runner = runnerIn(
    place,
    place.script('hook', 'trap "echo so be it; exit 5" TERM; while :; do sleep 0.01; done'),
    { log },
  );
  const result = await runner.run(request('stop', { termAfterMs: 150, killAfterMs: 10_000 })).done;
  assert.equal(result.outcome, 'timeout');
  assert.equal(result.code, 5);
  assert.match(result.detail, /^stop was terminated after \d+ ms \(limit 150 ms\): .*so be it$/);
  assert.ok(result.durationMs >= 150 && result.durationMs < 5000, `${result.durationMs} ms`);
  assert.deepEqual(texts('warn'), ['stop has not ended within 150 ms: SIGTERM to its processes']);
  assert.ok(texts('info').includes('stop: so be it'));
});

test('who ignores SIGTERM is killed with all of the group, and nothing is left when done resolves', async (t) => {
  const place = workplace(t);
  const exec = place.script(
    'hook',
    "trap '' TERM; sh -c 'echo $$ >child; sleep 1000 & echo $! >grandchild; wait' & echo $$ >leader; wait",
  );
  const result = await runnerIn(place, exec).run(request('stop', { termAfterMs: 250, killAfterMs: 350 }))
    .done;
  assert.equal(result.outcome, 'timeout');
  assert.match(result.detail, /^stop was killed after \d+ ms \(SIGTERM had not ended it; limit 250 ms\)$/);
  assert.ok(result.durationMs >= 350);
  for (const name of ['leader', 'child', 'grandchild']) assert.ok(!alive(await pidIn(place, name)), name);
  assert.deepEqual(recordsIn(place.records), []);
});

test('after SIGTERM has ended the program, its children have the rest of the time to end as well', async (t) => {
  const place = workplace(t);
  const child =
    "trap 'sleep 0.1; echo clean >child; exit' TERM; echo $$ >ready; while :; do sleep 0.01; done";
  const exec = place.script('hook', `sh -c "${child.replaceAll('$', '\\$')}" & wait`);
  const result = await runnerIn(place, exec).run(request('stop', { termAfterMs: 300, killAfterMs: 10_000 }))
    .done;
  assert.equal(result.outcome, 'timeout');
  assert.equal(result.signal, 'SIGTERM');
  assert.match(result.detail, /was terminated/);
  assert.deepEqual(place.words('child'), ['clean']);
});

test('children that do not end after SIGTERM are killed when the time for it is over', async (t) => {
  const place = workplace(t);
  const exec = place.script(
    'hook',
    `sh -c "trap '' TERM; echo \\$\\$ >child; while :; do sleep 0.01; done" & wait`,
  );
  const result = await runnerIn(place, exec).run(request('stop', { termAfterMs: 200, killAfterMs: 300 }))
    .done;
  assert.match(result.detail, /was killed after/);
  assert.ok(result.durationMs >= 300 && result.durationMs < 5000, `${result.durationMs} ms`);
  assert.ok(!alive(await pidIn(place, 'child')));
});

test('kill() ends the whole group at once', async (t) => {
  const place = workplace(t);
  const run = runnerIn(place, place.script('hook', "trap '' TERM; sleep 1000 & echo $! >child; wait")).run(
    request('start'),
  );
  const child = await pidIn(place, 'child');
  run.kill();
  const result = await run.done;
  assert.equal(result.outcome, 'killed');
  assert.equal(result.signal, 'SIGKILL');
  assert.match(result.detail, /^start was killed after \d+ ms, before its time was up$/);
  assert.ok(!alive(child));
  run.kill();
});

test('terminate() is the limit of a caller that watches over it: what outlives the program is killed', async (t) => {
  const place = workplace(t);
  const exec = place.script(
    'hook',
    "sh -c 'trap : TERM; while :; do sleep 0.01; done' & echo $! >child; wait",
  );
  const limits = { termAfterMs: 2 ** 31 - 1, killAfterMs: 2 ** 31 - 1, limitMs: 1500 };
  const run = runnerIn(place, exec).run(request('stop', limits));
  const child = await pidIn(place, 'child');
  run.terminate();
  const result = await run.done;
  assert.equal(result.outcome, 'timeout');
  assert.match(result.detail, /limit 1\.5 s/);
  assert.ok(!alive(child));
});

test('done of a stop waits for what it left in its group, which is killed', async (t) => {
  const place = workplace(t);
  const { log, texts } = memoryLog();
  const exec = place.script(
    'hook',
    'sh -c "trap \'\' TERM HUP; sleep 1000" >/dev/null & echo $! >child; exit 0',
  );
  const result = await runnerIn(place, exec, { log }).run(request('stop')).done;
  assert.deepEqual([result.outcome, result.code], ['exit', 0]);
  assert.ok(!alive(await pidIn(place, 'child')));
  assert.deepEqual(texts('info'), ['stop left processes in its group; they were killed']);
});

test('what a start leaves in its group is the service: it stays, on record, until killLeftovers()', async (t) => {
  const place = workplace(t);
  const runner = runnerIn(place, place.script('hook', 'sleep 1000 </dev/null & echo $! >service'));
  const result = await runner.run(request('start')).done;
  assert.deepEqual([result.outcome, result.code], ['exit', 0]);
  assert.ok(result.durationMs < 5000, 'the service has the output open, and is not waited for');
  const service = await pidIn(place, 'service');
  assert.ok(alive(service));
  assert.equal(recordsIn(place.records).length, 1);
  assert.equal((await runner.run(request('status')).done).code, 0);
  assert.ok(alive(service), 'another hook does not touch it');
  assert.equal(await runner.killLeftovers(), 'killed');
  assert.ok(!alive(service));
  assert.equal(await runner.killLeftovers(), 'none');
  assert.deepEqual(recordsIn(place.records), []);
});

test('a start that leaves nothing leaves no record', async (t) => {
  const place = workplace(t);
  const runner = runnerIn(place, place.script('hook', 'exit 0'));
  await runner.run(request('start')).done;
  assert.deepEqual(recordsIn(place.records), []);
  assert.deepEqual(readdirSync(`${place.records}/output`), []);
  assert.equal(await runner.killLeftovers(), 'none');
});

test('start and stop exclude each other and themselves; other hooks run beside them', async (t) => {
  const place = workplace(t);
  const runner = runnerIn(place, place.script('hook', 'if [ $1 = start ]; then sleep 1000; fi; exit 1'));
  const run = runner.run(request('start'));
  assert.throws(() => runner.run(request('start')), /start of shop while start runs/);
  assert.throws(() => runner.run(request('stop')), /stop of shop while start runs/);
  assert.throws(() => runner.killLeftovers(), /while its start runs/);
  const beside = await Promise.all([runner.run(request('status')).done, runner.run(request('connect')).done]);
  assert.deepEqual(
    beside.map((result) => result.code),
    [1, 1],
  );
  run.kill();
  await run.done;
  assert.equal((await runner.run(request('stop')).done).code, 1);
  assert.throws(() => runner.run(request('status', { termAfterMs: 2, killAfterMs: 1 })), /killed before/);
});

test('a hook that runs long is reported once', async (t) => {
  const place = workplace(t);
  const { log, texts } = memoryLog();
  const runner = runnerIn(place, place.script('hook', 'while ! [ -e go ]; do sleep 0.01; done'), { log });
  const { slowAfterMs: _, ...defaults } = request('start', { termAfterMs: 100, killAfterMs: 10_000 });
  const slow = runner.run({ ...defaults, termAfterMs: 8000 });
  slow.kill();
  await slow.done;
  assert.deepEqual(texts('warn'), []);
  const run = runner.run(request('start', { slowAfterMs: 50 }));
  await until(() => texts('warn').length > 0, 'a warning');
  writeFileSync(place.file('go'), '');
  await run.done;
  assert.deepEqual(texts('warn'), ['start has been running for 50 ms; its limit is 20.0 s']);
});

test('without a record no start runs, but stop and status do, and say so', async (t) => {
  const place = workplace(t);
  const { log, texts } = memoryLog();
  const runner = runnerIn(place, place.script('hook', 'echo $1 >>ran'), { log });
  // As a full disk would do.
  rmSync(place.records, { recursive: true });
  const start = await runner.run(request('start')).done;
  assert.equal(start.outcome, 'spawn-error');
  assert.match(start.detail, /hook is not run: it cannot be put on record: .*ENOENT/);
  const [stop, status] = [await runner.run(request('stop')).done, await runner.run(request('status')).done];
  assert.deepEqual([stop.code, status.code], [0, 0]);
  assert.deepEqual(place.words('ran'), ['stop', 'status']);
  assert.match(texts('error')[0] ?? '', /^stop is run all the same, but it cannot be put on record/);
  assert.equal(await runner.killLeftovers(), 'failed', 'nobody knows what an earlier process left');
});

test('a directory that cannot hold records is told clearly', (t) => {
  const place = workplace(t);
  writeFileSync(place.file('records'), '');
  const { log } = memoryLog();
  const options = { resource: 'shop', exec: '/bin/true', directory: place.records, cgroup: null, log };
  assert.throws(() => createHookRunner(options), /no record of hooks can be kept: .*records/);
});

test('many runs leave no process, no descriptor and no file behind', async (t) => {
  const place = workplace(t);
  const runner = runnerIn(place, place.script('hook', 'echo $1'));
  const run = (): Promise<unknown> => runner.run(request('status')).done;
  await run();
  const before = readdirSync('/proc/self/fd').length;
  for (let round = 0; round < 10; round += 1) await Promise.all([run(), run(), run(), run(), run()]);
  await until(() => readdirSync('/proc/self/fd').length <= before, 'as many descriptors as before');
  assert.deepEqual(recordsIn(place.records), []);
  assert.deepEqual(readdirSync(`${place.records}/output`), []);
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim();
  assert.equal(children, '', 'no child is left, zombies included');
  assert.ok(!groupAlive(process.pid + 100_000_000));
});

test('warming up executes nothing and leaves nothing', async (t) => {
  const place = workplace(t);
  const children = (): string => readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim();
  const before = readdirSync('/proc/self/fd').length;
  warmHooks(place.script('hook', 'echo executed >trace'));
  assert.notEqual(children(), '', 'a process was started');
  await until(() => children() === '', 'no child is left');
  assert.ok(!existsSync(place.file('trace')));
  assert.ok(readdirSync('/proc/self/fd').length <= before + 1);
});

function recordsIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name !== 'output');
}
