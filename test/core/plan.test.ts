/** What `--dry-run` and the status say of a way back: only what this node could do, and what its successor's file makes of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NodeState } from '../../daemon/core/node-types.js';
import { planSwitchover } from '../../daemon/core/plan.js';
import type { StateMessage } from '../../daemon/core/types.js';
import { waitingFor } from '../../daemon/core/waiting.js';
import { handedOver, holder, STARTS, switchover, words } from './driven.js';

const stepsOf = (state: NodeState, now: number): string[] =>
  planSwitchover(state, 'b', { startMs: null, stopMs: null }, now).steps;

const favours = (failbackMs: number, priority = 100): Partial<StateMessage> => ({
  readiness: { lacks: [], failbackMs },
  priority,
});

describe('where this node could not take it back', () => {
  test('a plan does not promise that it does', () => {
    const a = holder();
    a.hear(10, 'b');
    assert.match(stepsOf(a.state(), 20).join('\n'), /\(start_timeout\), once;.*: put it back on a\./s);
    a.feed(30, { kind: 'judged', failed: '', unfit: 'db is down' });
    const steps = stepsOf(a.state(), 40).join('\n');
    assert.match(steps, /\(start_timeout\), up to 3 times \(attempts\);/);
    assert.match(steps, /it cannot be put back on a: db is down\./);
    assert.doesNotMatch(steps, /, once;|: put it back/);
  });

  test('status says for want of what, and not that it is put back', () => {
    const a = handedOver();
    a.hear(532, 'b', STARTS);
    a.feed(600, { kind: 'judged', failed: '', unfit: 'db is down' });
    a.hear(900, 'b', { able: false });
    assert.equal(a.state().handover?.phase, 'putting-back');
    assert.match(words(a.taken()).at(-1) ?? '', /: it cannot be put back here now \(db is down\)$/);
    assert.match(waitingFor(a.state(), 900), /^what the resource requires of its primary: db is down/);
    a.feed(1000, { kind: 'judged', failed: '', unfit: '' });
    assert.match(waitingFor(a.state(), 1000), /to put back here what b does not run$/);
  });
});

describe('[P7] where it would come back by the file of the successor', () => {
  test('a plan says so, and when', () => {
    const a = holder({ priority: 50 });
    a.hear(10, 'b', favours(600_000));
    assert.match(
      stepsOf(a.state(), 20).join('\n'),
      /^It comes back to a after 10 min: failback in the file of b\. .*maintenance on shared/m,
    );
    a.hear(30, 'c', { priority: 20 });
    assert.match(
      stepsOf(a.state(), 40).join('\n'),
      /^It goes on to c after 10 min: failback in the file of b/m,
    );
  });

  test('and the answer of the switchover', () => {
    const a = holder({ priority: 50 });
    a.hear(10, 'b', favours(600_000));
    switchover(a, 'b', 20);
    a.feed(520, { kind: 'worker-finish', worker: a.state().lastWorkerId, outcome: 'stopped' });
    a.hear(1732, 'b', { ...STARTS, ...favours(600_000), run: 'run' });
    assert.match(
      words(a.taken()).at(-1) ?? '',
      /; it comes back to a after 10 min: failback in the file of b$/,
    );
  });

  test('and neither where it does not', () => {
    const cases: [number, number][] = [
      [Number.POSITIVE_INFINITY, 100],
      [600_000, 50],
      [600_000, 20],
    ];
    for (const [failbackMs, priority] of cases) {
      const a = holder({ priority: 50 });
      a.hear(10, 'b', favours(failbackMs, priority));
      assert.doesNotMatch(stepsOf(a.state(), 20).join('\n'), /failback/);
    }
  });
});
