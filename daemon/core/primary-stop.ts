/**
 * How the primary's worker stops the resource: for which reason and by when, what follows when it is known to be stopped, and
 * what when it is not. Part of the core of that worker; reached through primary.ts.
 */
import { stopEnd } from './hold.js';
import { runHook } from './primary-hook.js';
import type { PrimaryFinish, PrimaryOutput, PrimaryState, StopWhy } from './primary-types.js';
import { stopLimits } from './stop-plan.js';
import type { Instant, NodeName } from './types.js';

export function askedToStop(
  state: PrimaryState,
  why: StopWhy,
  successor: NodeName,
  now: Instant,
  outputs: PrimaryOutput[],
): void {
  if (state.maintained && (why === 'terminate' || why === 'main-gone')) return leaveAlone(state, outputs);
  const end = plannedStopEnd(state, why, now);
  if (state.stop !== null && state.phase !== 'waiting') {
    // A stop under way goes on, for the new reason.
    const until = triedUntil(state, why, end, now);
    state.stop = { ...state.stop, why, successor: successor || state.stop.successor, until };
    if (why === 'main-gone') boundStop(state, end, now);
    return;
  }
  if (state.phase === 'waiting' && state.hook === null) {
    state.stop = { why, successor, end, until: end, hookRun: true, failed: '' };
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

/** Until when a stop that fails is tried again under a lease: as long as a planned move may take. */
function triedUntil({ settings, lease }: PrimaryState, why: StopWhy, end: Instant, now: Instant): Instant {
  return lease === null || why === 'main-gone' ? end : Math.max(end, now + settings.switchoverTimeoutMs);
}

/** Begins a stop: another hook that runs is killed first; that time is inside the stop budget (R3). */
export function beginStop(
  state: PrimaryState,
  why: StopWhy,
  successor: NodeName,
  end: Instant,
  now: Instant,
  outputs: PrimaryOutput[],
): void {
  state.phase = 'stopping';
  state.start = null;
  state.stop = { why, successor, end, until: triedUntil(state, why, end, now), hookRun: false, failed: '' };
  state.dueAt = now;
  const { hook } = state;
  if (hook !== null && hook.signalled !== 'KILL') {
    hook.signalled = 'KILL';
    outputs.push({ kind: 'signal', id: hook.id, signal: 'KILL' });
  }
}

/** A stop under way has to be over by `end`: its hook's limits move forward, never back. */
export function boundStop(state: PrimaryState, end: Instant, now: Instant): void {
  if (state.stop === null) return;
  state.stop = { ...state.stop, end: Math.min(state.stop.end, end) };
  const hook = state.hook;
  if (hook?.action !== 'stop') return;
  const { termAt, killAt } = stopLimits(end, Math.min(state.settings.stopTimeoutMs, end - now));
  hook.termAt = Math.min(hook.termAt, termAt);
  hook.killAt = Math.min(hook.killAt, killAt);
}

/** Runs the stop hook of a stop that was begun. */
export function runStop(state: PrimaryState, now: Instant, outputs: PrimaryOutput[]): void {
  if (state.stop === null) return;
  state.stop = { ...state.stop, hookRun: true };
  runHook(state, 'stop', now, state.stop.end - now, outputs);
}

/** The resource is known to be stopped: only now may the lease be released (R5). */
export function stopped(state: PrimaryState, now: Instant, outputs: PrimaryOutput[]): void {
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

export function releaseLease(state: PrimaryState, successor: NodeName, outputs: PrimaryOutput[]): void {
  const { holder, lastEpoch: epoch } = state;
  const reservationMs = successor === '' ? 0 : state.settings.leaseMs;
  outputs.push({ kind: 'to-voters', message: { kind: 'release', holder, epoch, successor, reservationMs } });
  if (successor !== '')
    outputs.push({ kind: 'to-node', to: successor, message: { kind: 'handover', holder, epoch } });
  state.lease = null;
  state.lastEpoch = 0;
}

/** In maintenance hastmond ends without a word to the resource (L5). */
function leaveAlone(state: PrimaryState, outputs: PrimaryOutput[]): void {
  if (state.hook !== null) outputs.push({ kind: 'signal', id: state.hook.id, signal: 'KILL' });
  state.hook = null;
  finish(state, 'left', outputs);
}

function finish(state: PrimaryState, outcome: PrimaryFinish, outputs: PrimaryOutput[]): void {
  state.phase = 'done';
  outputs.push({ kind: 'finish', outcome });
}

/** `status` does not say stopped after the stop: nothing is released (R7). */
export function stopFailed(
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
      : 'after stop it is not known whether the resource runs';
  state.lastError = code === 0 ? what : `${what}: ${detail}`;
  outputs.push({ kind: 'log', level: stop?.failed === what ? 'debug' : 'error', text: state.lastError });
  if (stop !== null) state.stop = { ...stop, failed: what };
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

/**
 * A stop that failed is tried again. When its time is over (the time to stop, or under a lease `switchover_timeout`), the
 * fence comes; without one, a daemon that is told to end does so (R7).
 */
export function retryStop(state: PrimaryState, now: Instant, outputs: PrimaryOutput[]): void {
  const { settings, stop, lease } = state;
  if (stop === null) return;
  if (stop.why === 'terminate' && settings.fenceTimeoutMs === 0 && now >= stop.until) {
    finish(state, 'stop-failed', outputs);
    return;
  }
  if (settings.fenceTimeoutMs > 0 && now >= (lease === null ? stop.end : stop.until)) {
    outputs.push({
      kind: 'log',
      level: 'error',
      text: 'the resource cannot be stopped: running the fence program',
    });
    runHook(state, 'fence', now, settings.fenceTimeoutMs, outputs);
    return;
  }
  const end = lease === null && settings.fenceTimeoutMs > 0 ? stop.end : now + settings.stopTimeoutMs;
  state.phase = 'stopping';
  state.stop = { ...stop, end };
  runStop(state, now, outputs);
}

export function fenceEnded(
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

export function running(state: PrimaryState, now: Instant, outputs: PrimaryOutput[], text: string): void {
  state.phase = 'running';
  state.giveBack = false;
  state.start = null;
  state.stop = null;
  state.unknownStatuses = 0;
  state.runningSince = now;
  state.dueAt = now + state.settings.statusIntervalMs;
  outputs.push({ kind: 'log', level: 'info', text });
}
