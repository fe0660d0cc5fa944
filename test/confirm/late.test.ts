/** Answers that take long, as where thousands of checks go down at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initConfirm, stepConfirm } from '../../daemon/confirm/confirm.js';
import type { ConfirmInput, ConfirmMessage } from '../../daemon/confirm/types.js';
import { DOWN, LIMITS, ruleFor } from './given.js';

test('[K6] an answer that is later than the next ask counts: it is the same question', () => {
  const config = { domain: 'x', limits: LIMITS, checks: { web: ruleFor(['a', 'b']) } };
  let now = 1_000_000;
  let state = initConfirm('a', config, {}, 0, now, now);
  const asks: number[] = [];
  const step = (...inputs: ConfirmInput[]): void => {
    const result = stepConfirm(state, inputs, now, now);
    state = result.state;
    for (const output of result.outputs)
      if (output.kind === 'send' && output.message.kind === 'ask') asks.push(output.message.id);
  };
  step({ kind: 'connected', peer: 'b' }, { kind: 'seen', check: 'web', view: DOWN });
  for (let passed = 0; passed < 35; passed += 1) {
    now += 1_000;
    step({ kind: 'tick' }, { kind: 'seen', check: 'web', view: { ...DOWN, forMs: (passed + 1) * 1000 } });
  }
  assert.ok(asks.length > 1 && new Set(asks).size === 1, asks.join());
  const view = { ...DOWN, forMs: 60_000 };
  const message: ConfirmMessage = { kind: 'answer', check: 'web', id: asks[0] ?? 0, view };
  step({ kind: 'message', from: 'b', message });
  assert.equal(state.ledgers.web?.edge, 1);
});
