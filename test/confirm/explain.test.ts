/** What is explained of a check, against what several nodes have told each other. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CheckTopic, explainCheck } from '../../daemon/confirm/explain.js';
import type { View } from '../../daemon/confirm/types.js';
import { together } from '../../daemon/core/conditions.js';
import type { Explanation } from '../../proto/explain-types.js';
import { createPrng } from '../sim/prng.js';
import { DOWN, LIMITS, ruleFor, Table, UP } from './given.js';

const NODES = ['a', 'b', 'c'];

/** As this node tells it; its engine says what it was last made to see. */
function ask(table: Table, node: string, own: View | null = null, check = 'web'): Explanation<CheckTopic> {
  const state = table.states[node] ?? null;
  const rule = table.config.checks[check] ?? ruleFor(NODES);
  const seen = table.truth[`${node} ${check}`] ?? null;
  return explainCheck({ check, node, rule, rise: 1, fall: 2, own: own ?? seen, state, now: table.now });
}

const said = (explanation: Explanation<CheckTopic>, name: string) =>
  explanation.conditions.filter((condition) => condition.name === name);

test('up: who was not asked is not known, and nobody has to be', () => {
  const table = new Table(NODES);
  const explained = ask(table, 'a', { ...UP, forMs: 90_000, resultAgeMs: 2000 });
  assert.equal(explained.sentence, 'up for 90 s, last looked at 2 s ago');
  assert.deepEqual(explained.verdicts, { here: true, confirmed: false, told: null });
  assert.deepEqual(
    said(explained, 'sees-down').map(({ change, holds, value }) => [holds, value, change]),
    [
      [false, 'up for 90 s', ''],
      [null, 'not asked: it is not down', ''],
      [null, 'not asked: it is not down', ''],
    ],
  );
  const failing = ask(table, 'a', { ...UP, failing: true, nature: 'refused', resultAgeMs: 1000 });
  assert.equal(
    failing.sentence,
    'up, but the last answer was bad (refused, 1 s ago); 2 in a row make it down',
  );
  assert.equal(said(failing, 'answers')[0]?.holds, false);
});

test('down here, not confirmed: who sees it up, how long ago, and how many are needed', () => {
  const table = new Table(NODES);
  table.see('a', 'web', DOWN);
  table.pass(2000);
  const alone = ask(table, 'a');
  assert.equal(
    alone.sentence,
    'down here, not confirmed: b sees it up, 2 s ago; c sees it up, 2 s ago (2 have to see it down)',
  );
  assert.deepEqual(alone.verdicts, { here: false, confirmed: false, told: null });
  const rows = said(alone, 'sees-down').map(({ ageMs, change, enough, holds, source }) => [
    source,
    holds,
    ageMs,
    enough,
    change,
  ]);
  assert.deepEqual(rows, [
    ['a', true, 0, 2, ''],
    ['b', false, 2000, 2, 'it would have to be down for b too'],
    ['c', false, 2000, 2, 'it would have to be down for c too'],
  ]);
  table.cut('a', 'b');
  table.cut('a', 'c');
  table.pass(20_000);
  assert.match(
    ask(table, 'a').sentence,
    /^down here, not confirmed: b: unknown since 22 s: not connected; c: unknown since 22 s: not connected/,
  );
  assert.match(said(ask(table, 'a'), 'sees-down')[1]?.change ?? '', /^b has to run, and the network/);
  assert.equal(said(ask(table, 'a'), 'sees-down')[1]?.value, 'unknown since 22 s: not connected');
  const single = new Table(['a'], { checks: { web: ruleFor(['a']) } });
  assert.match(ask(single, 'a', UP).sentence, /^up for /);
});

test('seen down by enough, and not surely at the same moment', () => {
  const table = new Table(NODES, { checks: { web: ruleFor(NODES, { confirm: 3 }) } });
  table.see('a', 'web', { ...DOWN, forMs: 60_000 });
  const { now } = table;
  const state = structuredClone(table.states.a);
  const heard = (agoMs: number, forMs: number) => ({
    ...{ askedAt: now - agoMs - 10, heardAt: now - agoMs, view: { ...DOWN, forMs }, downAt: now - agoMs },
  });
  // b said so before c began to see it.
  if (state?.troubles.web) state.troubles.web.heard = { b: heard(5000, 3000), c: heard(100, 50) };
  table.states.a = state;
  const explained = ask(table, 'a');
  assert.equal(explained.sentence, 'down here, not confirmed: not surely seen by all at the same moment yet');
  const { change, holds, value } = said(explained, 'at-once')[0] ?? {};
  assert.deepEqual([holds, value, change], [false, '2: a and b', '1 more would have to see it down']);
  assert.ok(said(explained, 'sees-down').every((each) => each.holds === true && each.enough === 3));
});

test('confirmed: by whom, since when, and who told it; and it lasts until somebody sees it up', () => {
  const table = new Table(NODES);
  for (const node of ['a', 'b']) table.see(node, 'web', DOWN);
  table.pass(6000);
  const outage = ask(table, 'a');
  assert.equal(
    outage.sentence,
    'down for 6 s, confirmed: a and b see it down (refused); people were told by a',
  );
  assert.deepEqual(outage.verdicts, { here: false, confirmed: true, told: true });
  assert.deepEqual(
    [said(outage, 'said')[0]?.value, said(outage, 'said')[0]?.source, said(outage, 'lasts')[0]?.holds],
    ['by a', 'a', true],
  );
  assert.match(ask(table, 'c', UP).sentence, /^up here, but confirmed down for 6 s: a and b see it down/);
  table.input('a', { kind: 'ack', check: 'web', by: 'alice' });
  table.input('a', { kind: 'mute', check: 'web', forMs: 600_000 });
  const muted = ask(table, 'a');
  assert.match(muted.sentence, /; acknowledged by alice; muted for another 10 min$/);
  const { change, holds, value } = said(muted, 'mute')[0] ?? {};
  assert.deepEqual([holds, value, change], [false, 'muted for another 10 min', 'hastmonctl unmute web']);
  assert.equal(said(muted, 'said')[0]?.value, 'by a; acknowledged by alice');
});

test('nodes ask each other every ten seconds: between, what they said of a confirmed outage stands', () => {
  const quick = { web: ruleFor(NODES, { intervalMs: 1000, timeoutMs: 1000 }) };
  const table = new Table(NODES, { checks: quick });
  for (const node of ['a', 'b']) table.see(node, 'web', DOWN);
  table.pass(6000);
  const rows = said(ask(table, 'a'), 'sees-down').map(({ holds, value }) => [holds, value.split(' ')[0]]);
  assert.deepEqual(rows, [
    [true, 'down'],
    [true, 'down'],
    [false, 'up'],
  ]);
});

test('not told: behind what it depends on, muted, or flapping', () => {
  const checks = { web: ruleFor(NODES, { depends: ['router'] }), router: ruleFor(NODES) };
  const behind = new Table(NODES, { checks });
  for (const check of ['router', 'web']) for (const node of NODES) behind.see(node, check, DOWN);
  behind.pass(30_000);
  const held = ask(behind, 'a');
  assert.match(held.sentence, /; not told: behind router, which is down$/);
  assert.deepEqual([held.verdicts.told, said(held, 'depends')[0]?.holds], [false, false]);
  assert.match(said(held, 'depends')[0]?.change ?? '', /^router has to be up: hastmonctl explain router$/);
  assert.equal(said(held, 'said')[0]?.holds, false);

  const flappy = new Table(NODES, { limits: { ...LIMITS, flapEdges: 4 } });
  for (let round = 0; round < 4; round += 1)
    for (const view of [DOWN, UP]) {
      for (const node of NODES) flappy.see(node, 'web', view);
      flappy.pass(15_000);
    }
  const flapping = ask(flappy, 'a');
  assert.match(flapping.sentence, /flapping/);
  assert.match(said(flapping, 'calm')[0]?.value ?? '', /^it flaps; /);
});

test('where nothing is known, that is said', () => {
  const table = new Table(NODES);
  const blind = explainCheck({
    ...{ check: 'web', node: 'a', rule: ruleFor(NODES), rise: 1, fall: 2, own: null, state: null, now: 0 },
  });
  assert.equal(blind.sentence, 'not known here: the checks do not run');
  assert.deepEqual(blind.verdicts, { here: null, confirmed: null, told: null });
  assert.match(
    ask(table, 'a', { ...UP, sight: 'unknown' }).sentence,
    /^not known here: there is no result yet/,
  );
});

test('what is explained is what was decided, whatever happens', () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const prng = createPrng(seed);
    const table = new Table(NODES);
    for (let step = 0; step < 40; step += 1) {
      const node = prng.pick(NODES);
      const other = prng.pick(NODES.filter((each) => each !== node));
      const what = prng.range(0, 9);
      if (what < 6) table.see(node, 'web', { ...(prng.chance(500) ? DOWN : UP), forMs: 0 });
      else if (what === 6) table.cut(node, other);
      else if (what === 7)
        for (const [one, two] of [
          ['a', 'b'],
          ['a', 'c'],
          ['b', 'c'],
        ] as const)
          table.mend(one, two);
      table.pass(prng.range(0, 12) * 1000);
      for (const each of NODES) {
        const explained = ask(table, each, table.truth[`${each} web`] ?? UP);
        const outage = table.edge(each) % 2 === 1;
        const confirmed = explained.conditions.filter(({ topic }) => topic === 'confirmed');
        const about = `seed ${seed}, step ${step}, ${each}: ${explained.sentence}`;
        assert.equal(explained.verdicts.confirmed, outage, about);
        assert.equal(/\bconfirmed (down|:)|, confirmed:/.test(explained.sentence), outage, about);
        if (outage) assert.equal(said(explained, 'lasts')[0]?.holds ?? true, true, about);
        else if (table.states[each]?.troubles.web !== undefined)
          assert.equal(together(confirmed), false, about);
      }
    }
  }
});
