/** What a drill starts from: a resource as the node that is asked knows it. The wire form is control.proto. */
import type { Settings } from '../daemon/core/settings.js';
import type { DurationMs, Instant, NodeName, Role, RunState } from '../daemon/core/types.js';
import type { Selection } from './control-types.js';

/**
 * Asks for that; it changes nothing. `state`: what this node knows at present; `node`: and how long hooks took on it; `all`: both, of every
 * node that answers.
 */
export interface DrillRequest {
  kind: 'drill';
  resources: Selection;
  depth: (typeof DRILL_DEPTHS)[number];
}

/** Position, counted from 1, is the number on the wire. */
export const DRILL_DEPTHS = ['state', 'node', 'all'] as const;

export interface DrillAnswer {
  /** Of each resource; where all nodes are asked, of each node that has answered, the one that is asked first. */
  facts: DrillFacts[];
  /** Nodes that should have answered, and why they have not. */
  missing: { node: NodeName; why: string }[];
}

export interface DrillFacts {
  resource: string;
  /** The node that is asked, and when: in milliseconds of its CLOCK_BOOTTIME, as its events are. */
  node: NodeName;
  bootMs: Instant;
  /** As they are in force there. */
  settings: Settings;
  /** Every voter, in the order of the file. */
  nodes: DrillNode[];
  /** The voters are being changed. */
  votersChanging: boolean;
  /** Where it is left alone, why and at whose word; null where it is not. */
  maintenance: { node: NodeName; reason: string; by: string } | null;
  /** Why its service counts as failed on this node, and why this node must not be promoted; '' for neither. */
  serviceFailed: string;
  unfit: string;
  /** Since this node gave the resource up; null where it has not. */
  gaveUpMs: DurationMs | null;
  /** Why the last attempt to run it on this node has failed; '' where it has not, or an operator has set the role of it since. */
  startFailed: string;
  /** The last that have ended well on this node, the oldest first. */
  hooks: DrillHook[];
}

/** A run of start or stop. */
export interface DrillHook {
  action: string;
  ms: DurationMs;
}

/** A node by its last heartbeat; of the node that is asked, by what it would say now. */
export interface DrillNode {
  node: NodeName;
  /** A connection with it is up. */
  linked: boolean;
  /** It was heard within lease_timeout. */
  fresh: boolean;
  /** null: never. */
  heardMs: DurationMs | null;
  /** null where it has said nothing so far. */
  role: Role | null;
  roleSet: Role | null;
  run: RunState | null;
  priority: number;
  able: boolean;
  /** It holds the lease. */
  holds: boolean;
  /** It runs the resource by force. */
  forced: boolean;
  /** Its voter has a record of the past. */
  history: boolean;
}
