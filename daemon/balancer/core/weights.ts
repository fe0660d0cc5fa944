/** What weight a server has, by what is known of it. */
import type { Curve, TStatus } from '../types.js';
import type { Check, Pair } from './state.js';

/** The weight of a server that comes back: `leftMs` until it has its full one. 0 only for a full weight of 0. */
export function rampWeight(curve: Curve, full: number, durationMs: number, leftMs: number): number {
  const left = Math.ceil(leftMs / 1000);
  if (left <= 0 || full === 0) return full;
  // Whole milliseconds: a part of the time would be rounded, and then rounded up.
  const gone = Math.max(0, durationMs - left * 1000);
  switch (curve) {
    case 'weightman':
      return Math.ceil(full / (left + 1));
    case 'linear':
      return Math.max(1, Math.ceil((full * gone) / durationMs));
    case 'slowstart':
      return Math.max(1, Math.ceil((full * gone * gone) / (durationMs * durationMs)));
    default:
      return curve satisfies never;
  }
}

/** The operator's, or the file's. */
export function fullWeight({ memory, fileWeight }: Pair): number {
  return memory.override ?? fileWeight;
}

/** As a whole, or for a reason in this service. */
export function isDisabled({ host, memory }: Pair): boolean {
  return host.off !== null || memory.reasons.size > 0;
}

/** There was a pass that began after it had to (B2). */
export function isFresh(check: Check, awaitSince: number | null): boolean {
  return awaitSince === null || (check.passAt !== null && check.passAt > awaitSince);
}

/**
 * Its check lets it have weight. Who has weight keeps it while its check has no result: the check is another one since a reload, or the
 * service was taken over from the kernel's table.
 */
export function isPassing({ check, memory }: Pair): boolean {
  if (check === null) return true;
  if (check.state === 'unknown') return memory.zeroSince === null;
  return check.state === 'up' && isFresh(check, memory.awaitSince);
}

/** It is to have weight, whatever becomes of its service. */
export function isEligible(pair: Pair): boolean {
  return (
    pair.real !== '' && !isDisabled(pair) && !pair.memory.foundZero && fullWeight(pair) > 0 && isPassing(pair)
  );
}

/** The enabled server's check has no result: there may be weight to come. */
export function isUndecided(pair: Pair): boolean {
  return pair.real !== '' && pair.check?.state === 'unknown' && !isDisabled(pair);
}

/** What the table is to have. */
export function weightNow(pair: Pair, now: number): number {
  const { memory, service } = pair;
  if (memory.zeroSince !== null) return 0;
  if (memory.kept !== null && pair.check?.state === 'unknown') return memory.kept;
  const full = fullWeight(pair);
  if (memory.ramp === null) return full;
  return rampWeight(service.config.curve, full, memory.ramp.durationMs, memory.ramp.deadline - now);
}

/**
 * Scripts wait until nothing begins with 1. One waits for a pass after it was enabled or defined, or after a failure that ended its ramp:
 * what was begun is not done. One that is down otherwise has begun nothing, and says `0-ENABLED` with a weight of 0, so that
 * nobody waits for it without having touched it.
 */
export function statusOf(pair: Pair, now: number): TStatus {
  const { memory } = pair;
  if (isDisabled(pair)) return '0-DISABLED';
  if (memory.zeroSince !== null && memory.awaitSince !== null) return '1-AWAITPASS';
  if (memory.zeroSince === null && memory.ramp !== null && memory.ramp.deadline > now) return '1-RAMPING';
  return '0-ENABLED';
}
