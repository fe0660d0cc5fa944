/**
 * The outbox's words. An edge goes into one message for each alert, and a message goes over each way of its alert, which is a
 * delivery. Instants are milliseconds of a clock that is never set.
 */
import type { AlertSpec } from '../checks/spec.js';
import type { EdgeNotice } from './types.js';

export const WAYS = ['mail', 'program', 'webhook', 'syslog'] as const;
export type WayKind = (typeof WAYS)[number];

/** An edge as it was told to the desk. */
export interface Told {
  notice: EdgeNotice;
  /** When, in milliseconds since 1970. */
  wall: number;
}

/** A message, written down: what each way needs of it. */
export interface Content {
  subject: string;
  /** Plain text, its lines ended by \n. */
  text: string;
  /** For programs and web services. */
  json: string;
  env: Readonly<Record<string, string>>;
  /** For syslog. */
  lines: readonly { priority: 'err' | 'warning' | 'notice'; text: string }[];
  messageId: string;
  /** Message-IDs of what this one ends. */
  references: readonly string[];
  ids: readonly string[];
  /** Milliseconds since 1970. */
  writtenAt: number;
}

/** How an attempt ended. */
export type Outcome =
  /** `left`: recipients that are to be tried again. `note`: what is worth a line in the log. */
  | { kind: 'delivered'; left: readonly string[]; note: string }
  /** Trying again is no use. */
  | { kind: 'final'; why: string }
  /** It was about this message. `left`: who is to be tried again, null: everybody. */
  | { kind: 'later'; why: string; left: readonly string[] | null }
  /** It was about the way: no other message would have got through. */
  | { kind: 'unavailable'; why: string };

/** What is kept on disk of a delivery: people were told of all that is in it, over another way. */
export interface DeliveryRecord {
  alert: string;
  kind: WayKind;
  content: Content;
  /** null: all of the alert. */
  recipients: readonly string[] | null;
  attempts: number;
  /** How much longer it is tried, and the wall clock then. */
  leftMs: number;
  wall: number;
}

export type OutboxInput =
  | { kind: 'configure'; alerts: readonly AlertSpec[] }
  | { kind: 'restore'; records: readonly { id: number; record: DeliveryRecord }[]; wall: number }
  | { kind: 'tell'; told: Told }
  | { kind: 'cancel'; check: string; edge: number }
  | { kind: 'result'; id: number; outcome: Outcome }
  | { kind: 'tick' };

/** In this order: what is to be on disk comes before `done`. */
export type OutboxOutput =
  | { kind: 'save'; id: number; record: DeliveryRecord }
  | { kind: 'forget'; id: number }
  | {
      kind: 'send';
      id: number;
      alert: string;
      way: WayKind;
      content: Content;
      recipients: readonly string[] | null;
    }
  | { kind: 'done'; check: string; edge: number; why: string }
  | { kind: 'log'; level: 'info' | 'warn' | 'error'; alert: string; text: string };

export interface Edge {
  told: Told;
  /** At least one way worked. */
  settled: boolean;
  /** A way that reaches people is wanted, not only the system's log. */
  strong: boolean;
  /** Alerts that still gather it. */
  gathering: Set<string>;
  /** Deliveries that have it. */
  deliveries: Set<number>;
  failures: string[];
}

export interface Delivery {
  id: number;
  alert: string;
  kind: WayKind;
  way: string;
  /** The edges in it by their ids; true: tried once. */
  items: Map<string, boolean>;
  /** What it says, where that is decided: all edges of it are settled, and `items` is empty. */
  frozen: Content | null;
  recipients: readonly string[] | null;
  attempts: number;
  nextAt: number;
  expiresAt: number;
  saved: boolean;
}

export interface Way {
  /** In the order of their messages. */
  queue: Set<number>;
  flight: Flight | null;
  /** Attempts in a row that found it unavailable, and until when it is left alone. */
  failures: number;
  downUntil: number;
  /** When there is something to do next. */
  wakeAt: number;
}

/** An attempt under way: what it carries, and the last delivery that was there when it began. */
export interface Flight {
  id: number;
  keys: readonly string[];
  content: Content;
  lastId: number;
}

export interface OutboxState {
  alerts: Map<string, AlertSpec>;
  edges: Map<string, Edge>;
  gathers: Map<string, { dueAt: number; keys: Set<string> }>;
  deliveries: Map<number, Delivery>;
  ways: Map<string, Way>;
  flights: number;
  lastId: number;
}
