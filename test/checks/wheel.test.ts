/** The timer wheel beside a dumb twin, and when checks begin. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lateness, nextBegin, phaseOf } from '../../daemon/checks/pacing.js';
import { RowQueue } from '../../daemon/checks/queue.js';
import { TimerWheel } from '../../daemon/checks/wheel.js';
import { createPrng } from '../sim/prng.js';

test('fires what a sorted list would, in its order of time, never early, and never later than asked to look', () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const prng = createPrng(seed);
    let now = prng.pick([0, 1_000_000, 2 ** 33 + 5]) + 0.5;
    const wheel = new TimerWheel(40, now);
    const twin = new Map<number, number>();
    for (let round = 0; round < 400; round += 1) {
      for (let change = prng.below(4); change > 0; change -= 1) {
        const row = prng.below(40);
        if (prng.chance(200)) {
          wheel.clear(row);
          twin.delete(row);
        } else {
          const far = prng.pick([1, 3, 300, 70_000, 20_000_000, 6_000_000_000]);
          const at = now + prng.below(far) - prng.below(3) + prng.below(10) / 10;
          wheel.set(row, at);
          twin.set(row, Math.max(Math.ceil(at), Math.floor(now) + 1));
        }
      }
      const first = Math.min(Number.POSITIVE_INFINITY, ...twin.values());
      assert.ok(wheel.nextAt() <= first, `seed ${seed}: looks in time`);
      now += prng.pick([0, 0.4, 1, 7, 255, 256, 5000, 3_000_000]);
      const expected = [...twin].filter(([, at]) => at <= now).sort((a, b) => a[1] - b[1]);
      const fired: number[] = [];
      while (wheel.advance(now, (row) => fired.push(row), prng.pick([1, 3, Number.POSITIVE_INFINITY])));
      assert.deepEqual([...fired].sort(), expected.map(([row]) => row).sort(), `seed ${seed} round ${round}`);
      const times = fired.map((row) => twin.get(row) ?? 0);
      assert.deepEqual(
        times,
        [...times].sort((a, b) => a - b),
      );
      for (const row of fired) twin.delete(row);
    }
  }
});

test('a row that sets its timer again while it fires is not fired twice in one look', () => {
  const wheel = new TimerWheel(2, 0);
  let fired = 0;
  wheel.set(0, 1);
  const again = (row: number): void => {
    fired += 1;
    if (fired < 10) wheel.set(row, 100);
  };
  while (wheel.advance(5, again, 1));
  assert.equal(fired, 1);
  assert.equal(wheel.nextAt() <= 100, true);
  wheel.clear(0);
  assert.equal(wheel.nextAt(), Number.POSITIVE_INFINITY);
});

test('a check has its own place in the interval, and keeps it', () => {
  const shares = Array.from({ length: 10_000 }, (_, index) => phaseOf(`web${index}`));
  assert.equal(phaseOf('web1'), phaseOf('web1'));
  const tenths = new Array<number>(10).fill(0);
  for (const share of shares) tenths[Math.floor(share * 10)] = (tenths[Math.floor(share * 10)] ?? 0) + 1;
  for (const count of tenths) assert.ok(count > 900 && count < 1100, `spread evenly: ${tenths}`);
  assert.equal(nextBegin(1000, 10_000, 0.25), 2500);
  assert.equal(nextBegin(2500, 10_000, 0.25), 12_500, 'not twice at once');
  assert.equal(nextBegin(47_000, 10_000, 0.25), 52_500, 'what was missed is left out');
});

test('lateness is known by percentile', () => {
  const lateness = new Lateness();
  for (let ms = 1; ms <= 1000; ms += 1) lateness.add(ms);
  const { begun, p50, p99, worst } = lateness.take();
  assert.equal(begun, 1000);
  assert.ok(p50 >= 500 && p50 <= 600, String(p50));
  assert.ok(p99 >= 990 && p99 <= 1000, String(p99));
  assert.equal(worst, 1000);
  assert.deepEqual(lateness.take(), { begun: 0, p50: 0, p99: 0, worst: 0 });
});

test('the queue is first come, first served, and holds every row once', () => {
  const queue = new RowQueue(3);
  for (let round = 0; round < 5; round += 1) {
    for (const row of [2, 0, 1]) queue.push(row);
    assert.deepEqual([queue.shift(), queue.shift(), queue.shift(), queue.shift()], [2, 0, 1, -1]);
  }
});
