/** What `hastmonctl timeline` prints. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeOf } from '../../ctl/events.js';
import { formatTimeline } from '../../ctl/timeline.js';
import type { Failover } from '../../proto/timeline-types.js';
import { AT, FAILOVER, TIMELINE } from './cluster-support.js';
import { fakeDaemon, hastmonctl } from './support.js';

const plain = { columns: Number.POSITIVE_INFINITY, colour: false };

test('a line, and a phase in each of the next, with a bar where it lies in the whole', () => {
  assert.deepEqual(formatTimeline(TIMELINE, false, plain).split('\n'), [
    `${timeOf(AT)} mail: alpha was not heard any more; it ran on beta after 4.0 s, epoch 8`,
    '  PHASE       TOOK                            RULED BY              NODE  UNTIL',
    '  unnoticed    1 s  ######                    lease_timeout: 1 s    beta  not heard for 1.0 s',
    '  lease      10 ms        #                   -                     beta  held',
    '  start        3 s        ##################  start_timeout: 1 min  beta  it ran',
    'alpha could not be asked (not connected): what it alone has seen is missing',
    '',
  ]);
});

test('with the events behind it; nothing of them reaches the terminal but letters', () => {
  assert.deepEqual(
    formatTimeline({ ...TIMELINE, missing: [] }, true, plain)
      .split('\n')
      .slice(5),
    ['  +1000 ms  beta     alpha has not been heard', '     -3 ms  gamma-9  granted [2J', ''],
  );
});

test('several, of which the last has no end; narrow, and in colour', () => {
  const open: Failover = {
    ...FAILOVER,
    to: '',
    epoch: 0,
    tookMs: null,
    text: 'it runs nowhere since',
    phases: [],
  };
  const text = formatTimeline({ ...TIMELINE, failovers: [FAILOVER, open] }, true, {
    columns: 60,
    colour: false,
  });
  for (const line of text.split('\n')) assert.ok(line.length <= 60, line);
  assert.equal(text.split('\n').filter((line) => line === '').length, 2);
  const coloured = formatTimeline(TIMELINE, false, { ...plain, colour: true });
  assert.ok(coloured.startsWith('\x1b[1m'), coloured);
  assert.ok(coloured.includes('\x1b[33m######'), coloured);
});

test('what the program asks, prints and ends with', async (t) => {
  const asked: unknown[] = [];
  let answer = TIMELINE;
  const config = await fakeDaemon(t, async (request) => {
    asked.push(request);
    return { cluster: { kind: 'timeline', ...answer } };
  });
  const words = ['timeline', 'mail', '-c', config, '-n', 'alpha'];
  const shown = await hastmonctl([...words, '-v', '--last', '2']);
  assert.deepEqual([shown.code, shown.err, shown.out], [0, '', formatTimeline(TIMELINE, true, plain)]);
  assert.deepEqual(asked, [{ kind: 'timeline', resource: 'mail', last: 2 }]);
  assert.deepEqual(JSON.parse((await hastmonctl([...words, '--json'])).out), TIMELINE);
  answer = { ...TIMELINE, failovers: [] };
  const none = await hastmonctl(words);
  assert.deepEqual([none.code, none.err], [0, 'hastmonctl: no failover of mail is known\n']);
});
