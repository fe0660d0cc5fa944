/**
 * What the balancer's core is told and what it answers. Times are milliseconds of CLOCK_BOOTTIME; the shell gives them. The state is
 * changed in place.
 */
import type { NewEvent } from '../../../proto/event-types.js';
import type {
  Addresses,
  BalancerCommand,
  BalancerConfig,
  Change,
  ServerKey,
  ServiceKey,
  Table,
} from '../types.js';

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
  /** What hastmon.conf says. Until it is told: nothing is adopted that its own line does not give, and changes are put right. */
  | { kind: 'settings'; adopt: boolean; foreign: 'restore' | 'leave' }
  /**
   * The file, resolved: addresses as the kernel's table writes them. A server whose name does not resolve is out of the table, unless it
   * is known from before.
   */
  | { kind: 'config'; config: BalancerConfig; addresses: Addresses }
  | { kind: 'results'; results: readonly CheckResult[] }
  /**
   * All that the kernel has, read whole, while no changes are under way. What differs from what was told and applied before was somebody
   * else; not in the first one after a refusal, which shows what was done of the core's own changes.
   */
  | { kind: 'table'; table: Table }
  /** These changes were made without an error. */
  | { kind: 'applied'; changes: readonly Change[] }
  /** These were refused: nothing is tried again with them before the next change or RETRY_MS. */
  | { kind: 'refused'; services: readonly ServiceKey[]; why: string }
  | { kind: 'command'; command: BalancerCommand }
  /** This node is the director: its table counts. False: its services are taken out of the kernel. */
  | { kind: 'active'; active: boolean }
  /** What the director said; `full`: all of it, what is not in it is not so. Nothing is taken while this node is active. */
  | { kind: 'share'; full: boolean; entries: readonly ShareEntry[] }
);

/** What follows a step. */
export type BalancerEvent =
  | { kind: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; text: string; service?: string; host?: string }
  /** For the journal. */
  | { kind: 'happened'; event: NewEvent }
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
  /** No server of it has weight since; null: one has. */
  | { kind: 'service'; service: string; sorryAge: number | null }
  | {
      kind: 'pair';
      host: string;
      service: string;
      /** The server that it is about: where the host is another one here, its weight does not count here. */
      real: ServerKey;
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

/** What outlives a restart, as plain data; the caller adds a version. Times as everywhere in the core: of this boot. */
export interface SavedState {
  kind: 'saved';
  checks: readonly SavedCheck[];
  hosts: readonly { host: string; by: string; at: number }[];
  pairs: readonly SavedPair[];
  /** Services that were in the table, or were to be; and since when no server of them has weight. */
  services: readonly { service: string; sorryAt: number | null }[];
  owned: readonly ServiceKey[];
  /** Services that are as somebody else has made them, and what they were to be then. */
  left: readonly { service: ServiceKey; wanted: string }[];
  /** The last known addresses of names. */
  addresses: readonly { name: string; address: string }[];
}

export interface SavedCheck {
  name: string;
  state: 'up' | 'down';
  nature: string;
  since: number;
  passAt: number | null;
}

export interface SavedPair {
  host: string;
  service: string;
  real: ServerKey;
  reasons: readonly { name: string; by: string; at: number }[];
  zeroSince: number | null;
  awaitSince: number | null;
  ramp: { durationMs: number; deadline: number } | null;
  rampAskedMs: number | null;
  override: number | null;
  /** The weight of the kernel's table that it keeps until there is a result. */
  kept: number | null;
  /** It was found with weight 0, and nobody knows why. */
  foundZero: boolean;
}

/** What there is to restore: what was saved, something that cannot be read, or nothing. */
export type Restored = SavedState | { kind: 'damaged' } | { kind: 'none' };
