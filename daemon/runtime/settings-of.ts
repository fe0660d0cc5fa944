/** The part of the configuration that the core needs, in the core's words. */
import type { CheckSpec } from '../checks/spec.js';
import type { Config, ResourceConfig } from '../config/types.js';
import type { Settings } from '../core/settings.js';

/** What the core is told of a resource. */
export function settingsOf(config: Config, resource: ResourceConfig): Settings {
  return {
    resource: resource.name,
    node: config.node,
    voters: resource.voters,
    priority: resource.priority,
    attempts: resource.attempts,
    complaintCount: resource.complaintCount,
    complaintIntervalMs: resource.complaintIntervalMs,
    heartbeatMs: resource.heartbeatIntervalMs,
    leaseMs: resource.leaseTimeoutMs,
    startTimeoutMs: resource.startTimeoutMs,
    stopTimeoutMs: resource.stopTimeoutMs,
    statusTimeoutMs: resource.statusTimeoutMs,
    statusIntervalMs: resource.statusIntervalMs,
    switchoverTimeoutMs: resource.switchoverTimeoutMs,
    fenceTimeoutMs: resource.fence === null ? 0 : resource.fenceTimeoutMs,
    deviceTimeoutMs: config.watchdogDevice?.timeoutMs ?? 0,
    driftPpm: resource.driftPpm,
    failbackMs: resource.failbackMs,
    judgeAfterMs: judgeAfterMs(config.monitor?.checks ?? [], resource.checks),
  };
}

/** Monitoring nodes ask each other this often about a check that is down (K6 of docs/confirmation.md). */
const ASK_MS = 10_000;

/** How long the checks of a resource may take to see it up again after it came to run, and the other nodes to hear of it. */
function judgeAfterMs(checks: readonly CheckSpec[], names: readonly string[]): number {
  const own = checks.filter(({ name }) => names.includes(name));
  const times = own.map(
    ({ options: { rise, retryIntervalMs, timeoutMs } }) => rise * (retryIntervalMs + timeoutMs),
  );
  return own.length === 0 ? 0 : Math.max(...times) + ASK_MS;
}
