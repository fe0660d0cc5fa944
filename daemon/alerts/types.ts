/**
 * Alerts, as seen from outside: what of an edge people are told, and the desk that does it. The desk decides nothing about
 * whether an edge is worth telling (docs/confirmation.md does), only how it gets to people.
 */
import type { AlertSpec } from '../checks/spec.js';
import type { Facts } from '../confirm/types.js';
import type { NetLog } from '../net/log.js';
import type { Store } from '../state/store.js';

/** An edge of a check that people are to be told. */
export interface EdgeNotice {
  check: string;
  /** '' for a check outside of groups. */
  group: string;
  /** As it is shown: passwords masked. */
  url: string;
  /** Names of alerts; empty: all. */
  alerts: readonly string[];
  /** Its number and id (E1): `web#3`. */
  edge: number;
  id: string;
  /** With its angle brackets; the same on every node. */
  messageId: string;
  facts: Facts;
  /** The last result seen on this node: what it says of itself, and what the service said (every character a byte). */
  answer: { text: string; excerpt: string };
}

/** What a test of an alert was like: whether every way worked, and the conversation, line by line. */
export interface Conversation {
  ok: boolean;
  lines: readonly string[];
}

export interface AlertDesk {
  /** From now on these alerts count. What waits for another attempt is tried at once. */
  configure(alerts: readonly AlertSpec[], setup: AlertSetup): void;
  /**
   * Tells people of an edge. The option `done` follows exactly once, unless it is cancelled: why '' when at least one way worked
   * or none was wanted. What is left then is this desk's own matter: it keeps it, on disk, and goes on trying.
   */
  tell(notice: EdgeNotice): void;
  /** Another node has told it: what was not delivered yet is not delivered any more. */
  cancel(check: string, edge: number): void;
  /** Sends a test message over every way of one alert. Rejects where there is no such alert. */
  test(alert: string): Promise<Conversation>;
  /** Ends the notifier. What is to be retried stays on disk. */
  close(): Promise<void>;
}

export interface AlertSetup {
  /** This node's name. */
  node: string;
  /** Who programs are run as, where this process is root: the first that exists. */
  users: readonly string[];
}

export interface AlertDeskOptions {
  /** hastmond's script, forked with the word `notifier`. */
  script: string;
  records: { record(pid: number): void; forget(pid: number): void };
  log: NetLog;
  /** A directory of the desk's own. */
  store: Store;
  /** Milliseconds since 1970, and of a clock that is never set. */
  wall: () => number;
  now: () => number;
  /** What has become of a delivery, in words; `info`: it has been delivered. */
  said?(level: 'info' | 'warn' | 'error', alert: string, text: string): void;
  /** The edge is settled (why ''), or could not be told by this node, and why. */
  done(check: string, edge: number, why: string): void;
}

/**
 * An attempt to send a message is over after this long at the latest: a confirmation's `sendMs` has to be more than the longest
 * `gather` and this together.
 */
export const ATTEMPT_MS = 45_000;
