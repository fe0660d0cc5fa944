/**
 * What the balancer's core is told and what it answers. Times are milliseconds of CLOCK_BOOTTIME; the shell gives them. The state is
 * changed in place.
 */
import type { Addresses, BalancerCommand, BalancerConfig, Change, ServiceKey, Table } from '../types.js';

export interface CheckResult {
  /** The name of the check. */
  name: string;
  /** By rise and fall. */
  state: 'up' | 'down';
  /** Of this one result. */
  pass: boolean;
  nature: string;
  /** When the check began: a pass is fresh by this. */
  begunAt: number;
}

export type BalancerInput = { now: number } & (
  | { kind: 'tick' }
  /** The file, resolved; first of all. A server whose name does not resolve is out of the table, unless it is known from before. */
  | { kind: 'config'; config: BalancerConfig; addresses: Addresses }
  | { kind: 'results'; results: readonly CheckResult[] }
  /** All that the kernel has, read whole. `expected`: nothing but the core's own changes can be behind it. */
  | { kind: 'table'; table: Table }
  /** These changes were made without an error. */
  | { kind: 'applied'; changes: readonly Change[] }
  /** These were refused: nothing is tried again with them before the next change or RETRY_MS. */
  | { kind: 'refused'; services: readonly ServiceKey[]; why: string }
  | { kind: 'command'; command: BalancerCommand }
  /** This node is the director: its table counts. False: its services are taken out of the kernel. */
  | { kind: 'active'; active: boolean }
  /** What the director said; `full`: all of it, what is not in it is not so. Not while this node is active. */
  | { kind: 'share'; full: boolean; entries: readonly ShareEntry[] }
);

/** What follows a step. */
export type BalancerEvent =
  | { kind: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; text: string; service?: string; host?: string }
  /** For people; the subject is ipvs-weightman's. */
  | { kind: 'mail'; service: string; subject: string; text: string }
  /** The answer to a command: '' where it was done. Names that do not exist are told, and nothing is done. */
  | { kind: 'answer'; error: string; text: string }
  /** Something that has to outlive a restart has changed. */
  | { kind: 'save' }
  /** To be told to the other nodes, where this one is the director. */
  | { kind: 'share'; entries: readonly ShareEntry[] };

/**
 * What goes from the director to the nodes that may follow it. Lengths of time in milliseconds, not instants: two nodes have no clock in
 * common. A check by its name, a pair by its tags, a host by its tag.
 */
export type ShareEntry =
  | {
      kind: 'check';
      name: string;
      state: 'up' | 'down';
      nature: string;
      sinceAge: number;
      passAge: number | null;
    }
  | { kind: 'host'; host: string; off: { by: string; age: number } | null }
  | {
      kind: 'pair';
      host: string;
      service: string;
      reasons: readonly { name: string; by: string; age: number }[];
      /** Its weight is 0 since; null: it is not. */
      zeroAge: number | null;
      /** It has to pass once more before it gets weight; so long ago. */
      awaitAge: number | null;
      ramp: { durationMs: number; leftMs: number } | null;
      /** Asked for, and not begun. */
      rampAskedMs: number | null;
      override: number | null;
    };

/** How long a refused change is left alone. */
export const RETRY_MS = 5000;
