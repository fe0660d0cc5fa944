/**
 * The arithmetic of time, pure: how long a grant lasts, how long a failover takes, and whether the times of a
 * resource go together. The reasons are in docs/safety.md; every refusal shows its numbers.
 */
import { STOP_KILL_SHARE, STOP_TERM_SHARE } from '../core/stop-plan.js';
import { LEASE_HEARTBEATS_MIN } from './defaults.js';
import { formatDuration, formatPercent } from './duration.js';
import type { ResourceConfig, ResourceTimes, WatchdogDeviceConfig } from './types.js';

/** A lease of fewer heartbeats hangs on a single renewal. */
export const LEASE_HEARTBEATS_ENOUGH = 3;

/** Less time for the last `status` than this, and a hook of a few lines of shell may not make it. */
const LAST_STATUS_ENOUGH_MS = 40;

/** A watchdog calls a primary lost after two missed heartbeats; it looks once per heartbeat. */
const NOTICED_AFTER_HEARTBEATS = 3;

export interface BudgetInput extends ResourceTimes {
  complaintCount: number;
  /** True where a fence program is named. */
  fenced: boolean;
}

export interface BudgetProblem {
  severity: 'error' | 'warning';
  message: string;
  help: string;
  /** The statements that could mend it, the likeliest first. */
  statements: readonly BudgetStatement[];
}

export type BudgetStatement =
  | 'heartbeat_interval'
  | 'lease_timeout'
  | 'complaint_count'
  | 'complaint_interval'
  | 'stop_timeout'
  | 'status_timeout'
  | 'status_interval'
  | 'switchover_timeout'
  | 'fence_timeout'
  | 'watchdog_timeout';

/** The times of a resource, as far as they matter here. */
export function budgetInput(resource: ResourceConfig): BudgetInput {
  return { ...resource, fenced: resource.fence !== null };
}

type Device = Pick<WatchdogDeviceConfig, 'timeoutMs'> | null;

/**
 * How long stopping may take after a lease has ended: stop_timeout, and fence_timeout where a fence program is
 * named; or the watchdog device's own timeout if that is longer.
 */
export function stopBudgetMs(
  times: Pick<ResourceTimes, 'stopTimeoutMs' | 'fenceTimeoutMs'>,
  device: Device,
): number {
  return Math.max(times.stopTimeoutMs + times.fenceTimeoutMs, device?.timeoutMs ?? 0);
}

/** How long a voter's grant lasts: (lease + stop budget) x (1 + drift), rounded up to the millisecond. */
export function grantMs(
  times: Pick<ResourceTimes, 'leaseTimeoutMs' | 'stopTimeoutMs' | 'fenceTimeoutMs' | 'driftPpm'>,
  device: Device,
): number {
  const slow = times.leaseTimeoutMs + stopBudgetMs(times, device);
  return Math.ceil((slow * (1_000_000 + times.driftPpm)) / 1_000_000);
}

/**
 * From the loss of a primary's machine to the `start` on another, at most, where a watchdog and a majority live:
 * the grant runs out, while a watchdog notices (two missed heartbeats) and complains more than complaint_count
 * times; then one round of asking. Messages' own time and the hook's are not in it.
 */
export function recoveryMs(times: BudgetInput, device: Device): number {
  const complaints = (NOTICED_AFTER_HEARTBEATS + times.complaintCount) * times.heartbeatIntervalMs;
  return Math.max(grantMs(times, device), complaints) + times.heartbeatIntervalMs;
}

/** The arithmetic of a resource in a few lines, for people. */
export function describeBudget(times: BudgetInput, device: Device): string[] {
  const drift = formatPercent(times.driftPpm);
  return [
    `lease ${formatDuration(times.leaseTimeoutMs)}, renewed every ${formatDuration(times.heartbeatIntervalMs)}`,
    `stop budget ${formatDuration(stopBudgetMs(times, device))} = ${budgetTerms(times, device)}`,
    `grant ${formatDuration(grantMs(times, device))} = (lease + stop budget) x (1 + ${drift})`,
    `recovery from the loss of a machine in ${formatDuration(recoveryMs(times, device))}, and the start itself`,
  ];
}

/** What does not add up. */
export function checkBudget(times: BudgetInput, device: Device): BudgetProblem[] {
  return [
    ...checkLease(times),
    ...checkComplaints(times),
    ...checkStop(times),
    ...checkStatus(times),
    ...(device === null ? [] : checkDevice(times, device)),
  ];
}

function checkLease(times: BudgetInput): BudgetProblem[] {
  const { leaseTimeoutMs: lease, heartbeatIntervalMs: heartbeat } = times;
  const least = LEASE_HEARTBEATS_MIN * heartbeat;
  const enough = LEASE_HEARTBEATS_ENOUGH * heartbeat;
  const statements = ['lease_timeout', 'complaint_count', 'heartbeat_interval'] as const;
  if (lease < least) {
    const message = `lease_timeout ${f(lease)} is less than ${LEASE_HEARTBEATS_MIN} x heartbeat_interval ${f(heartbeat)} = ${f(least)}`;
    return [
      problem(
        'error',
        message,
        `a lease must outlive one lost renewal; ${f(enough)} outlives two`,
        statements,
      ),
    ];
  }
  if (lease < enough) {
    const message = `lease_timeout ${f(lease)} is less than ${LEASE_HEARTBEATS_ENOUGH} x heartbeat_interval ${f(heartbeat)} = ${f(enough)}`;
    return [problem('warning', message, 'two lost renewals in a row stop the resource', statements)];
  }
  return [];
}

function checkComplaints(times: BudgetInput): BudgetProblem[] {
  const { complaintCount, heartbeatIntervalMs: heartbeat, complaintIntervalMs: interval } = times;
  const needed = (complaintCount + 1) * heartbeat;
  if (needed <= interval) return [];
  const message =
    `complaints expire before they add up: (complaint_count ${complaintCount} + 1) x heartbeat_interval ` +
    `${f(heartbeat)} = ${f(needed)}, more than complaint_interval ${f(interval)}`;
  const help = `a secondary would never be promoted; complaint_interval must be at least ${f(needed)}`;
  return [problem('error', message, help, ['complaint_interval', 'complaint_count', 'heartbeat_interval'])];
}

function checkStop(times: BudgetInput): BudgetProblem[] {
  const { stopTimeoutMs: stop, switchoverTimeoutMs: switchover } = times;
  const problems: BudgetProblem[] = [];
  const left = Math.floor(stop * (1 - STOP_KILL_SHARE) + 1e-6);
  if (left < LAST_STATUS_ENOUGH_MS) {
    const message =
      `stop_timeout ${f(stop)} leaves ${f(left)} for the last status: ` +
      `TERM at ${f(Math.floor(stop * STOP_TERM_SHARE))}, KILL at ${f(stop - left)}`;
    problems.push(
      problem('warning', message, 'a stop that cannot be confirmed counts as failed', ['stop_timeout']),
    );
  }
  if (switchover < stop) {
    const message = `switchover_timeout ${f(switchover)} is shorter than stop_timeout ${f(stop)}`;
    const help = 'a planned move would be given up while the stop may still go on';
    problems.push(problem('warning', message, help, ['switchover_timeout', 'stop_timeout']));
  }
  return problems;
}

function checkStatus(times: BudgetInput): BudgetProblem[] {
  const { statusIntervalMs, statusTimeoutMs, complaintIntervalMs: interval } = times;
  const asked = [
    ['status_interval', statusIntervalMs],
    ['status_timeout', statusTimeoutMs],
  ] as const;
  return asked
    .filter(([, ms]) => ms > interval)
    .map(([name, ms]) => {
      const message = `${name} ${f(ms)} is longer than complaint_interval ${f(interval)}`;
      return problem('warning', message, 'a dead resource is noticed later than a lost node', [name]);
    });
}

function checkDevice(times: BudgetInput, device: NonNullable<Device>): BudgetProblem[] {
  const { timeoutMs } = device;
  const {
    stopTimeoutMs: stop,
    fenceTimeoutMs: fence,
    leaseTimeoutMs: lease,
    heartbeatIntervalMs: heartbeat,
  } = times;
  const problems: BudgetProblem[] = [];
  const grant = grantMs(times, device);
  // A longer device timeout is waited for at every failover, though it only matters when the stop itself failed.
  if (timeoutMs > stop + fence && grant > times.complaintIntervalMs) {
    const message =
      `watchdog_timeout ${f(timeoutMs)} makes a failover wait (lease_timeout ${f(lease)} + watchdog_timeout ` +
      `${f(timeoutMs)}) x (1 + ${formatPercent(times.driftPpm)}) = ${f(grant)}, ` +
      `more than complaint_interval ${f(times.complaintIntervalMs)}`;
    const help = `without the device it would be ${f(grantMs(times, null))}; set a shorter watchdog_timeout`;
    problems.push(problem('error', message, help, ['watchdog_timeout', 'complaint_interval']));
  }
  if (timeoutMs < stop + fence) {
    const message = `watchdog_timeout ${f(timeoutMs)} is shorter than ${fence > 0 ? `stop_timeout ${f(stop)} + fence_timeout ${f(fence)}` : `stop_timeout ${f(stop)}`}`;
    const help = 'the machine is reset while a slow stop may still succeed';
    problems.push(problem('warning', message, help, ['watchdog_timeout', 'stop_timeout', 'fence_timeout']));
  }
  if (timeoutMs < 2 * heartbeat) {
    const message = `watchdog_timeout ${f(timeoutMs)} is less than 2 x heartbeat_interval ${f(heartbeat)}`;
    const help = 'the device must be fed more often than a lease is renewed';
    problems.push(problem('warning', message, help, ['watchdog_timeout', 'heartbeat_interval']));
  }
  return problems;
}

function budgetTerms(times: BudgetInput, device: Device): string {
  const own = times.stopTimeoutMs + times.fenceTimeoutMs;
  if (device !== null && device.timeoutMs > own) return 'watchdog_timeout';
  return times.fenced ? 'stop_timeout + fence_timeout' : 'stop_timeout';
}

function f(ms: number): string {
  return formatDuration(ms);
}

function problem(
  severity: 'error' | 'warning',
  message: string,
  help: string,
  statements: readonly BudgetStatement[],
): BudgetProblem {
  return { severity, message, help, statements };
}
