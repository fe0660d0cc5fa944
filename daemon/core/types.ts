/**
 * The vocabulary of the pure core: nodes, roles, states, the messages between nodes, and the messages between
 * the main process and a worker. Nothing here touches a clock, a socket or a file.
 *
 * Units: every time is in milliseconds. An `Instant` is a reading of CLOCK_BOOTTIME of this machine; instants of
 * different machines (or boots) are never compared.
 */

/** Milliseconds of this machine's CLOCK_BOOTTIME; it goes on during suspend and never goes back. */
export type Instant = number;
/** A length of time in milliseconds. */
export type DurationMs = number;
/** The name of a node as the configuration writes it. */
export type NodeName = string;

export type Role = 'init' | 'primary' | 'secondary' | 'watchdog';

/** What is known of the resource on this node: the ancestor's words, in its order. */
export type RunState = 'unknown' | 'readytorun' | 'starting' | 'run' | 'stopping' | 'stopped' | 'failed';

/**
 * Who holds or asks for a lease. The incarnation is drawn anew at every start of a main process, so that what an
 * earlier process of the same node asked or released can never be mistaken for this one's.
 */
export interface Holder {
  node: NodeName;
  incarnation: number;
}

/** The voter sets a message was sent under: one, or the old and the new one while a change is under way. */
export type VoterSets = readonly (readonly NodeName[])[];

/** The times of a lease, as its holder asks for it; the voter grants by these and never by its own file. */
export interface LeaseTerms {
  /** How long the holder may hold, from the moment before it asked. */
  leaseMs: DurationMs;
  /** How long stopping may take after that. */
  stopBudgetMs: DurationMs;
  /** The most by which one clock may run faster than another, in parts per million. */
  driftPpm: number;
}

/** A node's regular word about itself: the heartbeat. */
export interface StateMessage {
  kind: 'state';
  incarnation: number;
  /** Rises with every heartbeat of an incarnation; an older one is ignored. */
  sequence: number;
  role: Role;
  /** The role the operator (or role_on_start) last set. */
  roleSet: Role;
  run: RunState;
  priority: number;
  /** True where this node could take the resource over now. */
  able: boolean;
  /** The epoch of the lease that this node holds, 0 where it holds none. */
  holdingEpoch: number;
  /** True while the resource runs here by an operator's --force, outside the lease. */
  forced: boolean;
  /** null: a node of an earlier version, which does not say. */
  readiness: Readiness | null;
  memory: VoterMemory;
}

/** What a node says of taking the resource over, beyond that it is able. */
export interface Readiness {
  /** What it lacks; empty where it could acquire the lease if that were released now. */
  lacks: readonly Lack[];
  /** What its file says of `failback`: after how long, Infinity for never. */
  failbackMs: DurationMs;
}

/** One thing that a node lacks to take the resource over. */
export interface Lack {
  /** The name of that condition in `explain`. */
  name: string;
  /** How it is, without lengths of time: what is said of it is sent again when it changes. */
  value: string;
}

/**
 * The operator's word that nothing is to happen by itself (L1 to L9): a grant that carries it does not run out for others, until its
 * holder takes it back.
 */
export interface MaintenanceMark {
  on: boolean;
  /** Why and at whose word; '' where it is off. */
  reason: string;
  by: string;
  /** Rises with every change that a holder makes under one epoch. */
  revision: number;
}

/** No maintenance, and none so far under this epoch. */
export const UNMARKED: MaintenanceMark = { on: false, reason: '', by: '', revision: 0 };

/** What a voter remembers, as far as other voters need to know it. */
export interface VoterMemory {
  /** False: this voter has no valid record, and its word about the past is worth nothing. */
  history: boolean;
  epochMax: number;
  sets: VoterSets;
  /** The longest grant that this node may have asked for: what another voter granted it lasts no longer. */
  longestGrantMs: DurationMs;
  /** The grant in force here, if one is; or, with nothing left, the last one that has run out. */
  grant: { holder: Holder; epoch: number; leftMs: DurationMs; mark: MaintenanceMark } | null;
}

/** Pre-vote: would you grant? Binds nobody. */
export interface AskMessage {
  kind: 'ask';
  holder: Holder;
  request: number;
  sets: VoterSets;
}

/** Acquires a lease, or renews it where the epoch is the one granted. */
export interface RequestMessage {
  kind: 'request';
  holder: Holder;
  epoch: number;
  request: number;
  terms: LeaseTerms;
  sets: VoterSets;
  mark: MaintenanceMark;
}

export type RefusalReason =
  | 'held' // another holder's grant is in force
  | 'maintenance' // another node's grant is in maintenance, and does not run out
  | 'reserved' // a handover has reserved the resource for another node
  | 'stale-epoch' // the epoch is not greater than the last one known here
  | 'released' // this epoch was released by its holder
  | 'restarted' // this voter restarted and waits out the stored grant
  | 'no-history' // this voter has no valid record and has not heard enough others
  | 'voter-set' // the asker does not reckon with this voter's set
  | 'not-a-voter' // the asker is in none of this voter's sets
  | 'disk'; // the grant could not be stored

/** A voter's answer to an ask or a request. */
export interface AnswerMessage {
  kind: 'answer';
  to: 'ask' | 'request';
  holder: Holder;
  epoch: number;
  request: number;
  /** null: granted. */
  refusal: RefusalReason | null;
  /** Who stands in the way, '' where nobody does. */
  by: NodeName;
  /** For how long the refusal will stand at most, as far as the voter knows; 0 where it does not depend on time. */
  leftMs: DurationMs;
  memory: VoterMemory;
}

/** The holder knows the resource to be stopped and gives the lease up. */
export interface ReleaseMessage {
  kind: 'release';
  holder: Holder;
  epoch: number;
  /** For whom the resource is reserved during one lease, '' for nobody. */
  successor: NodeName;
  reservationMs: DurationMs;
}

/** A watchdog's word to a candidate: nobody seems to run the resource. */
export interface ComplaintMessage {
  kind: 'complaint';
  incarnation: number;
  /** Rises with every complaint of an incarnation, so that a repeated message counts once. */
  sequence: number;
}

/** The holder's word to its successor: I have stopped and released, take over. */
export interface HandoverMessage {
  kind: 'handover';
  holder: Holder;
  epoch: number;
}

export type PeerMessage =
  | StateMessage
  | AskMessage
  | RequestMessage
  | AnswerMessage
  | ReleaseMessage
  | ComplaintMessage
  | HandoverMessage;
