/** The desk with a notifier, a disk, and servers that come and go: nobody is told twice, nothing is lost. */
import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createNotifierHost } from '../../daemon/alerts/notifier-host.js';
import { groupAlive, killGroup } from '../../daemon/sys/process.js';
import { until } from '../system/wait.js';
import { type SmtpServer, smtpServer } from './smtp-server.js';
import { alertOf, composeIds, type Desk, deskFor, directory, mailOf, noticeOf, SETUP } from './support.js';

const script = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../daemon/hastmond.js');
const idOf = (smtp: SmtpServer): string[] =>
  smtp.mails.map(({ data }) => /^X-Hastmon-Edge: (.*)\r$/m.exec(data)?.[1] ?? '');

function trialFor(t: TestContext, dir = directory(t), atDone = (): void => {}): Desk & { dir: string } {
  const trial = deskFor(dir, atDone);
  t.after(() => trial.desk.close());
  return { ...trial, dir };
}

/** A program that appends to `told` beside it, for everybody to write; `wait` is done first. */
function programIn(t: TestContext, wait = ''): { program: string; told: () => string[]; dir: string } {
  const dir = directory(t);
  chmodSync(dir, 0o777);
  const program = path.join(dir, 'program');
  writeFileSync(program, `#!/bin/sh\n${wait}\necho "$HASTMON_EDGE $(id -u)" >>${dir}/told\n`);
  chmodSync(program, 0o755);
  const file = path.join(dir, 'told');
  return {
    ...{ program, dir },
    told: () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []),
  };
}

const mailTo = (smtp: SmtpServer) => ({ mail: mailOf(`127.0.0.1:${smtp.port}`) });
const done = (trial: Desk, count: number): Promise<void> =>
  until(
    () => trial.done.length >= count,
    20_000,
    () => `${count} done: ${trial.done.join(', ')}\n${trial.log.join('\n')}`,
  );

test('edges are gathered, told by each way, and by whom: a process without privileges', async (t) => {
  const smtp = await smtpServer(t);
  const { program, told } = programIn(t);
  const trial = trialFor(t);
  trial.desk.configure([alertOf('ops', { ...mailTo(smtp), program, gatherMs: 100 })], SETUP);
  trial.desk.tell(noticeOf(1));
  trial.desk.tell(noticeOf(1, { check: 'db' }));
  await done(trial, 2);
  await until(
    () => told().length > 0 && smtp.mails.length > 0,
    20_000,
    () => trial.log.join('\n'),
  );
  assert.deepEqual(idOf(smtp), ['web#1 db#1']);
  assert.deepEqual(trial.done.sort(), ['db#1', 'web#1']);
  const [pid] = trial.pids;
  const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0.*$/s, '');
  assert.equal(title, 'hastmon: alerts (notifier)');
  const [edge, uid] = (told()[0] ?? '').split(' ');
  assert.equal(edge, 'web#1');
  if (process.getuid?.() === 0) assert.notEqual(uid, '0');
  await until(() => readdirSync(trial.dir).length === 0, 20_000, 'nothing is left on disk');
});

test('what one way could not do is on disk when people were told, survives kill -9, and arrives once', async (t) => {
  const smtp = await smtpServer(t);
  const { program, told } = programIn(t, 'sleep 0.3');
  await smtp.down();
  const dir = directory(t);
  const copy = directory(t);
  // A copy of the disk at this moment is what another process would find.
  const trial = trialFor(t, dir, () => cpSync(dir, copy, { recursive: true }));
  const alerts = [alertOf('ops', { ...mailTo(smtp), program })];
  trial.desk.configure(alerts, SETUP);
  trial.desk.tell(noticeOf(1));
  await done(trial, 1);
  assert.deepEqual(trial.done, ['web#1']);
  await trial.desk.close();
  writeFileSync(path.join(copy, '77.state'), 'torn', { mode: 0o600 });
  await smtp.up();
  const next = trialFor(t, copy);
  next.desk.configure(alerts, SETUP);
  await until(
    () => smtp.mails.length > 0,
    20_000,
    () => next.log.join('\n'),
  );
  await until(
    () => readdirSync(copy).join() === '77.state.corrupt',
    5000,
    () => readdirSync(copy).join(),
  );
  assert.match(
    next.log.join('\n'),
    /that was not delivered yet is lost: .*; the file is now .*77\.state\.corrupt/,
  );
  assert.deepEqual([next.done, told().length, idOf(smtp)], [[], 1, ['web#1']]);
  assert.match(smtp.mails[0]?.data ?? '', /^Message-ID: <hastmon\.web\.1@example\.com>\r$/m);
});

test('a mail server that is down, refuses, then works: given back each time, told once', async (t) => {
  const smtp = await smtpServer(t);
  await smtp.down();
  const trial = trialFor(t);
  trial.desk.configure([alertOf('ops', mailTo(smtp))], SETUP);
  trial.desk.tell(noticeOf(1));
  await done(trial, 1);
  assert.match(trial.done[0] ?? '', /^web#1: mail: connect ECONNREFUSED/);
  smtp.manners = { greeting: '421 busy' };
  await smtp.up();
  trial.desk.tell(noticeOf(1));
  await done(trial, 2);
  assert.match(trial.done[1] ?? '', /^web#1: mail: .*421 busy/);
  smtp.manners = {};
  trial.desk.tell(noticeOf(1));
  await done(trial, 3);
  assert.deepEqual([trial.done[2], idOf(smtp)], ['web#1', ['web#1']]);
  assert.equal(trial.pids.length, 1, 'all by one notifier');
  assert.deepEqual(readdirSync(trial.dir), []);
});

test('a recipient that was to be tried later gets it by itself, 5 s later', async (t) => {
  const smtp = await smtpServer(t, { rcpt: { 'bob@example.com': '450 later' } });
  const trial = trialFor(t);
  const mail = mailOf(`127.0.0.1:${smtp.port}`, { to: ['eve@example.com', 'bob@example.com'] });
  trial.desk.configure([alertOf('ops', { mail })], SETUP);
  trial.desk.tell(noticeOf(1));
  await done(trial, 1);
  assert.equal(trial.done[0], 'web#1');
  assert.equal(readdirSync(trial.dir).length, 1);
  smtp.manners = {};
  const begun = performance.now();
  await until(
    () => smtp.mails.length === 2,
    20_000,
    () => trial.log.join('\n'),
  );
  assert.ok(performance.now() - begun > 4000);
  assert.deepEqual(
    smtp.mails.map(({ to }) => to.join()),
    ['eve@example.com', 'bob@example.com'],
  );
});

test('a notifier that is killed in the middle has failed; another one tells, once', async (t) => {
  const smtp = await smtpServer(t, { replyMs: 1500 });
  const { program, told } = programIn(t);
  const trial = trialFor(t);
  const alerts = [alertOf('ops', { ...mailTo(smtp), program })];
  trial.desk.configure(alerts, SETUP);
  trial.desk.tell(noticeOf(1));
  await until(
    () => told().length === 1 && smtp.sessions === 1,
    20_000,
    () => trial.log.join('\n'),
  );
  await done(trial, 1);
  process.kill(trial.pids[0] ?? 0, 'SIGKILL');
  await until(
    () => trial.log.some((line) => line.includes('the notifier has ended')),
    20_000,
    'it is noticed',
  );
  smtp.manners = {};
  trial.desk.configure(alerts, SETUP);
  await until(
    () => smtp.mails.length > 0,
    20_000,
    () => trial.log.join('\n'),
  );
  await until(() => readdirSync(trial.dir).length === 0, 20_000, 'nothing is left on disk');
  assert.deepEqual([trial.done, told().length, idOf(smtp)], [['web#1'], 1, ['web#1']]);
  assert.equal(trial.pids.length, 2);
});

test('a notifier that is killed leaves no program behind', async (t) => {
  const { program, dir } = programIn(t, 'cd "$(dirname "$0")"; echo $$ >pid; while :; do sleep 60; done');
  const trial = trialFor(t);
  const group = (): number => Number(readFileSync(path.join(dir, 'pid'), 'utf8'));
  trial.desk.configure([alertOf('ops', { program })], SETUP);
  trial.desk.tell(noticeOf(1));
  await until(
    () => existsSync(path.join(dir, 'pid')) && group() > 0,
    20_000,
    () => trial.log.join('\n'),
  );
  const left = group();
  t.after(() => killGroup(left, 'SIGKILL'));
  process.kill(trial.pids[0] ?? 0, 'SIGKILL');
  await until(() => !groupAlive(left), 5000, 'the program is gone');
});

test('cancelled in time: nobody is told', async (t) => {
  const smtp = await smtpServer(t);
  const trial = trialFor(t);
  trial.desk.configure([alertOf('ops', { ...mailTo(smtp), gatherMs: 200 })], SETUP);
  trial.desk.tell(noticeOf(1));
  trial.desk.cancel('web', 1);
  trial.desk.tell(noticeOf(1, { check: 'db' }));
  await done(trial, 1);
  assert.deepEqual([trial.done, idOf(smtp)], [['db#1'], ['db#1']]);
});

test('a test of an alert shows the conversation over each way, and no secret', async (t) => {
  const login = { user: 'hastmon', password: 's3cret' };
  const smtp = await smtpServer(t, { login });
  const { program, told } = programIn(t, 'echo paged');
  const trial = trialFor(t);
  const mail = mailOf(`127.0.0.1:${smtp.port}`, login);
  trial.desk.configure([alertOf('ops', { mail, program })], SETUP);
  const { ok, lines } = await trial.desk.test('ops');
  assert.ok(ok, lines.join('\n'));
  const shown = lines.join('\n');
  assert.match(shown, /^mail: to ops@example.com through 127.0.0.1:[0-9]+, none\n/);
  for (const line of [
    '  S: 220 mail.test ESMTP',
    '  C: AUTH PLAIN ***',
    '  S: 235 welcome',
    '  S: 250 taken',
    'mail: delivered',
  ])
    assert.ok(lines.includes(line), `${line} is not in\n${shown}`);
  for (const line of [`program: ${program}`, '  paged', '  exit status 0', 'program: delivered'])
    assert.ok(lines.includes(line), `${line} is not in\n${shown}`);
  assert.ok(!shown.includes('s3cret'));
  assert.match(smtp.mails[0]?.data ?? '', /^Subject: \[TEST\] alert ops\r$/m);
  assert.equal(told().length, 1);
  assert.deepEqual(trial.done, []);
  smtp.manners = { login, rcpt: { 'ops@example.com': '550 nobody' } };
  const second = await trial.desk.test('ops');
  assert.equal(second.ok, false);
  assert.ok(
    second.lines.some((line) => line.startsWith('mail: ops@example.com is refused: 550')),
    second.lines.join('\n'),
  );
  await assert.rejects(trial.desk.test('opps'), /there is no alert opps; there is ops/);
});

test('a notifier without work ends, and one that cannot work says why', async (t) => {
  const pids: number[] = [];
  const gone: number[] = [];
  const log: string[] = [];
  const note = (_: object, text: string): void => void log.push(text);
  const host = createNotifierHost({
    ...{ script, idleMs: 50, log: { debug: note, info: note, warn: note, error: note } },
    records: { record: (pid) => pids.push(pid), forget: (pid) => gone.push(pid) },
  });
  t.after(() => host.close());
  host.become(SETUP.users);
  const job = { way: 'program', program: '/bin/true', content: composeIds('ops', []) } as const;
  assert.equal((await host.run(job)).outcome.kind, 'delivered');
  await until(() => gone.length === 1, 20_000, 'it has ended');
  assert.deepEqual(gone, pids);
  if (process.getuid?.() !== 0) return;
  host.become(['no-such-user']);
  const { outcome } = await host.run(job);
  assert.ok(
    outcome.kind === 'later' && /none of these users exists: no-such-user/.test(outcome.why),
    JSON.stringify(outcome),
  );
});
