/**
 * Complaints of watchdogs, as a candidate counts them: per source, each once, forgotten after complaint_interval
 * (rules C1 to C3 of docs/protocol.md). Owns nothing else: whether a count is enough is for the promotion to say.
 */
import type { ComplaintMessage, DurationMs, Instant, NodeName } from './types.js';

export interface ComplaintSource {
  incarnation: number;
  sequence: number;
  /** When each complaint came, oldest first; no more are kept than the threshold needs. */
  times: Instant[];
}

export type Complaints = Record<NodeName, ComplaintSource>;

/** Counts a complaint unless it was counted before. `keep`: how many to remember per source. */
export function countComplaint(
  complaints: Complaints,
  from: NodeName,
  message: ComplaintMessage,
  keep: number,
  now: Instant,
): Complaints {
  const source = complaints[from];
  const again = source?.incarnation === message.incarnation;
  if (again && message.sequence <= source.sequence) return complaints;
  const times = [...(source?.times ?? []), now].slice(-keep);
  return { ...complaints, [from]: { incarnation: message.incarnation, sequence: message.sequence, times } };
}

/** Forgets the complaints of the past, since the primary has been heard; repeated messages still do not count. */
export function clearComplaints(complaints: Complaints): Complaints {
  const cleared: Complaints = {};
  for (const [node, source] of Object.entries(complaints)) cleared[node] = { ...source, times: [] };
  return cleared;
}

/** The greatest number of complaints within `intervalMs` that one watchdog made. */
export function complaintCount(complaints: Complaints, intervalMs: DurationMs, now: Instant): number {
  const counts = Object.values(complaints).map(
    ({ times }) => times.filter((time) => time > now - intervalMs).length,
  );
  return Math.max(0, ...counts);
}
