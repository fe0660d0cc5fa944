/** Lists that stay short, however much there is: checks and events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CheckChoice,
  checkListOf,
  checkViewOf,
  forgottenRow,
  isComplete,
  ROWS,
  seriesOf,
} from '../../../daemon/http/page/model/checks.js';
import { EVENTS_KEPT, eventRowsOf, joined } from '../../../daemon/http/page/model/events.js';
import { age, duration, figure, latency, list } from '../../../daemon/http/page/model/words.js';
import type { HaEvent } from '../../../proto/event-types.js';
import type { CheckDetail, CheckEntry, CheckResult } from '../../../proto/monitor-types.js';
import { check } from './support.js';

const all: CheckChoice = { onlyDown: false, filter: '', offset: 0 };
const picture = (entries: CheckEntry[], more = 0) => ({
  ...{ entries, more, up: entries.length, down: 0, unknown: 0, lateMs: 0, skipped: 0, note: '' },
});

test('the worst checks come first, and so many rows at a time', () => {
  const entries = [
    check('well'),
    check('slow', { nature: 'timeout' }),
    check('new', { state: 'unknown' }),
    check('here', { state: 'down', nature: 'refused', seenBy: ['nodeB'] }),
    check('out', { state: 'down', outage: true, nature: 'refused', seenBy: ['nodeA', 'nodeB'] }),
    ...Array.from({ length: 9995 }, (_, index) => check(`c${index}`)),
  ];
  const { later, range, rows } = checkListOf(picture(entries), all, 0);
  assert.equal(rows.length, ROWS);
  assert.deepEqual(
    rows.slice(0, 5).map(({ name, seenBy, tone, word }) => [name, tone, word, seenBy]),
    [
      ['out', 'bad', 'down', 'nodeA and nodeB'],
      ['here', 'warn', 'down here only', 'nodeB, 2 are needed'],
      ['new', 'unknown', 'unknown', ''],
      ['slow', 'warn', 'up', ''],
      ['well', 'good', 'up', ''],
    ],
  );
  assert.deepEqual([range, later], ['1 to 20 of 10,000', true]);
  const last = checkListOf(picture(entries), { ...all, offset: 9980 }, 0);
  assert.deepEqual([last.range, last.earlier, last.later], ['9,981 to 10,000 of 10,000', true, false]);
});

test('a filter is a part of the name or a pattern, and only what is down may be wanted', () => {
  const entries = [check('web-1'), check('web-2', { state: 'down' }), check('db.web'), check('dbxnet')];
  const names = (choice: Partial<CheckChoice>): string[] =>
    checkListOf(picture(entries), { ...all, ...choice }, 0).rows.map(({ name }) => name);
  assert.deepEqual(names({ filter: 'web' }), ['web-2', 'web-1', 'db.web']);
  assert.deepEqual(names({ filter: 'web-*' }), ['web-2', 'web-1']);
  assert.deepEqual(names({ filter: 'db?web' }), ['db.web']);
  assert.deepEqual(names({ filter: 'd*.w*b' }), ['db.web']);
  assert.deepEqual(names({ filter: 'db.*' }), ['db.web']);
  assert.deepEqual(names({ filter: '[' }), []);
  assert.deepEqual(names({ onlyDown: true }), ['web-2']);
});

test('of very many checks some are not in the picture, and it says so', () => {
  const { note } = checkListOf(picture([check('a')], 9500), all, 0);
  assert.equal(note, '9,500 more are found by their name');
  assert.deepEqual([isComplete(picture([], 1)), isComplete(picture([], 0))], [false, true]);
});

test('a row that is forgotten keeps its name and nothing that can change', () => {
  const [row] = checkListOf(
    picture([check('a', { state: 'down', outage: true, seenBy: ['nodeA'], ackBy: 'x' })]),
    all,
    0,
  ).rows;
  assert.ok(row !== undefined);
  const { group, name, url, ...rest } = forgottenRow(row);
  assert.deepEqual(rest, {
    tone: 'unknown',
    word: 'unknown',
    nature: '',
    latency: '',
    since: '',
    seenBy: '',
    notes: [],
  });
});

test('a node that sees it up, and whose last result failed, is not shown as one where all is well', () => {
  const entry = check('a');
  const seen = { self: false, address: '', latencyMs: 1, sinceMs: 9000, lastMs: 10, goodMs: 500, note: '' };
  const detail: CheckDetail = {
    ...{
      entry,
      edge: '',
      outageMs: null,
      told: '',
      toldBy: '',
      depends: [],
      alerts: [],
      options: [],
      results: [],
    },
    views: [
      { ...seen, node: 'nodeA', state: 'up', nature: 'ok' },
      { ...seen, node: 'nodeB', state: 'up', nature: 'http-status 503' },
      { ...seen, node: 'nodeC', state: 'down', nature: 'http-status 503' },
    ],
  };
  assert.deepEqual(
    checkViewOf(detail).views.map(({ tone, word }) => `${tone}: ${word}`),
    ['good: up', 'warn: up, failing', 'bad: down'],
  );
});

test('results become a line that breaks where one failed, and the same in words', () => {
  const result = (ageMs: number, ok: boolean, latencyMs: number): CheckResult => ({
    ...{ ageMs, ok, latencyMs, nature: ok ? 'ok' : 'refused', text: '', excerpt: '' },
  });
  const series = seriesOf([result(1000, true, 3), result(2000, false, 9), result(3000, true, 5)]);
  assert.deepEqual(
    [series.at, series.latencyMs],
    [
      [-3, -2, -1],
      [5, null, 3],
    ],
  );
  assert.equal(series.text, 'last 3 results: 3.0 ms to 5.0 ms, 1 failed');
  assert.equal(seriesOf([result(0, false, 1)]).text, 'last 1 result: all failed');
  assert.equal(seriesOf([]).text, 'no results yet');
  assert.equal(seriesOf(Array.from({ length: 500 }, () => result(0, true, 1))).at.length, 60);
});

test('events are kept once, the newest first, and so many', () => {
  const event = (number: number, at = number): HaEvent => ({
    ...{
      number,
      node: 'nodeB',
      at,
      boot: 'b',
      bootMs: 0,
      kind: 'outage',
      text: `event ${number}`,
      check: 'web',
      data: {},
    },
  });
  const many = Array.from({ length: 300 }, (_, index) => event(index + 1));
  const known = joined(joined([], many), [event(301, 0), event(300)]);
  assert.deepEqual([known.length, known[0]?.number, known.at(-1)?.number], [EVENTS_KEPT, 301, 102]);
  const [row] = eventRowsOf(known.slice(0, 1), 0);
  assert.deepEqual([row?.tone, row?.subject, row?.text], ['bad', 'web', 'event 301']);
});

test('times and numbers are short', () => {
  const words = [0, 999, 1000, 2449, 59_949, 60_000, 75_000, 3_600_000, 7_500_000, 172_800_000];
  assert.deepEqual(words.map(duration), [
    ...['0 ms', '999 ms', '1 s', '2.4 s', '59.9 s', '1 min', '1 min 15 s', '1 h', '2 h 5 min', '2 d'],
  ]);
  assert.deepEqual(
    [age(400), age(2600), latency(0.042), latency(1.23), latency(340.4)],
    ['0 s', '3 s', '0.04 ms', '1.2 ms', '340 ms'],
  );
  assert.deepEqual([figure(999), figure(1_234_567)], ['999', '1,234,567']);
  assert.deepEqual(list(['a', 'b', 'c', 'd', 'e']), 'a, b, c and 2 more');
});
