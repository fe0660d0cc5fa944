/** What hastmonctl and hastmond say to each other about monitoring, as plain records. Times are in milliseconds. */
import type { NodeName } from '../daemon/core/types.js';

export type MonitorRequest =
  | {
      kind: 'checks';
      /** Those alone that are down here, or whose outage is confirmed. */
      down: boolean;
      /** '' for all. */
      host: string;
      group: string;
      /** Names with `*` and `?`; empty: all. */
      patterns: readonly string[];
      /** Which one to begin with: a long list is asked for page by page. */
      from: number;
    }
  | { kind: 'check'; name: string }
  /** `target`: a check, or a URL with these statements of a check. */
  | { kind: 'run-check'; target: string; options: readonly string[] }
  | { kind: 'ack'; names: readonly string[]; by: string }
  /** 0 ends it. */
  | { kind: 'mute'; names: readonly string[]; forMs: number }
  | { kind: 'test-alert'; name: string };

export type MonitorAnswer =
  | ({ kind: 'checks' } & ChecksPage)
  | ({ kind: 'check' } & CheckDetail)
  | ({ kind: 'probe' } & ProbeReport)
  | ({ kind: 'test' } & AlertTest);

export interface ChecksPage {
  entries: CheckEntry[];
  /** How many of this page's checks are so, also of those that --down leaves out. */
  up: number;
  down: number;
  unknown: number;
  /** Where the next page begins; 0: this was the last one. */
  next: number;
  /** How late the latest check of the last second began; null: not known. */
  lateMs: number | null;
  /** Checks that were left out in that second, being due while they were still under way. */
  skipped: number;
  /** What is to be said about the whole, '' for nothing. */
  note: string;
}

export type CheckState = 'unknown' | 'up' | 'down';

/** How a check stands, on this node and for all. Lengths of time are null where it never happened. */
export interface CheckEntry {
  name: string;
  /** '' for none. */
  group: string;
  /** Without passwords. */
  url: string;
  /** As seen from this node. */
  state: CheckState;
  /** As many nodes as needed have seen it down, and it is not over. */
  outage: boolean;
  /** Of the last result: `ok`, `http-status 503`; '' where there is none. */
  nature: string;
  latencyMs: number;
  /** How long `state` has been so. */
  sinceMs: number | null;
  /** Since the last result, and since the last good one. */
  lastMs: number | null;
  goodMs: number | null;
  /** How many nodes must have seen an outage, of how many that monitor it. */
  confirm: number;
  nodes: number;
  /** Who sees it down. */
  seenBy: NodeName[];
  /** How long it tells nothing yet; 0: it does. */
  muteMs: number;
  /** Who acknowledged this outage, '' for nobody. */
  ackBy: string;
  flapping: boolean;
  /** What it depends on that is down. */
  behind: string[];
  /** Why an outage that is seen here is not confirmed; '' for nothing. */
  note: string;
}

export interface CheckDetail {
  entry: CheckEntry;
  /** Of all nodes that monitor it, in the order of the file. */
  views: NodeView[];
  /** The id of the last edge, '' where there was none. */
  edge: string;
  /** How long the outage has been on; null: there is none. */
  outageMs: number | null;
  /** The id of the edge that people were told last, and by which node; '' for none. */
  told: string;
  toldBy: NodeName;
  depends: { name: string; state: CheckState }[];
  /** Empty: all. */
  alerts: string[];
  /** Statements of hastmon.conf. */
  options: string[];
  /** The newest first. */
  results: CheckResult[];
}

/** What a node sees of a check, as far as it is known here. */
export interface NodeView {
  node: NodeName;
  self: boolean;
  state: CheckState;
  /** Why nothing is known of it, and since when where something was; '' where it is known. */
  note: string;
  nature: string;
  address: string;
  latencyMs: number;
  sinceMs: number | null;
  lastMs: number | null;
  goodMs: number | null;
}

export interface CheckResult {
  ageMs: number;
  ok: boolean;
  nature: string;
  latencyMs: number;
  /** What a person should read, '' for nothing. */
  text: string;
  /** How the answer began; each character is a byte. */
  excerpt: string;
}

/** What came of a check that was run on request. */
export interface ProbeReport {
  /** '' where it was a URL. */
  name: string;
  url: string;
  /** Numeric; '' where there was none. */
  address: string;
  result: CheckResult;
  phases: ProbePhase[];
}

export interface ProbePhase {
  name: string;
  tookMs: number;
  /** False: it ended in this one. */
  reached: boolean;
}

export interface AlertTest {
  alert: string;
  /** Every way worked. */
  ok: boolean;
  /** The conversation. */
  lines: string[];
}
