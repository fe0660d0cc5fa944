/** What is seen of a node's core from one step to the next: each kind by what brings it about, and all of them against what is so. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startNode, stepNode } from '../../daemon/core/node.js';
import type { NodeInput, NodeState, WithoutNow } from '../../daemon/core/node-types.js';
import { type Observation, observe } from '../../daemon/core/observe.js';
import type { PrimaryReport } from '../../daemon/core/primary-types.js';
import type { Settings } from '../../daemon/core/settings.js';
import type { Role } from '../../daemon/core/types.js';
import { connectedHolder, runState } from '../../daemon/core/view.js';
import { grantInForce, type VoterRecord } from '../../daemon/core/voter.js';
import { drawProfile } from '../sim/profile.js';
import { run } from '../sim/run.js';
import { heartbeat, requestOf, settings, VOTERS } from './given.js';

const RECORD: VoterRecord = { epochMax: 0, grant: null, sets: [VOTERS] };
const NONE = Number.NEGATIVE_INFINITY;

interface Start {
  role?: Role;
  record?: VoterRecord | null;
  settings?: Partial<Settings>;
}

/** Node a, stepped by inputs, and all that was seen. */
function nodeFor({ role = 'init', record = RECORD, settings: change = {} }: Start = {}) {
  const init = { settings: settings(change), incarnation: 1, record, leftRunning: null, kept: null };
  let { state } = startNode({ ...init, roleOnStart: role }, 0);
  let now = 0;
  return {
    state: (): NodeState => state,
    now: () => now,
    /** What is seen of one input. */
    step(input: WithoutNow<NodeInput>, afterMs = 10): Observation[] {
      now += afterMs;
      const before = state;
      ({ state } = stepNode(before, { ...input, now } as NodeInput));
      return observe(before, state, now);
    },
  };
}

type Trial = ReturnType<typeof nodeFor>;

const link = (node: string, up = true) => ({ kind: 'link', node, up }) as const;

function hears(trial: Trial, from: string, change = {}, afterMs = 10): Observation[] {
  return trial.step({ kind: 'peer', from, message: heartbeat(change) }, afterMs);
}

const REPORT: PrimaryReport = {
  ...{ run: 'readytorun', epoch: 0, heardEpoch: 0, stopsHeard: 0, leaseUntil: NONE, grantedUntil: NONE },
  ...{ mayRun: false, stopEnd: Number.POSITIVE_INFINITY, actBy: Number.POSITIVE_INFINITY },
  ...{ wantsLease: false, forced: false, attempts: 0, lastError: '' },
  ...{ maintained: false, settled: 0 },
};

function reports(trial: Trial, change: Partial<PrimaryReport>): Observation[] {
  const worker = trial.state().lastWorkerId;
  return trial.step({ kind: 'worker-report', worker, report: { ...REPORT, ...change } });
}

/** A primary whose worker has said that it runs the resource under epoch 4. */
function primary(change: Start = {}): Trial {
  const trial = nodeFor({ ...change, role: 'primary' });
  reports(trial, HOLDS);
  return trial;
}

const HOLDS = {
  run: 'run',
  epoch: 4,
  heardEpoch: 4,
  leaseUntil: 1e6,
  grantedUntil: 1e6,
  mayRun: true,
} as const;
const without = (seen: readonly Observation[], ...kinds: string[]): Observation[] =>
  seen.filter(({ kind }) => !kinds.includes(kind));

describe('what is seen', () => {
  test('a link that comes and goes', () => {
    const trial = nodeFor();
    assert.deepEqual(trial.step(link('b')), [{ kind: 'link-up', peer: 'b' }]);
    assert.deepEqual(trial.step(link('b', false)), [{ kind: 'link-down', peer: 'b' }]);
    assert.deepEqual(trial.step({ kind: 'tick' }), []);
  });

  test('a role that an operator sets', () => {
    const trial = nodeFor();
    const command = { kind: 'role', role: 'watchdog', force: false } as const;
    const seen = trial.step({ kind: 'command', id: 1, command });
    assert.deepEqual(seen, [{ kind: 'role-changed', from: 'init', to: 'watchdog' }]);
  });

  test('another node that holds the lease, its next epoch, and that it has released it', () => {
    const trial = nodeFor({ role: 'watchdog' });
    trial.step(link('b'));
    const runs = { role: 'primary', run: 'run', holdingEpoch: 3 };
    assert.deepEqual(hears(trial, 'b', runs), [{ kind: 'holder-heard', peer: 'b', epoch: 3 }]);
    assert.deepEqual(hears(trial, 'b', { ...runs, sequence: 2 }), []);
    const next = hears(trial, 'b', { ...runs, sequence: 3, holdingEpoch: 5 });
    assert.deepEqual(next, [{ kind: 'holder-heard', peer: 'b', epoch: 5 }]);
    const released = hears(trial, 'b', { sequence: 4 });
    assert.deepEqual(released, [
      { kind: 'holder-lost', peer: 'b', epoch: 5, why: 'released', lastHeardMs: 0 },
    ]);
  });

  test('one that is silent, and for how long', () => {
    const trial = nodeFor({ role: 'watchdog' });
    trial.step(link('b'));
    hears(trial, 'b', { role: 'primary', run: 'run', holdingEpoch: 3 });
    assert.deepEqual(trial.step({ kind: 'tick' }, 2999), []);
    assert.deepEqual(trial.step({ kind: 'tick' }, 1), [
      { kind: 'holder-lost', peer: 'b', epoch: 3, why: 'silent', lastHeardMs: 3000 },
    ]);
  });

  test('complaints, each with its source, up to the one that is enough', () => {
    const trial = nodeFor({ role: 'secondary', settings: { complaintCount: 1 } });
    trial.step(link('c'));
    hears(trial, 'c', { role: 'watchdog', roleSet: 'watchdog' });
    const complains = (sequence: number): Observation[] => {
      const message = { kind: 'complaint', incarnation: 1, sequence } as const;
      return trial.step({ kind: 'peer', from: 'c', message }).filter(({ kind }) => kind === 'complaint');
    };
    assert.deepEqual(complains(1), [{ kind: 'complaint', peer: 'c', count: 1, needed: 2 }]);
    assert.deepEqual(complains(1), [], 'the same again');
    assert.deepEqual(complains(2), [{ kind: 'complaint', peer: 'c', count: 2, needed: 2 }]);
    assert.deepEqual(complains(3), []);
  });
});

describe('what is seen of the vote', () => {
  /** b asks, and what is promised is on disk. */
  const vote = (trial: Trial): Observation[] => {
    const asked = trial.step({ kind: 'peer', from: 'b', message: requestOf('b', 1) });
    const { storing } = trial.state().voter;
    return storing === null
      ? asked
      : [...asked, ...trial.step({ kind: 'stored', id: storing.id, ok: true }, 0)];
  };
  const granted = (): Trial => {
    const trial = nodeFor();
    trial.step(link('b'));
    vote(trial);
    return trial;
  };

  test('that it was given, and is renewed without a word', () => {
    const trial = nodeFor();
    trial.step(link('b'));
    const given = { kind: 'vote-granted', peer: 'b', epoch: 1 } as const;
    assert.deepEqual(vote(trial), [given]);
    assert.deepEqual(vote(trial), []);
  });

  test('that it has run out, and since when it was not renewed', () => {
    const trial = granted();
    assert.deepEqual(trial.step({ kind: 'tick' }, 5000), [
      { kind: 'vote-ended', peer: 'b', epoch: 1, why: 'ran-out', lastRenewedMs: 5000 },
    ]);
  });

  test('that it has run out which was given before this daemon began: when it was renewed is not known', () => {
    const holder = { node: 'b', incarnation: 1 };
    const grant = { holder, epoch: 1, grantMs: 5000, mark: { on: false, reason: '', by: '', revision: 0 } };
    const trial = nodeFor({ record: { epochMax: 1, grant, sets: [VOTERS] } });
    assert.deepEqual(trial.step({ kind: 'tick' }, 5000), [
      { kind: 'vote-ended', peer: 'b', epoch: 1, why: 'ran-out' },
    ]);
  });

  test('that it was released', () => {
    const trial = granted();
    const holder = { node: 'b', incarnation: 1 };
    const message = { kind: 'release', holder, epoch: 1, successor: '', reservationMs: 0 } as const;
    assert.deepEqual(trial.step({ kind: 'peer', from: 'b', message }), [
      { kind: 'vote-ended', peer: 'b', epoch: 1, why: 'released', lastRenewedMs: 10 },
    ]);
  });

  test('that another one has come in its place', () => {
    const trial = granted();
    const before = trial.state();
    const { voter } = before;
    assert.ok(voter.grant !== null);
    const next = { ...before, voter: { ...voter, grant: { ...voter.grant, epoch: 2 } } };
    assert.deepEqual(observe(before, next, trial.now()), [
      { kind: 'vote-ended', peer: 'b', epoch: 1, why: 'replaced', lastRenewedMs: 0 },
      { kind: 'vote-granted', peer: 'b', epoch: 2 },
    ]);
  });

  test('that this voter has a record of the past from now on', () => {
    const trial = nodeFor({ record: null });
    const all: Observation[] = [];
    for (const node of ['b', 'c']) all.push(...trial.step(link(node)));
    for (const node of ['b', 'c']) all.push(...hears(trial, node, {}, 5000));
    const { storing } = trial.state().voter;
    if (storing !== null) all.push(...trial.step({ kind: 'stored', id: storing.id, ok: true }));
    assert.equal(trial.state().voter.history, true);
    assert.deepEqual(without(all, 'link-up'), [{ kind: 'history-learned' }]);
  });
});

describe('what is seen of the lease and the resource here', () => {
  test('a lease, and that the resource runs', () => {
    const trial = nodeFor({ role: 'primary' });
    reports(trial, {});
    assert.deepEqual(reports(trial, HOLDS), [
      { kind: 'lease-acquired', epoch: 4 },
      { kind: 'run-changed', from: 'readytorun', to: 'run', epoch: 4, error: '' },
    ]);
  });

  test('the next lease, where nobody heard of the end of the one before', () => {
    const seen = reports(primary(), { ...HOLDS, epoch: 6, heardEpoch: 6 });
    assert.deepEqual(seen, [{ kind: 'lease-acquired', epoch: 6 }]);
  });

  test('a lease that is released, and one that is lost', () => {
    assert.deepEqual(reports(primary(), { run: 'stopped', heardEpoch: 4 }), [
      { kind: 'lease-released', epoch: 4 },
      { kind: 'run-changed', from: 'run', to: 'stopped', epoch: 0, error: '' },
    ]);
    const lost = { ...HOLDS, leaseUntil: NONE, run: 'stopping', stopEnd: 5000 } as const;
    assert.deepEqual(reports(primary(), lost)[0], { kind: 'lease-lost', epoch: 4 });
    const gone = primary().step({ kind: 'worker-exit', worker: 1 }, 2e6);
    assert.deepEqual(gone[0], { kind: 'lease-lost', epoch: 4 }, 'with the worker that held it');
  });

  test('an attempt that failed, and why', () => {
    const trial = primary();
    const seen = reports(trial, { ...HOLDS, run: 'failed', attempts: 1, lastError: 'start: status 1' });
    assert.deepEqual(seen, [
      { kind: 'attempt-failed', attempts: 1, limit: 3, error: 'start: status 1' },
      { kind: 'run-changed', from: 'run', to: 'failed', epoch: 4, error: 'start: status 1' },
    ]);
  });

  test('that it was given up', () => {
    const trial = primary();
    const seen = trial.step({ kind: 'worker-finish', worker: 1, outcome: 'gave-up' });
    assert.ok(
      seen.some(({ kind }) => kind === 'gave-up'),
      JSON.stringify(seen),
    );
  });

  test('a handover, once', () => {
    const trial = primary();
    trial.step(link('b'));
    hears(trial, 'b');
    const command = { kind: 'switchover', to: 'b' } as const;
    assert.deepEqual(trial.step({ kind: 'command', id: 1, command }), [
      { kind: 'handover-begun', to: 'b', cause: 'operator' },
    ]);
    assert.deepEqual(trial.step({ kind: 'tick' }), []);
  });

  test('a service that its checks have failed, once, and that it answers again', () => {
    const trial = primary();
    const judged = (failed: string): Observation[] => trial.step({ kind: 'judged', failed, unfit: '' });
    assert.deepEqual(judged('web is down'), [{ kind: 'service-failed', why: 'web is down' }]);
    assert.deepEqual(judged('web and db are down'), []);
    assert.deepEqual(judged(''), [{ kind: 'service-answers' }]);
  });

  test('that the fence program is run', () => {
    const trial = primary({ settings: { fenceTimeoutMs: 1000 } });
    trial.step({ kind: 'worker-exit', worker: 1 }, 2e6);
    const id = trial.state().cleaning?.id ?? 0;
    const seen = trial.step({ kind: 'cleaned', id, ok: false, detail: 'stop: status 1' });
    assert.ok(
      seen.some(({ kind }) => kind === 'fencing'),
      JSON.stringify(seen),
    );
  });
});

/** What is so, as far as observations tell of it. */
interface Picture {
  role: string;
  run: string;
  links: string;
  holder: string;
  vote: string;
  lease: number;
  failed: boolean;
  history: boolean;
}

function pictureOf(state: NodeState): Picture {
  const now = state.steppedAt;
  const holder = connectedHolder(state, now);
  const grant = grantInForce(state.voter, now);
  const report = state.worker?.report;
  return {
    role: state.role,
    run: runState(state),
    links: Object.keys(state.peers)
      .filter((peer) => state.peers[peer]?.linked)
      .sort()
      .join(),
    holder: holder === null ? '' : `${holder} ${state.peers[holder]?.message?.holdingEpoch}`,
    vote: grant === null ? '' : `${grant.holder.node} ${grant.epoch}`,
    lease: (report?.leaseUntil ?? NONE) > NONE ? (report?.epoch ?? 0) : 0,
    failed: state.serviceFailed !== '',
    history: state.voter.history,
  };
}

/** The picture after something was seen. */
function after(picture: Picture, seen: Observation): Picture {
  switch (seen.kind) {
    case 'role-changed':
      return { ...picture, role: picture.role === seen.from ? seen.to : 'wrong' };
    case 'run-changed':
      return { ...picture, run: picture.run === seen.from ? seen.to : 'wrong' };
    case 'link-up':
    case 'link-down': {
      const others = picture.links.split(',').filter((peer) => peer !== '' && peer !== seen.peer);
      return { ...picture, links: (seen.kind === 'link-up' ? [...others, seen.peer] : others).sort().join() };
    }
    case 'holder-heard':
      return { ...picture, holder: `${seen.peer} ${seen.epoch}` };
    case 'holder-lost':
      return { ...picture, holder: '' };
    case 'vote-granted':
      return { ...picture, vote: `${seen.peer} ${seen.epoch}` };
    case 'vote-ended':
      return { ...picture, vote: '' };
    case 'lease-acquired':
      return { ...picture, lease: seen.epoch };
    case 'lease-lost':
    case 'lease-released':
      return { ...picture, lease: 0 };
    case 'service-failed':
    case 'service-answers':
      return { ...picture, failed: seen.kind === 'service-failed' };
    case 'history-learned':
      return { ...picture, history: true };
    default:
      return picture;
  }
}

test('who reads all that was seen knows what is so: under every fault of the simulator', () => {
  const kinds = new Set<string>();
  for (let seed = 1; seed <= 12; seed += 1) {
    const pictures = new Map<object, Picture>();
    const { failure } = run(drawProfile(seed), null, (main, before) => {
      const { state } = main;
      let picture = pictures.get(main) ?? pictureOf(state);
      for (const seen of before === null ? [] : observe(before, state, state.steppedAt)) {
        kinds.add(seen.kind);
        picture = after(picture, seen);
      }
      pictures.set(main, picture);
      assert.deepEqual(picture, pictureOf(state), `seed ${seed}, ${main.machine.name}`);
    });
    assert.equal(failure, null, `seed ${seed}: ${failure?.text}`);
  }
  for (const kind of ['role-changed', 'run-changed', 'lease-lost', 'vote-ended', 'holder-lost', 'complaint'])
    assert.ok(kinds.has(kind), `${kind} was never seen`);
});
