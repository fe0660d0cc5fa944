/** When the loop on epoll gives the engine its turn, on a clock of the test's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../daemon/checks/engine.js';
import { runOnEpoll } from '../../daemon/checks/loop.js';
import type { Epoll } from '../../daemon/sys/epoll.js';

/** When turns were, up to `end`; `nextAt` and `more` are the engine's answers. */
async function turnsUntil(
  end: number,
  nextAt: (now: number) => number,
  more: (turns: number) => boolean = () => false,
): Promise<number[]> {
  let clock = 0;
  const turns: number[] = [];
  const epoll = {
    full: false,
    wait(ms: number) {
      clock += ms;
      return false;
    },
  } as Pick<Epoll, 'full' | 'wait'> as Epoll;
  const engine = {
    nextAt: () => nextAt(turns.at(-1) ?? 0),
    turn() {
      turns.push(clock);
      return more(turns.length);
    },
  } as Pick<Engine, 'nextAt' | 'turn'> as Engine;
  const loop = runOnEpoll(
    engine,
    epoll,
    () => clock,
    () => {},
  );
  while (clock < end) await new Promise((resolve) => setImmediate(resolve));
  loop.stop();
  return turns.filter((at) => at <= end);
}

test('timers far from each other have a turn of their own, in time', async () => {
  assert.deepEqual(await turnsUntil(40, (last) => last + 10), [10, 20, 30, 40]);
});

test('timers that follow each other closely are gathered', async () => {
  assert.deepEqual(await turnsUntil(17, (last) => last + 1), [1, 5, 9, 13, 17]);
});

test('what is left of a turn is done at once', async () => {
  const turns = await turnsUntil(
    20,
    (last) => last + 10,
    (count) => count < 3,
  );
  assert.deepEqual(turns, [10, 10, 10, 20]);
});

test('without timers, the loop looks after Node every 50 ms', async () => {
  assert.deepEqual(await turnsUntil(200, () => Number.POSITIVE_INFINITY), []);
});
