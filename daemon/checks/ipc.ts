/** What the main process and the monitor process say to each other, over Node's channel. Both are one build of one program. */
import type { PhaseView } from './phases.js';
import type { CheckSpec } from './spec.js';

export interface MonitorSetup {
  /** Room for so many checks. */
  rows: number;
  flights: number;
  plugins: number;
  resolveMs: number;
  /** The first user of these that exists; not looked at where this process is not root. */
  users: readonly string[];
  /** '' for none. */
  chroot: string;
}

export interface Definition {
  row: number;
  /** Told back with what is said of the row, so that it is not taken for a check that had the row before. */
  serial: number;
  spec: CheckSpec;
  /** The text of the certificates that it names, '' for none. */
  ca: string;
  /** How it stood before an earlier monitor process was lost; null: not known. */
  known: Known | null;
}

/** Wall-clock seconds. */
export interface Known {
  state: 'up' | 'down';
  since: number;
  lastOkAt: number;
}

export type MainToMonitor =
  /** First, and once. */
  | { kind: 'setup'; setup: MonitorSetup }
  /** A check takes up a row, or another one takes it over. */
  | { kind: 'define'; checks: readonly Definition[] }
  | { kind: 'remove'; rows: readonly number[] }
  /** Run it now; answered by `ran`. */
  | { kind: 'run'; request: number; row: number }
  /** Views of these checks, of all where it is null; answered by `views`. */
  | { kind: 'look'; request: number; rows: readonly number[] | null }
  | { kind: 'history'; request: number; row: number }
  /** Runs what has this row, or what is not among the checks, once and now; answered by `probed`. */
  | { kind: 'probe'; request: number; what: { row: number } | { spec: CheckSpec; ca: string } };

/** How a check stands. Ages are in milliseconds; Infinity: never. */
export interface CheckView {
  row: number;
  /** Of the definition: another check may have the row by the time that this is read. */
  serial: number;
  state: 'unknown' | 'up' | 'down';
  nature: string;
  detail: number;
  latencyMs: number;
  /** Since the last result, the last success, and the last change of state. */
  age: number;
  okAge: number;
  sinceAge: number;
}

/** One result, for people. */
export interface ResultView {
  age: number;
  nature: string;
  detail: number;
  latencyMs: number;
  text: string;
  excerpt: string;
  /** The numeric address that was asked, '' where that is not known. */
  address: string;
}

/** One run, and where its time went. */
export interface ProbeView {
  last: ResultView;
  phases: readonly PhaseView[];
}

/** A result as it is told at once. */
export interface Told {
  view: CheckView;
  last: ResultView;
  /** When it began, in milliseconds of CLOCK_BOOTTIME: messages may wait before they are read. */
  begunAt: number;
}

export interface EdgeView extends Told {
  edge: 'up' | 'down';
}

/** Edges in one message: when everything goes down at once, the main process takes them in portions of a few milliseconds. */
export const EDGES_MAX = 64;

export type MonitorToMain =
  /** It is unprivileged now and checks. `notes`: what it cannot do, and why. */
  | { kind: 'ready'; user: string; notes: readonly string[] }
  /** It cannot work; it ends. */
  | { kind: 'failed'; reason: string }
  /** A process group that was started, or has ended: to be ended with this process. */
  | { kind: 'group'; group: number; alive: boolean }
  /** Those of one turn, at most EDGES_MAX, in their order. */
  | { kind: 'edges'; edges: readonly EdgeView[] }
  | ({ kind: 'ran'; request: number } & Told)
  | { kind: 'views'; request: number; views: readonly CheckView[] }
  | { kind: 'history'; request: number; results: readonly ResultView[] }
  /** Checks that have come up for the first time, which is no edge; the other lists in the same order. `begun`: as Told.begunAt. */
  | { kind: 'up'; rows: readonly number[]; serials: readonly number[]; begun: readonly number[] }
  /** `refused`: why it was not run; '' where it was. */
  | { kind: 'probed'; request: number; refused: string; probe: ProbeView | null }
  /** Now and then: that it lives, and how late checks began since the last time. */
  | {
      kind: 'beat';
      underWay: number;
      begun: number;
      p50: number;
      p99: number;
      worst: number;
      skipped: number;
    };
