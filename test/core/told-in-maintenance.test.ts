/** How a primary's worker tells its resource in maintenance, at its end, and when the worker itself ends: as it was seen last, or as unknown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initPrimary, stepPrimary } from '../../daemon/core/primary.js';
import type { PrimaryState } from '../../daemon/core/primary-types.js';
import { type MaintenanceMark, UNMARKED } from '../../daemon/core/types.js';
import { settings, VOTERS } from './given.js';

const ON: MaintenanceMark = { on: true, reason: '', by: 'op', revision: 1 };
const OFF: MaintenanceMark = { on: false, reason: '', by: '', revision: 2 };
const LEASE = { epoch: 1, until: 1e6, grantedUntil: 2e6, sets: [VOTERS], granted: VOTERS, mark: UNMARKED };

/** Its first look, at 10, has found that. */
function worker(maintained: boolean, code: number | null = 0): PrimaryState {
  const init = { settings: settings(), holder: { node: 'a', incarnation: 1 }, sets: [VOTERS], request: 1 };
  const given = { attempts: 0, forced: false, serviceFailed: '', lease: LEASE, resumed: true };
  const mark = maintained ? ON : UNMARKED;
  const { state } = stepPrimary(initPrimary({ ...init, ...given, mark, maintained }, 0), {
    kind: 'tick',
    now: 0,
  });
  return ends(state, code, 10);
}

/** The hook that runs has ended so. */
const ends = (state: PrimaryState, code: number | null, now: number): PrimaryState =>
  stepPrimary(state, { kind: 'hook', id: state.hookId, code, detail: '', now }).state;

const toldOf = ({ reported }: PrimaryState): string => reported?.run ?? 'nothing';

test('what was seen last in maintenance is told up to the next look after it, which starts what has died', () => {
  for (const [code, told, then] of [
    [1, 'stopped', 'starting'],
    [null, 'unknown', 'run'],
    [0, 'run', 'run'],
  ] as const) {
    const seen = worker(true, code);
    assert.equal(toldOf(seen), told);
    const over = stepPrimary(seen, { kind: 'maintenance', mark: OFF, now: 20 }).state;
    assert.equal(toldOf(over), told, 'it has not been looked at since');
    const looked = ends(over, code ?? 0, 30);
    assert.equal(toldOf(looked), then);
    if (then !== 'run') continue;
    const later = ends(stepPrimary(looked, { kind: 'tick', now: 10_000 }).state, 3, 10_010);
    assert.equal(toldOf(later), 'run', 'one doubtful status is none outside of maintenance');
  }
});

test('[L5] a worker that ends and leaves it as it is does not say that it was stopped', () => {
  for (const code of [0, 1, null])
    for (const input of [{ kind: 'main-gone' }, { kind: 'stop', why: 'terminate', successor: '' }] as const) {
      const { state } = stepPrimary(worker(true, code), { ...input, now: 40 });
      assert.deepEqual([state.phase, toldOf(state)], ['done', 'unknown']);
    }
});

test('one that has stopped it says so', () => {
  const asked = stepPrimary(worker(false), { kind: 'stop', why: 'role', successor: '', now: 40 }).state;
  const state = ends(ends(asked, 0, 50), 1, 60);
  assert.deepEqual([state.phase, toldOf(state)], ['done', 'stopped']);
});
