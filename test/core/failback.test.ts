/** `failback after D`: when the holder hands over to a node of better priority that has come back, and when it does not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { explain } from '../../daemon/core/explain.js';
import { failbackDiffers, failbackFailed } from '../../daemon/core/failback.js';
import { startNode, stepNode } from '../../daemon/core/node.js';
import type { NodeInput, NodeState, WithoutNow } from '../../daemon/core/node-types.js';
import type { PrimaryReport } from '../../daemon/core/primary-types.js';
import type { Settings } from '../../daemon/core/settings.js';
import type { StateMessage } from '../../daemon/core/types.js';
import { waitingFor } from '../../daemon/core/waiting.js';
import { heartbeat, settings, VOTERS } from './given.js';

const NEVER = Number.POSITIVE_INFINITY;
const AFTER = 60_000;
const REPORT: PrimaryReport = {
  ...{ run: 'run', epoch: 1, heardEpoch: 1, stopsHeard: 0, leaseUntil: 1e9, grantedUntil: 1e9 },
  ...{ mayRun: true, maintained: false, settled: 0, stopEnd: NEVER, actBy: NEVER, wantsLease: false },
  ...{ forced: false, attempts: 0, lastError: '' },
};

/** The holder a with priority 100, whose resource runs; b is heard once a second, as far as nothing else is said. */
function holder(change: Partial<Settings> = {}) {
  const init = { incarnation: 1, leftRunning: null, kept: null, roleOnStart: 'primary' } as const;
  const record = { epochMax: 0, grant: null, sets: [VOTERS] };
  let state = startNode({ settings: settings({ failbackMs: AFTER, ...change }), ...init, record }, 0).state;
  let now = 0;
  let sequence = 0;
  const feed = (input: WithoutNow<NodeInput>): void => {
    state = stepNode(state, { ...input, now } as NodeInput).state;
  };
  const report = (said: Partial<PrimaryReport> = {}): void =>
    feed({ kind: 'worker-report', worker: state.lastWorkerId, report: { ...REPORT, ...said } });
  report();
  feed({ kind: 'link', node: 'b', up: true });
  return {
    feed,
    report,
    state: (): NodeState => state,
    now: (): number => now,
    /** Lets `ms` go by. */
    pass(ms: number, message: Partial<StateMessage> | null = { priority: 50 }): void {
      const end = now + ms;
      for (; now < end; now += 1000) {
        sequence += 1;
        if (message === null) feed({ kind: 'tick' });
        else feed({ kind: 'peer', from: 'b', message: heartbeat({ sequence, ...message }) });
        feed({ kind: 'worker-alive', worker: state.lastWorkerId });
      }
    },
    /** `ms` in which this process is not stepped. */
    skip(ms: number): void {
      now += ms;
    },
    to: (): string => state.leaving?.successor ?? '',
  };
}

const condition = (state: NodeState, now: number) =>
  explain(state, now).conditions.find(({ name }) => name === 'failback');

describe('[P7] the holder hands over to a node of better priority', () => {
  test('that has been ready for the time of the file, and not before; and says so', () => {
    const a = holder();
    a.pass(AFTER);
    assert.equal(a.to(), '');
    assert.match(
      waitingFor(a.state(), a.now() - 20_000),
      /; would hand over to b in 20 s \(failback after 60 s\)$/,
    );
    assert.equal(condition(a.state(), a.now())?.holds, false);
    assert.match(
      condition(a.state(), a.now() - 20_000)?.value ?? '',
      /^b has 50, able for 40 s: would .* in 20 s$/,
    );
    a.pass(1000);
    assert.equal(a.to(), 'b');
    assert.equal(a.state().handover?.cause, 'failback');
    assert.equal(condition(a.state(), a.now())?.holds, true);
  });

  const interruptions: [string, number, Partial<StateMessage> | null][] = [
    ['was not able', 1000, { priority: 50, able: false }],
    [
      'lacked something',
      1000,
      { priority: 50, readiness: { lacks: [{ name: 'fit', value: 'x' }], failbackMs: 0 } },
    ],
    ['was not heard for a lease', 4000, null],
  ];
  for (const [title, ms, message] of interruptions)
    test(`not where it ${title} for a moment: then the time begins anew`, () => {
      const a = holder();
      a.pass(AFTER - 10_000);
      a.pass(ms, message);
      a.pass(AFTER);
      assert.equal(a.to(), '');
      a.pass(2000);
      assert.equal(a.to(), 'b');
    });

  test('not where it was not heard for a lease while nothing else happened here, either', () => {
    const a = holder();
    a.pass(AFTER - 10_000);
    a.skip(4000);
    a.pass(AFTER);
    assert.equal(a.to(), '');
    a.pass(2000);
    assert.equal(a.to(), 'b');
  });

  const never: [string, Partial<Settings>, Partial<StateMessage>][] = [
    ['where the file says never', { failbackMs: NEVER }, { priority: 50 }],
    ['of the same priority', {}, { priority: 100 }],
    ['of a worse one', {}, { priority: 200 }],
  ];
  for (const [title, change, message] of never)
    test(`not ${title}`, () => {
      const a = holder(change);
      a.pass(10 * AFTER, message);
      assert.equal(a.to(), '');
    });

  const bad: [string, (a: ReturnType<typeof holder>) => void, (a: ReturnType<typeof holder>) => void][] = [
    [
      'while its checks say that the service does not answer',
      (a) => a.feed({ kind: 'judged', failed: 'web is down', unfit: '' }),
      (a) => a.feed({ kind: 'judged', failed: '', unfit: '' }),
    ],
    ['while it does not run', (a) => a.report({ run: 'starting' }), (a) => a.report()],
  ];
  for (const [title, begin, end] of bad)
    test(`not ${title}`, () => {
      const a = holder();
      a.pass(1000);
      begin(a);
      a.pass(2 * AFTER);
      assert.equal(a.to(), '');
      assert.match(condition(a.state(), a.now())?.value ?? '', /: not now: /);
      end(a);
      a.pass(1000);
      assert.equal(a.to(), 'b');
    });

  test('not in maintenance', () => {
    const a = holder();
    const on = { kind: 'maintenance-on', reason: '', by: 'op', forMs: NEVER } as const;
    a.feed({ kind: 'command', id: 1, command: on });
    a.report({ maintained: true });
    a.feed({ kind: 'kept', ok: true });
    a.pass(2 * AFTER);
    assert.equal(a.state().kept?.phase, 'in-force');
    assert.equal(a.to(), '');
    assert.match(condition(a.state(), a.now())?.value ?? '', /not now: in maintenance$/);
  });

  test('later each time it was put back, up to sixteen times as late', () => {
    const a = holder();
    const waits = Array.from({ length: 7 }, () => {
      failbackFailed(a.state(), 1000);
      return (a.state().failback.notBefore - 1000) / AFTER;
    });
    assert.deepEqual(waits, [1, 2, 4, 8, 16, 16, 16]);
  });

  test('and begins anew at its next turn after one that was put back', () => {
    const a = holder();
    a.pass(AFTER + 1000);
    a.feed({ kind: 'worker-finish', worker: a.state().lastWorkerId, outcome: 'stopped' });
    a.pass(1000, { role: 'primary', able: false, run: 'starting', holdingEpoch: 2, priority: 50 });
    a.pass(1000, { able: false, priority: 50 });
    assert.equal(a.state().handover?.phase, 'putting-back');
    a.feed({ kind: 'command', id: 1, command: { kind: 'role', role: 'init', force: false } });
    assert.equal(a.state().handover, null);
    assert.deepEqual(a.state().failback, { failures: 1, notBefore: a.now() + AFTER, arrived: null });
  });

  test('the first of several by priority that is due, and tells of the earliest where none is', () => {
    const a = holder();
    a.pass(AFTER - 10_000);
    a.feed({ kind: 'link', node: 'c', up: true });
    const both = (ms: number): void => {
      for (let done = 0; done < ms && a.to() === ''; done += 1000) {
        const message = heartbeat({ sequence: 1000 + a.now(), priority: 10 });
        a.feed({ kind: 'peer', from: 'c', message });
        a.pass(1000);
      }
    };
    both(5000);
    assert.match(waitingFor(a.state(), a.now() - 1000), /; would hand over to b in 6 s/);
    a.report({ run: 'starting' });
    both(10_000);
    assert.match(condition(a.state(), a.now())?.value ?? '', /^b has 50, able for 65 s: not now: /);
    both(AFTER);
    a.report();
    assert.equal(a.to(), 'c', 'both are due');
  });

  test('the one that is due, while one of better priority is not', () => {
    const a = holder();
    a.pass(AFTER - 5000);
    a.feed({ kind: 'link', node: 'c', up: true });
    for (let sequence = 1; sequence <= 6; sequence += 1) {
      a.feed({ kind: 'peer', from: 'c', message: heartbeat({ sequence, priority: 10 }) });
      a.pass(1000);
    }
    assert.equal(a.to(), 'b');
  });
});

describe('[P7] a failback has come off when the other node has kept the resource', () => {
  const RUNS = { role: 'primary', able: false, run: 'run', holdingEpoch: 2, priority: 50 } as const;
  const DIED = { ...RUNS, run: 'starting' } as const;

  /** It has failed once, and is tried again; b runs the resource. */
  function handedBack(change: Partial<Settings> = {}) {
    const a = holder(change);
    failbackFailed(a.state(), 0);
    a.pass(AFTER + 1000);
    assert.equal(a.to(), 'b');
    a.feed({ kind: 'worker-finish', worker: a.state().lastWorkerId, outcome: 'stopped' });
    a.pass(1000, RUNS);
    assert.equal(a.state().handover, null);
    return a;
  }

  /** a gets it again. */
  function comesBack(a: ReturnType<typeof holder>): void {
    a.pass(1000);
    a.feed({ kind: 'command', id: 1, command: { kind: 'role', role: 'primary', force: false } });
    a.report({ epoch: 3, heardEpoch: 3 });
    assert.equal(a.state().role, 'primary');
  }

  test('for the time of the file, and not by one good status', () => {
    const a = handedBack();
    a.pass(AFTER - 3000, RUNS);
    assert.equal(a.state().failback.failures, 1);
    a.pass(4000, RUNS);
    assert.deepEqual([a.state().failback.failures, a.state().failback.arrived], [0, null]);
  });

  test('and for that time after each time it has died there', () => {
    const a = handedBack();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      a.pass(AFTER / 2, RUNS);
      a.pass(1000, DIED);
    }
    a.pass(AFTER - 2000, RUNS);
    assert.equal(a.state().failback.failures, 1);
    a.pass(4000, RUNS);
    assert.deepEqual([a.state().failback.failures, a.state().failback.arrived], [0, null]);
  });

  test('and for that time under one lease', () => {
    const a = handedBack();
    a.pass(AFTER - 5000, RUNS);
    a.pass(AFTER - 5000, { ...RUNS, holdingEpoch: 4 });
    assert.equal(a.state().failback.failures, 1);
    a.pass(6000, { ...RUNS, holdingEpoch: 4 });
    assert.equal(a.state().failback.failures, 0);
  });

  test('and for complaint_interval, however short that of the file is', () => {
    const a = handedBack({ complaintIntervalMs: 2 * AFTER });
    a.pass(AFTER + 1000, RUNS);
    assert.equal(a.state().failback.failures, 1);
    a.pass(AFTER, RUNS);
    assert.equal(a.state().failback.failures, 0);
  });

  test('where it comes back sooner, it has failed: the next one waits for longer', () => {
    const a = handedBack();
    a.pass(AFTER / 2, RUNS);
    comesBack(a);
    assert.deepEqual(a.state().failback, { failures: 2, notBefore: a.now() + 2 * AFTER, arrived: null });
    a.pass(2 * AFTER - 1000);
    assert.equal(a.to(), '');
    assert.match(condition(a.state(), a.now())?.value ?? '', /; failed 2 times before$/);
  });

  test('and where another node has it sooner', () => {
    const a = handedBack();
    a.feed({ kind: 'link', node: 'c', up: true });
    const message = heartbeat({ ...RUNS, holdingEpoch: 3 });
    a.feed({ kind: 'peer', from: 'c', message });
    assert.equal(a.state().failback.failures, 2);
  });

  test('a word of it that is missing for a while does not end that', () => {
    const a = handedBack();
    a.pass(2 * AFTER, null);
    assert.equal(a.state().failback.failures, 1);
    a.pass(1000, RUNS);
    assert.equal(a.state().failback.failures, 0);
  });
});

test('[P7] it is known whose file says otherwise, as far as they say', () => {
  const a = holder();
  a.pass(1000, { readiness: { lacks: [], failbackMs: NEVER } });
  assert.deepEqual(failbackDiffers(a.state(), a.now()), [{ node: 'b', failbackMs: NEVER }]);
  a.pass(1000, { readiness: null });
  assert.deepEqual(failbackDiffers(a.state(), a.now()), []);
});
