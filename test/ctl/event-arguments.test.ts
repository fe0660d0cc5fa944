/** The command line about events, and an event as a line for people. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readArguments } from '../../ctl/arguments.js';
import { eventsRequestOf } from '../../ctl/event-arguments.js';
import { formatEvent, timeOf } from '../../ctl/events.js';
import type { HaEvent } from '../../proto/event-types.js';
import { invocationOf } from './support.js';

const ALL = { kind: 'events', names: [], sinceMs: null, last: 50, follow: false };

describe('what is asked for', () => {
  const cases: [string[], object][] = [
    [['events'], ALL],
    [['events', 'db', 'web', 'db'], { ...ALL, names: ['db', 'web'] }],
    [['events', '--', '-x'], { ...ALL, names: ['-x'] }],
    [['events', '007'], { ...ALL, names: ['007'] }],
    [['events', '-f'], { ...ALL, follow: true }],
    [['events', '--follow', 'db', '--last', '0'], { ...ALL, names: ['db'], follow: true, last: 0 }],
    [['events', '--since', '30m'], { ...ALL, sinceMs: 1_800_000, last: null }],
    [['events', '--since', '500ms', '--last', '7'], { ...ALL, sinceMs: 500, last: 7 }],
    [['events', '--since=90'], { ...ALL, sinceMs: 90_000, last: null }],
  ];
  for (const [words, request] of cases)
    test(words.join(' '), async () => assert.deepEqual((await invocationOf(words)).request, request));
});

describe('since when', () => {
  // In this machine's time zone, as the words are.
  const now = new Date(2026, 10, 28, 15, 0, 0).getTime();
  const HOUR_MS = 3_600_000;
  const cases: [string, number][] = [
    ['14:30', HOUR_MS / 2],
    ['14:59:58', 2000],
    ['2026-11-28', 15 * HOUR_MS],
    ['2026-11-28 13:00', 2 * HOUR_MS],
    ['2026-11-28T13:00:00', 2 * HOUR_MS],
    [' 2h ', 2 * HOUR_MS],
  ];
  const of = (since: string): number | null | undefined =>
    eventsRequestOf(['events'], { since }, now)?.sinceMs;
  for (const [since, ms] of cases) test(since, () => assert.equal(of(since), ms));
  const wrong: [string, RegExp][] = [
    ['yesterday', /^--since: 'yesterday' is neither a length of time \(30m\) nor a time \(14:30, /],
    ['5d', /'5d' is neither/],
    ['', /'' is neither/],
    ['25:00', /there is no time '25:00'/],
    ['12:60', /there is no time '12:60'/],
    ['2026-02-30', /there is no time '2026-02-30'/],
    ['2026-13-01 00:00', /there is no time/],
    ['15:01', /'15:01' is still to come/],
    ['2027-01-01', /is still to come/],
  ];
  for (const [since, says] of wrong)
    test(`not '${since}'`, () => assert.throws(() => of(since), { name: 'Error', message: says }));
});

describe('what is refused', () => {
  const cases: [string[], RegExp][] = [
    [['events', '--last', '-1'], /--last/],
    [['events', '--last', '1.5'], /--last: '1.5' is not from 0 to 1000000/],
    [['events', '--last', '1000001'], /--last: '1000001'/],
    [['events', '--last', 'x'], /--last: 'x'/],
    [['events', '--last', '1', '--last', '2'], /--last is given twice/],
    [['events', '--since', '1m', '--since', '2m'], /--since is given twice/],
    [['events', ''], /a name is empty/],
    [['events', '--watch', '1'], /watch/],
  ];
  for (const [words, says] of cases)
    test(words.join(' '), async () => {
      const read = await readArguments(words);
      assert.equal(read.kind, 'refuse');
      assert.match(read.kind === 'refuse' ? read.message : '', says);
    });
});

const EVENT: HaEvent = {
  ...{ number: 7, node: 'a', at: new Date(2026, 0, 2, 3, 4, 5, 67).getTime(), boot: '01234567', bootMs: 1 },
  ...{
    kind: 'lease-acquired',
    resource: 'db',
    text: 'this node holds the lease, epoch 8',
    data: { epoch: 8 },
  },
};

describe('a line for people', () => {
  const WHEN = '2026-01-02 03:04:05.067';
  test('says when, about what, what and who', () => {
    assert.equal(timeOf(EVENT.at), WHEN);
    assert.equal(formatEvent(EVENT, false), `${WHEN}  db  this node holds the lease, epoch 8\n`);
    const given = { ...EVENT, by: 'alice (uid 1000)' };
    assert.match(formatEvent(given, false), /, epoch 8 \(alice, uid 1000\)\n$/);
    const { resource: _, ...about } = { ...EVENT, host: 's1', service: 'www' };
    assert.match(formatEvent(about, false), /67 {2}s1 www {2}this/);
    const { resource: __, ...nothing } = EVENT;
    assert.match(formatEvent(nothing, false), /67 {2}- {2}this/);
  });

  test('steers no terminal, and is one line, whatever a program said', () => {
    const hostile = { ...EVENT, resource: 'd\x1b[2Jb', by: 'e\x07ve', text: 'one\ntwo\x1b]0;x\x07' };
    const line = formatEvent(hostile, false);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
    assert.doesNotMatch(line.slice(0, -1), /[\u0000-\u001f\u007f]/);
  });

  test('is red for what is bad, and green for what is good', () => {
    const bad: Partial<HaEvent>[] = [
      ...[
        { kind: 'lease-lost' },
        { kind: 'outage' },
        { kind: 'sorry-in' },
        { kind: 'hook', data: { ok: false } },
      ],
      ...[
        { kind: 'command', data: { done: false } },
        { kind: 'run-changed', data: { to: 'failed' } },
      ],
      { kind: 'check-edge', data: { to: 'down' } },
    ];
    const good: Partial<HaEvent>[] = [{}, { kind: 'recovery' }, { kind: 'run-changed', data: { to: 'run' } }];
    const plain: Partial<HaEvent>[] = [{ kind: 'link-up' }, { kind: 'hook', data: { ok: true } }];
    for (const [events, colour] of [
      [bad, '\x1b[31m'],
      [good, '\x1b[32m'],
      [plain, ''],
    ] as const)
      for (const change of events) {
        const line = formatEvent({ ...EVENT, ...change }, true);
        const painted = colour === '' ? !line.includes('\x1b[3') : line.includes(colour);
        assert.ok(painted, JSON.stringify(change));
      }
  });
});
