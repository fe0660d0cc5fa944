/** Acquiring a lease: asking first, whose answers count, who stands back, and what a loser does. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type AcquireContext,
  type AcquireOutput,
  type Acquisition,
  acquisitionAnswered,
  acquisitionTick,
  beginAcquisition,
  cancelAcquisition,
  copyAcquisition,
  initAcquisition,
} from '../../daemon/core/acquire.js';
import { startNode, stepNode } from '../../daemon/core/node.js';
import type { AnswerMessage, RefusalReason } from '../../daemon/core/types.js';
import { UNMARKED } from '../../daemon/core/types.js';
import { deepFreeze } from '../sim/freeze.js';
import { heartbeat, settings, TERMS, VOTERS } from './given.js';

const SETS = [VOTERS];
const HOLDER = { node: 'a', incarnation: 7 };
const CONTEXT: AcquireContext = {
  ...{
    holder: HOLDER,
    terms: TERMS,
    heartbeatMs: 1000,
    rank: 0,
    standBackMs: 0,
    urgent: false,
    mark: UNMARKED,
  },
};

function step(
  before: Acquisition,
  act: (state: Acquisition) => AcquireOutput[],
): [Acquisition, AcquireOutput[]] {
  deepFreeze(before);
  const state = copyAcquisition(before);
  return [state, act(state)];
}

const begin = (state: Acquisition, now: number, context = CONTEXT) =>
  step(state, (copy) => beginAcquisition(copy, context, SETS, now));

function answer(
  state: Acquisition,
  to: 'ask' | 'request',
  refusal: RefusalReason | null = null,
  change: Partial<AnswerMessage> = {},
): AnswerMessage {
  const { epoch, request } = state;
  const memory = { ...heartbeat().memory, epochMax: 4 };
  const message = { kind: 'answer', to, holder: HOLDER, epoch: to === 'ask' ? 0 : epoch, request } as const;
  return { ...message, refusal, by: '', leftMs: 0, memory, ...change };
}

const hear = (state: Acquisition, from: string, message: AnswerMessage, now: number, context = CONTEXT) =>
  step(state, (copy) => acquisitionAnswered(copy, context, from, message, now));

/** What is sent, and to how many. */
const sent = (outputs: readonly AcquireOutput[]): string =>
  outputs.flatMap((output) => (output.kind === 'send' ? [output.message.kind] : [])).join(' ');

describe('acquiring', () => {
  test('[A1] [A2] asks all, requests from all when a majority would grant, and counts from before the request', () => {
    let [state, outputs] = begin(initAcquisition(SETS), 100);
    assert.equal(sent(outputs), 'ask ask ask');
    [state, outputs] = hear(state, 'a', answer(state, 'ask'), 110);
    assert.equal(sent(outputs), '');
    [state, outputs] = hear(state, 'b', answer(state, 'ask'), 150);
    assert.equal(sent(outputs), 'request request request');
    [state] = hear(state, 'a', answer(state, 'request'), 160);
    [state, outputs] = hear(state, 'c', answer(state, 'request'), 400);
    const [lease] = outputs;
    assert.ok(lease?.kind === 'acquired');
    assert.equal(lease.until, 150 + TERMS.leaseMs);
    assert.equal(lease.grantedUntil, 150 + TERMS.leaseMs + TERMS.stopBudgetMs);
    assert.deepEqual(lease.granted, ['a', 'c']);
  });

  test('[A3] neither answers to earlier requests nor those of another kind count', () => {
    const [asking] = begin(initAcquisition(SETS), 0);
    const [once] = hear(asking, 'a', answer(asking, 'ask'), 10);
    for (const wrong of [
      answer(asking, 'ask', null, { request: asking.request - 1 }),
      answer(asking, 'request'),
    ]) {
      const [after, outputs] = hear(once, 'b', wrong, 20);
      assert.deepEqual(after, once);
      assert.deepEqual(outputs, []);
    }
  });

  test('[A3] nor do those to an earlier incarnation of this node', () => {
    const record = { epochMax: 0, grant: null, sets: SETS };
    const init = {
      settings: settings(),
      incarnation: 7,
      record,
      leftRunning: null,
      roleOnStart: 'primary',
      kept: null,
    };
    let { state } = startNode(init as Parameters<typeof startNode>[0], 0);
    const report = { ...state.worker?.report, run: 'readytorun', mayRun: false, wantsLease: true } as never;
    ({ state } = stepNode(state, { kind: 'worker-report', worker: state.lastWorkerId, report, now: 1 }));
    assert.equal(state.acquisition.phase, 'asking');
    const yes = answer(state.acquisition, 'ask');
    const hearing = (incarnation: number) =>
      stepNode(state, {
        ...{ kind: 'peer', from: 'b', now: 5 },
        message: { ...yes, holder: { node: 'a', incarnation } },
      }).state.acquisition;
    assert.deepEqual(hearing(6), state.acquisition);
    assert.equal(hearing(7).phase, 'acquiring');
  });

  test('[A4] the epoch is above all that was heard in the asking, and above its own last one', () => {
    let [state] = begin(initAcquisition(SETS), 0);
    for (const from of ['a', 'b']) [state] = hear(state, from, answer(state, 'ask'), 10);
    assert.equal(state.epoch, 5);
    [state] = step(state, (copy) => acquisitionTick(copy, CONTEXT, 5000));
    [state] = begin(state, 6000);
    for (const from of ['a', 'b']) [state] = hear(state, from, answer(state, 'ask'), 6010);
    assert.equal(state.epoch, 6);
  });

  test('[A5] a loser releases what it was granted, and waits in the order of its rank', () => {
    const retryAt = (rank: number): number => {
      const context = { ...CONTEXT, rank };
      let [state] = begin(initAcquisition(SETS), 0, context);
      for (const from of ['a', 'b']) [state] = hear(state, from, answer(state, 'ask'), 10, context);
      [state] = hear(state, 'a', answer(state, 'request'), 20, context);
      let outputs: AcquireOutput[] = [];
      for (const from of ['b', 'c'])
        [state, outputs] = hear(state, from, answer(state, 'request', 'held', { leftMs: 300 }), 30, context);
      assert.equal(sent(outputs), 'release release release');
      return state.retryAt;
    };
    assert.ok(retryAt(0) > 330);
    assert.equal(retryAt(1) - retryAt(0), 250);
    assert.equal(retryAt(2) - retryAt(1), 250);
  });

  test('[A5] who stands back requests only what nobody has taken for so long', () => {
    const context = { ...CONTEXT, standBackMs: 2000 };
    const asked = (before: Acquisition, now: number): Acquisition => {
      let [state] = begin(before, now, context);
      for (const from of ['a', 'b']) [state] = hear(state, from, answer(state, 'ask'), now, context);
      return state;
    };
    const first = asked(initAcquisition(SETS), 0);
    assert.equal(first.phase, 'idle');
    assert.equal(first.retryAt, 1000);
    assert.equal(asked(first, 1000).phase, 'idle');
    assert.equal(asked(asked(first, 1000), 2000).phase, 'acquiring');
    const [dropped] = step(first, (copy) => cancelAcquisition(copy, context));
    assert.equal(asked(dropped, 2000).phase, 'idle', 'a wish that was dropped begins anew');
  });

  test('[A5] an attempt that is no longer wanted releases what it was granted', () => {
    let [state] = begin(initAcquisition(SETS), 0);
    for (const from of ['a', 'b']) [state] = hear(state, from, answer(state, 'ask'), 10);
    [state] = hear(state, 'a', answer(state, 'request'), 20);
    const [, outputs] = step(state, (copy) => cancelAcquisition(copy, CONTEXT));
    assert.equal(sent(outputs), 'release release release');
  });

  test('[A5] after a handover it asks again at once, but a loser waits', () => {
    const context = { ...CONTEXT, urgent: true };
    const lose = (before: Acquisition, to: 'ask' | 'request'): Acquisition => {
      let state = before;
      for (const from of ['b', 'c'])
        [state] = hear(state, from, answer(state, to, 'held', { leftMs: 300 }), 30, context);
      return state;
    };
    let [state] = begin(initAcquisition(SETS), 0, context);
    assert.equal(lose(state, 'ask').retryAt, 35);
    for (const from of ['a', 'b']) [state] = hear(state, from, answer(state, 'ask'), 10, context);
    assert.ok(lose(state, 'request').retryAt > 330);
  });

  test('[A6] a set that a voter names counts in the next attempt', () => {
    const four = [...VOTERS, 'd'];
    const memory = { ...heartbeat().memory, sets: [four] };
    let [state] = begin(initAcquisition(SETS), 0);
    for (const from of ['b', 'c'])
      [state] = hear(state, from, answer(state, 'ask', 'voter-set', { memory }), 10);
    assert.equal(state.phase, 'idle');
    const [next, outputs] = begin(state, 2000);
    assert.deepEqual(next.sets, [VOTERS, four]);
    assert.equal(sent(outputs), 'ask ask ask ask');
  });
});
