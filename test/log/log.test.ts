// Where lines go, and that none is lost.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chooseTarget, createLogger, levelFor } from '../../daemon/log/log.js';
import { descriptorSink } from '../../daemon/log/sink.js';
import type { Native } from '../../daemon/sys/native.js';

const program = fileURLToPath(new URL('./fixtures/log.js', import.meta.url));

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'hastmon-log-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1);
}

function recordsOf(file: string): Record<string, unknown>[] {
  return linesOf(file).map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A Native that only keeps what syslog is told. */
function keeper(): { native: Native; said: unknown[][] } {
  const said: unknown[][] = [];
  const native = {
    name: 'koffi',
    openlog: (...words: unknown[]) => said.push(['openlog', ...words]),
    syslog: (...words: unknown[]) => said.push(words),
  };
  return { native: native as unknown as Native, said };
}

const unused = (): never => {
  throw new Error('not to be asked for');
};

test('a file gets one JSON object per line, with time, pid and what child loggers carry', (t) => {
  const file = path.join(temporaryDirectory(t), 'log');
  const { logger } = createLogger({ kind: 'file', path: file }, 'info');
  logger
    .child({ resource: 'mail', role: 'watchdog' })
    .child({ peer: 'bolek' })
    .warn({ leftMs: 5 }, 'two\nlines');
  const [record] = recordsOf(file);
  const { time, ...rest } = record ?? {};
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(rest, {
    level: 'warn',
    pid: process.pid,
    resource: 'mail',
    role: 'watchdog',
    peer: 'bolek',
    leftMs: 5,
    msg: 'two\nlines',
  });
  assert.equal(statSync(file).mode & 0o007, 0);
});

test('secrets do not reach the file, from fields or from child loggers', (t) => {
  const file = path.join(temporaryDirectory(t), 'log');
  const { logger } = createLogger({ kind: 'file', path: file }, 'info');
  logger.child({ key: { secret: 'hunter2' } }).info({ config: [{ key: { secret: 'hunter2' } }] }, 'loaded');
  const text = readFileSync(file, 'utf8');
  assert.match(text, /"secret":"\*\*\*"/);
  assert.doesNotMatch(text, /hunter2/);
});

test('reopen goes on in a new file; where that fails, in the old one', (t) => {
  const directory = temporaryDirectory(t);
  const file = path.join(directory, 'sub', 'log');
  assert.throws(() => createLogger({ kind: 'file', path: file }, 'info'), { code: 'ENOENT' });
  const log = path.join(directory, 'log');
  const { logger, reopen } = createLogger({ kind: 'file', path: log }, 'info');
  logger.info('one');
  renameSync(log, `${log}.1`);
  logger.info('two');
  assert.equal(reopen(), null);
  logger.info('three');
  const texts = (name: string) => recordsOf(name).map(({ msg }) => msg);
  assert.deepEqual([texts(`${log}.1`), texts(log)], [['one', 'two'], ['three']]);

  renameSync(directory, `${directory}.away`);
  t.after(() => rmSync(`${directory}.away`, { recursive: true, force: true }));
  assert.match(reopen() ?? '', /^cannot open log file .*: no such file or directory$/);
  logger.info('four');
  assert.deepEqual(texts(`${directory}.away/log`), ['three', 'four']);
});

for (const [end, code, signal] of [
  ['', 0, null],
  ['exit', 9, null],
  ['kill', null, 'SIGKILL'],
  ['throw', 1, null],
] as const) {
  test(`nothing is lost at ${end || 'a normal'} end`, (t) => {
    const file = path.join(temporaryDirectory(t), 'log');
    const result = spawnSync(process.execPath, [program, JSON.stringify({ kind: 'file', path: file }), end]);
    assert.deepEqual([result.status, result.signal], [code, signal]);
    const records = recordsOf(file);
    assert.equal(records.length, 2002);
    assert.equal(records.at(-1)?.msg, 'the last line');
  });
}

test('a pipe that is slow gets every line, too', async () => {
  const child = spawn(process.execPath, [program, 'chosen', 'exit'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  for await (const chunk of child.stderr.setEncoding('utf8')) text += chunk;
  const lines = text.split('\n').slice(0, -1);
  assert.equal(lines.length, 2002);
  assert.match(
    lines[0] ?? '',
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} info {2}mail \(primary\) bolek: connected$/,
  );
  assert.match(lines.at(-1) ?? '', / error mail \(primary\): the last line \(boom\)$/);
});

test('stderr that is the journal gets priorities and no time', (t) => {
  const file = path.join(temporaryDirectory(t), 'journal');
  const fd = openSync(file, 'w');
  const { dev, ino } = statSync(file);
  const run = (stream: string) =>
    spawnSync(process.execPath, [program, 'chosen'], {
      stdio: ['ignore', 'ignore', fd],
      env: { ...process.env, JOURNAL_STREAM: stream },
    });
  run(`${dev}:${ino}`);
  assert.equal(linesOf(file)[0], '<6>mail (primary) bolek: connected');
  const before = linesOf(file).length;
  // The variable is inherited by children whose stderr is something else.
  run(`${dev}:${ino + 1}`);
  assert.match(linesOf(file)[before] ?? '', /^\d{4}-/);
  closeSync(fd);
});

test('syslog gets priority and message; the identity is opened once', () => {
  const { native, said } = keeper();
  const { logger, reopen } = createLogger(
    { kind: 'syslog', facility: 'local0', identity: 'hastmond', native },
    'trace',
  );
  const mail = logger.child({ resource: 'mail', role: 'primary' });
  mail.error('e');
  mail.warn('w');
  mail.info({ n: 1 }, 'i');
  mail.debug('d');
  mail.trace('t\n');
  mail.info('x'.repeat(20_000));
  assert.equal(reopen(), null);
  assert.deepEqual(said.slice(0, 6), [
    ['openlog', 'hastmond', 'local0'],
    ['err', 'mail (primary): e'],
    ['warning', 'mail (primary): w'],
    ['info', 'mail (primary): i n=1'],
    ['debug', 'mail (primary): d'],
    ['debug', 'mail (primary): t\\n'],
  ]);
  assert.equal(String(said[6]?.[1]).length, 8000);
});

test('a change of level reaches loggers that exist', () => {
  const { native, said } = keeper();
  const { logger, setLevel } = createLogger(
    { kind: 'syslog', facility: 'daemon', identity: 'x', native },
    'info',
  );
  const children = Array.from({ length: 300 }, (_, peer) =>
    logger.child({ resource: 'mail' }).child({ peer }),
  );
  children[299]?.debug('unsaid');
  setLevel('debug');
  children[0]?.debug('said');
  children[299]?.debug('said');
  assert.equal(children[299]?.isLevelEnabled('trace'), false);
  setLevel('warn');
  children[0]?.info('unsaid');
  logger.info('unsaid');
  assert.deepEqual(said.slice(1), [
    ['debug', 'mail 0: said'],
    ['debug', 'mail 299: said'],
  ]);
});

test('a full disk does not throw, and the gap is told as soon as it can be', (t) => {
  const log = path.join(temporaryDirectory(t), 'log');
  symlinkSync('/dev/full', log);
  const { logger, reopen } = createLogger({ kind: 'file', path: log }, 'info');
  for (let line = 0; line < 3; line += 1) logger.info('lost');
  rmSync(log);
  assert.equal(reopen(), null);
  logger.info('back');
  logger.info('again');
  const records = recordsOf(log);
  assert.deepEqual(
    records.map(({ level, msg }) => `${level} ${msg}`),
    ['warn 3 log lines were lost: ENOSPC: no space left on device, write', 'info back', 'info again'],
  );
  assert.match(String(records[0]?.time), /^\d{4}-.*Z$/);
});

test('a pipe that nobody empties holds the program up once, and not for long', (t) => {
  const fifo = path.join(temporaryDirectory(t), 'fifo');
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
  const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  const sink = descriptorSink(fd);
  const line = `${'x'.repeat(99)}\n`;
  let reason: string | null = null;
  while (reason === null) reason = sink.write(line, true);
  assert.match(reason, /EAGAIN/);
  const began = performance.now();
  for (let lost = 0; lost < 100; lost += 1) assert.match(sink.write(line, false) ?? '', /EAGAIN/);
  assert.ok(performance.now() - began < 1000);
  const drain = () => readSync(fd, Buffer.alloc(65_536));
  drain();
  // A line that fits in part only is not taken for written.
  assert.match(sink.write('y'.repeat(100_000), true) ?? '', /EAGAIN/);
  drain();
  assert.equal(sink.write(line, false), null);
  closeSync(fd);
});

test('the target: file, then syslog in the background, else the terminal', () => {
  const { native } = keeper();
  const surroundings = { identity: 'hastmond', native: unused, env: {} };
  assert.deepEqual(
    chooseTarget({ file: '/var/log/x', facility: 'daemon' }, { ...surroundings, background: true }),
    {
      kind: 'file',
      path: '/var/log/x',
    },
  );
  assert.deepEqual(
    chooseTarget({ facility: 'local1' }, { ...surroundings, native: () => native, background: true }),
    {
      kind: 'syslog',
      facility: 'local1',
      identity: 'hastmond',
      native,
    },
  );
  const target = chooseTarget(
    { facility: 'daemon' },
    { ...surroundings, env: { NO_COLOR: '1' }, background: false },
  );
  assert.deepEqual(target, { kind: 'terminal', colour: false });
});

test('-d raises the level, and never lowers it', () => {
  assert.deepEqual(
    [0, 1, 2, 3].map((debug) => levelFor('warn', debug)),
    ['warn', 'debug', 'trace', 'trace'],
  );
  assert.equal(levelFor('trace', 1), 'trace');
});
