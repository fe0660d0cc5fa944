/** A handover that is ordered while the worker's words are still under way to the main process. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startNode, stepNode } from '../../daemon/core/node.js';
import type { NodeOutput, NodeState } from '../../daemon/core/node-types.js';
import { initPrimary, type PrimaryState, stepPrimary } from '../../daemon/core/primary.js';
import type { PrimaryReport } from '../../daemon/core/primary-types.js';
import { UNMARKED } from '../../daemon/core/types.js';
import { heartbeat, settings, VOTERS } from './given.js';

const RECORD = { epochMax: 0, grant: null, sets: [VOTERS] };
const LEASE = { epoch: 1, until: 1e9, grantedUntil: 1e9, sets: [VOTERS], granted: VOTERS, mark: UNMARKED };

/** A primary's worker with a lease that found its service running; its stop hook, where one runs, has the id 2. */
function worker(): PrimaryState {
  const init = { settings: settings(), holder: { node: 'a', incarnation: 1 }, sets: [VOTERS], request: 1 };
  const given = {
    ...init,
    attempts: 0,
    forced: false,
    serviceFailed: '',
    lease: LEASE,
    resumed: false,
    mark: UNMARKED,
    maintained: false,
  };
  const first = stepPrimary(initPrimary(given, 0), { kind: 'tick', now: 0 });
  return stepPrimary(first.state, { kind: 'hook', id: 1, code: 0, detail: '', now: 10 }).state;
}

function reported(state: PrimaryState): PrimaryReport {
  assert.ok(state.reported !== null);
  return state.reported;
}

/** A node with that worker, which has heard of a successor b and is told to hand over; `said` is the worker's last word before. */
function handingOver(said: PrimaryReport): NodeState {
  const init = { settings: settings(), incarnation: 1, record: RECORD, leftRunning: null, kept: null };
  let { state } = startNode({ ...init, roleOnStart: 'primary' }, 0);
  state = hear(state, said).state;
  state = stepNode(state, { kind: 'link', node: 'b', up: true, now: 0 }).state;
  state = stepNode(state, { kind: 'peer', from: 'b', message: heartbeat({ able: true }), now: 0 }).state;
  const command = { kind: 'switchover', to: 'b' } as const;
  state = stepNode(state, { kind: 'command', id: 7, command, now: 10 }).state;
  assert.equal(state.leaving?.why, 'handover');
  return state;
}

const hear = (state: NodeState, report: PrimaryReport) =>
  stepNode(state, { kind: 'worker-report', worker: state.lastWorkerId, report, now: 10 });

const answers = (outputs: NodeOutput[]): string[] =>
  outputs.flatMap((output) => (output.kind === 'reply' ? [output.error] : []));

describe('a handover', () => {
  const runs = worker();
  const told = stepPrimary(runs, { kind: 'stop', why: 'handover', successor: 'b', now: 10 });

  test('is not given up for what the worker said before it heard of it', () => {
    const starts = handingOver({ ...reported(runs), run: 'starting' });
    const step = hear(starts, reported(runs));
    assert.equal(step.state.leaving?.why, 'handover');
    assert.deepEqual(answers(step.outputs), []);
  });

  test('is given up where the worker says so: the resource still runs after stop', () => {
    let state = handingOver(reported(runs));
    state = hear(state, reported(told.state)).state;
    const killed = stepPrimary(told.state, { kind: 'hook', id: 2, code: 1, detail: 'no', now: 10 });
    const stays = stepPrimary(killed.state, { kind: 'hook', id: 3, code: 0, detail: '', now: 10 });
    assert.equal(reported(stays.state).run, 'run');
    const step = hear(state, reported(stays.state));
    assert.equal(step.state.leaving, null);
    assert.deepEqual(answers(step.outputs), ['handover failed: the resource still runs after stop']);
  });
});
