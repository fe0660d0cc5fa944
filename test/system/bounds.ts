/**
 * How long a service may be away, as arithmetic from the times of the trials. The formula is the design's; the allowance is
 * for processes that have to be started on a busy machine.
 */
import { HEARTBEAT_MS, LEASE_MS } from './scene.js';

const complaintCount = 3;
/** HASTMON_TEST_ALLOWANCE_MS sets another one. */
export const allowanceMs = Number(process.env.HASTMON_TEST_ALLOWANCE_MS ?? 2000);

/** What a voter grants for: the lease and the stop budget, and 1 % of drift. */
export function grantMs(stopTimeoutMs = 200): number {
  return Math.ceil((LEASE_MS + stopTimeoutMs) * 1.01);
}

/**
 * Unasked takeover: the watchdog misses 2.5 heartbeats and complains complaint_count + 1 times, or the grant of the old holder
 * runs out, whichever is later; asking for the lease may have to be repeated once.
 */
export function takeoverMs(stopTimeoutMs = 200): number {
  const complained = (2.5 + complaintCount) * HEARTBEAT_MS;
  return Math.max(complained, LEASE_MS + grantMs(stopTimeoutMs)) + LEASE_MS + allowanceMs;
}

/** The holder gives the lease up: nobody has to wait for it to run out. */
export function handoverMs(): number {
  return LEASE_MS + allowanceMs;
}

/** The service is started again where it was: seen by the next status. */
export function restartMs(): number {
  return 200 + HEARTBEAT_MS + allowanceMs;
}

/** Daemons have to be started, to meet, and to wait out what they remember. */
export function bootMs(stopTimeoutMs = 200): number {
  return takeoverMs(stopTimeoutMs) + grantMs(stopTimeoutMs) + 2 * allowanceMs;
}
