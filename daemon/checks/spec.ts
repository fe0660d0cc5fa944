/**
 * What a configuration says about monitoring: checks with everything filled in, alerts, and how outages are confirmed. Times are in
 * milliseconds.
 */
import type { Address, Key } from '../config/types.js';
import type { CheckUrl } from './url.js';

/** One check of one service. What many have in common is shared by reference. */
export interface CheckSpec {
  /** Unique; a check for many hosts becomes one for each, `NAME@HOST`. */
  name: string;
  /** '' for a check outside of groups. */
  group: string;
  url: CheckUrl;
  /** The URL as it is shown; passwords masked. */
  shownUrl: string;
  options: CheckOptions;
}

export interface CheckOptions {
  intervalMs: number;
  retryIntervalMs: number;
  timeoutMs: number;
  connectTimeoutMs: number;
  receiveTimeoutMs: number;
  rise: number;
  fall: number;
  /** 0: `fall` alone decides. */
  downAfterMs: number;
  addresses: 'first' | 'any' | 'all';
  /** A numeric address, '' for the kernel's choice. */
  source: string;
  /** How many monitoring nodes must have seen an outage; 0: all that monitor it, at most 2. */
  confirm: number;
  /** Names of alerts; empty: all. */
  alerts: readonly string[];
  /** Names of checks; while one of them is down, no alert is sent for this one. */
  depends: readonly string[];
  http: HttpOptions;
  tls: TlsOptions;
  /** `send` and `expect`, in their order. Every character of their texts is a byte (latin1). */
  steps: readonly StepOption[];
  /** A plugin's WARNING is a failure. */
  warningFails: boolean;
  /** For postgres: the database; for postgres and mysql, the user. */
  database: string;
}

export interface HttpOptions {
  method: string;
  version: '1.0' | '1.1';
  /** '' for the URL's own. */
  host: string;
  headers: readonly (readonly [name: string, value: string])[];
  statuses: readonly (readonly [from: number, to: number])[];
  body: PatternOption | null;
  bodyBytesMax: number;
  /** How many redirects are followed. */
  redirects: number;
}

export interface TlsOptions {
  verify: boolean;
  /** A file of PEM certificates, absolute; '' for the system's. */
  ca: string;
  serverName: string;
  days: number;
}

/** A text, or the source of a regular expression. */
export interface PatternOption {
  kind: 'text' | 'pattern';
  text: string;
}

export type StepOption = { send: string; expect?: never } | { expect: PatternOption; send?: never };

export interface AlertSpec {
  name: string;
  mail: MailSpec | null;
  /** Absolute path, '' for none. */
  program: string;
  /** '' for none. */
  webhook: string;
  syslog: boolean;
  /** Edges within this time go into one message. */
  gatherMs: number;
  /** Whether recoveries are told. */
  recovery: boolean;
}

export interface MailSpec {
  to: readonly string[];
  from: string;
  /** Absent: answers go to the sender. */
  replyTo?: string;
  /** host, or host:port. */
  server: string;
  tls: 'none' | 'starttls' | 'tls';
  user: string;
  password: string;
}

export interface MonitorConfig {
  /** This node is one of those that monitor. */
  active: boolean;
  /** The nodes that monitor, in the order of the file: those whose views confirm an outage. */
  nodes: readonly string[];
  /** Where they are reached, this node too; one without an address can only connect to the others. */
  addresses: readonly { node: string; address: Address }[];
  /** What they prove to each other who they are with; null: their addresses alone. */
  key: Key | null;
  /** The users to run as; the first that exists. */
  users: readonly string[];
  /** '' for none. */
  chroot: string;
  /** Checks, and plugins, under way at once. */
  flights: number;
  plugins: number;
  /** How long a resolved name serves. */
  resolveMs: number;
  /** A directory of dmonitor's, '' for none; its checks are among `checks` already. */
  dmonitor: string;
  checks: readonly CheckSpec[];
  alerts: readonly AlertSpec[];
  /** The resources of all nodes that name checks as their judges. */
  judged: readonly JudgedResource[];
}

/** A resource, the checks that judge it, and the nodes that have a part in it. */
export interface JudgedResource {
  resource: string;
  checks: readonly string[];
  nodes: readonly string[];
}
