/** The monitor process for real: forked, unprivileged, replaced when it dies. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { createMonitorHost, type MonitorHost } from '../../daemon/runtime/monitor-host.js';
import { groupAlive } from '../../daemon/sys/process.js';
import { until } from '../system/wait.js';
import { serverFor } from './engine-support.js';
import { configOf, same, script, specOf } from './monitor-support.js';

interface Trial {
  host: MonitorHost;
  edges: string[];
  pids: number[];
  /** In how many milliseconds another process follows one that has ended. */
  ended: number[];
  log: string[];
}

function trialFor(t: TestContext, silenceMs = 10_000): Trial {
  const edges: string[] = [];
  const pids: number[] = [];
  const ended: number[] = [];
  const lines: string[] = [];
  const note = (_: object, text: string): void => void lines.push(text);
  const host = createMonitorHost({
    script,
    records: { record: (pid) => pids.push(pid), forget: () => {} },
    log: { debug: note, info: note, warn: note, error: note },
    events: {
      edge: (name, edge, _, last) => void edges.push(`${name} ${edge} ${last.nature}`),
      blind: () => void edges.push('blind'),
      cameUp: () => {},
      ready: () => {},
      ended: (restartMs) => void ended.push(restartMs),
    },
    wall: () => Date.now() / 1000,
    silenceMs,
  });
  t.after(() => host.close());
  return { host, edges, ended, pids, log: lines };
}

test('edges come at once, views when asked; without privileges, and under its title', async (t) => {
  let good = true;
  const port = await serverFor(t, (socket) =>
    socket.once('data', () =>
      good ? socket.end('HTTP/1.0 200 OK\r\n\r\n') : socket.end('HTTP/1.0 503 Sorry\r\n\r\n'),
    ),
  );
  const trial = trialFor(t);
  trial.host.apply(configOf(specOf('www', `http://127.0.0.1:${port}/`)), same);
  await until(
    () => trial.log.some((line) => line.includes('is ready')),
    10_000,
    () => trial.log.join('\n'),
  );
  const [pid] = trial.pids;
  assert.equal(
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0.*$/s, ''),
    'hastmon: checks (monitor)',
  );
  if (process.getuid?.() === 0) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    assert.match(status, /^Uid:\t([1-9][0-9]*)\t\1\t\1\t\1$/m);
    assert.match(status, /^CapEff:\t0+$/m);
  }
  assert.equal(trial.host.sight('nothing'), 'unknown');
  await until(() => trial.host.sight('www') === 'up', 5000, 'up, without an edge');
  good = false;
  await until(() => trial.edges.length > 0, 5000, 'an edge');
  assert.deepEqual(trial.edges, ['www down http-status']);
  const [view] = await trial.host.look(['www']);
  assert.deepEqual([view?.state, view?.nature, view?.detail], ['down', 'http-status', 503]);
  assert.equal(trial.host.sight('www'), 'down');
  const results = await trial.host.history('www');
  assert.ok(
    results.some(({ nature }) => nature === 'ok') && results.some(({ nature }) => nature === 'http-status'),
  );
  assert.match(results[0]?.excerpt ?? '', /503 Sorry/);
  good = true;
  const ran = await trial.host.run('www');
  assert.deepEqual([ran.last.nature, ran.last.address], ['ok', '127.0.0.1']);
});

test('what does not change on a reload keeps its state; what goes is gone', async (t) => {
  const port = await serverFor(t, () => {});
  const trial = trialFor(t);
  const [first, second] = [specOf('one', `tcp://127.0.0.1:${port}`), specOf('two', 'tcp://127.0.0.1:1')];
  trial.host.apply(configOf(first, second), same);
  await until(
    () => trial.edges.includes('two down refused'),
    10_000,
    () => trial.log.join('\n'),
  );
  trial.host.apply(configOf(second, specOf('three', `tcp://127.0.0.1:${port}`)), same);
  await until(async () => (await trial.host.look(['three']))[0]?.state === 'up', 5000, 'three is up');
  const views = await trial.host.look(null);
  assert.deepEqual(views.map(({ name, state }) => `${name} ${state}`).sort(), ['three up', 'two down']);
  await assert.rejects(trial.host.look(['one']), /there is no check one/);
  assert.equal(trial.pids.length, 1, 'in the same process');
  assert.deepEqual(trial.edges, ['two down refused']);
});

test('what was on its way about a check that is gone is not taken for the check that has its place', async (t) => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const other = await serverFor(t, () => {});
  const trial = trialFor(t);
  trial.host.apply(configOf(specOf('one', `tcp://127.0.0.1:${port}`, { fall: 1 })), same);
  await until(() => trial.host.sight('one') === 'up', 10_000, 'one is up');
  server.close();
  const looked = trial.host.look(['one']);
  // Its words wait while this process stands still; the next thing that it does is a reload.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  trial.host.apply(configOf(specOf('two', `tcp://127.0.0.1:${other}`)), same);
  assert.deepEqual(await looked, []);
  await until(() => trial.host.sight('two') === 'up', 5000, 'two is up');
  assert.deepEqual(trial.edges, []);
});

test('a process that dies is replaced, and what was down is not told again', async (t) => {
  let listening = false;
  const port = await serverFor(t, (socket) => (listening ? socket.write('220\r\n') : socket.destroy()));
  const trial = trialFor(t);
  trial.host.apply(configOf(specOf('mail', `smtp://127.0.0.1:${port}`)), same);
  await until(
    () => trial.edges.length === 1,
    10_000,
    () => trial.log.join('\n'),
  );
  process.kill(trial.pids[0] ?? 0, 'SIGKILL');
  await until(
    () => trial.log.filter((line) => line.includes('is ready')).length === 2,
    10_000,
    'a second one',
  );
  const before = trial.log.length;
  await until(async () => Number.isFinite((await trial.host.look(['mail']))[0]?.age), 5000, 'checked again');
  assert.ok(trial.log.length >= before);
  listening = true;
  await until(() => trial.edges.length === 3, 5000, 'up again');
  assert.deepEqual(
    trial.edges.map((edge) => edge.split(' ').slice(0, 2).join(' ')),
    ['mail down', 'blind', 'mail up'],
  );
  assert.deepEqual(trial.ended, [200]);
});

test('a process that is killed leaves no plugin behind, and a service that a plugin started lives on', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'left-'));
  chmodSync(folder, 0o777);
  const pidIn = (name: string): number => Number(readFileSync(path.join(folder, name), 'utf8'));
  t.after(() => {
    for (const name of ['own', 'service'])
      try {
        process.kill(-pidIn(name), 'SIGKILL');
      } catch {
        // It has ended.
      }
    rmSync(folder, { recursive: true });
  });
  const plugin = path.join(folder, 'plugin');
  const text = `setsid -f sh -c 'echo $$ >service; exec sleep 60'\necho $$ >own; trap '' TERM\nwhile :; do sleep 60; done`;
  writeFileSync(plugin, `#!/bin/sh\ncd ${folder}\n[ -e own ] && exit 0\n${text}\n`, { mode: 0o755 });
  const trial = trialFor(t);
  trial.host.apply(configOf(specOf('slow', `exec:${plugin}`, { timeoutMs: 60_000 })), same);
  await until(
    () => ['own', 'service'].every((name) => existsSync(path.join(folder, name)) && pidIn(name) > 0),
    10_000,
    () => trial.log.join('\n'),
  );
  process.kill(trial.pids[0] ?? 0, 'SIGKILL');
  await until(() => !groupAlive(pidIn('own')), 5000, 'the plugin is gone');
  assert.ok(groupAlive(pidIn('service')));
});

test('a process that cannot be started at all is tried again, and nothing is known meanwhile', async (t) => {
  const port = await serverFor(t, () => {});
  const trial = trialFor(t);
  const { execPath } = process;
  t.after(() => {
    process.execPath = execPath;
  });
  process.execPath = '/nonexistent/node';
  trial.host.apply(configOf(specOf('one', `tcp://127.0.0.1:${port}`)), same);
  await until(
    () => trial.log.some((line) => line.includes('starting another one')),
    5000,
    () => trial.log.join('\n'),
  );
  process.execPath = execPath;
  await until(
    () => trial.host.sight('one') === 'up',
    10_000,
    () => trial.log.join('\n'),
  );
  assert.equal(trial.pids.length, 1);
  process.kill(trial.pids[0] ?? 0, 'SIGKILL');
  await until(() => trial.pids.length === 2, 10_000, 'a second one');
  assert.equal(trial.host.sight('one'), 'unknown', 'the new one has not looked yet');
  await until(
    () => trial.host.sight('one') === 'up',
    10_000,
    () => trial.log.join('\n'),
  );
});

test('a process that hangs is ended; not one whose words nobody could hear for a while', async (t) => {
  const trial = trialFor(t, 2000);
  const ready = (): number => trial.log.filter((line) => line.includes('is ready')).length;
  trial.host.apply(configOf(specOf('one', 'tcp://127.0.0.1:1')), same);
  await until(() => ready() === 1, 10_000, 'ready');
  // This process stands still.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2300);
  await until(() => trial.host.beat() !== null, 5000, 'a beat');
  assert.deepEqual(
    trial.log.filter((line) => line.includes('nothing')),
    [],
  );
  process.kill(trial.pids[0] ?? 0, 'SIGSTOP');
  await until(
    () => ready() === 2,
    10_000,
    () => trial.log.join('\n'),
  );
  assert.ok(trial.log.some((line) => line.includes('has said nothing for 2 s: ending it')));
});

test('an orderly end leaves no plugin behind, nor what it has started', async (t) => {
  const trial = trialFor(t);
  const word = `plugin-of-${process.pid}`;
  const running = (): string[] =>
    readdirSync('/proc')
      .filter((name) => /^[0-9]+$/.test(name))
      .filter((name) => {
        try {
          return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(word);
        } catch {
          return false;
        }
      });
  const url = `exec:/bin/sh?arg=-c&arg=${encodeURIComponent('sh -c "sleep 100; true" $0 & sleep 100; true')}&arg=${word}`;
  trial.host.apply(configOf(specOf('slow', url, { timeoutMs: 60_000 })), same);
  await until(
    () => running().length >= 2,
    10_000,
    () => `the plugin does not run: ${trial.log.join('\n')}`,
  );
  await trial.host.close();
  await until(
    () => running().length === 0,
    5000,
    () => `left: ${running().join(' ')}`,
  );
});
