/** A resource that is judged by its checks: the primary's service does not answer, a candidate does not see what is required. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startNode, stepNode } from '../../daemon/core/node.js';
import type { NodeInput, NodeState, WithoutNow } from '../../daemon/core/node-types.js';
import { initPrimary, type PrimaryState, primaryWakeAt, stepPrimary } from '../../daemon/core/primary.js';
import type { Settings } from '../../daemon/core/settings.js';
import { UNMARKED } from '../../daemon/core/types.js';
import { isAble } from '../../daemon/core/view.js';
import { waitingFor } from '../../daemon/core/waiting.js';
import { settings, VOTERS } from './given.js';

const LEASE = { epoch: 1, until: 1e9, grantedUntil: 1e9, sets: [VOTERS], granted: VOTERS, mark: UNMARKED };

/** A primary's worker whose service was found running at 10 ms, under a lease without end. */
function runningPrimary(change: Partial<Settings> = {}): PrimaryState {
  const holder = { node: 'a', incarnation: 1 };
  const init = { settings: settings(change), holder, sets: [VOTERS], request: 1, attempts: 0 };
  const given = {
    ...init,
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

function judged(state: PrimaryState, failed: string, now: number): PrimaryState {
  return stepPrimary(state, { kind: 'judged', failed, now }).state;
}

const tick = (state: PrimaryState, now: number) => stepPrimary(state, { kind: 'tick', now });

describe('[R10] a service that does not answer', () => {
  test('is restarted when its checks have had time to see it up, and not before', () => {
    const state = judged(runningPrimary(), 'web is confirmed down', 100);
    assert.equal(tick(state, 10_009).state.phase, 'running');
    assert.ok(primaryWakeAt(state) <= 10_010);
    const step = tick(state, 10_010);
    assert.equal(step.state.phase, 'stopping');
    assert.equal(step.state.stop?.why, 'restart');
    assert.equal(step.state.attempts, 1);
    assert.match(step.state.lastError, /runs and does not answer: web is confirmed down/);
  });

  test('is restarted at once where it answered until now', () => {
    const step = stepPrimary(runningPrimary(), {
      kind: 'judged',
      failed: 'web is confirmed down',
      now: 60_000,
    });
    assert.equal(step.state.phase, 'stopping');
  });

  test('is left alone when it answers again in time', () => {
    let state = judged(runningPrimary(), 'web is confirmed down', 100);
    state = judged(state, '', 9000);
    const { phase, attempts } = tick(state, 20_000).state;
    assert.deepEqual({ phase, attempts }, { phase: 'running', attempts: 0 });
  });

  test('is given up after `attempts`, and handed over to who would take over', () => {
    const alone = runningPrimary({ attempts: 1 });
    const state = stepPrimary(alone, { kind: 'successor', node: 'b', giveBack: false, now: 20 }).state;
    const step = stepPrimary(state, { kind: 'judged', failed: 'web is confirmed down', now: 60_000 });
    assert.deepEqual([step.state.stop?.why, step.state.stop?.successor], ['gave-up', 'b']);
  });

  test('keeps its attempts while it does not answer, and loses them when it does', () => {
    const once = { ...runningPrimary({ judgeAfterMs: 200_000 }), attempts: 1 };
    const look = (state: PrimaryState, now: number): PrimaryState => {
      const begun = tick(state, now).state;
      const id = begun.hook?.id ?? 0;
      return stepPrimary(begun, { kind: 'hook', id, code: 0, detail: '', now }).state;
    };
    const failed = judged(once, 'web is confirmed down', 100);
    assert.equal(look(failed, 150_000).attempts, 1);
    assert.equal(look(once, 150_000).attempts, 1, 'it was not judged yet');
    assert.equal(look(once, 250_000).attempts, 0);
  });

  test('is not judged while it is started or stopped', () => {
    const { state } = stepPrimary(runningPrimary(), { kind: 'judged', failed: 'web', now: 60_000 });
    const again = tick(state, 60_001);
    assert.equal(again.state.attempts, 1);
  });
});

describe('[P5] what a resource requires of its primary', () => {
  function secondary(): NodeState {
    const init = { settings: settings(), incarnation: 1, record: null, leftRunning: null, kept: null };
    let { state } = startNode({ ...init, roleOnStart: 'secondary' }, 0);
    state = feed(state, { kind: 'cleaned', id: state.cleaning?.id ?? 0, ok: true, detail: '' });
    return state;
  }
  function feed(state: NodeState, input: WithoutNow<NodeInput>): NodeState {
    return stepNode(state, { ...input, now: 10 } as NodeInput).state;
  }
  const GATEWAY = 'gateway is down as seen from here';

  test('a node that does not see it is not able to take over, says why, and is able again when it does', () => {
    let state = secondary();
    assert.equal(isAble(state, 10), true);
    state = feed(state, { kind: 'judged', failed: '', unfit: GATEWAY });
    assert.equal(isAble(state, 10), false);
    assert.match(waitingFor(state, 10), /requires of its primary: gateway is down as seen from here/);
    state = feed(state, { kind: 'judged', failed: '', unfit: '' });
    assert.equal(isAble(state, 10), true);
  });

  test('the words of a failure may change: its worker hears of it when it begins and when it ends', () => {
    let state = feed(secondary(), {
      kind: 'command',
      id: 1,
      command: { kind: 'role', role: 'primary', force: false },
    });
    const told: string[] = [];
    for (const failed of ['web is down for 1 s', 'web is down for 2 s', '', '']) {
      const step = stepNode(state, { kind: 'judged', failed, unfit: '', now: 20 });
      state = step.state;
      for (const output of step.outputs)
        if (output.kind === 'worker-message' && output.message.kind === 'judged')
          told.push(output.message.failed);
    }
    assert.deepEqual(told, ['web is down for 1 s', '']);
  });
});
