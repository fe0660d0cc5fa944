/**
 * What hastmonctl and hastmond say to each other, as plain records. The wire form is control.proto; the mapping is
 * control-codec.ts. Times are in milliseconds.
 */
import type { NodeName, Role, RunState } from '../daemon/core/types.js';
import type { BalancerAnswer, BalancerRequest } from './balancer-types.js';
import type { ClusterAnswer, ClusterRequest } from './cluster-types.js';
import type { DrillRequest } from './drill-types.js';
import type { EventsRequest, HaEvent } from './event-types.js';
import type { ExplainRequest, Explanation } from './explain-types.js';
import type { MonitorAnswer, MonitorRequest } from './monitor-types.js';
import type { TimelineRequest } from './timeline-types.js';

/** Which resources a command is for. */
export type Selection = 'all' | readonly string[];

export type ControlRequest =
  | MonitorRequest
  | BalancerRequest
  | EventsRequest
  | ExplainRequest
  | ClusterRequest
  | TimelineRequest
  | DrillRequest
  /** What the node that answers says of itself, all of it; its resources are the status of the reply. */
  | { kind: 'about' }
  | { kind: 'role'; role: Role; resources: Selection; force: boolean; wait: boolean }
  | { kind: 'status'; resources: Selection }
  | { kind: 'dump'; resources: Selection }
  | { kind: 'reload' }
  /** `to` is '' where the successor is left to the daemon. */
  | { kind: 'switchover'; resource: string; to: NodeName; wait: boolean }
  /** Would it be done, and how? Answered with an explanation, and a text with one step a line. */
  | { kind: 'switchover-plan'; resource: string; to: NodeName }
  | { kind: 'bootstrap'; resource: string }
  /** `forMs`: null for as long as nobody ends it. */
  | {
      kind: 'maintenance';
      what: 'on' | 'off' | 'forget';
      resources: Selection;
      reason: string;
      forMs: number | null;
    }
  /** A check's word to the daemon; `resource` is '' where the daemon finds it by the check. */
  | { kind: 'report'; check: string; state: string; resource: string }
  | { kind: 'version' };

export interface ControlError {
  /** sysexits(3), 64 to 78. */
  code: number;
  /** What, where, what to do; several resources may take several lines. */
  message: string;
}

export interface ControlReply {
  /** False: more replies follow. Exactly one final reply ends a request. */
  final: boolean;
  /** One line for people about how far it is, '' for none. */
  progress: string;
  /** Only in the final reply; null: success. */
  error: ControlError | null;
  status: StatusEntry[];
  /** Text to print as it is (dump, version), '' for none. */
  text: string;
  /** The answer to a request about monitoring, null to others. */
  monitor: MonitorAnswer | null;
  /** The answer to a request about the balancer, null to others; in replies that are not final a part of it. */
  balancer: BalancerAnswer | null;
  /** What has happened; in each reply a part of it. */
  events: HaEvent[];
  /** The answer to `explain`; in replies that are not final a part of it. */
  explanations: Explanation[];
  /** The answer to a request about all nodes, null to others; in replies that are not final a part of it. */
  cluster: ClusterAnswer | null;
}

export interface RemoteStatus {
  address: string;
  /** null where nobody has answered there yet. */
  node: NodeName | null;
  connected: boolean;
  /** Since something last came from there; null: nothing has since this daemon began. */
  heardMs: number | null;
  /** What the peer says of itself; null where it has not said anything lately. */
  role: Role | null;
  state: RunState | null;
  /** Why it is not connected, '' where it is. */
  reason: string;
}

export interface LeaseStatus {
  held: boolean;
  /** The epoch held, or the greatest one known here. */
  epoch: number;
  /** What is left of the lease held here, or of the grant that this voter gave; 0 for none. */
  leftMs: number;
  leaseMs: number;
  grantMs: number;
  stopBudgetMs: number;
}

export interface VoterStatus {
  node: NodeName;
  self: boolean;
  reachable: boolean;
  /** Since it was last heard, 0 for itself; null: never since this daemon began. Of one that is not reachable all else is unknown. */
  heardMs: number | null;
  /** Whom its vote is given to, '' for nobody or not known. */
  grantingTo: NodeName;
  /** False: it has no valid record of the past. */
  history: boolean;
}

/** What a check of checks.conf, or anybody in its name, said last. */
export interface ReportedState {
  /** Where it was seen. */
  node: NodeName;
  check: string;
  /** '' where that node is not heard any more: what it said is not known to be so now. */
  state: string;
  /** Since it was last said. */
  ageMs: number;
  /** Since it was first said of this state. */
  forMs: number;
}

/** Everything that `hastmonctl status` prints about one resource. */
export interface StatusEntry {
  resource: string;
  role: Role;
  /** The role that was set, which may still be out of reach. */
  roleSet: Role;
  /** 0 where no worker runs. */
  workerPid: number;
  exec: string;
  remotes: RemoteStatus[];
  state: RunState;
  attempts: { now: number; limit: number };
  complaints: { now: number; intervalMs: number; threshold: number };
  heartbeatMs: number;
  lease: LeaseStatus;
  voters: VoterStatus[];
  priority: number;
  /** One plain sentence: what it is waiting for; '' for nothing. */
  waiting: string;
  warnings: string[];
  /** True while it runs by --force, outside the lease. */
  forced: boolean;
  /** Who holds the lease, as far as this node knows; '' for nobody. */
  holder: NodeName;
  lastError: string;
  /** What would be left of the grant after a restart and a stop, as measured; null: not measured. */
  restartMarginMs: number | null;
  /** What backs the stop up: a watchdog device, a fence program, or a sentence that nothing does. */
  backedBy: string;
  /** The states that checks of a resource with `actions` have reported. */
  reports: ReportedState[];
  /** The node that the resource is left alone on, why and at whose word, as this node's voter or that node itself knows; else null. */
  maintenance: { node: NodeName; reason: string; by: string } | null;
}
