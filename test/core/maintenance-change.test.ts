/** Maintenance that is changed while it is on, and that whoever waits for it is answered, whatever comes of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeOutput, NodeState } from '../../daemon/core/node-types.js';
import type { MaintenanceMark } from '../../daemon/core/types.js';
import { adopted, replies, step } from './left-alone.js';

const told = (outputs: readonly NodeOutput[]): MaintenanceMark[] =>
  outputs.flatMap((output) =>
    output.kind === 'worker-message' && output.message.kind === 'maintenance' ? [output.message.mark] : [],
  );
const ordered = (state: NodeState, reason: string, forMs: number, now = 10) =>
  step(state, { kind: 'command', id: 7, command: { kind: 'maintenance-on', reason, by: 'me', forMs } }, now);
/** Its worker says that a majority has this revision on disk. */
const settles = (state: NodeState, settled: number, now: number) => {
  const { report } = state.worker ?? {};
  assert.ok(report != null);
  return step(
    state,
    { kind: 'worker-report', worker: state.lastWorkerId, report: { ...report, settled } },
    now,
  );
};

test('[L10] another reason or end is told to the voters, then put on disk here, and answered then', () => {
  for (const [reason, forMs, note] of [
    ['disk', 5000, { reason: 'disk', by: 'me', leftMs: 4980, roleSet: 'secondary' }],
    [
      'disk',
      Number.POSITIVE_INFINITY,
      { reason: 'disk', by: 'me', leftMs: Number.POSITIVE_INFINITY, roleSet: 'secondary' },
    ],
    ['', 5000, { reason: 'upgrade', by: 'me', leftMs: 4980, roleSet: 'secondary' }],
  ] as const) {
    const first = ordered(adopted(), reason, forMs);
    assert.deepEqual(told(first.outputs), [{ on: true, reason: note.reason, by: 'me', revision: 2 }]);
    assert.deepEqual(
      [...replies(first.outputs), ...first.outputs.filter(({ kind }) => kind === 'keep')],
      [],
      'no majority has it yet',
    );
    const second = settles(first.state, 2, 30);
    assert.deepEqual(
      second.outputs.filter(({ kind }) => kind === 'keep'),
      [{ kind: 'keep', note }],
    );
    const third = step(second.state, { kind: 'kept', ok: true }, 40);
    assert.deepEqual(replies(third.outputs), ['']);
    assert.equal(third.state.kept?.phase, 'in-force');
    assert.equal(third.state.kept?.endsAt, 10 + forMs);
  }
});

test('[L10] without a majority, or without room on disk, all stays as it was, and every mark says on', () => {
  const first = ordered(adopted(), 'disk', 5000);
  const late = step(first.state, { kind: 'tick' }, 7000);
  assert.match(replies(late.outputs)[0] ?? '', /no majority .*: the reason and the end .* stay as they were/);
  const full = step(settles(first.state, 2, 30).state, { kind: 'kept', ok: false }, 40);
  assert.match(replies(full.outputs)[0] ?? '', /cannot be put on disk here: .* stay as they were/);
  for (const { outputs, state } of [late, full]) {
    assert.deepEqual(told(outputs), [{ on: true, reason: 'upgrade', by: 'op', revision: 3 }]);
    const { kept } = state;
    assert.deepEqual(
      [kept?.phase, kept?.reason, kept?.by, kept?.endsAt],
      ['in-force', 'upgrade', 'op', Number.POSITIVE_INFINITY],
    );
  }
});

test('[L10] that is refused where nothing is to be changed, and while a change is under way', () => {
  assert.match(
    replies(ordered(adopted(), '', Number.POSITIVE_INFINITY).outputs)[0] ?? '',
    /in maintenance already \(upgrade, by op\): --reason and --for would change that/,
  );
  const { state } = ordered(adopted(), 'disk', 5000);
  assert.match(replies(ordered(state, 'more', 5000, 20).outputs)[0] ?? '', /try again in a moment/);
});

test('[L10] in the middle of a change the resource is left alone, by the next worker and the next hastmond, too', () => {
  const { state } = ordered(adopted(), 'disk', 5000);
  const { outputs } = step(state, { kind: 'worker-exit', worker: state.lastWorkerId }, 20);
  const started = outputs.find((output) => output.kind === 'worker-start');
  assert.equal(started?.init?.maintained, true);
  assert.equal(started?.init?.mark.reason, 'disk');
});

test('whoever waits is answered when hastmond ends, and who asks later is refused', () => {
  const holder = adopted();
  const off = step(holder, { kind: 'command', id: 7, command: { kind: 'maintenance-off' } }, 10).state;
  for (const [state, what] of [
    [off, 'ended'],
    [ordered(holder, 'disk', 5000).state, 'been changed'],
    [{ ...off, kept: off.kept === null ? null : { ...off.kept, phase: 'entering' as const } }, 'begun'],
  ] as const) {
    const ends = step(state, { kind: 'terminate' }, 20);
    assert.deepEqual(replies(ends.outputs), [
      `hastmond is about to end, and maintenance was not known to have ${what}`,
    ]);
    const worker = ends.state.lastWorkerId;
    const gone = step(ends.state, { kind: 'worker-finish', worker, outcome: 'left' }, 30);
    assert.equal(gone.state.terminated, true);
    assert.deepEqual(replies([...gone.outputs, ...ordered(gone.state, 'late', 5000, 40).outputs]), [
      'hastmond is about to end',
    ]);
  }
});

test('[L9] who waits for the end hears that the voters do not answer, however far it is', () => {
  const { kept, ...state } = adopted();
  assert.ok(kept !== null);
  for (const [phase, words] of [
    ['forgotten', /ends by itself when a majority of the voters answers again/],
    ['leaving', /no majority of the voters has put that on disk in time/],
  ] as const) {
    const waits: NodeState = {
      ...state,
      kept: { ...kept, phase, revision: 2, giveUpAt: 6000, command: 7 },
    };
    assert.deepEqual(replies(step(waits, { kind: 'tick' }, 5999).outputs), []);
    const late = step(waits, { kind: 'tick' }, 6000);
    assert.match(replies(late.outputs)[0] ?? '', words);
    assert.equal(late.state.kept?.phase, phase, 'it goes on by itself');
  }
});
