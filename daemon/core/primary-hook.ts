/**
 * Hooks of the primary's worker: how one is begun, with which limits, and how it is ended when its time is up. Part of the core of
 * that worker; reached through primary.ts.
 */
import { guardMarginMs } from './lease.js';
import type { PrimaryAction, PrimaryOutput, PrimaryState } from './primary-types.js';
import { STOP_KILL_SHARE, STOP_TERM_SHARE } from './settings.js';
import type { DurationMs, Instant } from './types.js';

export function runHook(
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

export function limitHook(state: PrimaryState, now: Instant, outputs: PrimaryOutput[]): void {
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

/**
 * By when this worker takes the next step of a stop: it kills the stop hook, also one that has not begun yet; then, where a
 * fence is named, it runs that, and kills it too. Infinity where no such step is to come.
 */
export function actBy({ phase, stop, hook, dueAt, settings }: PrimaryState): Instant {
  if (stop === null || (phase !== 'stopping' && phase !== 'stuck')) return Number.POSITIVE_INFINITY;
  if (phase === 'stopping' && !stop.hookRun) return stop.end - settings.stopTimeoutMs * (1 - STOP_KILL_SHARE);
  if (hook?.action === 'stop' || hook?.action === 'fence')
    return hook.signalled === 'KILL' ? Number.POSITIVE_INFINITY : hook.killAt;
  if (settings.fenceTimeoutMs === 0) return Number.POSITIVE_INFINITY;
  return Math.max(stop.end, hook === null ? dueAt : hook.killAt);
}

/** The status after a stop. Only where a fence comes next does it have to be over with the stop: late is better than unknown. */
export function lastStatusMs({ settings, stop }: PrimaryState, now: Instant): DurationMs {
  if (settings.fenceTimeoutMs === 0) return settings.statusTimeoutMs;
  return Math.min(settings.statusTimeoutMs, Math.max((stop?.end ?? now) - now, 50));
}

export function margin(state: PrimaryState): DurationMs {
  return guardMarginMs(state.settings.leaseMs);
}
