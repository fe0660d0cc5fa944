/**
 * What people read: one file in testdata for each message, as it would be mailed. REWRITE=1 writes them anew: read the difference
 * before it is committed.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { contentOf } from '../../daemon/alerts/content.js';
import type { Content } from '../../daemon/alerts/outbox-types.js';
import type { EdgeNotice } from '../../daemon/alerts/types.js';
import { excerptLines, printable, sayNature } from '../../daemon/alerts/words.js';
import { NATURES } from '../../daemon/checks/natures.js';
import { noticeOf, viewOf } from './support.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const folder = path.join(here.replace(`${path.sep}dist${path.sep}`, path.sep), 'testdata');
/** A Tuesday night. */
const WALL = Date.UTC(2026, 10, 24, 2, 4, 5);

function contentAt(...notices: EdgeNotice[]): Content {
  const told = notices.map((notice) => ({ notice, wall: WALL }));
  return contentOf('ops', told, { node: 'a', zone: 'Europe/Berlin' });
}

const up = viewOf({ sight: 'up', failing: false, nature: 'ok', latencyMs: 31.4 });

const MESSAGES: Readonly<Record<string, Content>> = {
  down: contentAt(
    noticeOf(1, {
      group: 'shop',
      answer: { text: 'connect: connection refused', excerpt: '' },
    }),
  ),
  'down-with-an-answer': contentAt(
    noticeOf(3, {
      check: 'shop',
      url: 'https://user:***@shop.example.com/',
      facts: {
        witnesses: ['a', 'b'].map((node) => ({
          node,
          view: viewOf({
            nature: 'http-status 503',
            address: '2001:db8::5',
            latencyMs: 38,
            goodAgoMs: 3_900_000,
          }),
        })),
        ...{ silent: [], sinceMs: 25_000, ackBy: 'eve' },
      },
      answer: {
        text: '',
        excerpt:
          'HTTP/1.1 503 Service Unavailable\r\nServer: nginx\r\nX-Odd: \x1b[31mred\x07\r\n\r\n' +
          Buffer.from('<h1>Wir sind gleich zurück</h1>\n').toString('latin1'),
      },
    }),
  ),
  'down-just-now': contentAt(
    noticeOf(1, {
      facts: {
        witnesses: [{ node: 'a', view: viewOf({ resultAgeMs: 3, goodAgoMs: null }) }],
        ...{ sinceMs: 20, agoMs: 0, silent: [] },
      },
    }),
  ),
  up: contentAt(noticeOf(2, { facts: { ackBy: 'eve' } })),
  'up-though-one-is-behind': contentAt(
    noticeOf(2, {
      facts: {
        witnesses: [
          { node: 'a', view: viewOf({ goodAgoMs: null }) },
          { node: 'b', view: up },
        ],
      },
    }),
  ),
  flapping: contentAt(noticeOf(7, { facts: { what: 'flapping' } })),
  calm: contentAt(noticeOf(10, { facts: { what: 'calm', lastedMs: 60_000 } })),
  many: contentAt(
    noticeOf(2, { check: 'dns' }),
    ...['web', 'db', 'mail', 'imap', 'ldap', 'git'].map((check) =>
      noticeOf(1, { check, url: `tcp://${check}.example.com:1` }),
    ),
    noticeOf(3, { check: 'wiki', facts: { what: 'flapping', witnesses: [{ node: 'c', view: up }] } }),
  ),
};

for (const [name, content] of Object.entries(MESSAGES))
  test(`the message ${name}`, () => {
    const file = path.join(folder, `${name}.txt`);
    const actual = `Subject: ${content.subject}\n\n${content.text}`;
    if (process.env.REWRITE === '1') writeFileSync(file, actual);
    assert.ok(existsSync(file), `${file} is missing; REWRITE=1 writes it`);
    assert.equal(actual, readFileSync(file, 'utf8'));
    for (const line of content.text.split('\n'))
      assert.ok(line.length < 78, `longer than 77 columns: ${line}`);
  });

test('subjects', () => {
  const checks = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  assert.equal(
    contentAt(...checks.map((check) => noticeOf(1, { check }))).subject,
    '[DOWN] 7 checks: a, b, c, d, e, …',
  );
  assert.equal(contentAt(noticeOf(1), noticeOf(2, { check: 'db' })).subject, '[DOWN 1, UP 1] web, db');
  assert.equal(contentAt(noticeOf(2)).subject, '[UP] web after 12 min');
  assert.ok(contentAt(noticeOf(1, { url: `http://x/${'y'.repeat(500)}` })).subject.length <= 120);
});

test('the worst comes first, and gives the message its id; a recovery refers to its outage', () => {
  const content = contentAt(noticeOf(4), noticeOf(1, { check: 'db' }));
  assert.equal(content.messageId, '<hastmon.db.1@example.com>');
  assert.deepEqual(content.references, ['<hastmon.web.3@example.com>']);
  assert.deepEqual(content.ids, ['db#1', 'web#4']);
  assert.equal(content.env.HASTMON_CHECK, 'db');
  assert.equal(content.env.HASTMON_EDGES, '2');
  assert.equal(content.env.HASTMON_WITNESSES, 'a b');
});

test('nothing that others wrote ends a header, moves a cursor or forges a line', () => {
  const evil = 'x\r\nBcc: all@example.com\u2028\u202e\x1b[2J';
  const given = { check: evil, url: evil, facts: { ackBy: evil }, answer: { text: evil, excerpt: evil } };
  const { subject, text, env, lines } = contentAt(noticeOf(1, given));
  for (const value of [subject, ...Object.values(env), ...lines.map((line) => line.text)])
    assert.match(value, /^[^\p{Cc}\p{Cf}\u2028\u2029]*$/u);
  assert.match(text.replaceAll('\n', ''), /^[^\p{Cc}\p{Cf}\u2028\u2029]*$/u);
});

test('what a server says is shown as far as it can be read', () => {
  assert.deepEqual(excerptLines('\x00\xff\xfegarbage\x1b]0;title\x07'), ['..garbage ]0;title']);
  assert.equal(excerptLines('a\n'.repeat(100)).length, 9);
  assert.deepEqual(excerptLines('\r\n\n'), []);
  assert.equal(excerptLines('x'.repeat(5000))[0]?.length, 72);
  assert.equal(printable('  a\tb\n '), 'a b');
});

test('there are words for every nature', () => {
  for (const nature of NATURES) assert.match(sayNature(nature), /^[a-z].* \(.*\)$/i, nature);
  assert.equal(sayNature('http-status 503'), 'a status that is not expected (http-status 503)');
  assert.equal(sayNature('of-tomorrow'), 'of-tomorrow');
});

test('thousands of edges make a message of bounded size', () => {
  const { text, json, lines, subject } = contentAt(
    ...Array.from({ length: 10_000 }, (_, index) => noticeOf(1, { check: `c${index}` })),
  );
  assert.equal(subject, '[DOWN] 10000 checks: c0, c1, c2, c3, c4, …');
  assert.ok(text.length < 100_000 && json.length < 1_000_000, `${text.length} ${json.length}`);
  assert.equal(lines.length, 101);
  assert.match(text, /… and 9500 more/);
  assert.equal(JSON.parse(json).count, 10_000);
});
