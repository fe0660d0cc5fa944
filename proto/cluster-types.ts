/** What all nodes say of themselves, as one of them has gathered it. Times are in milliseconds. */
import type { DirectorWord } from '../daemon/balancer/types.js';
import type { NodeName } from '../daemon/core/types.js';
import type { StatusEntry } from './control-types.js';
import type { DrillAnswer } from './drill-types.js';
import type { Timeline } from './timeline-types.js';

/** Answered by the node that is asked, from what it knows and what the others answer to it. */
export interface ClusterRequest {
  kind: 'cluster';
}

export type ClusterAnswer =
  | ({ kind: 'about' } & NodeAbout)
  | ({ kind: 'cluster' } & ClusterView)
  | ({ kind: 'timeline' } & Timeline)
  | ({ kind: 'drill' } & DrillAnswer);

export interface ClusterView {
  /** Who gathered it, and when: since 1970 by its wall clock. */
  node: NodeName;
  at: number;
  /** Every node that the configuration of that node names, in the order of the file; itself among them. */
  nodes: NodeReport[];
  /** Resources that more than one node says it runs. */
  double: DoubleRun[];
}

export interface DoubleRun {
  resource: string;
  nodes: NodeName[];
}

export interface NodeReport {
  node: NodeName;
  self: boolean;
  /** '' where `said` is what the node says now; else why nothing is known of it. */
  note: string;
  /** Since the node was last heard on any connection; null: never since this daemon began. */
  heardMs: number | null;
  /** How long ago `said` was said, at most. */
  ageMs: number;
  /** null where it has not answered in time: what it said before is not known to be so any more, and is not shown. */
  said: NodeSaid | null;
}

/** What a node says of itself, but for its resources. */
export interface NodeAbout {
  version: string;
  /** Since its hastmond began. */
  uptimeMs: number;
  /** null where it monitors nothing. */
  checks: CheckCounts | null;
  /** null where it has no balancer, or that has not answered. */
  balancer: BalancerCounts | null;
}

/** What a node says of itself. */
export interface NodeSaid extends NodeAbout {
  /** Of its resources, in the order of its file. */
  status: StatusEntry[];
}

export interface CheckCounts {
  up: number;
  down: number;
  unknown: number;
  /** Confirmed ones that are on. */
  outages: number;
}

export interface BalancerCounts {
  services: number;
  /** Those whose servers all have no weight, or that are below their quorum; null: not known. */
  servicesDown: number | null;
  servers: number;
  /** Those without weight; null: not known. */
  serversDown: number | null;
  source: DirectorWord;
}
