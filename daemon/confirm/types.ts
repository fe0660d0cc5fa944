/**
 * The vocabulary of confirmation: what a node sees of a check, what nodes tell each other, what is remembered. Nothing here touches a
 * clock, a socket or a file. The rules (K…, E…) are in docs/confirmation.md.
 *
 * Units: milliseconds. An `Instant` is this machine's CLOCK_BOOTTIME; between machines only lengths of time travel. Wall clocks are
 * written down and shown, and decide nothing.
 */
import type { DurationMs, Instant, NodeName } from '../core/types.js';

export type { DurationMs, Instant, NodeName };

/** Milliseconds since 1970 by this machine's wall clock; machines may disagree by hours. */
export type WallMs = number;

/** A check's state by one node's own rise and fall; `unknown`: no result yet, or its engine is gone. */
export type Sight = 'up' | 'down' | 'unknown';

/** What one node sees of a check. All times are lengths, counted back from the moment it is told. */
export interface View {
  sight: Sight;
  /** How long it has been so. */
  forMs: DurationMs;
  /** How old the last result is. */
  resultAgeMs: DurationMs;
  /** The last result was a failure, whatever `sight` still says. */
  failing: boolean;
  /** The nature of the last result (daemon/checks/natures.ts), with its detail: `refused`, `http-status 503`. */
  nature: string;
  /** The address that was asked, numeric; '' where there was none. */
  address: string;
  latencyMs: DurationMs;
  /** How long ago the last good answer was; null: none is known. */
  goodAgoMs: DurationMs | null;
}

export interface Witness {
  node: NodeName;
  view: View;
}

/** What is configured of one check, as far as confirmation goes. */
export interface CheckRule {
  /** The nodes that monitor it, in the order of the file, the same on all nodes. */
  nodes: readonly NodeName[];
  /** 0: two, or all if fewer monitor it. */
  confirm: number;
  intervalMs: DurationMs;
  timeoutMs: DurationMs;
  depends: readonly string[];
  /** The resource in maintenance that it judges: nothing is told before that is over. */
  leftAlone?: string;
}

/** Times that are the same for all checks. */
export interface Limits {
  /** While there is trouble, peers are asked no more often than this. */
  askMs: DurationMs;
  /** A peer's last "down" stands so long against a recovery when it falls silent. More than a daemon takes to restart. */
  holdMs: DurationMs;
  /** Each node further down the order stands back by this before it tells people. */
  turnMs: DurationMs;
  /** A claim to tell people lapses after this where it is not renewed. More than twice the slowest message. */
  claimMs: DurationMs;
  /** The alert shell has this long to say sent or failed; then the next node tries. */
  sendMs: DurationMs;
  /** So many edges within the window are flapping; 0: never. */
  flapEdges: number;
  flapWindowMs: DurationMs;
  /** It is calm again after so long without an edge. */
  calmMs: DurationMs;
}

export interface ConfirmConfig {
  /** Stands in every Message-ID behind the `@`; the same on all nodes. */
  domain: string;
  limits: Limits;
  checks: Readonly<Record<string, CheckRule>>;
}

export type EdgeKind = 'down' | 'up' | 'flapping' | 'calm';

/** What is known of an edge that people are to be told. */
export interface Note {
  edge: number;
  kind: EdgeKind;
  /** When it was confirmed. */
  at: Instant;
  /** When the outage began, for all kinds. */
  since: Instant;
  /** What the nodes saw then, their lengths of time counted back from `at`. */
  witnesses: readonly Witness[];
}

/**
 * What the cluster knows of a check for good; every node has a copy, and copies are joined by taking the greater of each number.
 * Edges are numbered: odd ones are outages, even ones recoveries, so that two sides that cannot talk number the same outage alike.
 */
export interface Ledger {
  edge: number;
  /** Edges up to this one are settled: people were told, or are not to be. */
  told: number;
  /** The last edge that people really were told; odd: they believe it to be down. */
  said: number;
  saidBy: NodeName;
  /** The edge at which flapping was recognised, 0 where it does not flap. */
  flap: number;
  /** The last edge that was held back here, behind a dependency or a mute. */
  held: number;
  /** The outage that an operator acknowledged. */
  ack: number;
  ackBy: string;
  mute: { revision: number; until: Instant };
  since: Instant;
  /** For the edges that are not settled, the newest ones, bounded. */
  notes: readonly Note[];
  /** The greatest edge that is on this node's disk. Not shared. */
  stored: number;
}

/** A ledger as it travels and as it is written down: lengths of time instead of instants. */
export interface LedgerImage {
  edge: number;
  told: number;
  said: number;
  saidBy: NodeName;
  flap: number;
  ack: number;
  ackBy: string;
  mute: { revision: number; leftMs: DurationMs };
  sinceMs: DurationMs;
  notes: readonly NoteImage[];
}

export interface NoteImage {
  edge: number;
  kind: EdgeKind;
  atMs: DurationMs;
  sinceMs: DurationMs;
  witnesses: readonly Witness[];
}

/** What a node keeps over a restart (E7): the ledger, what it held back, and the wall clock to bridge the gap with. */
export interface LedgerRecord extends LedgerImage {
  held: number;
  wall: WallMs;
}

/** Asks what the peer sees of a check. `edge` and `told` let it see who is behind. */
export interface AskMessage {
  kind: 'ask';
  check: string;
  id: number;
  edge: number;
  told: number;
}

export interface AnswerMessage {
  kind: 'answer';
  check: string;
  /** Of the ask. */
  id: number;
  /** null: the peer has no such check, or does not monitor it. */
  view: View | null;
}

/** The sender's ledger of a check: an edge, that it was told, a mute, an acknowledgement; all of it, each time. */
export interface LedgerMessage {
  kind: 'ledger';
  check: string;
  ledger: LedgerImage;
}

/** I am about to tell people of this edge. */
export interface ClaimMessage {
  kind: 'claim';
  check: string;
  edge: number;
  /** The claimant is one of those who saw it. */
  witness: boolean;
}

export interface GrantMessage {
  kind: 'grant';
  check: string;
  edge: number;
}

export interface RefuseMessage {
  kind: 'refuse';
  check: string;
  edge: number;
  /** Who tells it, or why nobody is to. */
  by: string;
}

/** The claim is given up. */
export interface ReleaseMessage {
  kind: 'release';
  check: string;
  edge: number;
}

export type ConfirmMessage =
  | AskMessage
  | AnswerMessage
  | LedgerMessage
  | ClaimMessage
  | GrantMessage
  | RefuseMessage
  | ReleaseMessage;

/** This node's own view, with instants. */
export interface Own {
  sight: Sight;
  since: Instant;
  resultAt: Instant;
  failing: boolean;
  nature: string;
  address: string;
  latencyMs: DurationMs;
  goodAt: Instant | null;
}

/** A peer's last answer. It was given between `askedAt` and `heardAt`. */
export interface Heard {
  askedAt: Instant;
  heardAt: Instant;
  /** null: it has no such check. */
  view: View | null;
  /** When it last said down, if it has not said up since. */
  downAt: Instant | null;
}

/** This node's attempt to tell people of an edge. */
export interface Turn {
  edge: number;
  phase: 'claiming' | 'sending';
  /** Peers that have not granted yet. */
  asked: readonly NodeName[];
  renewAt: Instant;
  deadline: Instant;
}

/** What is kept of a check while there is trouble with it, and forgotten at a restart. */
export interface Trouble {
  startedAt: Instant;
  own: Own | null;
  heard: Record<NodeName, Heard>;
  /** Asks that are not answered yet: when each was first sent, and last. */
  asks: Record<NodeName, { id: number; at: Instant; againAt: Instant }>;
  askAt: Instant;
  /** Answers that this node owes, each waiting for a result. */
  owed: Record<NodeName, { id: number; at: Instant }>;
  /** When a check was last asked of the engine and has not come back. */
  checkAt: Instant | null;
  /** When the last edge came to be known here. */
  edgeAt: Instant;
  /** When edges came to be known here, as many as flapping needs. */
  flips: readonly Instant[];
  turn: Turn | null;
  /** From when this node's place in the order counts. */
  turnFrom: Instant;
  granted: { to: NodeName; edge: number; until: Instant } | null;
  /** What was last logged of it. */
  sentence: string;
  /** Another check's alert waits for this one's result: kept until then. */
  neededUntil: Instant;
}

export interface ConfirmState {
  self: NodeName;
  config: ConfirmConfig;
  connected: readonly NodeName[];
  /** When a peer last connected. */
  connectedAt: Instant;
  startedAt: Instant;
  /** Numbers of checks that are gone are not used again: new ones begin here. Even. */
  floor: number;
  lastAsk: number;
  ledgers: Record<string, Ledger>;
  troubles: Record<string, Trouble>;
}

export type ConfirmInput =
  /** Time has passed; `checks`: it is only these that are looked at, where all at once would take too long. */
  | { kind: 'tick'; checks?: readonly string[] }
  /** An edge of the engine, or a result that was asked for. */
  | { kind: 'seen'; check: string; view: View }
  /** The engine is gone: nothing is known here any more. */
  | { kind: 'blind' }
  | { kind: 'connected'; peer: NodeName }
  | { kind: 'lost'; peer: NodeName }
  | { kind: 'message'; from: NodeName; message: ConfirmMessage }
  | { kind: 'recorded'; check: string; edge: number }
  | { kind: 'sent'; check: string; edge: number }
  | { kind: 'failed'; check: string; edge: number; why: string }
  | { kind: 'config'; config: ConfirmConfig }
  | { kind: 'ack'; check: string; by: string }
  /** 0 ends a mute. */
  | { kind: 'mute'; check: string; forMs: DurationMs };

/** What a person is told; the alert shell makes texts of it. */
export interface Facts {
  what: EdgeKind;
  /** How long ago the outage began, and how long ago this edge was confirmed. */
  sinceMs: DurationMs;
  agoMs: DurationMs;
  /** How long the outage lasted; null while it lasts. */
  lastedMs: DurationMs | null;
  witnesses: readonly Witness[];
  /** Monitoring nodes that said nothing. */
  silent: readonly NodeName[];
  ackBy: string;
  sentence: string;
}

export type ConfirmOutput =
  | { kind: 'send'; to: NodeName; message: ConfirmMessage }
  /** The last result if it is not older than this, else check at once; comes back as `seen`. */
  | { kind: 'check-now'; check: string; freshMs: DurationMs }
  | { kind: 'notify'; check: string; edge: number; id: string; messageId: string; facts: Facts }
  /** Another node has told it: not necessary any more. */
  | { kind: 'cancel'; check: string; edge: number }
  /** To disk; comes back as `recorded`, also where the disk refuses (an alert matters more). null: drop the record. */
  | { kind: 'record'; check: string; edge: number; record: LedgerRecord | null }
  | { kind: 'floor'; floor: number }
  | { kind: 'log'; level: 'info' | 'warn'; check: string; text: string };

export interface ConfirmStep {
  state: ConfirmState;
  outputs: ConfirmOutput[];
  /** What ledgers were that this step has worked on; undefined: the check had none. */
  ledgersBefore: ReadonlyMap<string, Ledger | undefined>;
}
