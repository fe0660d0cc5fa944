/**
 * Roles of a node and the workers that go with them: taking a role up, leaving it, and ending. Part of the core of
 * a node; reached through node.ts.
 */
import { endHandover, handoverReleased } from './handover.js';
import type { GivenLease } from './hold.js';
import { beginCleaning } from './node-clean.js';
import type { Leaving, NodeOutput, NodeState, WithoutNow, Worker, WorkerMessage } from './node-types.js';
import type { PrimaryFinish, PrimaryReport } from './primary.js';
import type { Instant, MaintenanceMark, Role } from './types.js';
import { UNMARKED } from './types.js';

/** Each worker of a node numbers its requests in a range of its own, so that they rise for ever. */
const REQUESTS_PER_WORKER = 2 ** 32;

/** A worker has been told of nobody yet. */
export const NO_SUCCESSOR = { node: '', giveBack: false };

export interface BecomeOptions {
  lease?: GivenLease;
  forced?: boolean;
  /** The lease is that of an earlier worker: the resource may be running under it. */
  resumed?: boolean;
}

/** What every request of this node says of maintenance, and whether that is in force. */
export function markOf({ kept }: NodeState): { mark: MaintenanceMark; maintained: boolean } {
  if (kept === null) return { mark: UNMARKED, maintained: false };
  const { by, phase, reason, revision } = kept;
  if (phase === 'leaving') return { mark: { on: false, reason: '', by: '', revision }, maintained: false };
  return { mark: { on: true, reason, by, revision }, maintained: phase !== 'entering' };
}

/** Takes a role up: says so, and starts the worker that belongs to it. The worker of the role before must be gone,
 * or be one that holds nothing (a secondary's or a watchdog's), which ends here. */
export function become(
  state: NodeState,
  role: Role,
  now: Instant,
  outputs: NodeOutput[],
  options: BecomeOptions = {},
): void {
  const old = state.role;
  endWorker(state, outputs);
  state.role = role;
  state.leaving = null;
  state.complaints = {};
  state.giver = '';
  state.successorTold = NO_SUCCESSOR;
  state.attempts = 0;
  if (old !== role) {
    outputs.push({ kind: 'log', level: 'info', text: `role changed from ${old} to ${role}`, peer: '' });
    outputs.push({ kind: 'notify', action: 'role', args: [old, role] });
  }
  if (state.cleaning !== null) return; // The worker starts when this node is known to be clean.
  if (role === 'primary') startPrimary(state, now, outputs, options);
  else if (role === 'watchdog') startWorker(state, 'watchdog', now, outputs);
  else if (role === 'secondary' && old !== 'primary')
    beginCleaning(state, 'check', now + state.settings.stopTimeoutMs, 0, outputs);
}

/** Starts the worker of a primary, with a lease where there is one to carry on with. */
export function startPrimary(
  state: NodeState,
  now: Instant,
  outputs: NodeOutput[],
  options: BecomeOptions,
): void {
  const lease = options.lease ?? null;
  const forced = options.forced === true;
  const worker = newWorker(state, 'primary', now);
  state.knownStopped = false;
  const resumed = options.resumed === true;
  worker.report = reportBeforeStart(lease, forced, resumed || markOf(state).maintained, state);
  const request = worker.id * REQUESTS_PER_WORKER;
  const holder = { node: state.settings.node, incarnation: state.incarnation };
  const init = {
    settings: state.settings,
    holder,
    sets: state.voter.sets,
    request,
    forced,
    attempts: state.attempts,
    serviceFailed: state.serviceFailed,
    lease,
    resumed,
    ...markOf(state),
  };
  state.successorTold = NO_SUCCESSOR;
  outputs.push({ kind: 'worker-start', worker: worker.id, role: 'primary', init });
}

/** A secondary's worker starts when the primary has connected, and ends by itself when it has not been heard. */
export function ensureSecondaryWorker(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  if (state.worker === null && state.cleaning === null) startWorker(state, 'secondary', now, outputs);
}

export function startWorker(
  state: NodeState,
  role: 'secondary' | 'watchdog',
  now: Instant,
  outputs: NodeOutput[],
): void {
  const worker = newWorker(state, role, now);
  outputs.push({ kind: 'worker-start', worker: worker.id, role, init: null });
}

export function tellWorker(
  state: NodeState,
  message: WithoutNow<WorkerMessage>,
  outputs: NodeOutput[],
): void {
  if (state.worker !== null) outputs.push({ kind: 'worker-message', worker: state.worker.id, message });
}

/** Asks a primary's worker to stop the resource and leave; other workers just end. */
export function leavePrimary(state: NodeState, leaving: Leaving, outputs: NodeOutput[]): void {
  state.leaving = leaving;
  if (state.worker !== null) state.worker.stopsTold += 1;
  tellWorker(state, { kind: 'stop', why: leaving.why, successor: leaving.successor }, outputs);
}

/** A primary's worker has ended in an orderly way; `outcome` says how the resource is. */
export function primaryFinished(
  state: NodeState,
  outcome: PrimaryFinish,
  now: Instant,
  outputs: NodeOutput[],
): void {
  const leaving = state.leaving;
  const secondary = state.worker?.role === 'secondary';
  state.worker = null;
  if (secondary) return;
  state.knownStopped = outcome === 'stopped' || outcome === 'gave-up';
  if (state.terminating) {
    const left = outcome === 'left';
    terminated(state, left || outcome === 'stopped' || outcome === 'gave-up', outputs, left);
    return;
  }
  if (outcome === 'left') {
    startPrimary(state, now, outputs, { resumed: true });
    return;
  }
  if (outcome === 'gave-up') {
    state.gaveUpAt = now;
    state.roleSet = 'secondary';
    finishLeaving(state, leaving, 'the resource could not be started here', now, outputs);
    if (state.handover?.phase === 'putting-back')
      endHandover(state, `${state.handover.why}; nor could it be started here again`, '', now, outputs);
    const to = leaving?.to ?? 'secondary';
    become(state, to, now, outputs);
    return;
  }
  if (outcome === 'fenced' || outcome === 'stop-failed') {
    state.roleSet = 'init';
    finishLeaving(state, leaving, 'the resource could not be stopped here', now, outputs);
    become(state, 'init', now, outputs);
    return;
  }
  finishLeaving(state, leaving, '', now, outputs);
  become(state, leaving?.to ?? 'secondary', now, outputs);
}

/** What is left to do when the resource is known to be stopped after its worker was lost. */
export function resumeRole(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  const { leaving } = state;
  if (state.terminating) {
    terminated(state, true, outputs);
  } else if (leaving !== null) {
    finishLeaving(state, leaving, '', now, outputs);
    become(state, leaving.to, now, outputs);
  } else if (state.role === 'primary') {
    startPrimary(state, now, outputs, {});
  } else if (state.role === 'watchdog') {
    startWorker(state, 'watchdog', now, outputs);
  }
}

/** The daemon is told to end: the resource is stopped, the lease released, and then this core is done. */
export function beginTermination(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  if (state.terminating) return;
  state.terminating = true;
  const ends = 'hastmond is about to end';
  endHandover(state, ends, '', now, outputs);
  const { leaving } = state;
  if (leaving !== null && leaving.why !== 'handover' && leaving.command !== 0) {
    outputs.push({ kind: 'reply', command: leaving.command, error: ends, text: '' });
    state.leaving = { ...leaving, command: 0 };
  }
  if (state.worker?.role === 'primary') {
    leavePrimary(state, { to: 'init', why: 'terminate', successor: '', command: 0 }, outputs);
  } else if (state.cleaning === null || !state.cleaning.required) {
    endWorker(state, outputs);
    terminated(state, true, outputs);
  }
}

/** This core is done; it still votes until the process exits. */
export function terminated(state: NodeState, ok: boolean, outputs: NodeOutput[], left = false): void {
  state.terminated = true;
  state.stopFailed = !ok;
  state.role = 'init';
  outputs.push({ kind: 'terminated', ok, left });
}

function finishLeaving(
  state: NodeState,
  leaving: Leaving | null,
  error: string,
  now: Instant,
  outputs: NodeOutput[],
): void {
  state.leaving = null;
  if (leaving === null) return;
  if (leaving.why === 'handover') {
    // Answered when it is known what came of it.
    if (error !== '') return endHandover(state, error, '', now, outputs);
    if (state.handover?.cause === 'operator') state.roleSet = 'secondary';
    return handoverReleased(state, now, outputs);
  }
  if (leaving.command === 0) return;
  outputs.push({
    kind: 'reply',
    command: leaving.command,
    error,
    text: error === '' ? 'stopped here and released' : '',
  });
}

function endWorker(state: NodeState, outputs: NodeOutput[]): void {
  if (state.worker === null) return;
  outputs.push({ kind: 'worker-kill', worker: state.worker.id });
  state.worker = null;
}

function newWorker(state: NodeState, role: Worker['role'], now: Instant): Worker {
  state.lastWorkerId += 1;
  state.worker = { id: state.lastWorkerId, role, aliveAt: now, spoken: false, stopsTold: 0, report: null };
  return state.worker;
}

/**
 * What holds for a worker that has not spoken yet. Under a lease just acquired it has started nothing: it says so before it does,
 * and a worker that comes up late has nothing to be stopped for. Else it may be that the resource runs.
 */
function reportBeforeStart(
  lease: BecomeOptions['lease'] | null,
  forced: boolean,
  resumed: boolean,
  state: NodeState,
): PrimaryReport {
  return {
    run: 'unknown',
    epoch: lease?.epoch ?? 0,
    heardEpoch: lease?.epoch ?? 0,
    stopsHeard: 0,
    leaseUntil: lease?.until ?? Number.NEGATIVE_INFINITY,
    grantedUntil: lease?.grantedUntil ?? Number.NEGATIVE_INFINITY,
    mayRun: lease === null || forced || resumed,
    maintained: markOf(state).maintained,
    settled: 0,
    stopEnd: Number.POSITIVE_INFINITY,
    actBy: Number.POSITIVE_INFINITY,
    wantsLease: false,
    forced,
    attempts: state.attempts,
    lastError: '',
  };
}
