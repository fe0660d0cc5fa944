/** Watchdog, complaints, the secondary's worker and renewals, each by itself. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clearComplaints, complaintCount, countComplaint } from '../../daemon/core/complaints.js';
import { type HeldLease, leaseAnswered, renewLease, takeLease } from '../../daemon/core/hold.js';
import { initPrimary, stepPrimary } from '../../daemon/core/primary.js';
import { initSecondary, type SecondaryOutput, stepSecondary } from '../../daemon/core/secondary.js';
import { leaseTerms } from '../../daemon/core/settings.js';
import type { StateMessage } from '../../daemon/core/types.js';
import { UNMARKED } from '../../daemon/core/types.js';
import { initWatchdog, stepWatchdog, type WatchdogState } from '../../daemon/core/watchdog.js';
import { heartbeat, settings, VOTERS } from './given.js';

const RUNS = { role: 'primary', run: 'run', holdingEpoch: 3 } as const;

/** Steps a watchdog on node c and gives back to whom it complained. */
function watch(state: WatchdogState, now: number, from = '', message: StateMessage | null = null) {
  const step = stepWatchdog(
    state,
    message === null ? { kind: 'tick', now } : { kind: 'heard', from, message, now },
  );
  const to = step.outputs.flatMap((output) => (output.kind === 'to-node' ? [output.to] : []));
  const others = step.outputs.filter(
    ({ kind }) => kind !== 'to-node' && kind !== 'log' && kind !== 'complain-hook',
  );
  assert.deepEqual(others, [], '[W4] a watchdog does nothing but complain');
  return { state: step.state, to: to.join(' ') };
}

describe('watchdog', () => {
  const atC = settings({ node: 'c' });

  test('[W1] [W2] [W4] complains to every candidate, once a heartbeat, from two and a half heartbeats of silence on', () => {
    let { state } = watch(initWatchdog(atC, 1, 0), 100, 'a', heartbeat(RUNS));
    let to: string;
    ({ state, to } = watch(state, 2599));
    assert.equal(to, '');
    ({ state, to } = watch(state, 2600));
    assert.equal(to, 'a b');
    ({ state, to } = watch(state, 3599));
    assert.equal(to, '');
    ({ state, to } = watch(state, 3600));
    assert.equal(to, 'a b');
    ({ state, to } = watch(state, 3700, 'b', heartbeat(RUNS)));
    ({ state, to } = watch(state, 6199));
    assert.equal(to, '');
    ({ state, to } = watch(state, 6199, 'b', heartbeat({ role: 'primary', run: 'run', forced: true })));
    assert.equal(watch(state, 8698).to, '', 'by force it runs, too');
  });

  test('[W2] at once when the primary says that it runs the resource no more, unless another one does', () => {
    let { state } = watch(initWatchdog(atC, 1, 0), 100, 'a', heartbeat(RUNS));
    assert.equal(watch(state, 200, 'a', heartbeat({ sequence: 2 })).to, 'a b');
    ({ state } = watch(state, 150, 'b', heartbeat(RUNS)));
    assert.equal(watch(state, 200, 'a', heartbeat({ sequence: 2 })).to, '');
  });

  test('[W3] gives the nodes one lease to make themselves heard', () => {
    const state = initWatchdog(atC, 1, 0);
    assert.equal(watch(state, 2999).to, '');
    assert.equal(watch(state, 3000).to, 'a b');
  });
});

describe('complaints', () => {
  const complaint = (sequence: number, incarnation = 1) =>
    ({ kind: 'complaint', incarnation, sequence }) as const;

  test('[C1] count per source, each once, and a restarted watchdog counts on', () => {
    let complaints = {};
    for (const [from, message] of [
      ['c', complaint(1)],
      ['c', complaint(1)],
      ['c', complaint(2)],
      ['c', complaint(1)],
      ['d', complaint(1)],
      ['c', complaint(1, 2)],
    ] as const)
      complaints = countComplaint(complaints, from, message, 4, 1000);
    assert.equal(complaintCount(complaints, 60_000, 1000), 3);
  });

  test('[C2] only those within the interval', () => {
    let complaints = {};
    for (let n = 1; n <= 4; n += 1) complaints = countComplaint(complaints, 'c', complaint(n), 4, n * 1000);
    assert.equal(complaintCount(complaints, 60_000, 4000), 4);
    assert.equal(complaintCount(complaints, 2500, 4000), 3);
    assert.equal(complaintCount(complaints, 60_000, 100_000), 0);
  });

  test('[C3] are forgotten when the primary is heard to run the resource; old ones do not count again', () => {
    let complaints = {};
    for (let n = 1; n <= 4; n += 1) complaints = countComplaint(complaints, 'c', complaint(n), 4, 1000);
    complaints = clearComplaints(complaints);
    assert.equal(complaintCount(complaints, 60_000, 1000), 0);
    complaints = countComplaint(complaints, 'c', complaint(4), 4, 1000);
    assert.equal(complaintCount(complaints, 60_000, 1000), 0);
    complaints = countComplaint(complaints, 'c', complaint(5), 4, 1000);
    assert.equal(complaintCount(complaints, 60_000, 1000), 1);
  });
});

describe("the secondary's worker", () => {
  const actions = (outputs: SecondaryOutput[]): string =>
    outputs.flatMap((output) => (output.kind === 'hook' ? [output.action] : [])).join(' ');

  test('[S2] looks whether the resource runs, stops it where it does, and looks again', () => {
    let step = stepSecondary(initSecondary(settings(), 0), { kind: 'tick', now: 0 });
    assert.equal(actions(step.outputs), 'status');
    const ended = (code: number, now: number) => {
      step = stepSecondary(step.state, { kind: 'heard', now });
      step = stepSecondary(step.state, { kind: 'hook', id: step.state.hookId, code, detail: '', now });
      return actions(step.outputs);
    };
    assert.equal(ended(0, 100), 'stop');
    assert.equal(ended(0, 200), 'status');
    assert.equal(ended(1, 300), '', 'stopped: nothing to do until status_interval is over');
    step = stepSecondary(step.state, { kind: 'heard', now: 5200 });
    step = stepSecondary(step.state, { kind: 'tick', now: 5300 });
    assert.equal(actions(step.outputs), 'status');
    const signal = (now: number) => stepSecondary(step.state, { kind: 'tick', now }).outputs;
    assert.deepEqual(signal(6200), [{ kind: 'signal', id: step.state.hookId, signal: 'TERM' }]);
    assert.deepEqual(signal(6300), [{ kind: 'signal', id: step.state.hookId, signal: 'KILL' }]);
    assert.equal(ended(2, 6300), '', 'unknown is not running');
  });

  test('[S1] ends when the primary has not been heard for a lease', () => {
    const first = stepSecondary(initSecondary(settings(), 0), { kind: 'tick', now: 0 });
    const looked = stepSecondary(first.state, { kind: 'hook', id: 1, code: 1, detail: '', now: 10 });
    const early = stepSecondary(looked.state, { kind: 'tick', now: 2999 });
    assert.equal(early.state.done, false);
    const late = stepSecondary(looked.state, { kind: 'tick', now: 3000 });
    assert.deepEqual(late.outputs, [{ kind: 'finish' }]);
  });
});

describe('holding', () => {
  test('[H3] renewals go to all voters at every heartbeat, also while a hook runs', () => {
    const holder = { node: 'a', incarnation: 1 };
    const lease = {
      epoch: 1,
      until: 3000,
      grantedUntil: 5000,
      sets: [VOTERS],
      granted: VOTERS,
      mark: UNMARKED,
    };
    const init = {
      settings: settings(),
      holder,
      sets: [VOTERS],
      request: 1,
      forced: false,
      attempts: 0,
      serviceFailed: '',
      lease,
      mark: UNMARKED,
      maintained: false,
    };
    let { state, outputs } = stepPrimary(initPrimary({ ...init, resumed: false }, 0), {
      kind: 'tick',
      now: 0,
    });
    let renewals = 0;
    let hooks = 0;
    // Its first look at the resource never ends; the voters answer every renewal.
    for (let now = 0; now <= 10_000; now += 100) {
      for (const output of outputs) {
        if (output.kind === 'hook') hooks += 1;
        if (output.kind !== 'to-voters' || output.message.kind !== 'request') continue;
        renewals += 1;
        for (const from of VOTERS) {
          const { epoch, request } = output.message;
          const memory = heartbeat().memory;
          const verdict = { refusal: null, by: '', leftMs: 0, memory } as const;
          const message = { kind: 'answer', to: 'request', holder, epoch, request, ...verdict } as const;
          state = stepPrimary(state, { kind: 'answer', from, message, now }).state;
        }
      }
      ({ state, outputs } = stepPrimary(state, { kind: 'tick', now }));
    }
    assert.equal(hooks, 1);
    assert.equal(renewals, 10);
    assert.ok((state.lease?.until ?? 0) > 10_000);
  });

  test('[H4] a set of before is reckoned with until a majority of it has answered and no voter names it', () => {
    const [now, before] = [
      ['a', 'c', 'd'],
      ['a', 'b', 'c', 'd'],
    ];
    const given = {
      epoch: 1,
      until: 3000,
      grantedUntil: 5000,
      sets: [now, before],
      granted: before,
      mark: UNMARKED,
    };
    const holder = { node: 'a', incarnation: 1 };
    const renew = (lease: HeldLease) =>
      renewLease(lease, 7, holder, leaseTerms(settings()), [now], UNMARKED, 1000);
    const answered = (lease: HeldLease, from: string, sets: string[][], history = true): HeldLease => {
      const memory = { ...heartbeat().memory, sets, history };
      const verdict = { refusal: null, by: '', leftMs: 0, memory } as const;
      const answer = { kind: 'answer', to: 'request', holder, epoch: 1, request: 7, ...verdict } as const;
      return leaseAnswered(lease, from, answer, 1010);
    };
    const { lease } = renew(takeLease(given, 0));
    assert.deepEqual(renew(lease).message.sets, [now, before], 'nobody has answered');
    const one = answered(answered(lease, 'a', [now]), 'c', [now]);
    assert.deepEqual(renew(one).message.sets, [now, before], 'two of four');
    assert.deepEqual(renew(answered(one, 'd', [now], false)).message.sets, [now, before], 'd has no history');
    assert.deepEqual(renew(answered(one, 'd', [now, before])).message.sets, [now, before], 'd names it');
    const all = answered(one, 'd', [now]);
    assert.deepEqual(renew(all).message.sets, [now]);
    assert.deepEqual(renew(answered(all, 'b', [before])).message.sets, [now], 'b is no voter any more');
  });

  test('[H1] a renewal counts from before it was sent', () => {
    const given = {
      epoch: 1,
      until: 3000,
      grantedUntil: 5000,
      sets: [VOTERS],
      granted: VOTERS,
      mark: UNMARKED,
    };
    const holder = { node: 'a', incarnation: 1 };
    const { lease } = renewLease(
      takeLease(given, 0),
      7,
      holder,
      leaseTerms(settings()),
      [VOTERS],
      UNMARKED,
      1000,
    );
    assert.deepEqual(
      lease.pending.map(({ sentAt, leaseMs }) => sentAt + leaseMs),
      [4000],
    );
  });
});
