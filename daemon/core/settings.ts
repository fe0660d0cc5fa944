/**
 * What the core needs of a resource's configuration, in the core's own words. Owns the derivation of the lease's
 * terms from it; knows no files.
 */
import type { DurationMs, LeaseTerms, NodeName } from './types.js';

export interface Settings {
  resource: string;
  node: NodeName;
  /** Every node with an `on` section, in the order of the file. */
  voters: NodeName[];
  priority: number;
  attempts: number;
  complaintCount: number;
  complaintIntervalMs: DurationMs;
  heartbeatMs: DurationMs;
  leaseMs: DurationMs;
  startTimeoutMs: DurationMs;
  stopTimeoutMs: DurationMs;
  statusTimeoutMs: DurationMs;
  statusIntervalMs: DurationMs;
  switchoverTimeoutMs: DurationMs;
  /** 0: no fence program. */
  fenceTimeoutMs: DurationMs;
  /** Timeout of the watchdog device, 0: none. */
  deviceTimeoutMs: DurationMs;
  driftPpm: number;
  /** How long a node of better priority has to be ready until the holder hands over to it (P7); Infinity: never. */
  failbackMs: DurationMs;
  /** After it has come to run, the service has this long until its checks judge it (R10). */
  judgeAfterMs: DurationMs;
}

/** The terms this node asks a lease for: the stop budget covers the stop and the fence, or the device if that is longer. */
export function leaseTerms(settings: Settings): LeaseTerms {
  const stopBudgetMs = Math.max(settings.stopTimeoutMs + settings.fenceTimeoutMs, settings.deviceTimeoutMs);
  return { leaseMs: settings.leaseMs, stopBudgetMs, driftPpm: settings.driftPpm };
}
