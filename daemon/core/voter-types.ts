/** A voter: the types of its state, of its durable record and of what it puts out, and how a record is put to disk. */
import type {
  AnswerMessage,
  DurationMs,
  Holder,
  Instant,
  MaintenanceMark,
  NodeName,
  RequestMessage,
  VoterMemory,
} from './types.js';

/** What is written to disk, and fsynced, before an acquisition is answered. */
export interface VoterRecord {
  epochMax: number;
  grant: { holder: Holder; epoch: number; grantMs: DurationMs; mark: MaintenanceMark } | null;
  /** The newest voter set first; the one before it stands second while the change is under way. */
  sets: NodeName[][];
}

export interface Grant {
  holder: Holder;
  epoch: number;
  grantMs: DurationMs;
  until: Instant;
  /** As it is on disk. */
  mark: MaintenanceMark;
  /** True: read back after a restart, so how lately it was renewed is not known. */
  restored: boolean;
}

export interface Storing {
  id: number;
  /** The acquisition or longer renewal to answer when it is on disk; null where only sets or a release are stored. */
  answer: { from: NodeName; request: RequestMessage; grantMs: DurationMs } | null;
  sets: NodeName[][];
  /** The holder released it before it was on disk. */
  released: boolean;
  /** With this record the voter has a history; what to log then, '' where it has one already. */
  learned: string;
  /** Of the grant, where only that changes. */
  mark: { holder: Holder; epoch: number; mark: MaintenanceMark } | null;
}

export interface VoterState {
  self: NodeName;
  history: boolean;
  epochMax: number;
  grant: Grant | null;
  startedAt: Instant;
  /** Nothing is granted here before this: a voter without history waits out what it may have granted. */
  quarantineUntil: Instant;
  reservation: { node: NodeName; until: Instant } | null;
  /** The last epoch that each of a node's last incarnations released: messages of an earlier one may still come. */
  released: Record<NodeName, { incarnation: number; epoch: number }[]>;
  /** What every request must reckon with. */
  sets: NodeName[][];
  /** What is on disk of it, which is what other voters are told. */
  setsStored: NodeName[][];
  storing: Storing | null;
  /** The last request that came while another record was being written: it is judged when that is done. */
  waiting: { from: NodeName; request: RequestMessage } | null;
  /** The longest grant by this node's own configurations: what others granted is taken to last as long. */
  ownGrantMs: DurationMs;
  /** When the old voter set may be dropped; null while a majority of it has not stored the new one. */
  changeEndsAt: Instant | null;
  lastStoreId: number;
  heard: Record<NodeName, VoterMemory>;
  /** Somebody remembers a lease, whoever that is: this is no new cluster. */
  pastHeard: boolean;
}

export type VoterOutput =
  | { kind: 'answer'; to: NodeName; message: AnswerMessage }
  | { kind: 'store'; id: number; record: VoterRecord }
  | { kind: 'log'; level: 'info' | 'warn' | 'error'; text: string };

export function recordOf(state: VoterState): VoterRecord {
  const grant = state.grant;
  return {
    epochMax: state.epochMax,
    grant: grant === null ? null : grantRecord(grant),
    sets: state.sets,
  };
}

function grantRecord({ epoch, grantMs, holder, mark }: Grant): VoterRecord['grant'] {
  return { holder, epoch, grantMs, mark };
}

export function beginStore(
  state: VoterState,
  record: VoterRecord,
): { storing: Storing; output: VoterOutput } {
  state.lastStoreId += 1;
  const id = state.lastStoreId;
  return {
    storing: { id, answer: null, sets: record.sets, released: false, learned: '', mark: null },
    output: { kind: 'store', id, record },
  };
}
