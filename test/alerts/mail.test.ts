/** Mail to a real server that is down, slow, late, refuses, breaks off, encrypts, wants a login. */
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { contentOf } from '../../daemon/alerts/content.js';
import type { Answer } from '../../daemon/alerts/ipc.js';
import { sendMail } from '../../daemon/alerts/mail.js';
import type { Content } from '../../daemon/alerts/outbox-types.js';
import type { MailSpec } from '../../daemon/checks/spec.js';
import { makeCertificate } from './certificate.js';
import { type Manners, type SmtpServer, smtpServer } from './smtp-server.js';
import { mailOf, noticeOf } from './support.js';

const SETTING = { node: 'a', zone: 'UTC' };
const LIMITS = { handOverMs: 20_000, takeMs: 20_000 };
/** For servers that never end. */
const SHORT = { handOverMs: 1000, takeMs: 1000 };
const TWO = ['eve@example.com', 'bob@example.com'];

function contentAt(wall = Date.now(), edge = 1): Content {
  const answer = { text: '', excerpt: Buffer.from('Grüße\n.\n').toString('latin1') };
  return contentOf('ops', [{ notice: noticeOf(edge, { answer }), wall }], SETTING);
}

function send(
  smtp: SmtpServer,
  change: Partial<MailSpec> = {},
  content = contentAt(),
  limits = LIMITS,
): Promise<Answer> {
  const mail = mailOf(`127.0.0.1:${smtp.port}`, change);
  return sendMail({ way: 'mail', mail, recipients: mail.to, node: 'a', content }, limits);
}

test('the message, with the headers that mail readers go by', async (t) => {
  const smtp = await smtpServer(t);
  const { outcome, lines } = await send(smtp, { to: TWO }, contentAt(Date.now(), 2));
  assert.deepEqual(outcome, { kind: 'delivered', left: [], note: '' });
  const [mail] = smtp.mails;
  assert.deepEqual([mail?.from, mail?.to], ['hastmon@a.example.com', TWO]);
  const data = mail?.data ?? '';
  const [head = '', body = ''] = data.split(/\r\n\r\n(.*)/s);
  const header = (name: string): string =>
    new RegExp(`^${name}: (.*(?:\r\n[ \t].*)*)`, 'im').exec(head)?.[1]?.replaceAll(/\r\n\s*/g, ' ') ?? '';
  assert.equal(header('Subject'), '[UP] web after 12 min');
  assert.equal(header('Message-ID'), '<hastmon.web.2@example.com>');
  assert.equal(header('In-Reply-To'), '<hastmon.web.1@example.com>');
  assert.equal(header('References'), '<hastmon.web.1@example.com>');
  assert.equal(header('From'), 'hastmon@a.example.com');
  assert.equal(header('To'), 'eve@example.com, bob@example.com');
  assert.equal(header('Auto-Submitted'), 'auto-generated');
  assert.equal(header('X-Hastmon-Edge'), 'web#2');
  assert.match(header('Content-Type'), /^text\/plain; charset=utf-8/);
  assert.ok(Math.abs(Date.parse(header('Date')) - Date.now()) < 60_000);
  assert.match(body, /Gr=C3=BC=C3=9Fe/);
  for (const line of data.split('\r\n')) assert.ok(line.length <= 78, line);
  assert.ok(!data.replaceAll('\r\n', '').includes('\n'));
  assert.ok(
    lines.includes('C: MAIL FROM:<hastmon@a.example.com>') && lines.includes('S: 250 taken'),
    lines.join('\n'),
  );
});

test('what is told late says so', async (t) => {
  const smtp = await smtpServer(t);
  await send(smtp, {}, contentAt(Date.now() - 3_600_000));
  assert.match(smtp.mails[0]?.data ?? '', /\r\n\r\nLate: this was written at /);
});

test('one recipient is refused: the others get it, and it is said who does not', async (t) => {
  const smtp = await smtpServer(t, { rcpt: { 'bob@example.com': '550 nobody' } });
  const { outcome } = await send(smtp, { to: TWO });
  const note = 'bob@example.com is refused: 550 nobody';
  assert.deepEqual(outcome, { kind: 'delivered', left: [], note });
  assert.deepEqual(smtp.mails[0]?.to, ['eve@example.com']);
  smtp.manners = { rcpt: { 'bob@example.com': '450 later' } };
  const second = await send(smtp, { to: TWO });
  assert.equal(second.outcome.kind === 'delivered' && second.outcome.left.join(), 'bob@example.com');
  smtp.manners = { rcpt: { 'bob@example.com': '450 later', 'eve@example.com': '550 nobody' } };
  const third = await send(smtp, { to: TWO });
  assert.equal(third.outcome.kind === 'later' && third.outcome.left?.join(), 'bob@example.com');
  assert.equal(smtp.mails.length, 2);
});

/** What a server does, and what becomes of the attempt. */
const CASES: readonly (readonly [name: string, manners: Manners, kind: string, why: RegExp])[] = [
  ['never greets', { silent: true }, 'unavailable', /^the server is too slow|Greeting/],
  ['greets late', { greetingMs: 300 }, 'delivered', /^$/],
  ['is slow', { replyMs: 30 }, 'delivered', /^$/],
  ['is too slow', { replyMs: 400 }, 'unavailable', /too slow/],
  ['greets with a refusal', { greeting: '554 go away' }, 'unavailable', /554 go away/],
  ['is closing down', { mail: '421 closing' }, 'unavailable', /421 closing/],
  ['refuses the sender', { mail: '553 who are you' }, 'unavailable', /MAIL FROM: 553 who are you/],
  [
    'refuses everybody',
    { rcpt: { 'ops@example.com': '550 nobody' } },
    'final',
    /ops@example.com is refused: 550/,
  ],
  ['takes nobody now', { rcpt: { 'ops@example.com': '451 greylisted' } }, 'later', /451 greylisted/],
  ['takes no data now', { data: '452 full' }, 'later', /452 full/],
  ['refuses the message', { end: '554 spam' }, 'final', /DATA: 554 spam/],
  ['cannot store it', { end: '452 full' }, 'later', /452 full/],
  ['breaks off in the message', { closeInData: 200 }, 'unavailable', /clos|reset|EPIPE/i],
  ['takes it, and breaks off', { end: '' }, 'unavailable', /clos/],
  ['takes it, after a while', { endMs: 600 }, 'delivered', /^$/],
  ['takes it, and never says so', { endMs: 60_000 }, 'unavailable', /no word from the server on the message/],
];

for (const [name, manners, kind, expected] of CASES)
  test(`a server that ${name}`, async (t) => {
    const smtp = await smtpServer(t, manners);
    const limits = /too slow|in time|no word/.test(expected.source) ? SHORT : LIMITS;
    const { outcome, lines } = await send(smtp, {}, contentAt(), limits);
    const why = outcome.kind === 'delivered' ? outcome.note : outcome.why;
    assert.equal(outcome.kind, kind, `${why}\n${lines.join('\n')}`);
    assert.match(why, expected);
  });

test('a server that is down, and one that does not exist', async (t) => {
  const smtp = await smtpServer(t);
  await smtp.down();
  const { outcome } = await send(smtp);
  assert.ok(outcome.kind === 'unavailable' && /ECONNREFUSED/.test(outcome.why), JSON.stringify(outcome));
  const nowhere = await send(smtp, { server: 'mail.invalid:25' });
  assert.ok(nowhere.outcome.kind === 'unavailable', JSON.stringify(nowhere.outcome));
});

test('starttls: required, with a certificate of its own making on loopback, and a login that is not shown', async (t) => {
  const login = { user: 'hastmon', password: 's3cret' };
  const smtp = await smtpServer(t, { tls: makeCertificate('mail.test'), login });
  const { outcome, lines } = await send(smtp, { tls: 'starttls', ...login });
  assert.equal(outcome.kind, 'delivered', lines.join('\n'));
  assert.deepEqual([smtp.mails[0]?.encrypted, smtp.mails[0]?.user], [true, 'hastmon']);
  const shown = lines.join('\n');
  assert.match(shown, /C: AUTH PLAIN \*\*\*/);
  for (const secret of ['s3cret', Buffer.from('\0hastmon\0s3cret').toString('base64')])
    assert.ok(!shown.includes(secret));
  const wrong = await send(smtp, { tls: 'starttls', user: 'hastmon', password: 'wrong' });
  assert.ok(
    wrong.outcome.kind === 'unavailable' && /535 who/.test(wrong.outcome.why),
    JSON.stringify(wrong.outcome),
  );
  smtp.manners = { login, methods: 'LOGIN' };
  const asked = await send(smtp, login);
  assert.deepEqual([asked.outcome.kind, smtp.mails.pop()?.user], ['delivered', 'hastmon']);
  for (const secret of ['hastmon', 's3cret'])
    assert.ok(!asked.lines.join().includes(Buffer.from(secret).toString('base64')), asked.lines.join('\n'));
  smtp.manners = { login };
  const plain = await send(smtp, { tls: 'starttls', ...login });
  assert.equal(plain.outcome.kind, 'unavailable', 'nothing goes unencrypted');
  smtp.manners = {};
  const without = await send(smtp, login);
  assert.ok(without.outcome.kind === 'unavailable' && /no login/.test(without.outcome.why));
  assert.equal(smtp.mails.length, 1);
});

test('encrypted from the start', async (t) => {
  const smtp = await smtpServer(t, { tls: makeCertificate('mail.test'), tlsFirst: true });
  const { outcome, lines } = await send(smtp, { tls: 'tls' });
  assert.equal(outcome.kind, 'delivered', lines.join('\n'));
  assert.equal(smtp.mails[0]?.encrypted, true);
  smtp.manners = {};
  const plain = await send(smtp, { tls: 'tls' });
  assert.ok(
    plain.outcome.kind === 'unavailable' && /TLS/.test(plain.outcome.why),
    JSON.stringify(plain.outcome),
  );
});

test('from elsewhere, only a certificate that proves who it is', async (t) => {
  const address = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
  if (address === undefined) return t.skip('this machine has no address but loopback');
  const smtp = await smtpServer(t, { tls: makeCertificate(address) }, address);
  const { outcome } = await send(smtp, { tls: 'starttls', server: `${address}:${smtp.port}` });
  assert.ok(outcome.kind === 'unavailable' && /self.signed/.test(outcome.why), JSON.stringify(outcome));
  assert.equal(smtp.mails.length, 0);
});
