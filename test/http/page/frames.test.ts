/** The loop that moves the bars of leases. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFrames } from '../../../daemon/http/page/view/frames.js';

/** A browser that draws when it is told to. */
function browser() {
  let wanted: ((at: number) => void)[] = [];
  const draw = (at: number): number => {
    const now = wanted;
    wanted = [];
    for (const run of now) run(at);
    return now.length;
  };
  return { request: (run: (at: number) => void) => wanted.push(run), draw };
}

test('frames that are in the loop are called with the time of each step, and no other ones', () => {
  const { draw, request } = browser();
  const join = createFrames(request);
  const heard: string[] = [];
  assert.equal(draw(0), 0);
  const leave = join((ms) => heard.push(`one ${ms}`));
  draw(1000);
  join((ms) => heard.push(`two ${ms}`));
  draw(1016);
  leave();
  draw(1032);
  assert.deepEqual(heard, ['one 100', 'one 16', 'two 16', 'two 16']);
});

test('it rests while there is nothing, and there is one loop however often the last one leaves', () => {
  const { draw, request } = browser();
  const join = createFrames(request);
  let calls = 0;
  let leave = (): unknown => null;
  for (let time = 0; time < 5; time += 1) {
    leave();
    leave = join(() => {
      calls += 1;
    });
  }
  assert.equal(draw(16), 1);
  assert.equal(draw(32), 1);
  assert.equal(calls, 2);
  leave();
  draw(48);
  assert.equal(draw(64), 0);
});
