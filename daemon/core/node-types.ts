/**
 * One resource on one node, as the main process sees it: the types of its state, inputs and outputs. The main
 * process votes, acquires leases, decides for a secondary, and guards the primary's worker.
 */
import type { Acquisition } from './acquire.js';
import type { Complaints } from './complaints.js';
import type { PrimaryFinish, PrimaryInit, PrimaryInput, PrimaryReport } from './primary.js';
import type { Settings } from './settings.js';
import type { DurationMs, Instant, NodeName, PeerMessage, Role, StateMessage } from './types.js';
import type { VoterRecord, VoterState } from './voter.js';

/** What is known of another node. */
export interface Peer {
  linked: boolean;
  /** Since when the link has been up or down. */
  since: Instant;
  heardAt: Instant;
  message: StateMessage | null;
  /** Since when it could take over without interruption; null where it could not (P7). */
  readySince: Instant | null;
}

/** The worker process of this resource, if one runs. */
export interface Worker {
  id: number;
  role: 'primary' | 'secondary' | 'watchdog';
  aliveAt: Instant;
  /** False: it has not said anything yet; its process may have to be started first. */
  spoken: boolean;
  /** How often it was told to stop the resource. */
  stopsTold: number;
  /** What a primary's worker last reported. */
  report: PrimaryReport | null;
}

/** A primary on its way to another role. */
export interface Leaving {
  to: Role;
  why: 'handover' | 'role' | 'terminate';
  /** To whom it hands over, '' where it does not. */
  successor: NodeName;
  /** The command to answer when it is over, 0 for none. */
  command: number;
}

/** Why a node hands over. */
export type HandoverCause = 'operator' | 'priority' | 'failback';

/** A handover that this node has begun, until it is known what came of it. */
export interface Handover {
  to: NodeName;
  cause: HandoverCause;
  /** `stopping`: here. `passing`: released, for the successor. `starting`: the successor holds the lease. `putting-back`: it has not come
   * to run there, and this node takes it again (P8). */
  phase: 'stopping' | 'passing' | 'starting' | 'putting-back';
  /** The command to answer, 0 for none. */
  command: number;
  /** What had been set here before: that holds again where it is put back. */
  roleSet: Role;
  /** Of the lease that is handed over. */
  epoch: number;
  beganAt: Instant;
  /** When the lease was released, and when the successor was heard to hold it. */
  releasedAt: Instant;
  acquiredAt: Instant;
  /** When this node ceases to wait for what comes of it, whatever that is. */
  giveUpAt: Instant;
  /** Why it is put back; '' where it is not. */
  why: string;
}

/** A failback that has arrived, and is not known to have come off: who runs the resource, under which epoch, and since when. */
export interface Arrived {
  node: NodeName;
  epoch: number;
  at: Instant;
}

/** The main process's own stop of the resource: after a worker was lost, or of what an earlier process left. */
export interface Cleaning {
  id: number;
  /** 'check': look first, and stop only what is not known to be stopped; 'stop': stop at once. */
  mode: 'check' | 'stop';
  stopEnd: Instant;
  fencing: boolean;
  /** The lease to release when the resource is known to be stopped, 0 for none. */
  epoch: number;
  failedAt: Instant | null;
  /** True where the resource may be running here, so that this node must not end before it is stopped. */
  required: boolean;
}

/** Maintenance of the resource, on the node that holds it. */
export interface Kept {
  /** `entering`: the voters are told. `noting`: a majority has it on disk, and this node puts it there. `in-force`. `ending`: as soon as
   * the lease is good. `forgetting`: this node takes it off its disk. `forgotten`: as `ending`. `leaving`: the voters are told.
   * `changing`: in force, and the voters are told another reason. `renoting`: a majority has that on disk, and this node puts it there. */
  phase:
    | 'entering'
    | 'noting'
    | 'in-force'
    | 'changing'
    | 'renoting'
    | 'ending'
    | 'forgetting'
    | 'forgotten'
    | 'leaving';
  reason: string;
  by: string;
  revision: number;
  /** When it ends by itself, Infinity for never. */
  endsAt: Instant;
  /** An order that is not carried out by then is given up; Infinity where none waits. */
  giveUpAt: Instant;
  /** The command to answer, 0 for none. */
  command: number;
  /** What was so before the change under way, and is so again where that comes to nothing; null while nothing is changed. */
  before: Pick<Kept, 'reason' | 'by' | 'endsAt'> | null;
}

/** What a node has on disk of it. */
export interface KeptNote {
  reason: string;
  by: string;
  /** How long it still lasts by itself, from now; Infinity for as long as nobody ends it. */
  leftMs: DurationMs;
  /** The role that was set last: it is as it was, as the resource is. */
  roleSet: Role;
}

export interface NodeState {
  settings: Settings;
  incarnation: number;
  voter: VoterState;
  acquisition: Acquisition;
  role: Role;
  roleSet: Role;
  peers: Record<NodeName, Peer>;
  complaints: Complaints;
  worker: Worker | null;
  lastWorkerId: number;
  leaving: Leaving | null;
  /** null: none has been begun, or it is known what came of the last one. */
  handover: Handover | null;
  /** Failbacks that failed since the last one that came off, and until when there is none for that (P7). */
  failback: { failures: number; notBefore: Instant; arrived: Arrived | null };
  /** Who handed the lease over that this node has acquired and not run under yet; '' for nobody (P8). */
  giver: NodeName;
  /** null: nothing is in maintenance here. */
  kept: Kept | null;
  /** When to look next whether runs here what voters keep for this node without its knowing. */
  disownAt: Instant;
  /** Of maintenance: rises with every change. */
  lastRevision: number;
  cleaning: Cleaning | null;
  lastCleanId: number;
  /** When this node gave up starting the resource; null where it may try. */
  gaveUpAt: Instant | null;
  /** Until when this node is the named successor of a handover. */
  successorUntil: Instant;
  /** Who named it. */
  namedBy: NodeName;
  /** What the worker was last told. */
  successorTold: { node: NodeName; giveBack: boolean };
  handoverNotBefore: Instant;
  /** When the core was last stepped. */
  steppedAt: Instant;
  /** The worker is not judged before this: what it said meanwhile is still to be read. */
  guardNotBefore: Instant;
  heartbeatAt: Instant;
  sequence: number;
  /** What was last said; when something else is to be said, it is said at once. null: somebody has not heard it. */
  lastHeartbeat: StateMessage | null;
  /** What the voters last said against a lease, so that the log says it once. */
  refusalTold: string;
  /** True where the resource was seen stopped here and nothing was started since. */
  knownStopped: boolean;
  terminating: boolean;
  terminated: boolean;
  /** True where this core is done although the resource may still run: the watchdog device is what is left. */
  stopFailed: boolean;
  attempts: number;
  lastError: string;
  /** Why the service counts as failed although it may run: its checks are confirmed down; '' where it does not (R10). */
  serviceFailed: string;
  /** Why this node must not be promoted: a check that the resource requires is not up here; '' where it may (P5). */
  unfit: string;
}

export type NodeCommand =
  | { kind: 'role'; role: Role; force: boolean }
  | { kind: 'switchover'; to: NodeName }
  | { kind: 'bootstrap' }
  /**
   * `forMs`: Infinity for as long as nobody ends it. While it is on, that and the reason are changed: Infinity and '' leave them as
   * they are.
   */
  | { kind: 'maintenance-on'; reason: string; by: string; forMs: DurationMs }
  | { kind: 'maintenance-off' }
  | { kind: 'maintenance-forget' };

export type NodeInput = { now: Instant } & (
  | { kind: 'tick' }
  | { kind: 'peer'; from: NodeName; message: PeerMessage }
  | { kind: 'link'; node: NodeName; up: boolean }
  | { kind: 'worker-report'; worker: number; report: PrimaryReport }
  | { kind: 'worker-send'; worker: number; to: NodeName | null; message: PeerMessage }
  | { kind: 'worker-finish'; worker: number; outcome: PrimaryFinish }
  | { kind: 'worker-alive'; worker: number }
  | { kind: 'worker-exit'; worker: number }
  | { kind: 'stored'; id: number; ok: boolean }
  /** What was to be kept of maintenance is on disk, or is not. */
  | { kind: 'kept'; ok: boolean }
  | { kind: 'cleaned'; id: number; ok: boolean; detail: string }
  | { kind: 'fenced'; id: number; ok: boolean; detail: string }
  | { kind: 'command'; id: number; command: NodeCommand }
  | { kind: 'settings'; settings: Settings }
  /** What the checks that the resource names say now. */
  | { kind: 'judged'; failed: string; unfit: string }
  | { kind: 'terminate' }
);

/** What the main process tells a worker. */
export type WorkerMessage =
  | Exclude<PrimaryInput, { kind: 'tick' | 'hook' | 'main-gone' }>
  | { kind: 'heard'; from: NodeName; message: StateMessage };

/** `Omit` that keeps a union a union. */
export type WithoutNow<T> = T extends unknown ? Omit<T, 'now'> : never;

export type NodeOutput =
  | { kind: 'send'; to: NodeName; message: PeerMessage }
  | { kind: 'store'; id: number; record: VoterRecord }
  | { kind: 'worker-start'; worker: number; role: Worker['role']; init: PrimaryInit | null }
  /** Ends a worker and everything it runs, at once. */
  | { kind: 'worker-kill'; worker: number }
  | { kind: 'worker-message'; worker: number; message: WithoutNow<WorkerMessage> }
  | { kind: 'clean'; id: number; mode: Cleaning['mode']; stopEnd: Instant }
  | { kind: 'fence'; id: number }
  /** Notification hooks; their result changes nothing. */
  | { kind: 'notify'; action: 'role' | 'connect' | 'disconnect'; args: string[] }
  | { kind: 'reply'; command: number; error: string; text: string }
  /** How far a command is that will be answered later. */
  | { kind: 'progress'; command: number; text: string }
  /** To be on disk before it is answered with `kept`; null: there is none. */
  | { kind: 'keep'; note: KeptNote | null }
  /** `left`: in maintenance, so that the next hastmond finds the resource as it is. */
  | { kind: 'terminated'; ok: boolean; left: boolean }
  | { kind: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; text: string; peer: NodeName };

export interface NodeStep {
  state: NodeState;
  outputs: NodeOutput[];
}
