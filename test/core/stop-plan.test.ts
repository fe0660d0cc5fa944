/** How the time of a stop is spent. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lastStatusMs, lateStatusMs, planStop, stopLimits } from '../../daemon/core/stop-plan.js';
import { settings } from './given.js';

const unfenced = settings({ stopTimeoutMs: 1000, statusTimeoutMs: 500, fenceTimeoutMs: 0 });
const fenced = settings({ stopTimeoutMs: 1000, statusTimeoutMs: 500, fenceTimeoutMs: 1000 });

describe('stop plan', () => {
  test('a stop in time: the hook has its share of what is left, and nothing is killed before it', () => {
    assert.deepEqual(planStop(unfenced, 1000), {
      killFirst: false,
      hook: { termAfterMs: 700, killAfterMs: 800 },
    });
    assert.deepEqual(planStop(fenced, 500), {
      killFirst: false,
      hook: { termAfterMs: 350, killAfterMs: 400 },
    });
    assert.equal(planStop(unfenced, 5000).hook?.killAfterMs, 800, 'never more than stop_timeout');
  });

  test('a late stop kills first what start left; the hook then has the whole time', () => {
    for (const leftMs of [299, 0, -5000])
      assert.deepEqual(planStop(unfenced, leftMs), {
        killFirst: true,
        hook: { termAfterMs: 700, killAfterMs: 800 },
      });
    assert.equal(planStop(unfenced, 301).killFirst, false);
  });

  test('a late stop with a fence to come does not try the hook again', () => {
    assert.equal(planStop(fenced, 299).hook, null);
    assert.notEqual(planStop(fenced, 301).hook, null);
  });

  test('the last status is bounded by the stop where a fence comes next, else by its own limit alone', () => {
    assert.equal(lastStatusMs(unfenced, 10), 500);
    assert.equal(lastStatusMs(fenced, 10_000), 500);
    assert.equal(lastStatusMs(fenced, 180), 180);
    assert.equal(lastStatusMs(fenced, -1), 50);
    assert.equal(lateStatusMs(unfenced, -1), 500);
    assert.equal(Math.round(lateStatusMs(fenced, -1)), 200, 'as after a stop in time');
    assert.equal(lateStatusMs(fenced, 400), 400);
  });

  test('TERM and KILL leave the rest of the stop to the last status', () => {
    const { termAt, killAt } = stopLimits(5000, 1000);
    assert.deepEqual([Math.round(termAt), Math.round(killAt)], [4700, 4800]);
  });
});
