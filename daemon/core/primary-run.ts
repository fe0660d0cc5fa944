/**
 * How the primary's worker looks after the resource: which hook is due, what its end means, and how often a start is tried. Part
 * of the core of that worker; reached through primary.ts.
 */
import { runHook } from './primary-hook.js';
import { adopt, seenInMaintenance } from './primary-maintenance.js';
import { beginStop, fenceEnded, retryStop, running, runStop, stopFailed, stopped } from './primary-stop.js';
import type { PrimaryOutput, PrimaryState } from './primary-types.js';
import { lastStatusMs } from './stop-plan.js';
import type { Instant } from './types.js';

/** Starts the hook that the phase calls for, when it is due and none runs. */
export function nextHook(state: PrimaryState, now: Instant, outputs: PrimaryOutput[]): void {
  const { settings } = state;
  if (state.phase === 'waiting' && (state.lease !== null || state.forced)) beginStart(state, now, outputs);
  if (now < state.dueAt) return;
  switch (state.phase) {
    case 'starting':
      if (state.start !== null && !state.start.run) {
        state.start = { ...state.start, run: true };
        runHook(state, 'start', now, settings.startTimeoutMs, outputs);
      } else {
        runHook(state, 'status', now, settings.statusTimeoutMs, outputs);
      }
      return;
    case 'stopping':
      if (state.stop !== null && !state.stop.hookRun) runStop(state, now, outputs);
      else runHook(state, 'status', now, lastStatusMs(settings, (state.stop?.end ?? now) - now), outputs);
      return;
    case 'stuck':
      retryStop(state, now, outputs);
      return;
    default:
      runHook(state, 'status', now, settings.statusTimeoutMs, outputs);
  }
}

export function hookEnded(
  state: PrimaryState,
  ended: { id: number; code: number | null; detail: string },
  now: Instant,
  outputs: PrimaryOutput[],
): void {
  const { hook } = state;
  if (hook === null || hook.id !== ended.id) return;
  state.hook = null;
  if (hook.action === 'start' && state.phase === 'starting' && state.start !== null) {
    state.start = { ...state.start, failed: ended.code === 0 ? '' : ended.detail };
    state.dueAt = now;
  } else if (hook.action === 'status') {
    statusKnown(state, ended.code, ended.detail, now, outputs);
  } else if (hook.action === 'stop' && ended.code !== 0) {
    state.lastError = ended.detail;
    outputs.push({ kind: 'log', level: 'warn', text: ended.detail });
  } else if (hook.action === 'fence') {
    fenceEnded(state, ended.code, ended.detail, now, outputs);
  }
}

function statusKnown(
  state: PrimaryState,
  code: number | null,
  detail: string,
  now: Instant,
  outputs: PrimaryOutput[],
): void {
  state.dueAt = now + state.settings.statusIntervalMs;
  // What was seen last in maintenance has been told up to this look.
  if (!state.maintained) state.seen = null;
  switch (state.phase) {
    case 'probe':
    case 'waiting':
      statusWithoutService(state, code, now, outputs);
      return;
    case 'starting':
      statusWhileStarting(state, code, detail, now, outputs);
      return;
    case 'running':
      if (state.maintained) seenInMaintenance(state, code);
      else statusWhileRunning(state, code, detail, now, outputs);
      return;
    case 'stopping':
      // A status that was killed to make room for the stop says nothing about the stop.
      if (state.stop?.hookRun !== true) state.dueAt = now;
      else if (code === 1) stopped(state, now, outputs);
      else stopFailed(state, code, detail, now, outputs);
      return;
    default:
      return;
  }
}

/** At the first look, or while waiting for a lease: a resource that runs without a lease is stopped (R1). */
function statusWithoutService(
  state: PrimaryState,
  code: number | null,
  now: Instant,
  outputs: PrimaryOutput[],
): void {
  if (state.maintained) return adopt(state, code, now, outputs);
  const may = state.lease !== null || state.forced;
  if (may && code === 0) {
    running(state, now, outputs, 'the resource runs here already');
  } else if (may) {
    beginStart(state, now, outputs);
  } else if (code === 1) {
    state.phase = 'waiting';
  } else {
    const what = code === 0 ? 'runs' : 'may be running (status says neither 0 nor 1)';
    outputs.push({ kind: 'log', level: 'warn', text: `the resource ${what} without a lease: stopping it` });
    beginStop(state, 'not-ours', '', now + state.settings.stopTimeoutMs, now, outputs);
  }
}

function beginStart(state: PrimaryState, now: Instant, outputs: PrimaryOutput[]): void {
  state.phase = 'starting';
  state.stop = null;
  state.start = { run: false, deadline: now + state.settings.startTimeoutMs, failed: '' };
  state.dueAt = now;
  outputs.push({ kind: 'log', level: 'info', text: `starting under epoch ${state.lastEpoch}` });
}

function statusWhileStarting(
  state: PrimaryState,
  code: number | null,
  detail: string,
  now: Instant,
  outputs: PrimaryOutput[],
): void {
  const start = state.start;
  if (code === 0) {
    running(state, now, outputs, 'the resource runs');
  } else if (start !== null && start.failed !== '') {
    attemptFailed(state, start.failed, now, outputs);
  } else if (start !== null && now >= start.deadline) {
    attemptFailed(
      state,
      `start said nothing was wrong, but status does not say running: ${detail}`,
      now,
      outputs,
    );
  }
}

/** One start did not succeed: the next one comes after a heartbeat, or the node gives up (R6), or gives it back (P8). */
function attemptFailed(state: PrimaryState, why: string, now: Instant, outputs: PrimaryOutput[]): void {
  state.attempts += 1;
  state.lastError = why;
  const { attempts, heartbeatMs, stopTimeoutMs, startTimeoutMs } = state.settings;
  outputs.push({ kind: 'log', level: 'warn', text: `${why}; attempt ${state.attempts} of ${attempts}` });
  if (state.attempts >= attempts || state.giveBack) {
    if (state.giveBack) logGivingBack(state, outputs);
    else logGivingUp(state, outputs);
    beginStop(state, 'gave-up', state.successor, now + stopTimeoutMs, now, outputs);
    return;
  }
  state.phase = 'starting';
  state.dueAt = now + heartbeatMs;
  state.start = { run: false, deadline: state.dueAt + startTimeoutMs, failed: '' };
}

function logGivingUp({ attempts }: PrimaryState, outputs: PrimaryOutput[]): void {
  const text = `giving up after ${attempts} failed attempt${attempts === 1 ? '' : 's'} to keep the resource running`;
  outputs.push({ kind: 'log', level: 'error', text });
}

function logGivingBack({ successor }: PrimaryState, outputs: PrimaryOutput[]): void {
  outputs.push({
    kind: 'log',
    level: 'error',
    text: `giving the resource back to ${successor}, which handed it over: it could not be started here`,
  });
}

function statusWhileRunning(
  state: PrimaryState,
  code: number | null,
  detail: string,
  now: Instant,
  outputs: PrimaryOutput[],
): void {
  const { settings } = state;
  if (code === 0) {
    state.unknownStatuses = 0;
    if (state.attempts > 0 && hasLasted(state, now)) state.attempts = 0;
  } else if (code === 1) {
    attemptFailed(state, 'the resource has stopped by itself', now, outputs);
    if (state.phase === 'starting') state.dueAt = now;
  } else {
    state.unknownStatuses += 1;
    state.lastError = detail;
    outputs.push({
      kind: 'log',
      level: 'warn',
      text: `${detail}; ${state.unknownStatuses} of ${settings.attempts} in a row`,
    });
    if (state.unknownStatuses < settings.attempts) return;
    state.unknownStatuses = 0;
    restart(state, now, outputs);
  }
}

/** Earlier attempts are forgotten: it has run for a while, and has been judged since. */
function hasLasted({ settings, runningSince, serviceFailed }: PrimaryState, now: Instant): boolean {
  const lasting = Math.max(settings.complaintIntervalMs, settings.judgeAfterMs);
  return serviceFailed === '' && now - runningSince >= lasting;
}

/** Stops the resource to start it again, which counts as an attempt; or gives up. */
function restart(state: PrimaryState, now: Instant, outputs: PrimaryOutput[]): void {
  const { settings } = state;
  state.attempts += 1;
  const why = state.attempts >= settings.attempts ? 'gave-up' : 'restart';
  if (why === 'gave-up') logGivingUp(state, outputs);
  beginStop(state, why, state.successor, now + settings.stopTimeoutMs, now, outputs);
}

/** When a service that runs and does not answer is judged; Infinity where it answers, or does not run (R10). */
export function judgeAt({ maintained, phase, serviceFailed, runningSince, settings }: PrimaryState): Instant {
  if (phase !== 'running' || serviceFailed === '' || maintained) return Number.POSITIVE_INFINITY;
  return runningSince + settings.judgeAfterMs;
}

/** The service runs, and does not answer: restarted, or given up, like one that does not run (R10). */
export function judgeService(state: PrimaryState, now: Instant, outputs: PrimaryOutput[]): void {
  state.lastError = `the service runs and does not answer: ${state.serviceFailed}`;
  outputs.push({
    kind: 'log',
    level: 'warn',
    text: `${state.lastError}; attempt ${state.attempts + 1} of ${state.settings.attempts}`,
  });
  restart(state, now, outputs);
}
