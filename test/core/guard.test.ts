/** The main process guards the primary's worker: when it acts in its place, when it does not, and by when it has stopped. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { demandOf } from '../../daemon/core/demand.js';
import { nodeWakeAt, startNode, stepNode } from '../../daemon/core/node.js';
import type { NodeInput, NodeOutput, NodeState } from '../../daemon/core/node-types.js';
import type { PrimaryReport } from '../../daemon/core/primary.js';
import type { Settings } from '../../daemon/core/settings.js';
import { requestOf, settings, VOTERS } from './given.js';

const RECORD = { epochMax: 0, grant: null, sets: [VOTERS] };
const NEVER = Number.POSITIVE_INFINITY;

/** Reports of a worker that runs the resource under a lease until 3000. */
const RUNS: PrimaryReport = {
  ...{
    run: 'run',
    epoch: 1,
    heardEpoch: 1,
    stopsHeard: 0,
    maintained: false,
    settled: 0,
    leaseUntil: 3000,
    grantedUntil: 5000,
    mayRun: true,
    stopEnd: NEVER,
  },
  ...{ actBy: NEVER, wantsLease: false, forced: false, attempts: 0, lastError: '' },
};

/** A node whose primary's worker has reported, at time 0. */
function primary(report: PrimaryReport, change: Partial<Settings> = {}): NodeState {
  const init = { settings: settings(change), incarnation: 1, record: RECORD, leftRunning: null, kept: null };
  const { state } = startNode({ ...init, roleOnStart: 'primary' }, 0);
  assert.equal(state.worker?.role, 'primary');
  return stepNode(state, { kind: 'worker-report', worker: state.lastWorkerId, report, now: 0 }).state;
}

/** Steps at every wake, as the shell does, up to `end`; `outputs` is what happened there. */
function runTo(before: NodeState, end: number): { state: NodeState; outputs: NodeOutput[] } {
  let state = before;
  const outputs: NodeOutput[] = [];
  for (let now = nodeWakeAt(state, 0); now < end; ) {
    const step = stepNode(state, { kind: 'tick', now });
    outputs.push(...step.outputs);
    state = step.state;
    now = Math.max(nodeWakeAt(state, now), now + 1);
  }
  return { state, outputs };
}

const takesOver = (outputs: readonly NodeOutput[]): boolean =>
  outputs.some(({ kind }) => kind === 'worker-kill') && outputs.some(({ kind }) => kind === 'clean');

describe('guard', () => {
  test('[G1] acts at the end of the lease that the worker last reported, not before', () => {
    const { state, outputs } = runTo(primary(RUNS), 3000);
    assert.equal(takesOver(outputs), false);
    assert.equal(nodeWakeAt(state, 2999.5) <= 3000, true);
    const step = stepNode(state, { kind: 'tick', now: 3000 });
    assert.equal(takesOver(step.outputs), true);
    const clean = step.outputs.find((output) => output.kind === 'clean');
    assert.equal(clean?.stopEnd, 5000, 'as the voters granted');
  });

  test('[G1] acts when a worker does not go on with its stop: no later than its hook should have been killed', () => {
    const stopping = { ...RUNS, run: 'stopping', leaseUntil: -NEVER, grantedUntil: -NEVER } as const;
    const { state, outputs } = runTo(primary({ ...stopping, stopEnd: 2000, actBy: 1600 }), 1700);
    assert.equal(takesOver(outputs), false);
    const late = stepNode(state, { kind: 'tick', now: 1700 });
    assert.equal(takesOver(late.outputs), true);
    assert.equal(late.outputs.find((output) => output.kind === 'clean')?.stopEnd, 2000);
  });

  test('[G1, G5] what a worker said before it heard of its lease counts for nothing', () => {
    const waits = { ...RUNS, run: 'readytorun', mayRun: false, wantsLease: true } as const;
    const before = { ...waits, epoch: 0, heardEpoch: 0, leaseUntil: -NEVER, grantedUntil: -NEVER };
    const state = primary(RUNS);
    const say = (report: PrimaryReport, now: number) =>
      stepNode(state, { kind: 'worker-report', worker: state.lastWorkerId, report, now }).state;
    const late = say(before, 10);
    assert.equal(demandOf(late, 10), 'feed');
    assert.equal(demandOf(late, 3000), 'starve', 'it may have started meanwhile');
    assert.equal(takesOver(runTo(late, 3001).outputs), true);
    assert.equal(demandOf(say({ ...before, heardEpoch: 1 }, 10), 10), 'none', 'the lease is released');
  });

  test('[H4] a renewal goes to every member of the sets that it names', () => {
    const state = primary(RUNS);
    const message = requestOf('a', 1, { sets: [VOTERS, [...VOTERS, 'd']] });
    const input = { kind: 'worker-send', worker: state.lastWorkerId, to: null, message, now: 1 } as const;
    const { outputs } = stepNode(state, input);
    const to = outputs.flatMap((output) =>
      output.kind === 'send' && output.message === message ? output.to : [],
    );
    assert.deepEqual(to.sort(), ['b', 'c', 'd'], 'and to itself without a message');
  });

  test('[G1] a main process that stood still reads what the worker said before it judges it', () => {
    const state = primary(RUNS);
    // SIGSTOP from 0 to 4000: the worker lost its lease at 3000, stopped, and its word waits to be read.
    const woken = stepNode(state, { kind: 'tick', now: 4000 });
    assert.equal(takesOver(woken.outputs), false);
    const stopped = { ...RUNS, run: 'readytorun', mayRun: false, leaseUntil: -NEVER } as const;
    const input: NodeInput = {
      kind: 'worker-report',
      worker: state.lastWorkerId,
      report: stopped,
      now: 4001,
    };
    const read = stepNode(woken.state, input);
    assert.equal(takesOver(read.outputs), false);
    assert.equal(takesOver(stepNode(read.state, { kind: 'tick', now: 4100 }).outputs), false);
    // And where nothing was to be read, it acts.
    assert.equal(nodeWakeAt(woken.state, 4000), 4020);
    assert.equal(takesOver(stepNode(woken.state, { kind: 'tick', now: 4020 }).outputs), true);
  });

  test('[G2] a worker that dies under a good lease is replaced; one that dies without is stopped for', () => {
    const state = primary(RUNS);
    const exit = (at: NodeState) => stepNode(at, { kind: 'worker-exit', worker: at.lastWorkerId, now: 100 });
    const replaced = exit(state).outputs.find((output) => output.kind === 'worker-start');
    assert.equal(replaced?.role === 'primary' && replaced.init?.resumed, true);
    const outputs = exit(primary({ ...RUNS, leaseUntil: 150 })).outputs;
    assert.equal(
      outputs.some(({ kind }) => kind === 'worker-start'),
      false,
    );
    assert.equal(outputs.find((output) => output.kind === 'clean')?.mode, 'stop');
    // Nor is one replaced that was stopping, or had been told to.
    const stopping = primary({ ...RUNS, run: 'stopping', stopEnd: 2000, actBy: 1600 });
    assert.equal(exit(stopping).outputs.find((output) => output.kind === 'clean')?.stopEnd, 2000);
    const told = stepNode(state, { kind: 'terminate', now: 50 }).state;
    assert.equal(exit(told).outputs.find((output) => output.kind === 'clean')?.mode, 'stop');
  });

  test('[G3] a worker that is silent although it should speak is ended; a new one has more time for its first word', () => {
    const waits = { ...RUNS, run: 'readytorun', mayRun: false, leaseUntil: -NEVER } as const;
    const state = primary({ ...waits, grantedUntil: -NEVER });
    // Main looks often enough not to have stood still itself.
    assert.equal(takesOver(runTo(state, 3001).outputs), false);
    assert.equal(takesOver(runTo(state, 4500).outputs), true);
    const init = { settings: settings(), incarnation: 1, record: RECORD, leftRunning: null, kept: null };
    const silent = startNode({ ...init, roleOnStart: 'primary' }, 0).state;
    assert.equal(takesOver(runTo(silent, 60_000).outputs), false);
    assert.equal(takesOver(runTo(silent, 62_000).outputs), true);
  });

  test('[G4] [H5] what an earlier process left is stopped within the time that the voters granted then', () => {
    const init = { settings: settings(), incarnation: 1, record: RECORD, roleOnStart: 'init' } as const;
    const stopEnd = (leftRunning: number): number | undefined =>
      startNode({ ...init, leftRunning, kept: null }, 0).outputs.find((output) => output.kind === 'clean')
        ?.stopEnd;
    assert.equal(stopEnd(300), 300);
    assert.equal(stopEnd(9000), 2000);
  });

  test('SIGTERM while main itself fails to stop the resource: it ends, and says that the stop failed', () => {
    const crashed = stepNode(primary({ ...RUNS, leaseUntil: 150 }), {
      kind: 'worker-exit',
      worker: 1,
      now: 100,
    });
    const id = crashed.state.lastCleanId;
    const told = stepNode(crashed.state, { kind: 'terminate', now: 110 });
    const detail = 'it still runs after stop';
    const { outputs } = stepNode(told.state, { kind: 'cleaned', id, ok: false, detail, now: 200 });
    assert.deepEqual(
      outputs.filter(({ kind }) => kind === 'terminated'),
      [{ kind: 'terminated', ok: false, left: false }],
    );
  });

  test('SIGTERM while main itself stops the resource: a fence ends it, and says that the stop failed', () => {
    const crashed = stepNode(primary({ ...RUNS, leaseUntil: 150 }, { fenceTimeoutMs: 1000 }), {
      ...{ kind: 'worker-exit', worker: 1, now: 100 },
    } as NodeInput);
    const id = crashed.state.lastCleanId;
    const steps: NodeInput[] = [
      { kind: 'terminate', now: 110 },
      { kind: 'cleaned', id, ok: false, detail: 'it still runs after stop', now: 200 },
      { kind: 'fenced', id, ok: true, detail: '', now: 300 },
    ];
    let state = crashed.state;
    const outputs: NodeOutput[] = [];
    for (const input of steps) {
      const step = stepNode(state, input);
      state = step.state;
      outputs.push(...step.outputs);
    }
    assert.deepEqual(
      outputs.filter(({ kind }) => kind === 'fence' || kind === 'terminated'),
      [
        { kind: 'fence', id },
        { kind: 'terminated', ok: false, left: false },
      ],
    );
  });
});
