/**
 * The primary's worker: starts, watches and stops the resource under a lease, and renews the lease meanwhile.
 * Pure: `stepPrimary(state, input)` returns the next state and what to do. It does not acquire leases (the main
 * process does) and does not know how hooks are run.
 *
 * Rules R1 to R10 of docs/protocol.md.
 */
import { isMarked, leaseAnswered, renewLease, stopEnd, takeLease } from './hold.js';
import { actBy, limitHook, margin } from './primary-hook.js';
import { maintenanceStored, maintenanceWanted } from './primary-maintenance.js';
import { hookEnded, judgeAt, judgeService, nextHook } from './primary-run.js';
import { askedToStop, beginStop, boundStop, releaseLease } from './primary-stop.js';
import type {
  PrimaryInit,
  PrimaryInput,
  PrimaryOutput,
  PrimaryReport,
  PrimaryState,
  PrimaryStep,
} from './primary-types.js';
import { leaseTerms } from './settings.js';
import type { Instant } from './types.js';

export type * from './primary-types.js';

/** The state of a worker that has just started: it looks first whether the resource runs (R1). */
export function initPrimary(init: PrimaryInit, now: Instant): PrimaryState {
  const { lease } = init;
  return {
    settings: init.settings,
    holder: init.holder,
    ownSets: init.sets,
    resumed: init.resumed,
    successor: '',
    giveBack: false,
    phase: 'probe',
    forced: init.forced,
    lease: lease === null ? null : takeLease(lease, now),
    mark: init.mark,
    maintained: init.maintained,
    seen: null,
    lastEpoch: lease?.epoch ?? 0,
    heardEpoch: lease?.epoch ?? 0,
    stopsHeard: 0,
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
    serviceFailed: init.serviceFailed,
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
      state.heardEpoch = Math.max(state.heardEpoch, input.epoch);
      state.forced = false;
      maintenanceStored(state, outputs);
      break;
    case 'answer':
      if (state.lease !== null) state.lease = leaseAnswered(state.lease, input.from, input.message, now);
      maintenanceStored(state, outputs);
      break;
    case 'hook':
      hookEnded(state, input, now, outputs);
      break;
    case 'stop':
      state.stopsHeard += 1;
      askedToStop(state, input.why, input.successor, now, outputs);
      break;
    case 'successor':
      state.successor = input.node;
      state.giveBack = input.giveBack;
      break;
    case 'settings':
      state.settings = input.settings;
      state.ownSets = input.sets;
      break;
    case 'judged':
      state.serviceFailed = input.failed;
      break;
    case 'maintenance':
      maintenanceWanted(state, input.mark, now, outputs);
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
  const times = [judgeAt(state)];
  if (state.phase === 'done') return Number.POSITIVE_INFINITY;
  if (state.hook === null) times.push(state.dueAt);
  else if (state.hook.signalled === '') times.push(state.hook.termAt);
  else if (state.hook.signalled === 'TERM') times.push(state.hook.killAt);
  if (state.lease !== null)
    times.push(lostAt(state), renewing(state) ? state.lease.renewAt : Number.POSITIVE_INFINITY);
  return Math.min(...times);
}

/** A primary that cannot stop and has a fence lets its lease end, so that the fence comes before the grant's end. */
function renewing(state: PrimaryState): boolean {
  return !(state.phase === 'stuck' && (state.settings.fenceTimeoutMs > 0 || state.stop?.why === 'terminate'));
}

/** When the lease is over for this worker; never in maintenance, where it may be renewed however late (L2). */
function lostAt(state: PrimaryState): Instant {
  const { lease, maintained } = state;
  return lease === null || maintained ? Number.POSITIVE_INFINITY : lease.until - margin(state);
}

/** What time alone brings: the end of the lease, limits of hooks, renewals, and the next hook. */
function advance(state: PrimaryState, now: Instant, outputs: PrimaryOutput[]): void {
  if (now >= lostAt(state)) loseLease(state, now, outputs);
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
      state.mark,
      now,
    );
    state.lease = { ...renewed.lease, renewAt: now + state.settings.heartbeatMs };
    outputs.push({ kind: 'to-voters', message: renewed.message });
  }
  if (now >= judgeAt(state)) judgeService(state, now, outputs);
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

const RUN_STATES = {
  probe: 'unknown',
  waiting: 'readytorun',
  starting: 'starting',
  running: 'run',
  stopping: 'stopping',
  stuck: 'failed',
  done: 'stopped',
} as const;

/** In maintenance nothing follows from what status says, and it is told as it is; also at its end, until the next look. */
function runStateOf({ maintained, phase, seen, stop }: PrimaryState): PrimaryReport['run'] {
  // Left as it is: nobody knows of it any more, and it was not stopped.
  if (phase === 'done' && maintained && stop === null) return 'unknown';
  if (phase !== 'running' || seen === 0 || (seen === null && !maintained)) return RUN_STATES[phase];
  return seen === 1 ? 'stopped' : 'unknown';
}

function report(state: PrimaryState, outputs: PrimaryOutput[]): void {
  const { phase, lease } = state;
  // Also its last word: a worker that ends without having stopped the resource leaves it running.
  const leftRunning = phase === 'done' && state.stop !== null;
  const next: PrimaryReport = {
    // A stop that is tried again has not become any better.
    run: leftRunning || (phase === 'stopping' && state.stop?.failed) ? 'failed' : runStateOf(state),
    epoch: state.lastEpoch,
    heardEpoch: state.heardEpoch,
    stopsHeard: state.stopsHeard,
    leaseUntil: lease?.until ?? Number.NEGATIVE_INFINITY,
    grantedUntil: lease?.grantedUntil ?? Number.NEGATIVE_INFINITY,
    mayRun: leftRunning || (phase !== 'waiting' && phase !== 'done'),
    maintained: state.maintained,
    settled: lease !== null && isMarked(lease, state.mark) ? state.mark.revision : 0,
    stopEnd: state.stop?.end ?? Number.POSITIVE_INFINITY,
    actBy: actBy(state),
    wantsLease: lease === null && (phase === 'waiting' || (state.maintained && phase === 'running')),
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
