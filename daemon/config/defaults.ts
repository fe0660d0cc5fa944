/** The values of what a file leaves out. The ancestor's, but for the heartbeat: its failover took a minute. */
import type { HttpSettings } from '../http/settings.js';
import type { ControlConfig, LogConfig, ResourceTimes } from './types.js';

/** Where hastmond and hastmonctl look for the file, in this order. */
export const CONFIG_FILES: readonly string[] = ['/etc/hastmon.conf', '/usr/local/etc/hastmon.conf'];

export const DEFAULT_CONTROL: ControlConfig = { path: '/var/run/hastmonctl', mode: 0o600 };
export const DEFAULT_LISTEN = 'tcp4://0.0.0.0:8458';
export const DEFAULT_STATE_DIR = '/var/lib/hastmon';
export const DEFAULT_LOG: LogConfig = { level: 'info', facility: 'daemon' };
/** With a token the paths for load balancers need it, too, unless the file says otherwise. */
export const DEFAULT_HTTP: Pick<HttpSettings, 'users' | 'health'> = {
  users: ['hastmon', 'nobody'],
  health: 'token',
};
export const DEFAULT_WATCHDOG_TIMEOUT_MS = 10_000;
export const DEFAULT_ALGORITHM = 'sha256';

export const DEFAULT_ATTEMPTS = 5;
export const DEFAULT_COMPLAINT_COUNT = 3;
export const DEFAULT_PRIORITY = 100;

/** The times that do not follow from others. */
export const DEFAULT_TIMES = {
  timeoutMs: 5000,
  heartbeatIntervalMs: 1000,
  complaintIntervalMs: 60_000,
  startTimeoutMs: 30_000,
  stopTimeoutMs: 5000,
  statusTimeoutMs: 5000,
  fenceTimeoutMs: 10_000,
  driftPpm: 10_000,
  failbackMs: Number.POSITIVE_INFINITY,
} as const satisfies Partial<ResourceTimes>;

/** Of a resource with actions: the longest that a command may take, and how often its checks are run. */
export const DEFAULT_ACTION_TIMEOUT_MS = 30_000;
export const DEFAULT_ACTION_INTERVAL_MS = 5000;

/** How often such a resource is asked for its status at most, unless the file says: each time takes a process of Node.js. */
export const ACTION_STATUS_INTERVAL_MS = 2000;

/** A lease outlasts this many heartbeats at least, by default as by rule: one renewal may be lost. */
export const LEASE_HEARTBEATS_MIN = 2;

/**
 * lease_timeout where none is set: as long as complaints take to add up, so that the lease and the ancestor's rule
 * end together; never shorter than a lease may be.
 */
export function defaultLeaseMs(complaintCount: number, heartbeatIntervalMs: number): number {
  return Math.max(complaintCount, LEASE_HEARTBEATS_MIN) * heartbeatIntervalMs;
}

/** switchover_timeout where none is set: a minute, but at least the stop that it has to wait for. */
export function defaultSwitchoverMs(stopTimeoutMs: number): number {
  return Math.max(60_000, 2 * stopTimeoutMs);
}
