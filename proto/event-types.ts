/**
 * What has happened on a node, as it is kept on disk, told to hastmonctl and to other nodes. docs/events.md lists the kinds and
 * their data.
 */
import type { NodeName } from '../daemon/core/types.js';
import type { EventFacts, EventKind } from './event-kinds.js';

/** What it is about; the empty ones are left out. */
export interface EventSubject {
  resource?: string;
  check?: string;
  /** A real server of the balancer, or a host of checks. */
  host?: string;
  /** A virtual service of the balancer. */
  service?: string;
}

/** Facts of one event, by the names that docs/events.md gives them for its kind. */
export type EventData = Readonly<Record<string, string | number | boolean>>;

/** One thing that has happened. */
export interface HaEvent extends EventSubject {
  /** Rises by one with every event of a node, through all its restarts. */
  number: number;
  node: NodeName;
  /** Milliseconds since 1970 by the wall clock of the node. */
  at: number;
  /** The first characters of the node's boot id, and milliseconds of its CLOCK_BOOTTIME: the time between two of one boot is exact. */
  boot: string;
  bootMs: number;
  /** One of the words in docs/events.md. */
  kind: string;
  /** The operator who asked for it, where one did: `alice (uid 1000)`. */
  by?: string;
  /** One sentence for people. */
  text: string;
  data: EventData;
}

/** An event that is about to be recorded: who, when and where is added by who records it. */
export type NewEvent = {
  [Kind in EventKind]: EventSubject & Pick<HaEvent, 'by' | 'text'> & { kind: Kind; data: EventFacts[Kind] };
}[EventKind];

/** The events of some kinds. */
export type NewEventOf<Kind extends EventKind> = Extract<NewEvent, { kind: Kind }>;

/** Takes what has happened. */
export type RecordEvent = (event: NewEvent) => void;

/** What has happened on the node that is asked. */
export interface EventsRequest {
  kind: 'events';
  /** Resources, checks, hosts, virtual services; none: everything. */
  names: readonly string[];
  /** Those of the last so many milliseconds; null: of all time. */
  sinceMs: number | null;
  /** The last so many; null: all. */
  last: number | null;
  /** Then those that happen from now on, until the client goes away. */
  follow: boolean;
}
