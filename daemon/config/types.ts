/**
 * The effective configuration: what a file means for one node, with inheritance done and defaults filled in.
 * Every duration is in milliseconds.
 */
import type { ActionPlan } from '../actions/types.js';
import type { BalancerSettings } from '../balancer/settings.js';
import type { MonitorConfig } from '../checks/spec.js';
import type { Role } from '../core/types.js';
import type { HttpSettings } from '../http/settings.js';

/** An address of the configuration. `text` is its normal form: `tcp4://host`, with the port where it is not 8458. */
export type Address =
  | { scheme: 'tcp' | 'tcp4' | 'tcp6'; host: string; port: number; text: string }
  | { scheme: 'unix'; path: string; text: string };

export interface Key {
  /** A name that node:crypto's createHmac takes, in lower case: sha256, sha512, … */
  algorithm: string;
  secret: string;
}

export interface LogConfig {
  /** A file for one-line JSON; absent: terminal in the foreground, syslog in the background. */
  file?: string;
  level: 'error' | 'warn' | 'info' | 'debug' | 'trace';
  /** syslog facility in lower case, without LOG_: daemon, local0, … */
  facility: string;
}

/** Who may use the control socket. */
export interface ControlConfig {
  path: string;
  /** File mode, e.g. 0o600. */
  mode: number;
  /** User and group names or numbers; absent: those of the daemon. */
  owner?: string;
  group?: string;
}

/** The device of self-fencing. */
export interface WatchdogDeviceConfig {
  path: string;
  /** The timeout to set on the device; whole seconds. */
  timeoutMs: number;
}

export interface ResourceTimes {
  /** Limit of a connection attempt or an unanswered handshake. */
  timeoutMs: number;
  heartbeatIntervalMs: number;
  complaintIntervalMs: number;
  leaseTimeoutMs: number;
  startTimeoutMs: number;
  stopTimeoutMs: number;
  statusTimeoutMs: number;
  statusIntervalMs: number;
  switchoverTimeoutMs: number;
  /** 0 where no fence program is named. */
  fenceTimeoutMs: number;
  driftPpm: number;
  /** How long a node of better priority has to be able to take over until it gets the resource back; Infinity for never. */
  failbackMs: number;
}

/** What runs a resource in place of a hook program; see docs/actions.md. */
export interface ActionsConfig {
  /** Absolute path of the lists of commands. */
  file: string;
  /** Absolute path of the checks; '': checks.conf beside the other file, where there is one. null: none. */
  checksFile: string | null;
  /** Absolute path of the directory with the executables. */
  directory: string;
  /** The longest that a command may take, where its line does not say it. */
  timeoutMs: number;
  /** How often a check is run, where its line does not say it. */
  intervalMs: number;
  /** What the files say; null where they have not been read. */
  plan: ActionPlan | null;
}

export interface ResourceConfig extends ResourceTimes {
  name: string;
  /** Absolute path of the hook program; '' where there are actions. */
  exec: string;
  /** null where there is a hook program. */
  actions: ActionsConfig | null;
  attempts: number;
  complaintCount: number;
  priority: number;
  roleOnStart: Role;
  /** Addresses that may connect (remote ones may too). */
  friends: Address[];
  /** Addresses this node connects to; empty for `remote none`. */
  remote: Address[];
  key: Key | null;
  /** Absolute path of the fence program. */
  fence: string | null;
  /** Every node that has an `on` section in this resource, in the order of the file: the voters. */
  voters: string[];
  /** Names of the checks that judge its service; any of them confirmed down is a service that is down. */
  checks: string[];
  /** Names of the checks that have to be up where it is promoted. */
  requires: string[];
}

export interface Config {
  /** This node's name as the file writes it. */
  node: string;
  /** The file it came from, absolute. */
  file: string;
  /** The files it includes, absolute; absent for none. */
  includes?: string[];
  control: ControlConfig;
  listen: Address[];
  stateDir: string;
  watchdogDevice: WatchdogDeviceConfig | null;
  log: LogConfig;
  /** Only the resources that have an `on` section for this node, in the order of the file. */
  resources: ResourceConfig[];
  /** null where nothing is said of monitoring. */
  monitor: MonitorConfig | null;
  /** null where nothing is said of the balancer, or it is not on this node. */
  balancer: BalancerSettings | null;
  /** null where nothing is served over HTTP. */
  http: HttpSettings | null;
}

/** A message about a place in a configuration file. Lines and columns count from 1; line 0: the file as a whole. */
export interface Diagnostic {
  severity: 'error' | 'warning';
  file: string;
  line: number;
  column: number;
  /** How many characters the caret line underlines, at least 1. */
  length: number;
  message: string;
  /** What was expected or what to do, '' where the message says it all. */
  help: string;
  /** The line itself, made fit to be shown (secrets masked); absent where the message is about a whole file. */
  source?: string;
}
