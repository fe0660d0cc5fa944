/** The arithmetic of time. Every number here is worked out by hand. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type BudgetInput,
  budgetInput,
  checkBudget,
  describeBudget,
  grantMs,
  recoveryMs,
  stopBudgetMs,
} from '../../daemon/config/budget.js';
import { configOf, parse, resourceOf } from './support.js';

function times(changes: Partial<BudgetInput> = {}): BudgetInput {
  const [resource] = configOf(resourceOf('')).resources;
  assert.ok(resource !== undefined);
  return { ...budgetInput(resource), ...changes };
}

const device = (seconds: number) => ({ timeoutMs: seconds * 1000 });
const messages = (input: BudgetInput, own: { timeoutMs: number } | null = null) =>
  checkBudget(input, own).map(({ severity, message }) => `${severity}: ${message}`);

describe('the grant', () => {
  test('the defaults: (3 s + 5 s) x 1.01', () => {
    assert.equal(stopBudgetMs(times(), null), 5000);
    assert.equal(grantMs(times(), null), 8080);
  });

  test('fence_timeout adds to stop_timeout', () => {
    const fenced = times({ fenced: true, fenceTimeoutMs: 10_000 });
    assert.equal(stopBudgetMs(fenced, null), 15_000);
    assert.equal(grantMs(fenced, null), 18_180);
  });

  test('a device counts where it is longer', () => {
    assert.equal(stopBudgetMs(times(), device(10)), 10_000);
    assert.equal(stopBudgetMs(times(), device(4)), 5000);
    assert.equal(grantMs(times(), device(10)), 13_130);
    assert.equal(stopBudgetMs(times({ fenced: true, fenceTimeoutMs: 10_000 }), device(12)), 15_000);
  });

  test('is rounded up: a voter never grants too early', () => {
    assert.equal(grantMs(times({ leaseTimeoutMs: 150, stopTimeoutMs: 101 }), null), 254); // 251 x 1.01 = 253.51
    assert.equal(grantMs(times({ leaseTimeoutMs: 3000, driftPpm: 100 }), null), 8001); // 8000.8
  });
});

describe('recovery', () => {
  test('a default cluster recovers from a lost node in less than 10 s', () => {
    assert.equal(recoveryMs(times(), null), 9080);
  });

  test('complaints decide where they take longer than the grant', () => {
    const slow = times({ complaintCount: 10, stopTimeoutMs: 1000 });
    assert.equal(recoveryMs(slow, null), 14_000); // (3 + 10) x 1 s + 1 s
  });

  test('the figures of a fast cluster: heartbeat 100 ms, lease 300 ms, stop 200 ms', () => {
    const fast = times({ heartbeatIntervalMs: 100, leaseTimeoutMs: 300, stopTimeoutMs: 200 });
    assert.equal(grantMs(fast, null), 505);
    assert.equal(recoveryMs(fast, null), 700);
  });

  test('is explained in words', () => {
    assert.deepEqual(describeBudget(times(), device(10)), [
      'lease 3s, renewed every 1s',
      'stop budget 10s = watchdog_timeout',
      'grant 13.13s = (lease + stop budget) x (1 + 1%)',
      'recovery from the loss of a machine in 14.13s, and the start itself',
    ]);
    const [, own] = describeBudget(times({ fenced: true, fenceTimeoutMs: 1000 }), null);
    assert.equal(own, 'stop budget 6s = stop_timeout + fence_timeout');
  });
});

describe('what does not add up', () => {
  test('nothing in the defaults, and nothing in a heartbeat of 50 ms', () => {
    assert.deepEqual(messages(times()), []);
    assert.deepEqual(messages(times(), device(10)), []);
    assert.deepEqual(
      messages(times({ heartbeatIntervalMs: 50, leaseTimeoutMs: 150, stopTimeoutMs: 200 })),
      [],
    );
  });

  test('a lease of less than two heartbeats; of less than three a warning', () => {
    assert.deepEqual(messages(times({ leaseTimeoutMs: 1999 })), [
      'error: lease_timeout 1.999s is less than 2 x heartbeat_interval 1s = 2s',
    ]);
    assert.deepEqual(messages(times({ leaseTimeoutMs: 2000 })), [
      'warning: lease_timeout 2s is less than 3 x heartbeat_interval 1s = 3s',
    ]);
    assert.deepEqual(messages(times({ leaseTimeoutMs: 3000 })), []);
  });

  test('complaints that expire before they add up', () => {
    assert.deepEqual(messages(times({ complaintIntervalMs: 4000, statusTimeoutMs: 1000 })), []);
    const [message] = messages(times({ complaintIntervalMs: 3999, statusTimeoutMs: 1000 }));
    assert.match(
      message ?? '',
      /^error: .*\(complaint_count 3 \+ 1\) x heartbeat_interval 1s = 4s, more than complaint_interval 3.999s$/,
    );
  });

  test('no time for the last status', () => {
    assert.deepEqual(messages(times({ stopTimeoutMs: 200 })), []);
    assert.deepEqual(messages(times({ stopTimeoutMs: 100 })), [
      'warning: stop_timeout 100ms leaves 20ms for the last status: TERM at 70ms, KILL at 80ms',
    ]);
  });

  test('a switchover shorter than the stop it waits for', () => {
    assert.equal(messages(times({ switchoverTimeoutMs: 4999 })).length, 1);
    assert.equal(messages(times({ switchoverTimeoutMs: 5000 })).length, 0);
  });

  test('a device that a failover would wait for too long', () => {
    // (3 s + 56 s) x 1.01 = 59.59 s; (3 s + 57 s) x 1.01 = 60.6 s
    assert.deepEqual(messages(times(), device(56)), []);
    const [message] = messages(times(), device(57));
    assert.match(
      message ?? '',
      /^error: .*\(lease_timeout 3s \+ watchdog_timeout 57s\) x \(1 \+ 1%\) = 60.6s, more than complaint_interval 60s$/,
    );
  });

  test('a long stop is not the device’s fault', () => {
    assert.deepEqual(
      messages(times({ stopTimeoutMs: 120_000, switchoverTimeoutMs: 240_000 }), device(120)),
      [],
    );
  });

  test('a device that fires during a stop, or between heartbeats', () => {
    assert.equal(messages(times(), device(5)).length, 0);
    assert.equal(messages(times(), device(4)).length, 1);
    assert.equal(
      messages(
        times({ heartbeatIntervalMs: 6000, leaseTimeoutMs: 18_000, complaintIntervalMs: 60_000 }),
        device(11),
      ).length,
      1,
    );
  });
});

test('a warning about the defaults alone is not given', () => {
  // complaint_count 2 makes the default lease two heartbeats: said. The default status_timeout is longer than a
  // complaint_interval of 4 s: not said, since nobody set it.
  assert.equal(parse(resourceOf('complaint_count 2')).diagnostics.length, 1);
  assert.deepEqual(parse(resourceOf('complaint_interval 4s')).diagnostics, []);
});
