/** The part of the configuration that the core needs, in the core's words. */
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
  };
}
