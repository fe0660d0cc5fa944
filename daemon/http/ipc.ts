/** What the main process and the process that serves HTTP say to each other. Both are one build of one program. */
import type { ControlReply, ControlRequest } from '../../proto/control-types.js';
import type { HaEvent } from '../../proto/event-types.js';
import type { NodeName } from '../core/types.js';
import type { HttpSettings } from './settings.js';

/** What the main process alone can tell of a process of this daemon's. */
export interface ProcessFigures {
  /** `main`, `worker`, `spare`, `monitor`, `balancer`, … */
  process: string;
  /** Of a worker, else ''. */
  resource: string;
  pid: number;
  cpuSeconds: number;
  residentBytes: number;
  /** null: they cannot be counted. */
  descriptors: number | null;
  uptimeMs: number;
}

export interface DaemonFigures {
  processes: ProcessFigures[];
  /** How often one was started in the place of one that was gone, by `process`. */
  restarts: Readonly<Record<string, number>>;
}

/** What can be asked: what other nodes may ask as well, and how the processes are. */
export type HttpQuestion = ControlRequest | { kind: 'processes' };

/** A part of an answer; exactly one final part ends it. */
export interface HttpAnswer {
  kind: 'answer';
  question: number;
  final: boolean;
  reply: Partial<ControlReply>;
  figures: DaemonFigures | null;
}

/** What is there to be asked about. */
export interface HttpFacts {
  node: NodeName;
  /** This node monitors, and has a balancer. */
  checks: boolean;
  balancer: boolean;
}

export type MainToHttp =
  /** First, and again when something of it changes that needs no other process. */
  | { kind: 'settings'; settings: HttpSettings; facts: HttpFacts }
  | HttpAnswer
  /** Everything that happens from now on. */
  | { kind: 'event'; event: HaEvent };

export type HttpToMain =
  | { kind: 'ready'; user: string }
  /** The port is not open yet: why, and that it is tried again. */
  | { kind: 'waiting'; reason: string }
  /** It cannot work. */
  | { kind: 'failed'; reason: string }
  | { kind: 'beat' }
  | { kind: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; text: string }
  | { kind: 'ask'; question: number; what: HttpQuestion };
