/** What is known goes on: over restarts, over damage, and to the next director. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checksOf,
  createBalancer,
  pairViews,
  restore,
  saved,
  shareAll,
  stepBalancer,
} from '../../../daemon/balancer/core/balancer.js';
import type { SavedState } from '../../../daemon/balancer/core/types.js';
import type { Table } from '../../../daemon/balancer/types.js';
import {
  ADDRESSES,
  file,
  Given,
  type GivenOptions,
  host,
  nameOf,
  service,
  tableService,
  WWW,
  WWW_KEY,
} from './given.js';

const ALL = { '1': 100, '2': 200, '3': 300 };
const up = (options: GivenOptions = {}): Given => new Given(options).pass(1, 2, 3);
const found = (weights: Record<string, number> = ALL): Table => new Map([[WWW_KEY, tableService(weights)]]);
/** Through the file that it is kept in. */
const keep = (given: Given): SavedState => JSON.parse(JSON.stringify(saved(given.state)));

test('[B9] what was told before the first file could be read holds', () => {
  const state = createBalancer();
  stepBalancer(state, { kind: 'settings', adopt: true, foreign: 'leave', now: 1 });
  stepBalancer(state, { kind: 'active', active: true, now: 2 });
  restore(state, { kind: 'none' });
  stepBalancer(state, { kind: 'config', config: WWW, addresses: ADDRESSES, now: 3 });
  assert.deepEqual(state.settings, { adopt: true, foreign: 'leave' });
  assert.equal(checksOf(state).length, 3);
});

test('[B10] a restart changes nothing: reasons, ramps, waiting and the sorry server go on', () => {
  const before = up()
    .off(2, ['www'], ['deploy'])
    .off(1)
    .on(1, null, [], 8000)
    .pass(1)
    .after(2000)
    .off(3)
    .on(3);
  const again = new Given({ known: keep(before), table: before.kernel, now: before.now });
  assert.deepEqual(again.changes, []);
  assert.deepEqual(again.weights(), before.weights());
  for (const given of [before, again]) given.after(3000).on(2, ['www'], ['deploy']).pass(1, 2, 3).after(3000);
  assert.deepEqual(again.weights(), ALL);
  assert.deepEqual(before.weights(), ALL);
  const failed = up().fail(1, 2, 3);
  const later = new Given({ known: keep(failed), table: failed.kernel, now: failed.now + 5000 });
  assert.deepEqual(later.told('mail'), []);
  assert.deepEqual(
    later
      .pass(1)
      .told('mail')
      .map(({ subject }) => subject),
    ["VS 'www' OK (after 5.0s)"],
  );
});

test('[B10] a server that is another one after the restart has to earn its weight', () => {
  const before = up();
  const moved = new Map([...ADDRESSES, ['s1.example', '10.0.0.4']]);
  const again = new Given({ known: keep(before), table: before.kernel, now: before.now, addresses: moved });
  assert.deepEqual(again.weights(), { '2': 200, '3': 300, '4': 0 });
});

test('[B11] what is damaged is made anew from the table: weight is believed, and none means disabled', () => {
  const given = new Given({ known: { kind: 'damaged' }, table: found({ '1': 100, '2': 0, '3': 0 }) });
  assert.deepEqual(given.changes, []);
  assert.deepEqual(given.pass(1, 2).fail(3).weights(), { '1': 100, '2': 0, '3': 0 });
  const [, second, third] = pairViews(
    given.state,
    given.now,
    { hosts: null, services: null, unknownMs: null },
    () => undefined,
  );
  assert.deepEqual(
    second?.reasons.map(({ name }) => name),
    ['recovered'],
  );
  assert.deepEqual(third?.reasons, [], 'it is down, and that is why');
  assert.deepEqual(given.pass(3).on(2, ['www'], ['*']).pass(2).weights(), ALL);
});

test("[B11] nothing known: what exists is somebody else's, and what does not exist is made", () => {
  assert.deepEqual(up({ table: found({ '1': 1 }) }).weights(), { '1': 1 });
  assert.deepEqual(up().weights(), ALL);
});

test('[B12] a node that is not the director runs no checks, and its services are taken out of the kernel', () => {
  const given = up();
  assert.equal(checksOf(given.state).length, 3);
  given.step({ kind: 'active', active: false });
  assert.equal(given.kernel.size, 0);
  assert.deepEqual([checksOf(given.state), given.awaited()], [[], []]);
  given.fail(1).off(1);
  assert.match(given.told('answer').at(-1)?.error ?? '', /not the director/);
  given.step({ kind: 'active', active: true });
  assert.deepEqual(given.weights(), ALL);
});

test('[B12] the new director goes on with what the old one knew, told at once or bit by bit', () => {
  const old = up();
  const follower = new Given({ active: false, now: 77 });
  follower.step({ kind: 'share', full: true, entries: shareAll(old.state, old.now) });
  old.told('share');
  old.off(2, ['www'], ['deploy']).off(1).on(1, null, [], 60_000).pass(1).fail(3);
  for (const { entries } of old.told('share')) follower.step({ kind: 'share', full: false, entries });
  const late = new Given({ active: false, now: 99 });
  late.step({ kind: 'share', full: true, entries: shareAll(old.state, old.now) });
  for (const next of [follower, late]) {
    next.step({ kind: 'active', active: true });
    assert.deepEqual(next.weights(), { '1': 2, '2': 0, '3': 0 });
    assert.deepEqual(next.weights(), old.weights());
    assert.deepEqual(next.after(60_000).pass(3).on(2, ['www'], ['deploy']).pass(2).weights(), ALL);
  }
});

test('[B12] who has to pass once more has to do so here; other servers behind the same tags as well', () => {
  const old = up().off(1).on(1);
  const follower = new Given({ active: false, now: 77 });
  follower.reload(WWW, new Map([...ADDRESSES, ['s2.example', '10.0.0.4']]));
  follower.step({ kind: 'share', full: true, entries: shareAll(old.state, old.now) });
  follower.now += 10;
  follower.step({ kind: 'active', active: true });
  assert.deepEqual(follower.weights(), { '1': 0, '3': 300, '4': 0 });
  assert.deepEqual(follower.awaited().sort(), [nameOf('10.0.0.1'), nameOf('10.0.0.4')]);
});

test('[B12] what the director knows of tags that the file does not have yet serves when it has them', () => {
  const old = up().off(2, ['www'], ['deploy']);
  const follower = new Given({ active: false, config: file([service('www')], [host('s1', { www: 100 })]) });
  follower.step({ kind: 'share', full: true, entries: shareAll(old.state, old.now) });
  follower.reload(WWW).step({ kind: 'active', active: true });
  assert.deepEqual(follower.weights(), { '1': 100, '2': 0, '3': 300 });
});

test('who leaves the file and comes back is as disabled as before, and has to pass again', () => {
  const given = up().off(1, ['www'], ['deploy']);
  const without = { ...WWW, hosts: WWW.hosts.filter(({ tag }) => tag === 's3' || tag === 'sorry') };
  given.reload(without).after(10_000).reload(WWW);
  assert.deepEqual(given.weights(), { '1': 0, '2': 0, '3': 300 });
  assert.deepEqual(given.pass(1, 2).weights(), { ...ALL, '1': 0 });
});
