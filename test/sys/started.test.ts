/** Groups that end with who started them: only those that were told of, and that carry its mark. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { killGroup } from '../../daemon/sys/process.js';
import { createStartedGroups, markOf, ownMark } from '../../daemon/sys/started.js';

interface Sleeper {
  group: number;
  /** The signal that it dies of: SIGTERM if nobody has killed it before. */
  fate(): Promise<string>;
}

function sleeper(t: TestContext, env: Record<string, string>): Sleeper {
  const child = spawn('/bin/sleep', ['60'], { detached: true, stdio: 'ignore', env });
  const group = child.pid ?? 0;
  const died = new Promise<string>((resolve) => child.once('exit', (_, signal) => resolve(String(signal))));
  t.after(() => killGroup(group, 'SIGKILL'));
  return {
    group,
    fate() {
      killGroup(group, 'SIGTERM');
      return died;
    },
  };
}

test('what carries the mark ends; what has its number by chance, or has ended, or was not told of, is let alone', async (t) => {
  const all = { mine: ownMark(), other: {}, over: ownMark(), untold: ownMark() };
  const sleepers = Object.entries(all).map(([name, env]) => ({ name, ...sleeper(t, env) }));
  const groups = createStartedGroups(markOf(process.pid));
  for (const { name, group } of sleepers) if (name !== 'untold') groups.note(group, true);
  for (const { name, group } of sleepers) if (name === 'over') groups.note(group, false);
  groups.end();
  const fates = await Promise.all(sleepers.map(async ({ name, fate }) => `${name} ${await fate()}`));
  assert.deepEqual(fates, ['mine SIGKILL', 'other SIGTERM', 'over SIGTERM', 'untold SIGTERM']);
});

test('without a mark nothing is ended', async (t) => {
  const { group, fate } = sleeper(t, { HASTMON_STARTED_BY: '' });
  const groups = createStartedGroups('');
  groups.note(group, true);
  groups.end();
  assert.equal(await fate(), 'SIGTERM');
});
