/**
 * What the resources on this node demand of the watchdog device, and what is to be done with it (rule G5 of
 * docs/protocol.md). Pure; it knows no device.
 */
import { stoodStill } from './node-guard.js';
import type { NodeState } from './node-types.js';
import type { Instant } from './types.js';

/** 'none': nothing may run here. 'feed': it may run, under a good lease. 'starve': it may run without one. */
export type Demand = 'none' | 'feed' | 'starve';

/** What a resource demands of the device at `now`. */
export function demandOf(state: NodeState, now: Instant): Demand {
  if (state.cleaning?.required === true || state.stopFailed) return 'starve';
  const report = state.worker?.report;
  // A reset would touch what is to be left alone (L6).
  if (report?.maintained) return 'none';
  if (state.role !== 'primary' || report == null) return 'none';
  // With a lease a start may come at any moment: the device is armed before it.
  if (!report.mayRun) return report.leaseUntil > now ? 'feed' : afterLease(state, report.leaseUntil, now);
  if (report.forced) return 'feed';
  // Without any lease so far hastmon has started nothing: a first look at the resource does not arm the device.
  if (report.epoch === 0) return 'none';
  return report.leaseUntil > now ? 'feed' : 'starve';
}

/** A start under the lease may have come while this process stood still; the worker's word of it is read first. */
function afterLease(state: NodeState, leaseUntil: Instant, now: Instant): Demand {
  const unread = now < state.guardNotBefore || stoodStill(state, now);
  return unread && leaseUntil > Number.NEGATIVE_INFINITY ? 'starve' : 'none';
}

/** The device as a main process finds it. */
export interface DeviceState {
  /** This process has it open. */
  open: boolean;
  /** It counts down: started by this process, or by one before it that ended without a word. */
  counting: boolean;
}

/** 'open' starts its time anew, and counts; 'close' stops it, where it can be stopped; 'wait' leaves it as it is. */
export type DeviceAction = 'open' | 'feed' | 'close' | 'wait';

/** What to do with the device, given what each resource demands of it. */
export function deviceAction(demands: readonly Demand[], { open, counting }: DeviceState): DeviceAction {
  // Neither feeding nor opening: both would put off the reset that another node counts on.
  if (demands.includes('starve')) return open || counting ? 'wait' : 'open';
  if (demands.includes('feed')) return open ? 'feed' : 'open';
  if (open) return 'close';
  // Left counting by a process before this one: only who has opened it can stop it.
  return counting ? 'open' : 'wait';
}
