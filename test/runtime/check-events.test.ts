/** What happens to checks, as events: on each node that takes part, once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResultView } from '../../daemon/checks/ipc.js';
import { observeLedger } from '../../daemon/confirm/observe.js';
import { recordChecks } from '../../daemon/runtime/check-events.js';
import type { NamedView } from '../../daemon/runtime/monitor-host.js';
import type { NewEvent } from '../../proto/event-types.js';
import { DOWN, LIMITS, ruleFor, Table, UP } from '../confirm/given.js';

function recorder() {
  const events: NewEvent[] = [];
  return { events, recorder: recordChecks((event) => void events.push(event)) };
}

/** What each node records of the check web while this happens. */
function story(table: Table, happen: () => void): Record<string, NewEvent[]> {
  // Ledgers are replaced where they change, in tables that stay.
  const before = Object.fromEntries(table.names.map((name) => [name, table.states[name]?.ledgers.web]));
  happen();
  return Object.fromEntries(
    table.names.map((name) => {
      const { events, recorder: mine } = recorder();
      const after = table.states[name]?.ledgers.web;
      const now = table.now + (table.clocks[name] ?? 0);
      if (after !== undefined)
        for (const seen of observeLedger(before[name], after, table.states[name]?.floor ?? 0, now))
          mine.confirmed('web', seen);
      return [name, events];
    }),
  );
}

const kinds = (events: readonly NewEvent[] = []): string => events.map(({ kind }) => kind).join(' ');

test('an outage, who was told of it, and its end', () => {
  const table = new Table(['a', 'b', 'c']);
  const alone = story(table, () => table.see('b', 'web', DOWN));
  assert.deepEqual(Object.values(alone).map(kinds), ['', '', '']);
  const down = story(table, () => {
    table.pass(3000);
    table.see('c', 'web', DOWN);
  });
  for (const name of table.names) {
    const [outage] = down[name] ?? [];
    assert.equal(outage?.kind, 'outage', name);
    assert.equal(outage?.check, 'web');
    assert.equal(outage?.data.edge, 1);
    assert.equal(outage?.data.downBy, 'b, c');
    assert.match(outage?.text ?? '', /^down: seen down by b \(refused\) and c \(refused\)/);
  }
  const told = story(table, () => table.pass(30_000));
  for (const name of table.names) {
    const all = [...(down[name] ?? []), ...(told[name] ?? [])];
    assert.equal(kinds(all), 'outage people-told', name);
    assert.deepEqual(all[1]?.data, { edge: 1, node: 'b' });
  }
  const over = story(table, () => {
    table.pass(60_000);
    for (const name of ['b', 'c']) table.see(name, 'web', UP);
    table.pass(10_000);
  });
  for (const name of table.names) {
    const [recovery] = over[name] ?? [];
    assert.equal(recovery?.kind, 'recovery', kinds(over[name]));
    assert.equal(recovery?.data.edge, 2);
    assert.ok(Number(recovery?.data.lastedMs) >= 90_000, `${recovery?.data.lastedMs}`);
  }
});

test('flapping is an edge of its own', () => {
  const limits = { ...LIMITS, flapEdges: 2 };
  const table = new Table(['a'], { limits, checks: { web: ruleFor(['a']) } });
  const seen = [DOWN, UP, DOWN].map((view) =>
    story(table, () => {
      table.see('a', 'web', view);
      table.pass(1000);
    }),
  );
  assert.ok(
    seen.some(({ a }) => a?.some(({ kind }) => kind === 'flapping')),
    seen.map(({ a }) => kinds(a)).join(', '),
  );
});

test('an edge as seen from here', () => {
  const { events, recorder: mine } = recorder();
  const last = { nature: 'http-status', detail: 503, latencyMs: 1.26 } as unknown as ResultView;
  mine.edge('down', { name: 'www' } as NamedView, last);
  mine.edge('up', { name: 'www' } as NamedView, { ...last, nature: 'ok', detail: 0 });
  assert.deepEqual(
    events.map(({ data }) => data),
    [
      { to: 'down', nature: 'http-status 503', latencyMs: 1.3 },
      { to: 'up', nature: 'ok', latencyMs: 1.3 },
    ],
  );
  assert.deepEqual(events[0]?.text, 'down, as seen from here: http-status 503');
});

test('what cannot be told is recorded once for each reason, and again after people were told', () => {
  const { events, recorder: mine } = recorder();
  for (const why of ['refused', 'refused', 'timeout', 'timeout']) mine.notTold('www', 3, why);
  assert.equal(kinds(events), 'alert-failed alert-failed');
  mine.confirmed('www', { kind: 'told', edge: 3, node: 'b' });
  mine.notTold('www', 4, 'timeout');
  assert.equal(kinds(events), 'alert-failed alert-failed people-told alert-failed');
  mine.delivery('info', 'ops', 'alert ops: told by mail: x');
  mine.delivery('warn', 'ops', 'alert ops: mail: refused');
  assert.equal(kinds(events.slice(-2)), 'alert-delivered alert-problem');
});
