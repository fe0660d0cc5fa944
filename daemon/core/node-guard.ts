/**
 * The main process guards the primary's worker: when the lease that the worker last reported has passed without a
 * newer word, or the worker dies or hangs, main ends it with its hooks and stops the resource itself (rules G1 to
 * G4 of docs/protocol.md). Part of the core of a node; reached through node.ts.
 */
import { guardMarginMs } from './lease.js';
import { beginCleaning } from './node-clean.js';
import { become, resumeRole, startPrimary, startWorker } from './node-role.js';
import type { NodeOutput, NodeState, Worker } from './node-types.js';
import { STOP_TERM_SHARE } from './settings.js';
import type { Instant } from './types.js';

/** Looks after the worker and the cleaning; called after every input. */
export function guard(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  const { worker, cleaning } = state;
  if (cleaning?.failedAt != null && now >= cleaning.failedAt + state.settings.heartbeatMs)
    retryCleaning(state, now, outputs);
  if (worker === null) return;
  const silentMs = now - worker.aliveAt;
  if (worker.role !== 'primary') {
    if (silentMs <= silenceLimitMs(state)) return;
    log(outputs, `the ${worker.role} worker has been silent for ${Math.round(silentMs)} ms: replacing it`);
    outputs.push({ kind: 'worker-kill', worker: worker.id });
    workerExited(state, now, outputs);
    return;
  }
  const reason = whyTakeOver(state, worker, silentMs, now);
  if (reason === null) return;
  log(outputs, `${reason}: ending the worker and stopping the resource`);
  outputs.push({ kind: 'worker-kill', worker: worker.id });
  takeOver(state, worker, now, outputs);
}

/** A worker has ended without a word (or was killed for its silence). */
export function workerExited(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  const worker = state.worker;
  if (worker === null) return;
  if (worker.role !== 'primary') {
    state.worker = null;
    if (worker.role === 'watchdog' && state.role === 'watchdog' && !state.terminating) {
      log(outputs, 'the watchdog worker ended unexpectedly: replacing it');
      startWorker(state, 'watchdog', now, outputs);
    }
    return;
  }
  const report = worker.report;
  const until = report?.leaseUntil ?? Number.NEGATIVE_INFINITY;
  const stopping = report !== null && report.stopEnd < Number.POSITIVE_INFINITY;
  const inLease = until - guardMarginMs(state.settings.leaseMs) > now;
  if (report !== null && inLease && !stopping && state.leaving === null) {
    log(outputs, 'the primary worker ended unexpectedly: replacing it within its lease');
    state.worker = null;
    startPrimary(state, now, outputs, { lease: { epoch: report.epoch, until }, forced: report.forced });
    return;
  }
  log(outputs, 'the primary worker ended unexpectedly: stopping the resource');
  takeOver(state, worker, now, outputs);
}

/** The shell's word on a cleaning: stopped for sure, or not. */
export function cleaned(
  state: NodeState,
  id: number,
  ok: boolean,
  detail: string,
  now: Instant,
  outputs: NodeOutput[],
): void {
  const { cleaning } = state;
  if (cleaning === null || cleaning.id !== id) return;
  if (!ok) {
    state.lastError = detail;
    outputs.push({
      kind: 'log',
      level: 'error',
      text: `the resource cannot be stopped: ${detail}`,
      peer: '',
    });
    if (state.settings.fenceTimeoutMs > 0 && cleaning.mode === 'stop') {
      cleaning.fencing = true;
      outputs.push({ kind: 'fence', id });
    } else {
      cleaning.failedAt = now;
    }
    return;
  }
  state.cleaning = null;
  if (cleaning.epoch > 0) {
    const holder = { node: state.settings.node, incarnation: state.incarnation };
    const message = {
      kind: 'release',
      holder,
      epoch: cleaning.epoch,
      successor: '',
      reservationMs: 0,
    } as const;
    for (const to of new Set(state.voter.sets.flat())) outputs.push({ kind: 'send', to, message });
  }
  resumeRole(state, now, outputs);
}

/** The shell's word on the fence program. */
export function fenced(
  state: NodeState,
  id: number,
  ok: boolean,
  detail: string,
  now: Instant,
  outputs: NodeOutput[],
): void {
  const { cleaning } = state;
  if (cleaning === null || cleaning.id !== id) return;
  cleaning.fencing = false;
  if (!ok) {
    outputs.push({ kind: 'log', level: 'error', text: `fence failed: ${detail}; trying again`, peer: '' });
    cleaning.failedAt = now;
    return;
  }
  state.cleaning = null;
  state.leaving = null;
  state.roleSet = 'init';
  outputs.push({
    kind: 'log',
    level: 'error',
    text: 'the fence program has cut this node off from the resource',
    peer: '',
  });
  become(state, 'init', now, outputs);
}

/** Why main has to act in the worker's place now, null where the worker does its duty. */
function whyTakeOver(state: NodeState, worker: Worker, silentMs: number, now: Instant): string | null {
  const { report } = worker;
  if (report === null || !report.mayRun) {
    return silentMs > silenceLimitMs(state)
      ? `the primary worker has been silent for ${Math.round(silentMs)} ms`
      : null;
  }
  if (report.leaseUntil > Number.NEGATIVE_INFINITY) {
    return now >= report.leaseUntil
      ? 'the lease has passed and the primary worker has not said that it stops'
      : null;
  }
  const limit = Math.min(
    silenceLimitMs(state),
    Math.max(2 * state.settings.heartbeatMs, state.settings.stopTimeoutMs / 4),
  );
  return silentMs > limit ? `the primary worker has been silent for ${Math.round(silentMs)} ms` : null;
}

function silenceLimitMs(state: NodeState): number {
  return Math.max(3 * state.settings.heartbeatMs, state.settings.leaseMs, MIN_SILENCE_MS);
}

/** A process that has only just been forked may need this long to say its first word. */
const MIN_SILENCE_MS = 1000;

function takeOver(state: NodeState, worker: Worker, now: Instant, outputs: NodeOutput[]): void {
  const { report } = worker;
  const { stopTimeoutMs } = state.settings;
  const leaseUntil = report?.leaseUntil ?? Number.NEGATIVE_INFINITY;
  const byLease = Math.max(leaseUntil, now) + stopTimeoutMs;
  const stopEnd =
    leaseUntil > Number.NEGATIVE_INFINITY && now <= leaseUntil + stopTimeoutMs * STOP_TERM_SHARE
      ? Math.min(byLease, leaseUntil + stopTimeoutMs)
      : Math.min(report?.stopEnd ?? Number.POSITIVE_INFINITY, now + stopTimeoutMs);
  state.worker = null;
  beginCleaning(state, 'stop', stopEnd, report?.epoch ?? 0, outputs);
}

function retryCleaning(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  const { cleaning } = state;
  if (cleaning === null) return;
  const { mode, epoch } = cleaning;
  beginCleaning(state, mode, now + state.settings.stopTimeoutMs, epoch, outputs);
}

function log(outputs: NodeOutput[], text: string): void {
  outputs.push({ kind: 'log', level: 'warn', text, peer: '' });
}
