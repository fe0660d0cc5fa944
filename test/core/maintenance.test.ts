/** Maintenance: what a voter keeps, when a worker leaves the resource alone, and how a node begins, ends and takes it up. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { demandOf } from '../../daemon/core/demand.js';
import { startNode } from '../../daemon/core/node.js';
import { initPrimary, type PrimaryState, stepPrimary } from '../../daemon/core/primary.js';
import type { MaintenanceMark, RequestMessage } from '../../daemon/core/types.js';
import { UNMARKED } from '../../daemon/core/types.js';
import {
  changeVoters,
  copyVoter,
  forgetMaintenance,
  initVoter,
  type VoterOutput,
  type VoterState,
  voteOnRelease,
  voteOnRequest,
  voterHeard,
  voterMemory,
  voterStored,
  voterSurpassed,
} from '../../daemon/core/voter.js';
import { initWatchdog, stepWatchdog } from '../../daemon/core/watchdog.js';
import { GRANT_MS, heartbeat, requestOf, settings, VOTERS } from './given.js';
import { adopted, ON, replies, step } from './left-alone.js';

const OFF: MaintenanceMark = { on: false, reason: '', by: '', revision: 2 };
const LATER = 100 * GRANT_MS;

/** A voter of node c that has stored all it is asked, at `now`. */
function voter(): VoterState {
  return initVoter('c', VOTERS, { epochMax: 0, grant: null, sets: [VOTERS] }, GRANT_MS, 0);
}

function storeAll(state: VoterState, outputs: readonly VoterOutput[], now: number, ok = true): void {
  for (const output of outputs)
    if (output.kind === 'store') storeAll(state, voterStored(state, output.id, ok, now), now, ok);
}

/** What it answers to a request: null for a grant. */
function asked(state: VoterState, request: RequestMessage, now: number, stores = true): string | null {
  const answers: (string | null)[] = [];
  const look = (outputs: readonly VoterOutput[]): void => {
    for (const output of outputs) {
      if (output.kind === 'answer' && output.message.kind === 'answer') answers.push(output.message.refusal);
      if (output.kind === 'store') look(voterStored(state, output.id, stores, now));
    }
  };
  look(voteOnRequest(state, request.holder.node, request, now));
  const [answer = 'no answer'] = answers;
  return answer;
}

/** It keeps the resource for a, under epoch 1. */
function keeping(): VoterState {
  const state = voter();
  assert.equal(asked(state, requestOf('a', 1), 0), null);
  assert.equal(asked(state, requestOf('a', 1, { mark: ON }), 10), null);
  assert.equal(state.grant?.mark.on, true);
  return state;
}

describe('a voter', () => {
  test('[L1] grants to nobody else, however much time passes, and after a restart', () => {
    const state = keeping();
    assert.equal(asked(state, requestOf('b', 2), LATER), 'maintenance');
    const { epochMax, grant, sets } = state;
    assert.ok(grant !== null);
    const again = initVoter('c', VOTERS, { epochMax, grant, sets }, GRANT_MS, LATER);
    assert.equal(asked(again, requestOf('b', 2), 3 * LATER), 'maintenance');
    const other = { node: 'a', incarnation: 2 };
    assert.equal(asked(again, requestOf('a', 2, { holder: other, mark: ON }), 3 * LATER), null);
    assert.equal(again.grant?.mark.on, true);
  });

  test('[L4] a renewal waits for no disk, and the mark counts when it is stored', () => {
    const state = voter();
    asked(state, requestOf('a', 1), 0);
    assert.equal(asked(state, requestOf('a', 1, { mark: ON }), 10, false), null, 'the disk is full');
    assert.equal(voterMemory(state, 10).grant?.mark.on, false);
    assert.equal(asked(state, requestOf('a', 1, { mark: ON }), 20), null);
    assert.equal(voterMemory(state, 20).grant?.mark.on, true);
  });

  test('[L4] only the newest word of the holder takes it off', () => {
    const state = keeping();
    assert.equal(asked(state, requestOf('a', 1), 20), null, 'sent before it was on');
    assert.equal(state.grant?.mark.on, true);
    assert.equal(asked(state, requestOf('a', 1, { mark: OFF }), 30), null);
    assert.equal(state.grant?.mark.on, false);
    assert.equal(asked(state, requestOf('a', 1, { mark: ON }), 40), null, 'sent before it was off');
    assert.equal(state.grant?.mark.on, false);
    assert.equal(asked(state, requestOf('b', 2), LATER), null);
  });

  test('[L4] it hears of the end from another voter', () => {
    const holder = { node: 'a', incarnation: 1 };
    for (const [epoch, mark, ends] of [
      [1, OFF, true],
      [2, UNMARKED, true],
      [1, UNMARKED, false],
    ] as const) {
      const state = keeping();
      const memory = { ...heartbeat().memory, epochMax: epoch, grant: { holder, epoch, leftMs: 0, mark } };
      storeAll(state, voterHeard(state, 'b', memory, 50), 50);
      assert.equal(state.grant?.mark.on, !ends, `epoch ${epoch}, revision ${mark.revision}`);
    }
  });

  test('[L3] a release does not', () => {
    const state = keeping();
    const release = { kind: 'release', holder: { node: 'a', incarnation: 1 }, epoch: 1 } as const;
    storeAll(state, voteOnRelease(state, { ...release, successor: '', reservationMs: 0 }, 20), 20);
    assert.equal(asked(state, requestOf('b', 2), LATER), 'maintenance');
  });

  test('[L7] does not change the voters meanwhile', () => {
    assert.ok('refused' in changeVoters(copyVoter(keeping()), ['a', 'b', 'c', 'd']));
  });

  test('[L8] gives it up where another node holds a newer lease', () => {
    for (const [from, epoch, ends] of [
      ['b', 2, true],
      ['b', 1, false],
      ['a', 2, false],
    ] as const) {
      const state = keeping();
      storeAll(state, voterSurpassed(state, from, epoch), 50);
      assert.equal(state.grant?.mark.on, !ends, `${from} ${epoch}`);
    }
  });
});

const LEASE = { epoch: 1, until: 3000, grantedUntil: 5000, sets: [VOTERS], granted: VOTERS, mark: UNMARKED };

/** A worker that runs its resource since 10, under a lease until 3000. */
function worker(
  change: { mark?: MaintenanceMark; maintained?: boolean; lease?: typeof LEASE | null } = {},
): PrimaryState {
  const init = { settings: settings(), holder: { node: 'a', incarnation: 1 }, sets: [VOTERS], request: 1 };
  const given = {
    attempts: 0,
    forced: false,
    serviceFailed: '',
    lease: LEASE,
    resumed: true,
    mark: UNMARKED,
  };
  const first = stepPrimary(initPrimary({ ...init, ...given, maintained: false, ...change }, 0), {
    kind: 'tick',
    now: 0,
  });
  return stepPrimary(first.state, { kind: 'hook', id: 1, code: 0, detail: '', now: 10 }).state;
}

/** It asks for maintenance at 20, and these voters say that they have it on disk. */
function marked(voters: readonly string[]): PrimaryState {
  let step = stepPrimary(worker(), { kind: 'maintenance', mark: ON, now: 20 });
  const request = step.outputs.find((output) => output.kind === 'to-voters')?.message;
  assert.ok(request?.kind === 'request' && request.mark.on, 'it says so at once');
  const holder = { node: 'a', incarnation: 1 };
  const memory = { ...heartbeat().memory, grant: { holder, epoch: 1, leftMs: 5000, mark: ON } };
  for (const from of voters) {
    const message = {
      ...({ kind: 'answer', to: 'request', holder, epoch: 1, request: request.request } as const),
      ...{ refusal: null, by: '', leftMs: 0, memory },
    };
    step = stepPrimary(step.state, { kind: 'answer', from, message, now: 30 });
  }
  return step.state;
}

describe('what an operator has forgotten on one voter', () => {
  test('[L8] is not forgotten on another one, which may still hear that node', () => {
    const state = keeping();
    storeAll(state, forgetMaintenance(state), 50);
    assert.equal(state.grant?.mark.on, false);
    const other = keeping();
    storeAll(other, voterHeard(other, 'c', voterMemory(state, 60), 60), 60);
    assert.equal(other.grant?.mark.on, true);
  });

  test('[L8] counts again when the node is heard again', () => {
    const state = keeping();
    storeAll(state, forgetMaintenance(state), 50);
    assert.equal(asked(state, requestOf('a', 1, { mark: ON }), 60), null);
    assert.equal(state.grant?.mark.on, true);
  });

  test('[L8] is not what a voter without a record learns, in whatever order it hears', () => {
    const forgot = keeping();
    storeAll(forgot, forgetMaintenance(forgot), 50);
    for (const order of [
      [keeping(), forgot],
      [forgot, keeping()],
    ]) {
      const state = initVoter('b', VOTERS, null, GRANT_MS, 0);
      for (const [index, other] of order.entries()) {
        const memory = { ...voterMemory(other, 100), epochMax: 1 };
        storeAll(state, voterHeard(state, index === 0 ? 'a' : 'c', memory, LATER), LATER);
      }
      assert.equal(state.history, true);
      assert.equal(state.grant?.mark.on, true);
    }
  });
});

describe("the primary's worker", () => {
  test('[L2] relies on a majority, and on no less', () => {
    assert.equal(marked(['a']).reported?.maintained, false);
    assert.equal(stepPrimary(marked(['a']), { kind: 'tick', now: 3000 }).state.phase, 'stopping');
    const state = marked(['a', 'b']);
    assert.equal(state.reported?.maintained, true);
    const step = stepPrimary(state, { kind: 'tick', now: LATER });
    assert.equal(step.state.phase, 'running');
    assert.equal(
      step.outputs.some((output) => output.kind === 'hook' && output.action === 'stop'),
      false,
    );
  });

  test('[L2] tells how the resource is, and does nothing about it', () => {
    let state = marked(VOTERS);
    for (const [now, code, run] of [
      [6000, 1, 'stopped'],
      [12_000, null, 'unknown'],
      [18_000, 0, 'run'],
    ] as const) {
      const asks = stepPrimary(state, { kind: 'tick', now });
      const ends = stepPrimary(asks.state, { kind: 'hook', id: asks.state.hookId, code, detail: '', now });
      const hooks = [...asks.outputs, ...ends.outputs].flatMap((output) =>
        output.kind === 'hook' ? [output.action] : [],
      );
      assert.deepEqual(hooks, ['status']);
      ({ state } = ends);
      assert.equal(state.reported?.run, run);
      assert.equal(state.attempts, 0);
    }
  });

  test('[L5] ends without stopping it; the next one takes it up as it is', () => {
    for (const input of [{ kind: 'main-gone' }, { kind: 'stop', why: 'terminate', successor: '' }] as const) {
      const { outputs, state } = stepPrimary(marked(VOTERS), { ...input, now: 40 });
      assert.equal(state.phase, 'done');
      assert.ok(outputs.some((output) => output.kind === 'finish' && output.outcome === 'left'));
    }
    const next = worker({ mark: ON, maintained: true, lease: null });
    assert.equal(next.reported?.run, 'run');
    assert.equal(next.reported?.wantsLease, true);
  });

  test('[L9] the lease counts again from the end on', () => {
    const over = stepPrimary(marked(VOTERS), { kind: 'maintenance', mark: OFF, now: 2000 });
    assert.equal(over.state.reported?.maintained, false);
    assert.equal(stepPrimary(over.state, { kind: 'tick', now: 4000 }).state.phase, 'stopping');
  });
});

describe('a node', () => {
  test('[L5] takes up what an earlier hastmond left, and leaves it to the next', () => {
    const state = adopted();
    assert.equal(state.worker?.report?.maintained, true);
    assert.equal(state.roleSet, 'secondary', 'who was favoured before, and nobody else');
    const ends = step(state, { kind: 'terminate' }, 10);
    assert.ok(
      ends.outputs.some((output) => output.kind === 'worker-message' && output.message.kind === 'stop'),
    );
    const { lastWorkerId: id } = ends.state;
    const { outputs } = step(ends.state, { kind: 'worker-finish', worker: id, outcome: 'left' }, 20);
    assert.deepEqual(
      outputs.find(({ kind }) => kind === 'terminated'),
      { kind: 'terminated', ok: true, left: true },
    );
  });

  test('[L5] replaces a worker that dies', () => {
    const state = adopted();
    const { outputs } = step(state, { kind: 'worker-exit', worker: state.lastWorkerId }, 10);
    const started = outputs.find((output) => output.kind === 'worker-start');
    assert.equal(started?.init?.maintained, true);
  });

  test('[L6] wants no watchdog device', () => {
    assert.equal(demandOf(adopted(), 10), 'none');
  });

  test('[L7] refuses what would move it', () => {
    const state = adopted();
    for (const command of [
      { kind: 'switchover', to: 'b' },
      { kind: 'role', role: 'secondary', force: false },
    ] as const)
      assert.match(
        replies(step(state, { kind: 'command', id: 1, command }, 10).outputs)[0] ?? '',
        /is in maintenance/,
      );
  });

  test('[L7] is complained of by nobody', () => {
    const watchdog = initWatchdog(settings({ node: 'c' }), 1, 0);
    const grant = { holder: { node: 'a', incarnation: 1 }, epoch: 4, leftMs: 0, mark: ON };
    const message = heartbeat({ memory: { ...heartbeat().memory, grant } });
    const { state } = stepWatchdog(watchdog, { kind: 'heard', from: 'b', message, now: 2900 });
    assert.deepEqual(stepWatchdog(state, { kind: 'tick', now: 5000 }).outputs, []);
  });

  test('[L8] gives up what another node holds a newer lease of', () => {
    const message = heartbeat({ role: 'primary', run: 'run', holdingEpoch: 5 });
    const { outputs, state } = step(adopted(), { kind: 'peer', from: 'b', message }, 10);
    assert.equal(state.kept, null);
    assert.ok(outputs.some((output) => output.kind === 'keep' && output.note === null));
    assert.ok(outputs.some((output) => output.kind === 'worker-message' && output.message.kind === 'stop'));
    const old = heartbeat({ role: 'primary', run: 'run', holdingEpoch: 4 });
    assert.notEqual(step(adopted(), { kind: 'peer', from: 'b', message: old }, 10).state.kept, null);
  });

  test('[L9] says that it does not count on what others keep for it, but while its own voter is bound to another node', () => {
    const grant = { holder: { node: 'b', incarnation: 1 }, epoch: 3, grantMs: GRANT_MS, mark: UNMARKED };
    const init = { incarnation: 9, leftRunning: null, roleOnStart: 'secondary', kept: null } as const;
    const record = { epochMax: 3, grant, sets: [VOTERS] };
    const own = startNode({ settings: settings(), ...init, record }, 0).state;
    const { state } = step(own, { kind: 'cleaned', id: own.lastCleanId, ok: true, detail: '' }, 10);
    const kept = { holder: { node: 'a', incarnation: 1 }, epoch: 4, leftMs: 0, mark: ON };
    const message = heartbeat({ memory: { ...heartbeat().memory, grant: kept } });
    const stored = (now: number, from = state): (string | undefined)[] =>
      step(from, { kind: 'peer', from: 'b', message }, now).outputs.flatMap((output) =>
        output.kind === 'store' ? [output.record.grant?.holder.node] : [],
      );
    assert.deepEqual(stored(GRANT_MS - 1), []);
    assert.deepEqual(stored(GRANT_MS), ['a']);
    // A release, as of an acquisition that came to nothing, has not ended what others keep (L3).
    const released = { a: [{ incarnation: 1, epoch: 4 }] };
    assert.deepEqual(stored(GRANT_MS, { ...state, voter: { ...state.voter, released } }), ['a']);
    // Nor has an operator's word to one of the voters, from which this one has learned.
    const learned = { ...kept, grantMs: GRANT_MS, until: 0, restored: true, mark: { ...ON, on: false } };
    assert.deepEqual(stored(GRANT_MS, { ...state, voter: { ...state.voter, grant: learned } }), ['a']);
  });

  test('[L9] ends it only under a good lease, by itself when there is one', () => {
    const first = step(adopted(), { kind: 'command', id: 7, command: { kind: 'maintenance-off' } }, 10);
    assert.deepEqual(replies(first.outputs), []);
    const late = step(first.state, { kind: 'tick' }, 7000);
    assert.match(
      replies(late.outputs)[0] ?? '',
      /ends by itself when a majority of the voters answers again/,
    );
    const report = late.state.worker?.report;
    assert.ok(report != null);
    const good = {
      ...report,
      run: 'run',
      epoch: 5,
      heardEpoch: 5,
      leaseUntil: 10_000,
      grantedUntil: 12_000,
    } as const;
    const { outputs } = step(
      late.state,
      { kind: 'worker-report', worker: late.state.lastWorkerId, report: good },
      7100,
    );
    assert.ok(outputs.some((output) => output.kind === 'keep' && output.note === null));
  });
});
