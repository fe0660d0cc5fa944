/** The console on a fifo: real ones, with writers that come and go. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { serveFifo } from '../../../daemon/balancer/console/fifo.js';
import type { Served } from '../../../daemon/balancer/console/keep.js';
import { until } from '../../system/wait.js';
import { type TestHost, testHost } from './host.js';
import { type Remembered, remembering } from './served.js';

interface Fifo {
  path: string;
  host: TestHost;
  log: Remembered;
  served: Served;
  /** Waits until the log has this line. */
  logged(line: RegExp): Promise<void>;
}

function placeFor(t: TestContext): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'hastmon-fifo-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return path.join(dir, 'fifo');
}

function serve(t: TestContext, place: string): Fifo {
  const [host, log] = [testHost(), remembering()];
  const served = serveFifo(place, host, log, 10);
  t.after(() => served.close());
  const logged = (line: RegExp): Promise<void> =>
    until(
      () => log.lines.some((each) => line.test(each)),
      10_000,
      () => log.lines.join('\n'),
    );
  return { path: place, host, log, served, logged };
}

/** A shell that writes there, as scripts do; resolves when it has ended. */
function shell(place: string, script: string): Promise<number | null> {
  const child = spawn('/bin/sh', ['-c', script, 'sh', place], { stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve) => child.once('close', resolve));
}

function makeFifo(place: string): void {
  assert.equal(spawnSync('mkfifo', ['-m', '600', place]).status, 0);
}

test('it is made for its owner alone, takes commands, answers into the log, and is gone in the end', async (t) => {
  const { host, log, logged, path: place, served } = serve(t, placeFor(t));
  await logged(/^info: commands are taken from the fifo /);
  const stat = statSync(place);
  assert.ok(stat.isFIFO());
  assert.equal(stat.mode & 0o777, 0o600);
  assert.equal(
    await shell(place, `echo set host srv1 off > "$1"; printf 'show vs\nquit\nnonsense' > "$1"`),
    0,
  );
  await logged(/: \?\?\?$/);
  assert.deepEqual(log.lines.slice(1), [`info: fifo ${place}: srv www`, `info: fifo ${place}: ???`]);
  assert.deepEqual(host.commands, [
    { kind: 'off', hosts: ['srv1'], services: null, reasons: [], by: `fifo ${place}` },
  ]);
  await served.close();
  assert.equal(existsSync(place), false);
});

test('writers come and go, several at once, and no command of theirs is lost', async (t) => {
  const { host, logged, path: place } = serve(t, placeFor(t));
  await logged(/^info: commands/);
  const script =
    'for n in 1 2 3 4 5 6 7 8 9 10; do echo "set host srv1 weight $n$2 for vs www" > "$1" || exit 1; done';
  const codes = await Promise.all(Array.from({ length: 5 }, () => shell(place, script)));
  assert.deepEqual(codes, [0, 0, 0, 0, 0]);
  await until(
    () => host.commands.length === 50,
    10_000,
    () => String(host.commands.length),
  );
});

test('a file that is no fifo is left alone, and told once; when it is gone the fifo is made', async (t) => {
  const place = placeFor(t);
  writeFileSync(place, 'precious');
  const { log, logged } = serve(t, place);
  await logged(
    /^error: no commands from the fifo \S+: it is no fifo: it is left alone; remove it, or name another/,
  );
  assert.equal(statSync(place).size, 8);
  rmSync(place);
  await logged(/^info: commands/);
  assert.equal(log.lines.length, 2);
});

test('neither is a symbolic link followed, nor a fifo of somebody else read', async (t) => {
  const place = placeFor(t);
  makeFifo(`${place}.real`);
  symlinkSync(`${place}.real`, place);
  const { logged } = serve(t, place);
  await logged(/^error: .*it is no fifo/);
  if (process.geteuid?.() !== 0) return;
  rmSync(place);
  makeFifo(`${place}.other`);
  chownSync(`${place}.other`, 65_534, 65_534);
  const other = serve(t, `${place}.other`);
  await other.logged(/^error: .*it belongs to user 65534: it is left alone/);
});

test('a fifo that was there is used and stays; that others may write to it is told', async (t) => {
  const place = placeFor(t);
  makeFifo(place);
  chmodSync(place, 0o622);
  const { logged, served } = serve(t, place);
  await logged(/^warn: others than its owner may write to the fifo /);
  await shell(place, 'echo show vs > "$1"');
  await logged(/: srv www$/);
  await served.close();
  assert.ok(statSync(place).isFIFO());
});

test('one that somebody has removed is made anew, and what took its place is not removed', async (t) => {
  const { log, logged, path: place, served } = serve(t, placeFor(t));
  await logged(/^info: commands/);
  rmSync(place);
  await until(() => existsSync(place), 10_000, 'it is not made anew');
  await shell(place, 'echo show vs > "$1"');
  await logged(/: srv www$/);
  assert.equal(log.lines.filter((line) => line.startsWith('info: commands')).length, 2);
  rmSync(place);
  writeFileSync(place, '');
  await served.close();
  assert.ok(statSync(place).isFile());
});

test('what is said is bounded: long answers in the log, long lines', async (t) => {
  const { host, log, logged, path: place } = serve(t, placeFor(t));
  host.diff = async () => 'changed\n'.repeat(1000);
  await logged(/^info: commands/);
  await shell(place, `{ head -c 70000 /dev/zero | tr '\\0' x; echo; echo config diff; } > "$1"`);
  await logged(/… 800 more lines$/);
  assert.equal(log.lines.length, 1 + 1 + 200 + 1);
  assert.match(log.lines[1] ?? '', /# a line has at most 65536 bytes$/);
});
