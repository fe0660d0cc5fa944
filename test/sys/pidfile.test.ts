// One daemon per pidfile. The dangerous mistakes: two holders, and a dead one that keeps everybody out.
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { lockPidfile, parseRecord } from '../../daemon/process/pidfile.js';
import { bootId } from '../../daemon/sys/clock.js';
import { processStartTime } from '../../daemon/sys/process.js';
import {
  ifRoot,
  type Running,
  type StartOptions,
  start,
  temporaryDirectory,
  withoutKoffi,
} from './support.js';

interface Outcome {
  kind: 'locked' | 'held' | 'failed';
  pid?: number | null;
  message?: string;
  exitCode?: number;
  own: number;
}

function pidfileIn(t: TestContext): string {
  return path.join(temporaryDirectory(t), 'hastmon.pid');
}

/** Starts a process that wants the file. */
async function contend(
  t: TestContext,
  file: string,
  options?: StartOptions,
): Promise<Running & { outcome: Outcome }> {
  const running = start(t, 'pidfile', [file, '100'], options);
  return { ...running, outcome: JSON.parse(await running.line()) as Outcome };
}

function heldBy(file: string, pid: number) {
  return {
    kind: 'held',
    pid,
    message: `already running: pidfile ${file} is held by pid ${pid}`,
    exitCode: 75,
  };
}

function withoutOwn({ own: _own, ...outcome }: Outcome) {
  return outcome;
}

const ways: [string, StartOptions][] = [
  ['', {}],
  [' (without koffi)', { nodeArgs: withoutKoffi }],
];

for (const [way, options] of ways) {
  test(`the holder writes its pid; a second one names it${way}`, async (t) => {
    const file = pidfileIn(t);
    const first = await contend(t, file, options);
    assert.equal(first.outcome.kind, 'locked');
    assert.equal(readFileSync(file, 'utf8'), `${first.pid}\n${processStartTime(first.pid)} ${bootId()}\n`);
    assert.equal(statSync(file).mode & 0o777, 0o600, 'a record is state');
    const second = await contend(t, file, options);
    assert.deepEqual(withoutOwn(second.outcome), heldBy(file, first.pid));
    assert.equal((await second.finished).code, 0);
    assert.equal(existsSync(`${file}.lock`), false);
  });

  test(`a stopped holder is a holder${way}`, async (t) => {
    const file = pidfileIn(t);
    const first = await contend(t, file, options);
    first.child.kill('SIGSTOP');
    // As if it had been stopped for a day: no clock takes the file from it.
    const yesterday = new Date(Date.now() - 86_400_000);
    utimesSync(file, yesterday, yesterday);
    assert.deepEqual(withoutOwn((await contend(t, file, options)).outcome), heldBy(file, first.pid));
  });

  test(`what kill -9 leaves behind is taken over at once${way}`, async (t) => {
    const file = pidfileIn(t);
    const first = await contend(t, file, options);
    assert.equal(first.outcome.kind, 'locked');
    first.child.kill('SIGKILL');
    await first.finished;
    assert.equal(existsSync(file), true);
    const second = await contend(t, file, options);
    assert.equal(second.outcome.kind, 'locked');
    assert.equal(readFileSync(file, 'utf8').split('\n')[0], String(second.pid));
  });

  test(`of many that start at once, one gets it${way}`, async (t) => {
    const file = pidfileIn(t);
    writeFileSync(file, `999999\n1 ${bootId()}\n`);
    const all = Array.from({ length: 4 }, () => start(t, 'pidfile', [file, '5000'], options));
    const outcomes = await Promise.all(all.map(async ({ line }) => JSON.parse(await line()) as Outcome));
    const winners = outcomes.filter(({ kind }) => kind === 'locked');
    assert.equal(winners.length, 1, JSON.stringify(outcomes));
    const [winner] = winners;
    assert.ok(winner !== undefined);
    const losers = outcomes.filter(({ kind }) => kind !== 'locked').map(withoutOwn);
    assert.deepEqual(losers, Array(3).fill(heldBy(file, winner.own)));
  });

  test(`released, the file is gone and free${way}`, async (t) => {
    const file = pidfileIn(t);
    const first = await contend(t, file, options);
    first.child.stdin?.end();
    assert.equal((await first.finished).code, 0);
    assert.equal(existsSync(file), false);
    assert.equal((await contend(t, file, options)).outcome.kind, 'locked');
  });
}

test('a lock file with koffi is respected by one without, and the other way round', async (t) => {
  for (const [one, other] of [
    [{}, { nodeArgs: withoutKoffi }],
    [{ nodeArgs: withoutKoffi }, {}],
  ] as StartOptions[][]) {
    const file = pidfileIn(t);
    const first = await contend(t, file, one);
    assert.deepEqual(withoutOwn((await contend(t, file, other)).outcome), heldBy(file, first.pid));
  }
});

test('records that mean nobody are taken over', async (t) => {
  const own = processStartTime(process.pid);
  const records = {
    'of an earlier boot': `${process.pid}\n${own} 00000000-0000-0000-0000-000000000000\n`,
    'of a process whose number is used again': `${process.ppid}\n1 ${bootId()}\n`,
    'of this process, by an earlier one of its number': `${process.pid}\n1 ${bootId()}\n`,
    'cut off': `${process.ppid}\n123`,
    empty: '',
    rubbish: 'rubbish\n\0\0',
    'of another program, which does not lock it': `${process.ppid}\n`,
  };
  for (const [name, text] of Object.entries(records)) {
    const file = pidfileIn(t);
    writeFileSync(file, text);
    const outcome = await lockPidfile(file, { record: true });
    assert.equal(outcome.kind, 'locked', name);
    if (outcome.kind === 'locked') outcome.lock.release();
  }
});

test('a file that is locked is held, whatever it says', async (t) => {
  const file = pidfileIn(t);
  const first = await contend(t, file);
  for (const text of ['', `${process.pid}\n1 ${bootId()}\n`]) {
    writeFileSync(file, text);
    const second = await lockPidfile(file, { record: true });
    assert.equal(second.kind, 'held');
    assert.equal(second.kind === 'held' && second.pid, null);
  }
  assert.equal(first.outcome.kind, 'locked');
});

test('a holder that has not written its pid yet is waited for, so that it can be named', async (t) => {
  const file = pidfileIn(t);
  const first = await contend(t, file);
  const record = readFileSync(file);
  writeFileSync(file, '');
  const second = lockPidfile(file, { record: true });
  setTimeout(() => writeFileSync(file, record), 50);
  assert.deepEqual(await second, heldBy(file, first.pid));
});

test('without koffi, a bare pid that lives is believed', async (t) => {
  const file = pidfileIn(t);
  writeFileSync(file, `${process.pid}\n`);
  const { outcome } = await contend(t, file, { nodeArgs: withoutKoffi });
  assert.deepEqual(withoutOwn(outcome), heldBy(file, process.pid));
});

test('a guard that was left behind keeps nobody out: old, it is stale; new, flock decides', async (t) => {
  const [old, fresh, future] = [pidfileIn(t), pidfileIn(t), pidfileIn(t)];
  for (const [file, secondsAgo] of [
    [old, 60],
    [fresh, 0],
    [future, -3600],
  ] as const) {
    mkdirSync(`${file}.lock`);
    const time = new Date(Date.now() - 1000 * secondsAgo);
    utimesSync(`${file}.lock`, time, time);
    const outcome = await lockPidfile(file, { guardWaitMs: 100, record: true });
    assert.equal(outcome.kind, 'locked', `left ${secondsAgo} s ago`);
    if (outcome.kind === 'locked') outcome.lock.release();
  }
});

test('without koffi, a guard that is held means that another one starts', async (t) => {
  const file = pidfileIn(t);
  mkdirSync(`${file}.lock`);
  const time = new Date(Date.now() + 3_600_000);
  utimesSync(`${file}.lock`, time, time);
  const { outcome } = await contend(t, file, { nodeArgs: withoutKoffi });
  const message = `another process is starting with pidfile ${file}, or left ${file}.lock behind: remove it`;
  assert.deepEqual(withoutOwn(outcome), { kind: 'held', pid: null, message, exitCode: 75 });
});

test('a place that cannot be written to is told with its exit code', async (t) => {
  const missing = path.join(temporaryDirectory(t), 'no/such/hastmon.pid');
  const outcome = await lockPidfile(missing);
  assert.equal(outcome.kind, 'failed');
  if (outcome.kind === 'failed') {
    assert.equal(outcome.exitCode, 73);
    assert.match(outcome.message, /^cannot lock pidfile .*hastmon\.pid: its directory does not exist$/);
  }
});

test('messages call the file what it is, and use no words of the system', async (t) => {
  const directory = temporaryDirectory(t);
  const outcome = await lockPidfile(directory, { what: 'lock file' });
  assert.deepEqual(outcome, {
    kind: 'failed',
    message: `cannot lock lock file ${directory}: it is a directory`,
    exitCode: 73,
  });
});

test('no permission is EX_NOPERM', { skip: ifRoot }, async () => {
  const outcome = await lockPidfile('/etc/hastmon-test.pid');
  assert.equal(outcome.kind === 'failed' && outcome.exitCode, 77);
});

test('a symbolic link is not followed', async (t) => {
  const file = pidfileIn(t);
  const victim = path.join(path.dirname(file), 'victim');
  writeFileSync(victim, 'precious');
  symlinkSync(victim, file);
  assert.equal((await lockPidfile(file)).kind, 'failed');
  assert.equal(readFileSync(victim, 'utf8'), 'precious');
});

test('records are read as they are written', () => {
  assert.deepEqual(parseRecord('12\n345 boot\n'), { pid: 12, startTime: 345, bootId: 'boot' });
  assert.deepEqual(parseRecord('12\n345 \n'), { pid: 12, startTime: 345, bootId: '' });
  assert.deepEqual(parseRecord('12\n'), { pid: 12, startTime: null });
  assert.deepEqual(parseRecord(' 12'), { pid: 12, startTime: null });
  for (const text of ['', 'x', '12\n345', '12\nx y\n', '-1'])
    assert.equal(parseRecord(text), null, JSON.stringify(text));
});

test('unless the record is asked for, the file holds the pid and nothing else', async (t) => {
  const file = pidfileIn(t);
  const outcome = await lockPidfile(file);
  assert.equal(outcome.kind, 'locked');
  assert.equal(readFileSync(file, 'utf8'), `${process.pid}\n`);
  if (outcome.kind === 'locked') outcome.lock.release();
});
