/**
 * The primary's worker: the types of its state, inputs and outputs, and of what it reports to the main process. No code.
 */
import type { GivenLease, HeldLease } from './hold.js';
import type { Settings } from './settings.js';
import type {
  AnswerMessage,
  HandoverMessage,
  Holder,
  Instant,
  MaintenanceMark,
  NodeName,
  ReleaseMessage,
  RequestMessage,
  RunState,
} from './types.js';

export type PrimaryAction = 'start' | 'stop' | 'status' | 'fence';

/** Why a stop was begun; the first four are planned and may use switchover_timeout while the lease is renewed. */
export type StopWhy =
  | 'handover'
  | 'role'
  | 'terminate'
  | 'gave-up'
  | 'restart'
  | 'lease-lost'
  | 'not-ours'
  | 'main-gone';

export interface PrimaryState {
  settings: Settings;
  holder: Holder;
  ownSets: NodeName[][];
  /** See PrimaryInit. */
  resumed: boolean;
  /** Candidate that would take over if this primary stopped; '' for none. */
  successor: NodeName;
  /** The successor has handed the resource over, and it has not run here since: the first start that fails gives it back (P8). */
  giveBack: boolean;
  phase: 'probe' | 'waiting' | 'starting' | 'running' | 'stopping' | 'stuck' | 'done';
  forced: boolean;
  lease: HeldLease | null;
  /** What main wants of maintenance; every renewal says so. */
  mark: MaintenanceMark;
  /** A majority has that on disk, so that nobody else can have the lease: nothing is done to the resource, with a lease or without (L2). */
  maintained: boolean;
  /** What status said last in maintenance, where nothing follows from it; kept from its end until the next look. null: nothing yet. */
  seen: number | null;
  /** Epoch of the last lease, to release it once the resource is known to be stopped. */
  lastEpoch: number;
  /** The greatest epoch that the main process has given it a lease of. */
  heardEpoch: number;
  /** How often the main process has told it to stop. */
  stopsHeard: number;
  request: number;
  hook: RunningHook | null;
  hookId: number;
  /** When the next status is due, or the next start, or the next try of a stop. */
  dueAt: Instant;
  start: { run: boolean; deadline: Instant; failed: string } | null;
  stop: Stop | null;
  attempts: number;
  unknownStatuses: number;
  runningSince: Instant;
  lastError: string;
  /** Why the service counts as failed, by its checks; '' where it does not. */
  serviceFailed: string;
  reported: PrimaryReport | null;
}

interface Stop {
  why: StopWhy;
  successor: NodeName;
  /** By when this try of it has to be over. */
  end: Instant;
  /** Until when it is tried again; then comes what backs it up. */
  until: Instant;
  hookRun: boolean;
  /** How an earlier try failed; said once. */
  failed: string;
}

interface RunningHook {
  id: number;
  action: PrimaryAction;
  termAt: Instant;
  killAt: Instant;
  signalled: '' | 'TERM' | 'KILL';
}

/** What the main process knows of its worker; the guard and the heartbeat are made of it. */
export interface PrimaryReport {
  run: RunState;
  epoch: number;
  /** The greatest epoch of a lease that it was given when it said this: what is older than that of main was said before. */
  heardEpoch: number;
  /** How often it had been told to stop when it said this. */
  stopsHeard: number;
  /** End of the lease, -Infinity where none is held. */
  leaseUntil: Instant;
  /** Until when the grants behind the lease last at least; -Infinity where none is held. */
  grantedUntil: Instant;
  /** True where the resource may be running. */
  mayRun: boolean;
  /** True where it is left alone (L2). */
  maintained: boolean;
  /** The revision of maintenance that a majority has on disk as main wants it, 0 for none. */
  settled: number;
  /** While stopping: when the stop must be over; else Infinity. */
  stopEnd: Instant;
  /** In a stop without a lease: by when the worker takes the next step (kills the hook, fences) and says so; else Infinity. */
  actBy: Instant;
  /** True where the resource is known to be stopped and a lease is wanted. */
  wantsLease: boolean;
  forced: boolean;
  attempts: number;
  lastError: string;
}

export type PrimaryInput = { now: Instant } & (
  | { kind: 'tick' }
  | ({ kind: 'lease' } & GivenLease)
  | { kind: 'answer'; from: NodeName; message: AnswerMessage }
  | { kind: 'hook'; id: number; code: number | null; detail: string }
  | { kind: 'stop'; why: 'handover' | 'role' | 'terminate'; successor: NodeName }
  | { kind: 'successor'; node: NodeName; giveBack: boolean }
  | { kind: 'settings'; settings: Settings; sets: NodeName[][] }
  | { kind: 'judged'; failed: string }
  | { kind: 'maintenance'; mark: MaintenanceMark }
  | { kind: 'main-gone' }
);

/** `left`: in maintenance, the resource is as it was. */
export type PrimaryFinish = 'stopped' | 'gave-up' | 'stop-failed' | 'fenced' | 'gone' | 'left';

export type PrimaryOutput =
  | { kind: 'to-voters'; message: RequestMessage | ReleaseMessage }
  | { kind: 'to-node'; to: NodeName; message: HandoverMessage }
  /** `notAfter`: a start that has not begun by then must not begin. */
  | { kind: 'hook'; id: number; action: PrimaryAction; epoch: number; notAfter: Instant }
  | { kind: 'signal'; id: number; signal: 'TERM' | 'KILL' }
  | { kind: 'report'; report: PrimaryReport }
  | { kind: 'finish'; outcome: PrimaryFinish }
  | { kind: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; text: string };

export interface PrimaryInit {
  settings: Settings;
  holder: Holder;
  sets: NodeName[][];
  /** First request number; above every one that this holder used before. */
  request: number;
  forced: boolean;
  attempts: number;
  /** See PrimaryState. */
  serviceFailed: string;
  /** The lease to carry on with: just acquired, or an earlier worker's. */
  lease: GivenLease | null;
  /** True where it is an earlier worker's: the resource may be running under it. */
  resumed: boolean;
  /** What is wanted of maintenance, and whether it is in force already. */
  mark: MaintenanceMark;
  maintained: boolean;
}

export interface PrimaryStep {
  state: PrimaryState;
  outputs: PrimaryOutput[];
}
