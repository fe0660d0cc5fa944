/**
 * What a resource on this node demands of the watchdog device (rule G5 of docs/protocol.md). Pure; it knows no device.
 */
import type { NodeState } from './node-types.js';
import type { Instant } from './types.js';

/** 'none': nothing may run here. 'feed': it may run, under a good lease. 'starve': it may run without one. */
export type Demand = 'none' | 'feed' | 'starve';

/** What a resource demands of the device at `now`. */
export function demandOf(state: NodeState, now: Instant): Demand {
  if (state.cleaning?.required === true || state.stopFailed) return 'starve';
  const report = state.worker?.report;
  if (state.role !== 'primary' || report == null) return 'none';
  // With a lease a start may come at any moment: the device is armed before it.
  if (!report.mayRun) return report.leaseUntil > now ? 'feed' : 'none';
  if (report.forced) return 'feed';
  // Without any lease so far hastmon has started nothing: a first look at the resource does not arm the device.
  if (report.epoch === 0) return 'none';
  return report.leaseUntil > now ? 'feed' : 'starve';
}
