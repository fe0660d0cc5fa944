/** What the page says first, and what a screen reader is told of by itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClock } from '../../../daemon/http/page/feed/clock.js';
import { alarmsOf, headlineOf, type Said, spokenOf } from '../../../daemon/http/page/model/alarms.js';
import { clusterOf } from '../../../daemon/http/page/model/cluster.js';
import { freshness, OLD_AFTER_MS } from '../../../daemon/http/page/model/freshness.js';
import type { ClusterView } from '../../../proto/cluster-types.js';
import { OWN_WORD } from '../../balancer/console/views.js';
import { entry, primary, view } from './support.js';

const nothing = { checks: null, balancer: null };
const fresh = { kind: 'fresh', ageMs: 0 } as const;

const saidOf = (given: ClusterView, counts: Parameters<typeof alarmsOf>[1] = nothing): Said => {
  const cluster = clusterOf(given, 0);
  return { cluster, alarms: alarmsOf(cluster, counts), old: false };
};
const moved = (): ClusterView =>
  view({
    nodeA: null,
    nodeB: [primary('nodeB')],
    nodeC: [entry('nodeC', { role: 'watchdog', holder: 'nodeB' })],
  });

test('data is old when nothing came for its time, and never before', () => {
  assert.deepEqual(freshness(null, 0, OLD_AFTER_MS, ''), { kind: 'waiting' });
  assert.deepEqual(freshness(1000, 0, 1000 + OLD_AFTER_MS, ''), { kind: 'fresh', ageMs: OLD_AFTER_MS });
  const old = freshness(1000, 0, 1001 + OLD_AFTER_MS, 'no connection to the daemon');
  assert.equal(
    old.kind === 'old' ? old.text : '',
    'The last word is 5 s old (no connection to the daemon). What is so now is not known.',
  );
  assert.equal(freshness(null, 0, OLD_AFTER_MS + 1, '').kind, 'old');
});

test('the clock counts what the machine slept, and does not go back with the wall clock', () => {
  let [steady, wall] = [100, 5000];
  const now = createClock(
    () => steady,
    () => wall,
  );
  assert.equal(now(), 100);
  [steady, wall] = [200, 5100];
  assert.equal(now(), 200);
  [steady, wall] = [300, 65_200];
  assert.equal(now(), 60_300);
  [steady, wall] = [400, 1000];
  assert.equal(now(), 60_400);
});

test('the headline: well, alarms, unknown when it is old', () => {
  const { alarms, cluster } = saidOf(view());
  assert.deepEqual(alarms, []);
  assert.deepEqual(headlineOf(cluster, fresh, alarms, nothing), {
    tone: 'good',
    text: 'All is well: 3 nodes, 1 of 1 resource running',
  });
  const old = freshness(0, 0, 60_000, '');
  assert.deepEqual(headlineOf(cluster, old, alarms, nothing), { tone: 'unknown', text: 'Unknown' });
  assert.equal(headlineOf(null, { kind: 'waiting' }, [], nothing).tone, 'unknown');
  assert.equal(headlineOf(cluster, fresh, saidOf(view({ nodeC: null })).alarms, nothing).tone, 'warn');
});

test('two primaries come first, then outages, then what is unknown', () => {
  const twice = view({ nodeB: [primary('nodeB')], nodeC: null });
  twice.double = [{ resource: 'web', nodes: ['nodeA', 'nodeB'] }];
  const counts = {
    checks: { up: 3, down: 1, unknown: 0, outages: 1 },
    balancer: { services: 2, servicesDown: 1, servers: 4, serversDown: 4, source: OWN_WORD },
  };
  assert.deepEqual(
    saidOf(twice, counts).alarms.map(({ text, tone }) => `${tone}: ${text}`),
    [
      'bad: web RUNS ON TWO NODES: nodeA and nodeB',
      'bad: 1 confirmed outage of checks',
      'bad: 1 virtual service without enough servers',
      'warn: nodeC is unknown: last heard 0 s ago: no answer',
    ],
  );
});

test('a move is told politely, an alarm at once, and neither of them twice', () => {
  const [before, after] = [saidOf(view()), saidOf(moved())];
  const first = spokenOf(before, after);
  assert.equal(first.alarm, '');
  assert.match(first.news, /^web runs on nodeB now\. nodeA is unknown: /);
  assert.deepEqual(spokenOf(after, after), { alarm: '', news: '' });
  const outage = saidOf(moved(), { ...nothing, checks: { up: 0, down: 1, unknown: 0, outages: 1 } });
  assert.deepEqual(spokenOf(after, outage), { alarm: '1 confirmed outage of checks.', news: '' });
  assert.deepEqual(spokenOf(outage, after), { alarm: '', news: 'Over: 1 confirmed outage of checks.' });
});

test('outages are named, so many of them', () => {
  const told = (outages: number, down: readonly string[]): string | undefined =>
    alarmsOf(
      clusterOf(view(), 0),
      { ...nothing, checks: { up: 0, down: outages, unknown: 0, outages } },
      down,
    )
      .map(({ text }) => text)
      .find((text) => text.includes('outage'));
  assert.equal(told(1, ['billing']), '1 confirmed outage of checks: billing');
  assert.equal(told(2, ['a', 'b']), '2 confirmed outages of checks: a and b');
  assert.equal(told(9, ['a', 'b', 'c', 'd']), '9 confirmed outages of checks: a, b, c and 6 more');
  assert.equal(told(2, []), '2 confirmed outages of checks');
});

test('an outage that becomes two, or an alarm whose words change, is not told again', () => {
  const down = (outages: number): Said =>
    saidOf(view(), { ...nothing, checks: { up: 0, down: outages, unknown: 0, outages } });
  assert.deepEqual(spokenOf(down(1), down(2)), { alarm: '', news: '' });
});

test('old data is told once; when it is fresh again, everything is news', () => {
  const good = saidOf(view());
  const old: Said = { ...good, alarms: [], old: true };
  assert.match(spokenOf(good, old).alarm, /old/);
  assert.deepEqual(spokenOf(old, old), { alarm: '', news: '' });
  assert.match(spokenOf(old, saidOf(moved())).news, /^The data is fresh again\. web runs on nodeB now\./);
});
