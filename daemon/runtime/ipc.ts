/**
 * What the main process and a worker say to each other over Node's IPC channel. Both ends are one build of one
 * program, so the messages are the core's own types; a worker that says anything else is a bug and is replaced.
 */
import type { WithoutNow, Worker, WorkerMessage } from '../core/node-types.js';
import type { PrimaryFinish, PrimaryInit, PrimaryReport } from '../core/primary.js';
import type { Settings } from '../core/settings.js';
import type { NodeName, PeerMessage } from '../core/types.js';
import type { HookEnd } from '../events/words.js';

/** Where a worker keeps records and what it executes. */
export interface HookSetup {
  exec: string;
  /** Arguments of that program before the action. */
  execArgs: readonly string[];
  /** The directory in which the plan of actions in force is kept, '' where `exec` is a hook program. */
  actions: string;
  /** The longest that a notification may take, in milliseconds; 0: as long as `status`. */
  noticeMs: number;
  /** Absolute path of the fence program, '' for none. */
  fence: string;
  /** Where the records of running hooks are kept. */
  directory: string;
  stateDir: string;
}

export type MainToWorker =
  /** Gives a spare process its work; the first message, once. */
  | {
      kind: 'assign';
      role: Worker['role'];
      settings: Settings;
      incarnation: number;
      hooks: HookSetup;
      /** Of the lease that this node held last, 0 for none; for hooks that run without one. */
      epoch: number;
      init: PrimaryInit | null;
    }
  | { kind: 'core'; message: WithoutNow<WorkerMessage> }
  /** Whom the hooks are told to be the primary. */
  | { kind: 'primary-is'; node: NodeName; candidates: readonly NodeName[] };

export type LogLevelName = 'debug' | 'info' | 'warn' | 'error';

export type WorkerToMain =
  | { kind: 'alive' }
  | { kind: 'report'; report: PrimaryReport }
  | { kind: 'send'; to: NodeName | null; message: PeerMessage }
  | { kind: 'finish'; outcome: PrimaryFinish }
  | { kind: 'hook'; end: HookEnd }
  | { kind: 'log'; level: LogLevelName; text: string };
