/**
 * Hooks of the primary's worker: how one is begun, with which limits, and how it is ended when its time is up. Part of the core of
 * that worker; reached through primary.ts.
 */
import { guardMarginMs } from './lease.js';
import type { PrimaryAction, PrimaryOutput, PrimaryState } from './primary-types.js';
import { stopLimits } from './stop-plan.js';
import type { DurationMs, Instant } from './types.js';

export function runHook(
  state: PrimaryState,
  action: PrimaryAction,
  now: Instant,
  limitMs: DurationMs,
  outputs: PrimaryOutput[],
): void {
  state.hookId += 1;
  const end = now + limitMs;
  const limits =
    action === 'stop'
      ? stopLimits(end, Math.min(state.settings.stopTimeoutMs, limitMs))
      : { termAt: end - limitMs * 0.1, killAt: end };
  state.hook = { id: state.hookId, action, ...limits, signalled: '' };
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
  if (phase === 'stopping' && !stop.hookRun) return stopLimits(stop.end, settings.stopTimeoutMs).killAt;
  if (hook?.action === 'stop' || hook?.action === 'fence')
    return hook.signalled === 'KILL' ? Number.POSITIVE_INFINITY : hook.killAt;
  if (settings.fenceTimeoutMs === 0) return Number.POSITIVE_INFINITY;
  return Math.max(stop.end, hook === null ? dueAt : hook.killAt);
}

export function margin(state: PrimaryState): DurationMs {
  return guardMarginMs(state.settings.leaseMs);
}
