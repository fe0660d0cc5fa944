// Going into the background: the first process's exit status is the truth about the second.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { groupAlive, killGroup } from '../../daemon/sys/process.js';
import { type Finished, type Running, start, temporaryDirectory, until } from './support.js';

interface Facts {
  child: number;
  pid: number;
  session: number;
  terminal: number;
  cwd: string;
  umask: number;
  startDirectory: string;
  stdio: string[];
  variables: string[];
  args: string[];
}

interface Daemon extends Running {
  /** What the second process has found so far; null: nothing yet. */
  found(): Facts | null;
  /** Waits for it. */
  facts(): Promise<Facts>;
}

function startDaemon(t: TestContext, action: string, timeoutMs?: number): Daemon {
  let file = '';
  const found = (): Facts | null =>
    existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Facts) : null;
  // Whatever becomes of the test: the second process leads a session, and its child one too. Before the directory goes.
  t.after(() => {
    const { pid, child } = found() ?? {};
    for (const pgid of [pid, child]) if (pgid !== undefined) killGroup(pgid, 'SIGKILL');
  });
  file = path.join(temporaryDirectory(t), 'facts');
  const running = start(t, 'daemon', [action, file, ...(timeoutMs === undefined ? [] : [String(timeoutMs)])]);
  const facts = async (): Promise<Facts> => {
    await until('the second process', () => existsSync(file));
    const there = found();
    assert.ok(there !== null);
    return there;
  };
  return { ...running, found, facts };
}

function finish(t: TestContext, action: string, timeoutMs?: number): Promise<Finished> {
  return startDaemon(t, action, timeoutMs).finished;
}

test('ready: the first exits with 0 and says nothing; the second is a daemon', async (t) => {
  const { finished, facts, pid: first } = startDaemon(t, 'ready');
  const { code, stdout, stderr } = await finished;
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '', stderr: '' });
  const { pid, session, terminal, cwd, umask, stdio, variables, args, startDirectory } = await facts();
  assert.notEqual(pid, first);
  assert.equal(groupAlive(pid), true);
  assert.deepEqual(
    { session, terminal, cwd, umask, startDirectory },
    { session: pid, terminal: 0, cwd: '/', umask: 0o027, startDirectory: process.cwd() },
  );
  assert.deepEqual(stdio, ['/dev/null', '/dev/null', '/dev/null']);
  assert.deepEqual(variables, []);
  assert.equal(args[0], 'ready');
});

test('failed: its text and its exit code are passed on', async (t) => {
  const { code, stdout, stderr } = await finish(t, 'fail');
  assert.deepEqual(
    { code, stdout, stderr },
    { code: 78, stdout: '', stderr: 'testd: hastmon.conf:1:1: error: größer\n' },
  );
});

test('dead without a word: never success', async (t) => {
  const advice = 'start it in the foreground (-F) to see why';
  for (const [action, code, how] of [
    ['exit', 3, 'exit status 3'],
    ['quit', 70, 'exit status 0'],
    ['crash', 70, 'signal SIGKILL'],
  ] as const) {
    const finished = await finish(t, action);
    assert.equal(finished.code, code);
    assert.equal(finished.stderr, `testd: ended before it was ready (${how}); ${advice}\n`);
  }
});

test('not ready in time: ended, and told', async (t) => {
  const { finished, found } = startDaemon(t, 'hang', 1500);
  const { code, stderr } = await finished;
  assert.equal(code, 69);
  assert.equal(stderr, 'testd: not ready after 1.5 s, ended; its log may say why\n');
  const second = found();
  // On a very busy machine it did not even get as far as telling who it is.
  if (second !== null) assert.equal(groupAlive(second.pid), false);
});

test("interrupted: the second does not come up behind the user's back", async (t) => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const { child, finished, facts } = startDaemon(t, 'hang');
    const { pid } = await facts();
    child.kill(signal);
    const { code: actual, stderr } = await finished;
    assert.equal(actual, code);
    assert.equal(stderr, 'testd: interrupted before it was ready\n');
    assert.equal(groupAlive(pid), false);
  }
});

test('in the foreground readiness is nothing, and failures go to stderr', async (t) => {
  const { code, stdout, stderr } = await finish(t, 'foreground');
  assert.deepEqual(
    { code, stdout, stderr },
    { code: 78, stdout: '', stderr: 'in the foreground: false true\n' },
  );
});
