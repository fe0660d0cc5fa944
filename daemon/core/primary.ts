/**
 * The primary's worker: starts, watches and stops the resource under a lease, and renews the lease meanwhile.
 * Pure: `stepPrimary(state, input)` returns the next state and what to do. It does not acquire leases (the main
 * process does) and does not know how hooks are run.
 *
 * Rules R1 to R9 of docs/protocol.md.
 */
import { type GivenLease, type HeldLease, leaseAnswered, renewLease, stopEnd, takeLease } from './hold.js';
import { guardMarginMs } from './lease.js';
import { leaseTerms, type Settings, STOP_KILL_SHARE, STOP_TERM_SHARE } from './settings.js';
import type {
  AnswerMessage,
  DurationMs,
  HandoverMessage,
  Holder,
  Instant,
  NodeName,
  ReleaseMessage,
  RequestMessage,
  RunState,
} from './types.js';

export type PrimaryAction = 'start' | 'stop' | 'status' | 'fence';

/** Why a stop was begun; the first four are planned and may use switchover_timeout while the lease is renewed. */
export type StopWhy =
  | 'handover'
  | 'role'
  | 'terminate'
  | 'gave-up'
  | 'restart'
  | 'lease-lost'
  | 'not-ours'
  | 'main-gone';

export interface PrimaryState {
  settings: Settings;
  holder: Holder;
  ownSets: NodeName[][];
  /** See PrimaryInit. */
  resumed: boolean;
  /** Candidate that would take over if this primary stopped; '' for none. */
  successor: NodeName;
  phase: 'probe' | 'waiting' | 'starting' | 'running' | 'stopping' | 'stuck' | 'done';
  forced: boolean;
  lease: HeldLease | null;
  /** Epoch of the last lease, to release it once the resource is known to be stopped. */
  lastEpoch: number;
  request: number;
  hook: RunningHook | null;
  hookId: number;
  /** When the next status is due, or the next start, or the next try of a stop. */
  dueAt: Instant;
  start: { run: boolean; deadline: Instant; failed: string } | null;
  stop: { why: StopWhy; successor: NodeName; end: Instant; hookRun: boolean } | null;
  attempts: number;
  unknownStatuses: number;
  runningSince: Instant;
  lastError: string;
  reported: PrimaryReport | null;
}

interface RunningHook {
  id: number;
  action: PrimaryAction;
  termAt: Instant;
  killAt: Instant;
  signalled: '' | 'TERM' | 'KILL';
}

/** What the main process knows of its worker; the guard and the heartbeat are made of it. */
export interface PrimaryReport {
  run: RunState;
  epoch: number;
  /** End of the lease, -Infinity where none is held. */
  leaseUntil: Instant;
  /** Until when the grants behind the lease last at least; -Infinity where none is held. */
  grantedUntil: Instant;
  /** True where the resource may be running. */
  mayRun: boolean;
  /** While stopping: when the stop must be over; else Infinity. */
  stopEnd: Instant;
  /** True where the resource is known to be stopped and a lease is wanted. */
  wantsLease: boolean;
  forced: boolean;
  attempts: number;
  lastError: string;
}

export type PrimaryInput = { now: Instant } & (
  | { kind: 'tick' }
  | ({ kind: 'lease' } & GivenLease)
  | { kind: 'answer'; from: NodeName; message: AnswerMessage }
  | { kind: 'hook'; id: number; code: number | null; detail: string }
  | { kind: 'stop'; why: 'handover' | 'role' | 'terminate'; successor: NodeName }
  | { kind: 'successor'; node: NodeName }
  | { kind: 'settings'; settings: Settings; sets: NodeName[][] }
  | { kind: 'main-gone' }
);

export type PrimaryFinish = 'stopped' | 'gave-up' | 'stop-failed' | 'fenced' | 'gone';

export type PrimaryOutput =
  | { kind: 'to-voters'; message: RequestMessage | ReleaseMessage }
  | { kind: 'to-node'; to: NodeName; message: HandoverMessage }
  /** `notAfter`: a start that has not begun by then must not begin. */
  | { kind: 'hook'; id: number; action: PrimaryAction; epoch: number; notAfter: Instant }
  | { kind: 'signal'; id: number; signal: 'TERM' | 'KILL' }
  | { kind: 'report'; report: PrimaryReport }
  | { kind: 'finish'; outcome: PrimaryFinish }
  | { kind: 'log'; level: 'info' | 'warn' | 'error'; text: string };

export interface PrimaryInit {
  settings: Settings;
  holder: Holder;
  sets: NodeName[][];
  /** First request number; above every one that this holder used before. */
  request: number;
  forced: boolean;
  attempts: number;
  /** The lease to carry on with: just acquired, or an earlier worker's. */
  lease: GivenLease | null;
  /** True where it is an earlier worker's: the resource may be running under it. */
  resumed: boolean;
}

export interface PrimaryStep {
  state: PrimaryState;
  outputs: PrimaryOutput[];
}

/** The state of a worker that has just started: it looks first whether the resource runs (R1). */
export function initPrimary(init: PrimaryInit, now: Instant): PrimaryState {
  const { lease } = init;
  return {
    settings: init.settings,
    holder: init.holder,
    ownSets: init.sets,
    resumed: init.resumed,
    successor: '',
    phase: 'probe',
    forced: init.forced,
    lease: lease === null ? null : takeLease(lease, now),
    lastEpoch: lease?.epoch ?? 0,
    request: init.request,
    hook: null,
    hookId: 0,
    dueAt: now,
    start: null,
    stop: null,
    attempts: init.attempts,
    unknownStatuses: 0,
    runningSince: now,
    lastError: '',
    reported: null,
  };
}

/** The worker's only door. */
export function stepPrimary(before: PrimaryState, input: PrimaryInput): PrimaryStep {
  const state = { ...before, hook: before.hook === null ? null : { ...before.hook } };
  const outputs: PrimaryOutput[] = [];
  const { now } = input;
  if (state.phase === 'done') return { state, outputs };
  switch (input.kind) {
    case 'tick':
      break;
    case 'lease':
      state.lease = takeLease(input, now);
      state.lastEpoch = input.epoch;
      state.forced = false;
      break;
    case 'answer':
      if (state.lease !== null) state.lease = leaseAnswered(state.lease, input.from, input.message, now);
      break;
    case 'hook':
      hookEnded(state, input, now, outputs);
      break;
    case 'stop':
      askedToStop(state, input.why, input.successor, now, outputs);
      break;
    case 'successor':
      state.successor = input.node;
      break;
    case 'settings':
      state.settings = input.settings;
      state.ownSets = input.sets;
      break;
    case 'main-gone':
      askedToStop(state, 'main-gone', '', now, outputs);
      break;
    default:
      input satisfies never;
  }
  advance(state, now, outputs);
  report(state, outputs);
  return { state, outputs };
}

/** When the worker has to be stepped again at the latest. */
export function primaryWakeAt(state: PrimaryState): Instant {
  const times = [Number.POSITIVE_INFINITY];
  if (state.phase === 'done') return Number.POSITIVE_INFINITY;
  if (state.hook === null) times.push(state.dueAt);
  else if (state.hook.signalled === '') times.push(state.hook.termAt);
  else if (state.hook.signalled === 'TERM') times.push(state.hook.killAt);
  if (state.lease !== null)
    times.push(state.lease.until - margin(state), renewing(state) ? state.lease.renewAt : Infinity);
  return Math.min(...times);
}

function margin(state: PrimaryState): DurationMs {
  return guardMarginMs(state.settings.leaseMs);
}

/** A primary that cannot stop and has a fence lets its lease end, so that the fence comes before the grant's end. */
function renewing(state: PrimaryState): boolean {
  return !(state.phase === 'stuck' && (state.settings.fenceTimeoutMs > 0 || state.stop?.why === 'terminate'));
}

/** What time alone brings: the end of the lease, limits of hooks, renewals, and the next hook. */
function advance(state: PrimaryState, now: Instant, outputs: PrimaryOutput[]): void {
  if (state.lease !== null && now >= state.lease.until - margin(state)) loseLease(state, now, outputs);
  limitHook(state, now, outputs);
  const { lease } = state;
  if (lease !== null && now >= lease.renewAt && renewing(state)) {
    state.request += 1;
    const renewed = renewLease(
      lease,
      state.request,
      state.holder,
      leaseTerms(state.settings),
      state.ownSets,
      now,
    );
    state.lease = { ...renewed.lease, renewAt: now + state.settings.heartbeatMs };
    outputs.push({ kind: 'to-voters', message: renewed.message });
  }
  if (state.hook === null && isDone(state) === false) nextHook(state, now, outputs);
}

function isDone(state: PrimaryState): boolean {
  return state.phase === 'done';
}

/** The lease is over: whatever runs is stopped within the stop budget, and no late answer revives it (R4). */
function loseLease(state: PrimaryState, now: Instant, outputs: PrimaryOutput[]): void {
  const end = state.lease === null ? now : stopEnd(state.lease, state.settings);
  state.lease = null;
  if (state.forced) return;
  outputs.push({
    kind: 'log',
    level: 'warn',
    text: 'the lease is over: no majority of the voters renewed it',
  });
  if (state.phase === 'waiting') {
    releaseLease(state, '', outputs);
    return;
  }
  // Nothing was started under it: the first look goes on, and tells whether there is anything to stop.
  if (state.phase === 'probe' && !state.resumed) return;
  if (state.phase === 'stopping' || state.phase === 'stuck') {
    boundStop(state, end, now);
    return;
  }
  beginStop(state, 'lease-lost', '', end, now, outputs);
}

/** A stop under way has to be over by `end`: its hook's limits move forward, never back. */
function boundStop(state: PrimaryState, end: Instant, now: Instant): void {
  if (state.stop === null) return;
  state.stop = { ...state.stop, end: Math.min(state.stop.end, end) };
  const hook = state.hook;
  if (hook?.action !== 'stop') return;
  const stopTimeoutMs = Math.min(state.settings.stopTimeoutMs, end - now);
  hook.termAt = Math.min(hook.termAt, end - stopTimeoutMs * (1 - STOP_TERM_SHARE));
  hook.killAt = Math.min(hook.killAt, end - stopTimeoutMs * (1 - STOP_KILL_SHARE));
}

function limitHook(state: PrimaryState, now: Instant, outputs: PrimaryOutput[]): void {
  const { hook } = state;
  if (hook === null) return;
  if (hook.signalled !== 'KILL' && now >= hook.killAt) {
    hook.signalled = 'KILL';
    outputs.push({ kind: 'signal', id: hook.id, signal: 'KILL' });
  } else if (hook.signalled === '' && now >= hook.termAt) {
    hook.signalled = 'TERM';
    outputs.push({ kind: 'signal', id: hook.id, signal: 'TERM' });
  }
}

function askedToStop(
  state: PrimaryState,
  why: StopWhy,
  successor: NodeName,
  now: Instant,
  outputs: PrimaryOutput[],
): void {
  const end = plannedStopEnd(state, why, now);
  if (state.stop !== null && state.phase !== 'waiting') {
    // A stop under way goes on, for the new reason.
    state.stop = { ...state.stop, why, successor: successor || state.stop.successor };
    if (why === 'main-gone') boundStop(state, end, now);
    return;
  }
  if (state.phase === 'waiting' && state.hook === null) {
    state.stop = { why, successor, end, hookRun: true };
    stopped(state, now, outputs);
    return;
  }
  beginStop(state, why, successor, end, now, outputs);
}

/** A planned stop goes on under its lease; without main it cannot be renewed. */
function plannedStopEnd({ settings, lease }: PrimaryState, why: StopWhy, now: Instant): Instant {
  if (lease === null) return now + settings.stopTimeoutMs;
  if (why === 'main-gone') return Math.min(now + settings.stopTimeoutMs, stopEnd(lease, settings));
  return now + Math.max(settings.switchoverTimeoutMs, settings.stopTimeoutMs);
}

/** Begins a stop: another hook that runs is killed first; that time is inside the stop budget (R3). */
function beginStop(
  state: PrimaryState,
  why: StopWhy,
  successor: NodeName,
  end: Instant,
  now: Instant,
  outputs: PrimaryOutput[],
): void {
  state.phase = 'stopping';
  state.start = null;
  state.stop = { why, successor, end, hookRun: false };
  state.dueAt = now;
  const { hook } = state;
  if (hook !== null && hook.signalled !== 'KILL') {
    hook.signalled = 'KILL';
    outputs.push({ kind: 'signal', id: hook.id, signal: 'KILL' });
  }
}

/** Starts the hook that the phase calls for, when it is due and none runs. */
function nextHook(state: PrimaryState, now: Instant, outputs: PrimaryOutput[]): void {
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
      if (state.stop !== null && !state.stop.hookRun) {
        state.stop = { ...state.stop, hookRun: true };
        runHook(state, 'stop', now, state.stop.end - now, outputs);
      } else {
        runHook(state, 'status', now, lastStatusMs(state, now), outputs);
      }
      return;
    case 'stuck':
      retryStop(state, now, outputs);
      return;
    default:
      runHook(state, 'status', now, settings.statusTimeoutMs, outputs);
  }
}

/** The status after a stop. Only where a fence comes next does it have to be over with the stop: late is better than unknown. */
function lastStatusMs({ settings, stop }: PrimaryState, now: Instant): DurationMs {
  if (settings.fenceTimeoutMs === 0) return settings.statusTimeoutMs;
  return Math.min(settings.statusTimeoutMs, Math.max((stop?.end ?? now) - now, 50));
}

function runHook(
  state: PrimaryState,
  action: PrimaryAction,
  now: Instant,
  limitMs: DurationMs,
  outputs: PrimaryOutput[],
): void {
  state.hookId += 1;
  const stopMs = Math.min(state.settings.stopTimeoutMs, limitMs);
  const end = now + limitMs;
  const [termAt, killAt] =
    action === 'stop'
      ? [end - stopMs * (1 - STOP_TERM_SHARE), end - stopMs * (1 - STOP_KILL_SHARE)]
      : [end - limitMs * 0.1, end];
  state.hook = { id: state.hookId, action, termAt, killAt, signalled: '' };
  const notAfter =
    action === 'start' && !state.forced ? (state.lease?.until ?? now) - margin(state) : Infinity;
  outputs.push({ kind: 'hook', id: state.hookId, action, epoch: state.lastEpoch, notAfter });
}

function hookEnded(
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
  switch (state.phase) {
    case 'probe':
    case 'waiting':
      statusWithoutService(state, code, now, outputs);
      return;
    case 'starting':
      statusWhileStarting(state, code, detail, now, outputs);
      return;
    case 'running':
      statusWhileRunning(state, code, detail, now, outputs);
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

function running(state: PrimaryState, now: Instant, outputs: PrimaryOutput[], text: string): void {
  state.phase = 'running';
  state.start = null;
  state.stop = null;
  state.unknownStatuses = 0;
  state.runningSince = now;
  state.dueAt = now + state.settings.statusIntervalMs;
  outputs.push({ kind: 'log', level: 'info', text });
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

/** One start did not succeed: the next one comes after a heartbeat, or the node gives up (R6). */
function attemptFailed(state: PrimaryState, why: string, now: Instant, outputs: PrimaryOutput[]): void {
  state.attempts += 1;
  state.lastError = why;
  const { attempts, heartbeatMs, stopTimeoutMs, startTimeoutMs } = state.settings;
  outputs.push({ kind: 'log', level: 'warn', text: `${why}; attempt ${state.attempts} of ${attempts}` });
  if (state.attempts >= attempts) {
    outputs.push({
      kind: 'log',
      level: 'error',
      text: `giving up after ${state.attempts} attempts to start`,
    });
    beginStop(state, 'gave-up', state.successor, now + stopTimeoutMs, now, outputs);
    return;
  }
  state.phase = 'starting';
  state.dueAt = now + heartbeatMs;
  state.start = { run: false, deadline: state.dueAt + startTimeoutMs, failed: '' };
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
    if (state.attempts > 0 && now - state.runningSince >= settings.complaintIntervalMs) state.attempts = 0;
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
    state.attempts += 1;
    const why = state.attempts >= settings.attempts ? 'gave-up' : 'restart';
    beginStop(state, why, state.successor, now + settings.stopTimeoutMs, now, outputs);
  }
}

/** The resource is known to be stopped: only now may the lease be released (R5). */
function stopped(state: PrimaryState, now: Instant, outputs: PrimaryOutput[]): void {
  const why = state.stop?.why ?? 'not-ours';
  const keepsLease = state.lease !== null && (why === 'restart' || why === 'not-ours');
  const successor = state.stop?.successor || (why === 'handover' ? '' : state.successor);
  if (!keepsLease && state.lastEpoch > 0 && why !== 'main-gone') {
    releaseLease(state, why === 'lease-lost' ? '' : successor, outputs);
  }
  state.stop = null;
  state.dueAt = now + state.settings.statusIntervalMs;
  if (why === 'restart' || why === 'lease-lost' || why === 'not-ours') {
    state.phase = 'waiting';
    outputs.push({ kind: 'log', level: 'info', text: 'the resource is stopped' });
    return;
  }
  finish(state, why === 'gave-up' ? 'gave-up' : why === 'main-gone' ? 'gone' : 'stopped', outputs);
}

function releaseLease(state: PrimaryState, successor: NodeName, outputs: PrimaryOutput[]): void {
  const { holder, lastEpoch: epoch } = state;
  const reservationMs = successor === '' ? 0 : state.settings.leaseMs;
  outputs.push({ kind: 'to-voters', message: { kind: 'release', holder, epoch, successor, reservationMs } });
  if (successor !== '')
    outputs.push({ kind: 'to-node', to: successor, message: { kind: 'handover', holder, epoch } });
  state.lease = null;
  state.lastEpoch = 0;
}

function finish(state: PrimaryState, outcome: PrimaryFinish, outputs: PrimaryOutput[]): void {
  state.phase = 'done';
  outputs.push({ kind: 'finish', outcome });
}

/** `status` does not say stopped after the stop: nothing is released (R7). */
function stopFailed(
  state: PrimaryState,
  code: number | null,
  detail: string,
  now: Instant,
  outputs: PrimaryOutput[],
): void {
  const { stop } = state;
  const what =
    code === 0
      ? 'the resource still runs after stop'
      : `after stop it is not known whether the resource runs: ${detail}`;
  state.lastError = what;
  outputs.push({ kind: 'log', level: 'error', text: what });
  if (stop?.why === 'handover' && code === 0 && state.lease !== null) {
    running(state, now, outputs, 'handover given up: the resource goes on running here');
    return;
  }
  state.phase = 'stuck';
  const retryAt = now + state.settings.heartbeatMs;
  // Where something backs the stop up, the last moment for it is the end of the stop's time, not a heartbeat later.
  state.dueAt =
    state.settings.fenceTimeoutMs > 0 && stop !== null ? Math.max(now, Math.min(retryAt, stop.end)) : retryAt;
}

/** A stop that failed is tried again; with a fence, that comes when the time to stop is over (R7). */
function retryStop(state: PrimaryState, now: Instant, outputs: PrimaryOutput[]): void {
  const { settings, stop, lease } = state;
  if (stop === null) return;
  if (stop.why === 'terminate' && settings.fenceTimeoutMs === 0) {
    finish(state, 'stop-failed', outputs);
    return;
  }
  if (settings.fenceTimeoutMs > 0 && lease === null && now >= stop.end) {
    outputs.push({
      kind: 'log',
      level: 'error',
      text: 'the resource cannot be stopped: running the fence program',
    });
    runHook(state, 'fence', now, settings.fenceTimeoutMs, outputs);
    return;
  }
  state.phase = 'stopping';
  const end = lease === null && settings.fenceTimeoutMs > 0 ? stop.end : now + settings.stopTimeoutMs;
  state.stop = { ...stop, hookRun: false, end };
  nextHook(state, now, outputs);
}

function fenceEnded(
  state: PrimaryState,
  code: number | null,
  detail: string,
  now: Instant,
  outputs: PrimaryOutput[],
): void {
  if (code === 0) {
    outputs.push({
      kind: 'log',
      level: 'error',
      text: 'the fence program has cut this node off from the resource',
    });
    finish(state, state.stop?.why === 'terminate' ? 'stop-failed' : 'fenced', outputs);
    return;
  }
  outputs.push({ kind: 'log', level: 'error', text: `fence failed: ${detail}; trying again` });
  state.dueAt = now + state.settings.heartbeatMs;
}

const RUN_STATES = {
  probe: 'unknown',
  waiting: 'readytorun',
  starting: 'starting',
  running: 'run',
  stopping: 'stopping',
  stuck: 'failed',
  done: 'stopped',
} as const;

function report(state: PrimaryState, outputs: PrimaryOutput[]): void {
  const { phase, lease } = state;
  const next: PrimaryReport = {
    run: RUN_STATES[phase],
    epoch: state.lastEpoch,
    leaseUntil: lease?.until ?? Number.NEGATIVE_INFINITY,
    grantedUntil: lease?.grantedUntil ?? Number.NEGATIVE_INFINITY,
    mayRun: phase !== 'waiting' && phase !== 'done',
    stopEnd: state.stop?.end ?? Number.POSITIVE_INFINITY,
    wantsLease: phase === 'waiting' && lease === null,
    forced: state.forced,
    attempts: state.attempts,
    lastError: state.lastError,
  };
  const old = state.reported;
  if (old !== null && (Object.keys(next) as (keyof PrimaryReport)[]).every((key) => old[key] === next[key]))
    return;
  state.reported = next;
  // A report goes out before the hook or the message that it is about.
  outputs.unshift({ kind: 'report', report: next });
}
