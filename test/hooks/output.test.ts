// What hooks print: into the log, line by line and bounded, and never a reason for anything else to fail.
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { alive, memoryLog, pidIn, request, runnerIn, until, workplace } from './support.js';

test('stdout and stderr come into the log line by line, in order, with the name of the hook', async (t) => {
  const place = workplace(t);
  const { log, lines } = memoryLog();
  const exec = place.script(
    'hook',
    'echo one; echo two >&2; printf "\\nthree\\r\\n"; echo four >/dev/stderr; printf "last \\303\\251"',
  );
  await runnerIn(place, exec, { log }).run(request('start')).done;
  const info = lines.filter((line) => line.level === 'info');
  assert.deepEqual(
    info.map((line) => line.text),
    ['start: one', 'start: two', 'start: three', 'start: four', 'start: last é'],
  );
  assert.ok(info.every((line) => line.hook === 'start'));
});

test('lines are logged while the hook runs', async (t) => {
  const place = workplace(t);
  const { log, texts } = memoryLog();
  const run = runnerIn(place, place.script('hook', 'echo begun; sleep 1000'), { log }).run(request('start'));
  await until(() => texts('info').includes('start: begun'), 'the line');
  run.kill();
  await run.done;
});

test('a line is cut at 1 KiB, and cannot forge another line or colour the terminal', async (t) => {
  const place = workplace(t);
  const { log, texts } = memoryLog();
  const exec = place.script(
    'hook',
    'head -c 3000 /dev/zero | tr "\\0" x; echo; printf "a\\033[31mb\\tc\\rstart: fine\\n"',
  );
  await runnerIn(place, exec, { log }).run(request('connect')).done;
  const [long = '', forged] = texts('info');
  assert.equal(long, `connect: ${'x'.repeat(1023)}…`);
  assert.equal(forged, 'connect: a [31mb\tc start: fine');
});

test('a line that is cut within a character has no half of it', async (t) => {
  const place = workplace(t);
  const { log, texts } = memoryLog();
  const exec = place.script(
    'hook',
    'head -c 1022 /dev/zero | tr "\\0" x; printf "\\360\\237\\233\\221\\360\\237\\233\\221\\n"',
  );
  await runnerIn(place, exec, { log }).run(request('connect')).done;
  assert.equal(texts('info')[0], `connect: ${'x'.repeat(1022)} …`);
});

test('output is bounded at 64 KiB, and then one line says how much was cut', async (t) => {
  const place = workplace(t);
  const { log, texts } = memoryLog();
  const line = 'x'.repeat(199);
  const exec = place.script('hook', `yes ${line} | head -n 1000`);
  await runnerIn(place, exec, { log }).run(request('stop')).done;
  const logged = texts('info').filter((text) => text.startsWith('stop: x'));
  assert.equal(logged.length, 328, '64 KiB in lines of 200 bytes, the last one in part');
  assert.deepEqual(texts('warn'), [`stop: ${200_000 - 65_536} bytes more were printed and are not logged`]);
});

test('a flood costs neither memory nor much of this process, and does not keep the hook from being ended', async (t) => {
  const place = workplace(t);
  const { log, lines, texts } = memoryLog();
  const before = process.memoryUsage().rss;
  const runner = runnerIn(place, place.script('hook', 'exec yes x'), { log });
  const result = await runner.run(request('connect', { termAfterMs: 400, killAfterMs: 2000 })).done;
  assert.equal(result.outcome, 'timeout');
  assert.ok(result.durationMs < 2000, `${result.durationMs} ms`);
  assert.equal(lines.filter((line) => line.text === 'connect: x').length, 1000);
  assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
  // 64 KiB in 5 ms are 5 MiB in 400 ms; unbounded it would be some hundred.
  const cut = Number(/^connect: (\d+) bytes more/.exec(texts('warn').at(-1) ?? '')?.[1]);
  assert.ok(cut > 0 && cut < 20 * 1024 * 1024, `${cut} bytes were read`);
});

test('status is logged when its result is news; the same again is for debugging', async (t) => {
  const place = workplace(t);
  const { log, lines } = memoryLog();
  const runner = runnerIn(place, place.script('hook', 'echo "it is $(cat code)"; exit $(cat code)'), { log });
  for (const code of [0, 0, 1, 1, 0]) {
    writeFileSync(place.file('code'), String(code));
    await runner.run(request('status')).done;
  }
  const levels = lines.filter((line) => line.text.startsWith('status: it is')).map((line) => line.level);
  assert.deepEqual(levels, ['info', 'debug', 'info', 'debug', 'info']);
});

test('a service that start left goes on printing into the log, and beyond the bound goes on unlogged', async (t) => {
  const place = workplace(t);
  const { log, texts } = memoryLog();
  const service =
    'echo $$ >service; until [ -e speak ]; do sleep 0.01; done; echo hello; yes x | head -c 3000000; echo >done; sleep 1000';
  const runner = runnerIn(place, place.script('hook', `sh -c '${service}' &`), { log });
  const result = await runner.run(request('start')).done;
  assert.equal(result.outcome, 'exit');
  assert.deepEqual(texts('warn'), []);
  writeFileSync(place.file('speak'), '');
  await until(() => texts('info').includes('start: hello'), 'the line of the service');
  await until(() => readdirSync(place.dir).includes('done'), 'the service not being held up');
  assert.deepEqual(texts('warn'), ['start: what its processes print from here on is not logged']);
  assert.ok(alive(await pidIn(place, 'service')));
});

test('when nobody has the output open any more, its pipe goes', async (t) => {
  const place = workplace(t);
  const exec = place.script('hook', '(until [ -e go ]; do sleep 0.01; done) & echo $! >service');
  await runnerIn(place, exec).run(request('start')).done;
  assert.equal(readdirSync(`${place.records}/output`).length, 1);
  writeFileSync(place.file('go'), '');
  await until(() => readdirSync(`${place.records}/output`).length === 0, 'no pipe');
});
