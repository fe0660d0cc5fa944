/** What is printed about checks, line by line, at several widths. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatAlertTest, formatDetail, formatProbe } from '../../ctl/check-detail.js';
import { age, bytesShown, latency, shortAge, stateWords } from '../../ctl/check-words.js';
import { formatChecks } from '../../ctl/checks.js';
import type { CheckEntry } from '../../proto/monitor-types.js';
import { checkOf, detailOf, listOf, probeOf } from './check-support.js';

const EVERYTHING = { columns: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY, colour: false };

const SOME = listOf(
  checkOf({ name: 'smtp' }),
  checkOf({ name: 'slow', nature: 'timeout-receive', latencyMs: 2000 }),
  checkOf({ name: 'new', state: 'unknown', nature: '', sinceMs: null, lastMs: null, goodMs: null }),
  checkOf({ name: 'imap', state: 'down', nature: 'refused', seenBy: ['alpha'], sinceMs: 12_000 }),
  checkOf({
    ...{ name: 'www-behind-the-load-balancer', state: 'down', nature: 'http-status 503', outage: true },
    ...{ seenBy: ['alpha', 'beta'], sinceMs: 75_000, muteMs: 1000, ackBy: 'carol' },
  }),
);

describe('the table', () => {
  test('has the worst first, whole where there is no terminal', () => {
    assert.equal(
      formatChecks(SOME, EVERYTHING),
      [
        'NAME                          STATE                                 RESULT           LATENCY   SINCE  LAST  SEEN BY',
        'www-behind-the-load-balancer  down, confirmed, acknowledged, muted  http-status 503   1.2 ms    75 s   3 s  2/2: alpha beta',
        'imap                          down here only                        refused           1.2 ms    12 s   3 s  1/2: alpha',
        'new                           unknown                               -                      -       -     -  -',
        'slow                          up                                    timeout-receive      2 s  10 min   3 s  -',
        'smtp                          up                                    ok                1.2 ms  10 min   3 s  -',
        '2 up, 2 down, 1 unknown; latest 0.4 ms late',
        '',
      ].join('\n'),
    );
  });

  test('fits a terminal; what was cut ends in +', () => {
    assert.equal(
      formatChecks(SOME, { ...EVERYTHING, columns: 80 }),
      [
        'NAME           STATE            RESULT           LATENCY   SINCE  LAST  SEEN BY',
        'www-behind-t+  down, confirme+  http-status 503   1.2 ms    75 s   3 s  2/2: al+',
        'imap           down here only   refused           1.2 ms    12 s   3 s  1/2: al+',
        'new            unknown          -                      -       -     -  -',
        'slow           up               timeout-receive      2 s  10 min   3 s  -',
        'smtp           up               ok                1.2 ms  10 min   3 s  -',
        '2 up, 2 down, 1 unknown; latest 0.4 ms late',
        '',
      ].join('\n'),
    );
    for (let columns = 1; columns < 140; columns += 1)
      for (const line of formatChecks(SOME, { ...EVERYTHING, columns }).split('\n'))
        assert.ok(line.length <= columns, `${columns}: ${line}`);
  });

  test('is cut to the rows of a screen, from below', () => {
    const lines = formatChecks(SOME, { ...EVERYTHING, rows: 4 }).split('\n');
    assert.equal(lines.length, 5);
    assert.match(lines[2] ?? '', /^imap/);
    assert.match(lines[3] ?? '', /^3 more; 2 up/);
  });

  test('colours what is wrong, and nothing else', () => {
    const painted = formatChecks(SOME, { ...EVERYTHING, colour: true });
    assert.ok(painted.includes('\x1b[31;1mdown, confirmed, acknowledged, muted\x1b[0m'));
    assert.ok(painted.includes('\x1b[33mdown here only\x1b[0m'));
    assert.equal(painted.split('\x1b[').length, 7);
  });

  test('without checks that are meant is the last line alone', () => {
    const none = { ...SOME, entries: [], lateMs: null, skipped: 3 };
    assert.equal(formatChecks(none, EVERYTHING), '2 up, 2 down, 1 unknown, 3 skipped\n');
  });
});

describe('words', () => {
  const cases: [Partial<CheckEntry>, string][] = [
    [{}, 'up'],
    [{ state: 'down', confirm: 1 }, 'down'],
    [{ state: 'down', confirm: 2 }, 'down here only'],
    [{ outage: true }, 'up here, down for others'],
    [{ state: 'unknown', outage: true }, 'unknown here, down for others'],
    [{ state: 'down', outage: true, flapping: true }, 'down, confirmed, flapping'],
    [{ state: 'down', behind: ['router', 'dns'] }, 'down here only, behind router dns'],
    [{ muteMs: 5 }, 'up, muted'],
  ];
  for (const [entry, words] of cases) test(words, () => assert.equal(stateWords(checkOf(entry)), words));

  test('numbers', () => {
    assert.deepEqual([0, 0.04, 1.24, 99.94, 340.4, 2400].map(latency), [
      ...['0 ms', '0.04 ms', '1.2 ms', '99.9 ms', '340 ms', '2.4 s'],
    ]);
    assert.deepEqual([400, 59_400, 75_000, 7_500_000, 172_800_000, 187_200_000].map(age), [
      ...['0 s', '59 s', '1 min 15 s', '2 h 5 min', '2 d', '2 d 4 h'],
    ]);
    assert.deepEqual([400, 119_400, 120_000, 7_500_000, 187_200_000].map(shortAge), [
      ...['0 s', '119 s', '2 min', '2 h', '2 d'],
    ]);
    assert.equal(bytesShown('a"\\\r\n\t\x00\xff\x1b'), '"a\\"\\\\\\r\\n\\t\\x00\\xff\\x1b"');
  });
});

test('the detail of a check', () => {
  assert.equal(
    formatDetail(detailOf(), 80),
    [
      'www: down, confirmed, acknowledged',
      '  url: http://www.example.com/',
      '  group: shops',
      '  seen down by: 2 of 3; it takes 2 to confirm',
      '    alpha (this node): down for 1 min 15 s, http-status 503, 1.2 ms, at 10.0.0.1, 3 s ago, last good answer 2 min ago',
      '    beta: down for 1 min 15 s, refused, 0.1 ms, at 10.0.0.1, 3 s ago, no good answer is known',
      '    gamma: has no such check',
      '  outage: www#3, for 1 min 10 s',
      '  told: www#3, by beta',
      '  acknowledged by: carol',
      '  depends: router (up), dns (unknown)',
      '  alerts: ops pager',
      '  options:',
      '    interval 10s; retry_interval 2s; timeout 5s; rise 2; fall 3;',
      '    body "Welcome to all of you"',
      '  last answer: "HTTP/1.1 503 Sorry\\r\\n"',
      '  history:',
      '        LAST    FIRST  TIMES  RESULT           LATENCY  ANSWER',
      '     3 s ago  7 s ago      2  http-status 503   1.2 ms  "HTTP/1.1 503 Sorry\\r\\n"',
      '    60 s ago               1  ok                0.8 ms',
      '',
    ].join('\n'),
  );
  assert.match(
    formatDetail({ ...detailOf(), results: [] }, 80),
    /last answer: none\n {2}history:\n {4}none yet\n$/,
  );
});

test('where the time of one run went', () => {
  assert.equal(
    formatProbe(probeOf()),
    [
      'www: http://www.example.com/',
      '  address: 10.0.0.1',
      '                TOOK           AT',
      '  resolve     2.0 ms       2.0 ms',
      '  connect     1.0 ms       3.0 ms',
      '  first byte     2 s  not reached',
      '  total          2 s',
      '  result: timeout-receive',
      '  reason: no answer',
      '  answer: "HTTP/1.1"',
      '',
    ].join('\n'),
  );
});

test('the conversation of an alert', () => {
  const test = { alert: 'ops', ok: false, lines: ['mail: connecting', '550 no\x1b[2J such user', ''] };
  assert.equal(
    formatAlertTest(test),
    'ops:\n  mail: connecting\n  550 no [2J such user\n\nnot every way works\n',
  );
  assert.match(formatAlertTest({ ...test, ok: true }), /\nevery way works\n$/);
});
