/**
 * What the balancer knows. Of thousands of servers a step touches a few, many times a second: so the state is changed in place, and
 * what a step has touched is gathered in its draft.
 */
import type { NewEvent } from '../../../proto/event-types.js';
import type { CheckSpec } from '../../checks/spec.js';
import type {
  BalancerConfig,
  HostConfig,
  ServerKey,
  ServiceConfig,
  ServiceKey,
  TableService,
} from '../types.js';
import type { BalancerEvent } from './types.js';

/** Who said it, and when. */
export interface Given {
  by: string;
  at: number;
}

export interface Ramp {
  durationMs: number;
  deadline: number;
}

/** What is known of a server in a service and has to outlive reloads, restarts and failovers. */
export interface PairMemory {
  /** The server that it is about. */
  real: ServerKey;
  /** Why it is disabled. */
  reasons: Map<string, Given>;
  /** Its weight is 0 since; null: it has weight. */
  zeroSince: number | null;
  /** Only a pass that began after this gives it weight; null: it waits for none. */
  awaitSince: number | null;
  ramp: Ramp | null;
  /** Asked for, until it has weight. */
  rampAskedMs: number | null;
  /** The operator's full weight. */
  override: number | null;
  /** The weight that the kernel's table had when it was taken over; counts until its check has a result. */
  kept: number | null;
  /** It was taken over with weight 0, and its check has no result yet. */
  foundZero: boolean;
}

/** A check, however many pairs share it. */
export interface Check {
  name: string;
  /** null: not in the file of this node, only heard of. */
  spec: CheckSpec | null;
  pairs: Pair[];
  state: 'up' | 'down' | 'unknown';
  nature: string;
  /** Of the last change of its state. */
  since: number | null;
  /** When the last pass, and the last result at all, began. */
  passAt: number | null;
  resultAt: number | null;
  /** Its last result says that it is up, and is too old to count: nothing more would be told of it by itself. */
  doubted: boolean;
}

/** A host in a service: a line of the file has them. */
export interface Pair {
  host: Host;
  service: Service;
  /** The weight of the file. */
  fileWeight: number;
  /** Its entry in the table; '' where there is none: its name does not resolve, or another one has this entry. */
  real: ServerKey;
  /** null: it counts as passing. */
  check: Check | null;
  memory: PairMemory;
  /** The weight that was logged last while it comes back. */
  shown: number;
}

export interface Host {
  config: HostConfig;
  /** '' where it does not resolve. */
  address: string;
  off: Given | null;
  pairs: Pair[];
}

export interface Service {
  config: ServiceConfig;
  /** '' where there is none: `fault` says why. */
  key: ServiceKey;
  fault: string;
  pairs: Pair[];
  /** There were results enough to decide by (B7). */
  warm: boolean;
  /** No server has weight since; null: one has. */
  sorryAt: number | null;
  /** It exists and is somebody else's; that was said. */
  foreign: boolean;
}

export interface Refusal {
  until: number;
  /** What it was to be. */
  wanted: string;
  why: string;
}

/** What is known of tags that the file does not have (yet, or any more). */
export interface Aside {
  pairs: Map<string, { host: string; service: string; memory: PairMemory }>;
  hosts: Map<string, Given>;
  services: Map<string, number | null>;
}

export interface BalancerState {
  config: BalancerConfig | null;
  settings: { adopt: boolean; foreign: 'restore' | 'leave' };
  /** null: not told yet. */
  active: boolean | null;
  /** In the order of the file. */
  hosts: Map<string, Host>;
  services: Map<string, Service>;
  byKey: Map<ServiceKey, Service>;
  checks: Map<string, Check>;
  /** The last known addresses of names. */
  addresses: Map<string, string>;
  aside: Aside;
  /** The kernel's, as it was told last, kept up by what was applied since. */
  table: Map<ServiceKey, TableService> | null;
  owned: Set<ServiceKey>;
  /** Those of them that it is about to make: not in the table when that was decided. */
  claims: Set<ServiceKey>;
  /** Left as somebody else has made them, with what they were to be then. */
  left: Map<ServiceKey, string>;
  refused: Map<ServiceKey, Refusal>;
  /** The table may differ from what is wanted. */
  dirty: Set<ServiceKey>;
  ramping: Set<Pair>;
  /** Checks of which a result is needed at once. */
  awaited: Set<string>;
  specs: readonly CheckSpec[];
  /** Nothing of before can be read: what exists of the file's services is taken over (B11). */
  recover: boolean;
  /** Changes were refused: the next table differs by what was done of them. */
  unsure: boolean;
}

/** The state while a step works on it. */
export interface Draft {
  state: BalancerState;
  now: number;
  events: BalancerEvent[];
  /** Whose weights have to be decided again. */
  touched: Set<Service>;
  /** What has to outlive a restart, or be told to other nodes, has changed. */
  save: boolean;
  changed: { pairs: Set<Pair>; hosts: Set<string>; services: Set<Service>; checks: Set<Check> };
}

export function createBalancer(): BalancerState {
  return {
    config: null,
    settings: { adopt: false, foreign: 'restore' },
    active: null,
    ...{ hosts: new Map(), services: new Map(), byKey: new Map(), checks: new Map(), addresses: new Map() },
    aside: { pairs: new Map(), hosts: new Map(), services: new Map() },
    ...{ table: null, owned: new Set(), claims: new Set(), left: new Map(), refused: new Map() },
    ...{ dirty: new Set(), ramping: new Set(), awaited: new Set(), specs: [], recover: false, unsure: false },
  };
}

export function openDraft(state: BalancerState, now: number): Draft {
  return {
    ...{ state, now, events: [], touched: new Set(), save: false },
    changed: { pairs: new Set(), hosts: new Set(), services: new Set(), checks: new Set() },
  };
}

/** What is known of a server that is new at `now`: it has no weight, and waits for a pass. */
export function newMemory(real: ServerKey, now: number): PairMemory {
  return {
    ...{ real, reasons: new Map(), zeroSince: now, awaitSince: now, ramp: null, rampAskedMs: null },
    ...{ override: null, kept: null, foundZero: false },
  };
}

export function newCheck(name: string): Check {
  return {
    ...{ name, spec: null, pairs: [], state: 'unknown', nature: '' },
    ...{ since: null, passAt: null, resultAt: null, doubted: false },
  };
}

/** Another server stands behind the same tags: what operators said stays, its weight is to be earned. */
export function renewMemory(memory: PairMemory, real: ServerKey, now: number): PairMemory {
  return { ...newMemory(real, now), reasons: memory.reasons, override: memory.override };
}

export function pairKey(host: string, service: string): string {
  return `${host} ${service}`;
}

/** A change of what is known of a pair. */
export function pairChanged(draft: Draft, pair: Pair): void {
  draft.save = true;
  draft.changed.pairs.add(pair);
  draft.touched.add(pair.service);
}

export function log(
  draft: Draft,
  level: 'debug' | 'info' | 'warn' | 'error',
  text: string,
  about: { service?: string; host?: string } = {},
): void {
  draft.events.push({ kind: 'log', level, text, ...about });
}

/** For the journal: `docs/events.md` has the kinds. */
export function happened(draft: Draft, event: NewEvent): void {
  draft.events.push({ kind: 'happened', event });
}
