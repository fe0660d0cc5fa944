/** A handover that something else overtakes: a role that is given meanwhile, the end of hastmond, another command. Nobody waits in vain. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NodeOutput } from '../../daemon/core/node-types.js';
import { planSwitchover } from '../../daemon/core/plan.js';
import type { Role } from '../../daemon/core/types.js';
import { driven, handedOver, holder, type Node, STARTS, switchover } from './driven.js';

const ROLE = 8;
const SWITCHOVER = 7;

/** `7: overtaken by a role command`, for each answer since it was last asked. */
const answers = (node: Node): string[] =>
  node
    .taken()
    .flatMap((output: NodeOutput) =>
      output.kind === 'reply' ? [`${output.command}: ${output.error || output.text}`] : [],
    );

function role(node: Node, now: number, to: Role): string[] {
  node.taken();
  node.feed(now, { kind: 'command', id: ROLE, command: { kind: 'role', role: to, force: false } });
  return answers(node);
}

const finish = (node: Node, now: number): void =>
  node.feed(now, { kind: 'worker-finish', worker: node.state().lastWorkerId, outcome: 'stopped' });

/** a, to which the resource comes back, holds the lease again and starts it. */
function puttingBack(): Node {
  const a = handedOver();
  a.hear(532, 'b', STARTS);
  a.hear(900, 'b', { able: false });
  assert.equal(a.state().handover?.phase, 'putting-back');
  return a;
}

describe('[P8] a role command ends a handover whose outcome is awaited', () => {
  test('while the lease passes: what is set now holds', () => {
    for (const to of ['secondary', 'primary'] as const) {
      const a = handedOver();
      assert.equal(role(a, 600, to)[0], `${SWITCHOVER}: overtaken by a role command`);
      assert.equal(a.state().handover, null);
      assert.equal(a.state().roleSet, to);
    }
  });

  test('while the successor starts it, and it is not taken back then', () => {
    const a = handedOver();
    a.hear(532, 'b', STARTS);
    assert.deepEqual(role(a, 600, 'secondary'), [
      `${SWITCHOVER}: overtaken by a role command`,
      `${ROLE}: already secondary`,
    ]);
    a.hear(900, 'b', { able: false });
    assert.equal(
      a.taken().some((output) => output.kind === 'send' && output.message.kind === 'ask'),
      false,
    );
  });

  test('while it is put back', () => {
    const a = puttingBack();
    assert.equal(role(a, 1000, 'secondary')[0], `${SWITCHOVER}: overtaken by a role command`);
    a.feed(2000, { kind: 'tick' });
    assert.equal(a.state().roleSet, 'secondary');
    assert.equal(a.state().handover, null);
  });

  test('but not one that is refused', () => {
    const a = handedOver();
    a.hear(532, 'b', STARTS);
    assert.match(role(a, 600, 'primary').join(), /^8: b holds shared with priority 100/);
    assert.equal(a.state().handover?.phase, 'starting');
  });
});

describe('a role that is given while the resource is stopped for a handover that nobody ordered', () => {
  for (const to of ['secondary', 'init', 'watchdog'] as const)
    test(`ends that handover: ${to}`, () => {
      const a = holder();
      a.hear(10, 'b', { roleSet: 'primary', priority: 1 });
      for (const now of [2000, 4000, 6010]) a.hear(now, 'b', { roleSet: 'primary', priority: 1 });
      assert.equal(a.state().handover?.cause, 'priority');
      assert.deepEqual(role(a, 6020, to), []);
      assert.equal(a.state().handover, null);
      finish(a, 6500);
      assert.deepEqual(answers(a), [`${ROLE}: stopped here and released`]);
      assert.equal(a.state().role, to);
      assert.equal(a.state().handover, null);
    });
});

describe('whoever waits is answered when hastmond ends, or the resource is taken out of the file', () => {
  test('for a switchover, while the worker stops the resource', () => {
    const a = holder();
    a.hear(10, 'b');
    switchover(a, 'b', 20);
    a.feed(30, { kind: 'terminate' });
    finish(a, 500);
    assert.deepEqual(answers(a), [`${SWITCHOVER}: hastmond is about to end`]);
    assert.equal(a.state().terminated, true);
    assert.equal(a.state().handover, null);
  });

  test('for a switchover, while hastmond stops it in the place of a worker that was lost', () => {
    const a = holder();
    a.hear(10, 'b');
    switchover(a, 'b', 20);
    a.feed(25, { kind: 'worker-exit', worker: a.state().lastWorkerId });
    a.feed(30, { kind: 'terminate' });
    a.feed(500, { kind: 'cleaned', id: a.state().lastCleanId, ok: true, detail: '' });
    assert.deepEqual(answers(a), [`${SWITCHOVER}: hastmond is about to end`]);
    assert.equal(a.state().terminated, true);
  });

  test('for a role, however it is stopped', () => {
    for (const lost of [false, true]) {
      const a = holder();
      assert.deepEqual(role(a, 20, 'secondary'), []);
      if (lost) a.feed(25, { kind: 'worker-exit', worker: a.state().lastWorkerId });
      a.feed(30, { kind: 'terminate' });
      if (lost) a.feed(500, { kind: 'cleaned', id: a.state().lastCleanId, ok: true, detail: '' });
      else finish(a, 500);
      assert.deepEqual(answers(a), [`${ROLE}: hastmond is about to end`]);
      assert.equal(a.state().terminated, true);
    }
  });
});

describe('a switchover to the node that holds it', () => {
  const planned = (node: Node, now: number): string =>
    planSwitchover(node.state(), 'a', { startMs: null, stopMs: null }, now).refusal;

  test('is refused, by the command as by --dry-run', () => {
    const a = holder();
    switchover(a, 'a', 10);
    a.feed(20, { kind: 'command', id: SWITCHOVER, command: { kind: 'switchover', to: 'a' } });
    const [reply] = a.taken().filter((output) => output.kind === 'reply');
    assert.equal(reply?.error, 'a holds shared already');
    assert.equal(planned(a, 20), 'a holds shared already');
  });

  test('has to wait while that node hands it over', () => {
    const a = holder();
    a.hear(10, 'b');
    switchover(a, 'b', 20);
    assert.match(switchover(a, 'a', 30).join(), /^a change of role is under way/);
    assert.match(planned(a, 30), /^a change of role is under way/);
  });

  test('is for the one that holds it to refuse', () => {
    const b = driven('secondary', { node: 'b' });
    assert.match(switchover(b, 'b', 20).join(), /nor by any node that is connected/);
  });
});
