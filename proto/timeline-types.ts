/** How a resource came to run on another node, or anew on the same one: put together from the events of all nodes. Times are in milliseconds. */
import type { NodeName } from '../daemon/core/types.js';

export interface TimelineRequest {
  kind: 'timeline';
  resource: string;
  /** The last so many failovers, at least 1. */
  last: number;
}

export interface Timeline {
  resource: string;
  /** The oldest first. */
  failovers: Failover[];
  /** Nodes whose events are missing here, and why. */
  missing: { node: NodeName; why: string }[];
}

/** One loss of the service and what brought it back. */
export interface Failover {
  /** Of the lease that it ended with; 0 while none has been acquired. */
  epoch: number;
  /** Where it ran before, '' where that is not known; and after, '' while it runs nowhere. */
  from: NodeName;
  to: NodeName;
  /** When it began, since 1970, by the clock of the node that saw the first of it. */
  at: number;
  /** lost: the holder was not heard any more; handover: it was asked for; failed: the service or its start failed; other. */
  kind: 'lost' | 'handover' | 'failed' | 'other';
  /** One sentence. */
  text: string;
  /** From its beginning until the service ran again; null while it does not. */
  tookMs: number | null;
  /** One after the other; together they are `tookMs`. */
  phases: FailoverPhase[];
  /** As each node saw it, in the order that is sure, else by their clocks. */
  marks: FailoverMark[];
}

export interface FailoverPhase {
  /** In this order, those that there were: maintenance, unnoticed, complaints, stop, attempts, grants, lease, start. */
  name: string;
  /** From the beginning of the failover. */
  beginMs: number;
  tookMs: number;
  /** Whose events say so. */
  node: NodeName;
  /** What ended it, for people. */
  text: string;
  /** The statement of hastmon.conf that rules how long it takes, '' for none; and its value here. */
  setting: string;
  settingMs: number | null;
}

export interface FailoverMark {
  node: NodeName;
  /** From the beginning of the failover, by what can be known of the clocks. */
  afterMs: number;
  /** The event: its number on that node, its kind and its sentence. */
  number: number;
  kind: string;
  text: string;
}
