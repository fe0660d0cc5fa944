/** --wait: what counts as done, and how waiting ends. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Goal, judge } from '../../ctl/goal.js';
import type { ControlReply, StatusEntry } from '../../proto/control-types.js';
import { entryOf, fakeDaemon, hastmonctl } from './support.js';

const lost = { ...entryOf().lease, held: false, leftMs: 0 };
const secondary = { role: 'secondary', roleSet: 'secondary', lease: lost, state: 'unknown' } as const;
describe('what has happened', () => {
  const primary: Goal = { role: 'primary' };
  const toSecondary: Goal = { role: 'secondary' };
  const cases: [string, Goal, Partial<StatusEntry>, 'done' | 'under-way' | 'failed'][] = [
    ['primary: it runs under the lease', primary, {}, 'done'],
    ['primary: it starts', primary, { state: 'starting' }, 'under-way'],
    ['primary: it has no lease yet', primary, { lease: lost, state: 'readytorun' }, 'under-way'],
    ['primary: it runs, but the lease is lost', primary, { lease: lost }, 'under-way'],
    ['primary: it runs by force', primary, { lease: lost, forced: true }, 'done'],
    [
      'primary: still secondary, the holder will hand over',
      primary,
      { ...secondary, roleSet: 'primary' },
      'under-way',
    ],
    ['primary: it gave up', primary, secondary, 'failed'],
    ['secondary: it is, and nothing runs', toSecondary, secondary, 'done'],
    ['secondary: it stops', toSecondary, { ...secondary, state: 'stopping' }, 'under-way'],
    ['secondary: the role has not changed yet', toSecondary, { roleSet: 'secondary' }, 'under-way'],
    ['secondary: the stop failed', toSecondary, { ...secondary, role: 'init', roleSet: 'init' }, 'failed'],
  ];
  for (const [title, goal, other, expected] of cases)
    test(title, () => assert.equal(judge(goal, entryOf(other)).kind, expected));

  test('a failure says why', () => {
    const verdict = judge(primary, entryOf({ ...secondary, lastError: 'start exited with 1' }));
    assert.deepEqual(verdict, {
      kind: 'failed',
      reason: 'its role was set back to secondary: start exited with 1',
    });
  });
});

/** A hastmond whose status goes through these, the last one for ever; the change itself is answered with `reply`. */
function going(entries: readonly Partial<StatusEntry>[], reply: Partial<ControlReply> = {}) {
  let asked = 0;
  return async (request: { kind: string }): Promise<Partial<ControlReply>> => {
    if (request.kind !== 'status') return reply;
    asked += 1;
    return { status: [entryOf(entries[Math.min(asked, entries.length) - 1])] };
  };
}

describe('waiting', () => {
  test('ends when it has happened, with progress until then', async (t) => {
    const states = [
      { ...secondary, roleSet: 'primary' as const },
      { lease: lost, state: 'readytorun' as const, waiting: 'for a majority: gamma is not connected' },
      { state: 'starting' as const },
      {},
    ];
    const config = await fakeDaemon(t, going(states));
    const { code, err, out } = await hastmonctl(['role', 'primary', 'mail', '--wait', '-c', config]);
    assert.deepEqual({ code, out }, { code: 0, out: 'mail: primary, run\n' });
    assert.deepEqual(err.trimEnd().split('\n'), [
      'progress: mail: secondary, unknown',
      'progress: mail: primary, readytorun; waiting: for a majority: gamma is not connected',
      'progress: mail: primary, starting, lease held',
    ]);
  });

  test('does not take a status from before the answer for the outcome', async (t) => {
    let answer: (reply: Partial<ControlReply>) => void = () => {};
    const answered = new Promise<Partial<ControlReply>>((resolve) => {
      answer = resolve;
    });
    let asked = 0;
    const config = await fakeDaemon(t, async (request) => {
      if (request.kind !== 'status') return answered;
      asked += 1;
      if (asked === 3)
        answer({ error: { code: 75, message: 'mail: the resource could not be stopped here' } });
      return { status: [entryOf(secondary)] };
    });
    const heard = await hastmonctl(['role', 'secondary', 'mail', '--wait', '-c', config]);
    assert.equal(heard.code, 75);
    assert.match(heard.err, /hastmonctl: mail: the resource could not be stopped here\n$/);
    assert.ok(asked >= 3);
  });

  test('ends at its time, with what hastmond waits for', async (t) => {
    const waiting = 'for a majority: beta and gamma are not connected';
    const config = await fakeDaemon(t, going([{ lease: lost, state: 'readytorun', waiting }]));
    const words = ['role', 'primary', 'mail', '--wait', '--timeout', '120ms', '-c', config];
    const { code, err, out } = await hastmonctl(words);
    assert.deepEqual({ code, out }, { code: 75, out: '' });
    assert.match(err, new RegExp(`mail: not done after 120 ms: primary, readytorun; waiting: ${waiting}\n$`));
  });

  test('ends at once when it cannot happen any more', async (t) => {
    const gaveUp = { ...secondary, lastError: 'start exited with 1 after 3 ms' };
    const config = await fakeDaemon(t, going([{ state: 'starting' }, gaveUp]));
    const { code, err } = await hastmonctl(['role', 'primary', 'mail', '--wait', '-c', config]);
    assert.equal(code, 75);
    assert.match(err, /hastmonctl: mail: its role was set back to secondary: start exited with 1/);
  });

  test('ends when hastmond refuses', async (t) => {
    const refusal = { error: { code: 75, message: 'mail: beta holds mail with priority 50' } };
    const config = await fakeDaemon(t, going([secondary], refusal));
    const { code, err } = await hastmonctl(['role', 'primary', 'mail', '--wait', '-c', config]);
    assert.equal(code, 75);
    assert.match(err, /hastmonctl: mail: beta holds mail/);
  });
});
