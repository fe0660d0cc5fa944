/** What an init or watchdog node says of a resource that runs there, and how many processes wait. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Role } from '../../daemon/core/types.js';
import { createLookout } from '../../daemon/runtime/lookout.js';
import { sparesFor } from '../../daemon/runtime/worker-pool.js';

test('an init or watchdog node says once that the resource runs there, and once that it does not any more', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const lines: string[] = [];
  const note = (_: object, text: string): void => void lines.push(text);
  let role: Role = 'init';
  let code: number | null = 1;
  let asked = 0;
  const lookout = createLookout({
    role: () => role,
    idle: () => true,
    status: async () => {
      asked += 1;
      return code;
    },
    intervalMs: () => 1000,
    log: () => ({ debug: note, info: note, warn: note, error: note }),
  });
  const look = async (): Promise<void> => {
    t.mock.timers.tick(1000);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  };
  await look();
  assert.deepEqual([lookout.warning(), lines.length], ['', 0]);
  code = 0;
  await look();
  await look();
  assert.match(lookout.warning(), /runs here, although the role is init/);
  assert.equal(lookout.running(), true);
  assert.equal(lines.length, 1);
  code = null;
  await look();
  assert.deepEqual([lookout.running(), lines.length], [false, 2]);
  const before = asked;
  role = 'secondary';
  code = 0;
  await look();
  assert.deepEqual([asked, lookout.running()], [before, false], 'a secondary is looked after by the core');
  role = 'watchdog';
  await look();
  assert.match(lookout.warning(), /the role is watchdog/);
  lookout.close();
  await look();
  assert.equal(asked, before + 1);
});

test('as many processes wait as resources may have to be started here at once, within a bound', () => {
  assert.equal(sparesFor([]), 1);
  assert.equal(sparesFor(['init', 'watchdog']), 1);
  assert.equal(sparesFor(['secondary', 'primary', 'watchdog']), 2);
  assert.equal(sparesFor(Array.from({ length: 20 }, () => 'secondary' as const)), 4);
});
