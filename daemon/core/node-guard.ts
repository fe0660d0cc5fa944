/**
 * The main process guards the primary's worker: when the lease that the worker last reported has passed without a
 * newer word, or the worker dies or hangs, main ends it with its hooks and stops the resource itself (rules G1 to
 * G4 of docs/protocol.md). Part of the core of a node; reached through node.ts.
 */
import { mergeSets } from './acquire.js';
import { endHandover } from './handover.js';
import { stopEnd } from './hold.js';
import { guardMarginMs } from './lease.js';
import { beginCleaning } from './node-clean.js';
import { become, resumeRole, startPrimary, startWorker, terminated } from './node-role.js';
import type { NodeOutput, NodeState, Worker } from './node-types.js';
import type { PrimaryReport } from './primary.js';
import type { Settings } from './settings.js';
import type { Instant } from './types.js';
import { UNMARKED } from './types.js';

/** Later than timers are on a machine that is merely busy. */
const STANDSTILL_MS = 20;

/** True where this process was not stepped for so long that words of its worker may wait to be read. */
export function stoodStill({ settings, steppedAt }: NodeState, now: Instant): boolean {
  const { heartbeatMs } = settings;
  return now - steppedAt > heartbeatMs + Math.max(heartbeatMs / 2, STANDSTILL_MS);
}

/** Looks after the worker and the cleaning; called after every input. */
export function guard(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  const { worker, cleaning } = state;
  if (cleaning?.failedAt != null && now >= cleaning.failedAt + state.settings.heartbeatMs)
    retryCleaning(state, now, outputs);
  if (worker === null || now < state.guardNotBefore) return;
  const silentMs = now - worker.aliveAt;
  if (worker.role !== 'primary') {
    if (silentMs <= silenceLimitMs(state, worker)) return;
    log(outputs, `the ${worker.role} worker has been silent for ${Math.round(silentMs)} ms: replacing it`);
    outputs.push({ kind: 'worker-kill', worker: worker.id });
    replaceWorker(state, worker, now, outputs);
    return;
  }
  if (worker.report?.maintained) {
    if (silentMs <= silenceLimitMs(state, worker)) return;
    log(
      outputs,
      `the primary worker has been silent for ${Math.round(silentMs)} ms: replacing it, in maintenance`,
    );
    outputs.push({ kind: 'worker-kill', worker: worker.id });
    return replaceMaintaining(state, now, outputs);
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
    log(outputs, `the ${worker.role} worker ended unexpectedly: replacing it`);
    replaceWorker(state, worker, now, outputs);
    return;
  }
  const report = worker.report;
  if (report?.maintained) {
    log(outputs, 'the primary worker ended unexpectedly: replacing it, in maintenance');
    return replaceMaintaining(state, now, outputs);
  }
  const until = report?.leaseUntil ?? Number.NEGATIVE_INFINITY;
  const stopping = report !== null && report.stopEnd < Number.POSITIVE_INFINITY;
  const inLease = until - guardMarginMs(state.settings.leaseMs) > now;
  if (report !== null && inLease && !stopping && state.leaving === null) {
    log(outputs, 'the primary worker ended unexpectedly: replacing it within its lease');
    state.worker = null;
    startPrimary(state, now, outputs, {
      lease: {
        epoch: report.epoch,
        until,
        grantedUntil: report.grantedUntil,
        sets: mergeSets(state.voter.sets, state.acquisition.sets),
        granted: state.acquisition.granted,
        // What the voters have on disk they say again with the next answer.
        mark: UNMARKED,
      },
      forced: report.forced,
      resumed: report.mayRun,
    });
    return;
  }
  log(outputs, 'the primary worker ended unexpectedly: stopping the resource');
  takeOver(state, worker, now, outputs);
}

/** The resource is left as it is; the lease is asked for anew (L5). Who was told to end does so. */
function replaceMaintaining(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  state.worker = null;
  if (state.terminating) return terminated(state, true, outputs, true);
  startPrimary(state, now, outputs, { resumed: true });
}

/** A secondary's worker comes anew when the primary is heard the next time. */
function replaceWorker(state: NodeState, worker: Worker, now: Instant, outputs: NodeOutput[]): void {
  state.worker = null;
  if (worker.role === 'watchdog' && state.role === 'watchdog' && !state.terminating)
    startWorker(state, 'watchdog', now, outputs);
}

/** The shell's word on a cleaning: done or not; `detail` is '' where the resource is known to be stopped. */
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
    } else if (state.terminating) {
      terminated(state, false, outputs);
    } else {
      cleaning.failedAt = now;
    }
    return;
  }
  state.cleaning = null;
  state.knownStopped = detail === '';
  if (cleaning.epoch > 0) {
    const holder = { node: state.settings.node, incarnation: state.incarnation };
    const { epoch } = cleaning;
    const successor = state.leaving?.why === 'handover' ? state.leaving.successor : '';
    const reservationMs = successor === '' ? 0 : state.settings.leaseMs;
    const message = { kind: 'release', holder, epoch, successor, reservationMs } as const;
    for (const to of new Set(state.voter.sets.flat())) outputs.push({ kind: 'send', to, message });
    if (successor !== '')
      outputs.push({ kind: 'send', to: successor, message: { kind: 'handover', holder, epoch } });
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
  endHandover(state, 'the resource could not be stopped here: the fence program was run', '', now, outputs);
  state.roleSet = 'init';
  outputs.push({
    kind: 'log',
    level: 'error',
    text: 'the fence program has cut this node off from the resource',
    peer: '',
  });
  if (state.terminating) return terminated(state, false, outputs);
  become(state, 'init', now, outputs);
}

/**
 * When main acts in the worker's place unless that speaks before: at the end of its lease; or, where it stops without one,
 * when it should have taken the next step of its stop. Infinity where neither is to come.
 */
export function takeOverAt(report: PrimaryReport, settings: Settings): Instant {
  if (report.mayRun && report.leaseUntil > Number.NEGATIVE_INFINITY) return report.leaseUntil;
  return report.actBy + stopMarginMs(settings);
}

/** Why main has to act in the worker's place now, null where the worker does its duty. */
function whyTakeOver(state: NodeState, worker: Worker, silentMs: number, now: Instant): string | null {
  const { report } = worker;
  if (report != null && now >= takeOverAt(report, state.settings)) {
    return report.leaseUntil > Number.NEGATIVE_INFINITY
      ? 'the lease has passed and the primary worker has not said that it stops'
      : 'the primary worker has not gone on with its stop in time';
  }
  if (report?.mayRun && report.leaseUntil > Number.NEGATIVE_INFINITY) return null;
  const limit = silenceLimitMs(state, worker);
  return silentMs > limit ? `the primary worker has been silent for ${Math.round(silentMs)} ms` : null;
}

/** A part of what is left after the KILL for the last status: enough for the worker's word to come. */
function stopMarginMs({ stopTimeoutMs }: Settings): number {
  return Math.min(100, stopTimeoutMs / 20);
}

function silenceLimitMs(state: NodeState, worker: Worker): number {
  const { heartbeatMs, leaseMs } = state.settings;
  return Math.max(3 * heartbeatMs, leaseMs, worker.spoken ? MIN_SILENCE_MS : FIRST_WORD_MS);
}

/**
 * True where this core is stepped as it should be, and a worker that is silent has been dealt with: else it is this process that does not
 * do its duty, and whoever watches it (sd_notify(3), WATCHDOG=1) had better start another one.
 */
export function isLive(state: NodeState, now: Instant): boolean {
  if (state.terminated) return true;
  const { settings, steppedAt, worker } = state;
  if (now - steppedAt > 2 * settings.heartbeatMs + LATE_MS) return false;
  return worker === null || now - worker.aliveAt <= 2 * silenceLimitMs(state, worker) + LATE_MS;
}

/** What a machine that is merely busy may take. */
const LATE_MS = 2000;

const MIN_SILENCE_MS = 1000;
/** A process that has only just been forked, on a busy machine; killing it would make the machine busier still. */
const FIRST_WORD_MS = 60_000;

function takeOver(state: NodeState, worker: Worker, now: Instant, outputs: NodeOutput[]): void {
  const { report } = worker;
  state.worker = null;
  beginCleaning(state, 'stop', takeOverEnd(state, report, now), report?.epoch ?? 0, outputs);
}

/** By when main's stop has to be over: as the lease demands, also where that has passed, else as the worker's own stop did. */
function takeOverEnd(state: NodeState, report: PrimaryReport | null, now: Instant): Instant {
  const { settings } = state;
  if (report === null) return now + settings.stopTimeoutMs;
  const { leaseUntil, grantedUntil } = report;
  const end =
    leaseUntil > Number.NEGATIVE_INFINITY
      ? stopEnd({ until: leaseUntil, grantedUntil }, settings)
      : now + settings.stopTimeoutMs;
  return Math.min(end, report.stopEnd);
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
