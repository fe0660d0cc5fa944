/** What peers with the key may say is no reason to fall over: any message, in any order, about any check. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initConfirm, stepConfirm } from '../../daemon/confirm/confirm.js';
import { whyServiceFailed } from '../../daemon/confirm/resources.js';
import type { ConfirmConfig, ConfirmInput, ConfirmOutput, ConfirmState } from '../../daemon/confirm/types.js';
import { random, randomConfirm } from '../proto/random.js';
import { DOWN, LIMITS, overWire, ruleFor, Table, UP } from './given.js';

const config: ConfirmConfig = {
  ...{ domain: 'x', limits: { ...LIMITS, flapEdges: 4 } },
  checks: { web: ruleFor(['a', 'b', 'c'], { depends: ['gw'] }), gw: ruleFor(['a', 'b', 'c']) },
};

test('[K9] any message of any peer is taken, and what is not checked here leaves nothing behind', () => {
  for (let seed = 1; seed <= 80; seed += 1) {
    const r = random(seed);
    let state = initConfirm('a', config, {}, 0, 0, 0);
    for (let turn = 0; turn < 60; turn += 1) {
      const said = randomConfirm(r);
      const message = { ...said, check: r.chance(70) ? r.pick(['web', 'gw']) : said.check };
      const input = r.pick<ConfirmInput>([
        { kind: 'message', from: r.pick(['b', 'c', 'z', '__proto__']), message },
        { kind: 'seen', check: r.pick(['web', 'gw', '__proto__']), view: r.chance(50) ? DOWN : UP },
        { kind: r.chance(50) ? 'connected' : 'lost', peer: r.pick(['b', 'c']) },
        { kind: 'tick' },
      ]);
      const { state: next, outputs } = stepConfirm(state, input, turn * r.below(9000), 0);
      state = next;
      for (const output of outputs) if (output.kind === 'send') overWire(output.message);
    }
    for (const known of [state.ledgers, state.troubles])
      assert.deepEqual(
        Object.keys(known).filter((check) => !Object.hasOwn(config.checks, check)),
        [],
      );
  }
});

test('[E2] a peer that has counted far ahead is joined in bounded time', () => {
  const ledger = {
    ...{
      edge: 1_000_000_000,
      told: 0,
      said: 0,
      saidBy: '',
      flap: 3,
      ack: 0,
      ackBy: '',
      sinceMs: 0,
      notes: [],
    },
    mute: { revision: 0, leftMs: 0 },
  };
  let state = initConfirm('a', config, {}, 0, 0, 0);
  const begun = performance.now();
  const step = (input: ConfirmInput, now: number): void => {
    ({ state } = stepConfirm(state, input, now, 0));
  };
  step({ kind: 'message', from: 'b', message: { kind: 'ledger', check: 'web', ledger } }, 1);
  // From the flapping edge on all is silence: a billion edges to settle.
  for (let told = 3, now = 2; now < 20; now += 1, told += 1) {
    step(
      {
        kind: 'message',
        from: 'b',
        message: { kind: 'ledger', check: 'web', ledger: { ...ledger, told, said: 3 } },
      },
      now,
    );
    step({ kind: 'tick' }, now);
  }
  assert.equal(state.ledgers.web?.edge, 1_000_000_000);
  assert.ok(performance.now() - begun < 1000);
});

test('inputs of one moment together are the same as one after the other', () => {
  const inputs: ConfirmInput[] = [
    { kind: 'connected', peer: 'b' },
    { kind: 'connected', peer: 'c' },
    { kind: 'seen', check: 'web', view: DOWN },
    {
      kind: 'message',
      from: 'b',
      message: { kind: 'answer', check: 'web', id: 1, view: { ...DOWN, forMs: 50 } },
    },
    { kind: 'recorded', check: 'web', edge: 1 },
    { kind: 'message', from: 'b', message: { kind: 'grant', check: 'web', edge: 1 } },
    { kind: 'message', from: 'c', message: { kind: 'refuse', check: 'web', edge: 1, by: 'c' } },
    { kind: 'tick' },
  ];
  let apart: ConfirmState = initConfirm('a', config, {}, 0, 0, 0);
  const outputs: ConfirmOutput[] = [];
  const together = stepConfirm(initConfirm('a', config, {}, 0, 0, 0), inputs, 10, 0);
  for (const input of inputs) {
    const step = stepConfirm(apart, input, 10, 0);
    apart = step.state;
    outputs.push(...step.outputs);
  }
  assert.deepEqual({ state: together.state, outputs: together.outputs }, { state: apart, outputs });
  assert.ok(outputs.length > 5);
});

test('a step that fails leaves the state as it was', () => {
  const down: ConfirmInput = { kind: 'seen', check: 'web', view: DOWN };
  const broken = { kind: 'message', from: 'b', message: { kind: 'ledger', check: 'web', ledger: null } };
  const { state } = stepConfirm(
    initConfirm('a', config, {}, 0, 0, 0),
    { kind: 'connected', peer: 'b' },
    5,
    0,
  );
  const before = structuredClone(state);
  assert.throws(() => stepConfirm(state, [down, broken as unknown as ConfirmInput], 10, 0));
  assert.deepEqual(state, before);
  const { state: seen } = stepConfirm(state, down, 10, 0);
  const known = structuredClone(seen);
  assert.throws(() => stepConfirm(seen, [{ kind: 'blind' }, broken as unknown as ConfirmInput], 20, 0));
  assert.deepEqual(seen, known);
});

test('[K10] an outage that nobody is left to end fails no service for long', () => {
  const table = new Table(['a', 'b', 'c']);
  for (const name of ['b', 'c']) table.see(name, 'web', DOWN);
  const failed = (): string => {
    const state = table.states.a;
    return state === undefined ? '' : whyServiceFailed(state, ['web'], table.now);
  };
  table.see('a', 'web', UP);
  table.pass(60_000);
  assert.equal(failed(), 'web is confirmed down for 60 s');
  table.crash('b');
  table.crash('c');
  assert.equal(failed(), '');
  table.pass(60_000);
  assert.equal(table.edge('a'), 1, 'it is not over: a alone ends nothing');
  assert.equal(failed(), '');
});

test('what concerns a great many checks at once is left to the ticks, which look at some at a time', () => {
  const names = Array.from({ length: 600 }, (_, index) => `c${index}`);
  const many = {
    ...config,
    checks: Object.fromEntries(names.map((name) => [name, ruleFor(['a', 'b', 'c'])])),
  };
  let state = initConfirm('a', many, {}, 0, 0, 0);
  const step = (input: ConfirmInput, now: number): ConfirmOutput[] => {
    const result = stepConfirm(state, input, now, 0);
    ({ state } = result);
    return result.outputs;
  };
  for (const check of names) step({ kind: 'seen', check, view: DOWN }, 0);
  const asks = (outputs: readonly ConfirmOutput[]): number =>
    outputs.filter((output) => output.kind === 'send' && output.message.kind === 'ask').length;
  assert.equal(asks(step({ kind: 'connected', peer: 'b' }, 20_000)), 0);
  assert.equal(asks(step({ kind: 'tick', checks: names.slice(0, 100) }, 20_100)), 100);
  assert.equal(asks(step({ kind: 'tick' }, 20_200)), 500);
});
