/** The ways of the outbox: whose turn it is, what an attempt brought, and when the next one is due. */
import type {
  Content,
  Delivery,
  Edge,
  Flight,
  OutboxOutput,
  OutboxState,
  Outcome,
  Told,
  Way,
} from './outbox-types.js';

/** Writes a message down. Pure. */
export type Compose = (alert: string, told: readonly Told[]) => Content;

export interface Draft {
  state: OutboxState;
  now: number;
  wall: number;
  compose: Compose;
  /** Deliveries to be written down, edges that became settled, and edges whose end is to be looked for. */
  saves: Set<number>;
  settled: Set<string>;
  touched: Set<string>;
  outputs: OutboxOutput[];
}

/** Attempts under way at once. */
export const FLIGHTS_MAX = 8;
const BACKOFF_MS = 5000;
const BACKOFF_MS_MAX = 300_000;

/** 5 s, 10 s, 20 s, … 5 min. */
export function backoffMs(failures: number): number {
  return Math.min(BACKOFF_MS * 2 ** Math.min(failures - 1, 10), BACKOFF_MS_MAX);
}

/** Begins the next attempt of a way that is free, or says when to look again. */
export function pump(draft: Draft, way: Way): void {
  const { state, now } = draft;
  way.wakeAt = Number.POSITIVE_INFINITY;
  const ready = [...way.queue].flatMap((id) => {
    const delivery = state.deliveries.get(id);
    return delivery !== undefined && sendable(state, delivery) ? [delivery] : [];
  });
  if (ready.length === 0) return;
  // What is new is tried at once, and shows how the way is; what has waited goes first, so that the order is kept.
  const fresh = ready.some((delivery) => delivery.attempts === 0);
  const from = fresh ? 0 : way.downUntil;
  const next = ready.find(({ nextAt }) => Math.max(nextAt, from) <= now);
  if (next === undefined) {
    way.wakeAt = Math.min(...ready.map(({ nextAt }) => Math.max(nextAt, from)));
  } else if (state.flights >= FLIGHTS_MAX) {
    way.wakeAt = now;
  } else {
    send(draft, way, next);
  }
}

function send({ state, compose, outputs }: Draft, way: Way, delivery: Delivery): void {
  const { id, alert, kind, recipients } = delivery;
  const keys = [...delivery.items.keys()].filter((key) => carried(state, delivery, key));
  const told = keys.flatMap((key) => state.edges.get(key)?.told ?? []);
  const content = delivery.frozen ?? compose(alert, told);
  way.flight = { id, keys, content, lastId: state.lastId };
  state.flights += 1;
  outputs.push({ kind: 'send', id, alert, way: kind, content, recipients });
}

function sendable(state: OutboxState, delivery: Delivery): boolean {
  if (delivery.frozen !== null) return true;
  for (const key of delivery.items.keys()) if (carried(state, delivery, key)) return true;
  return false;
}

/**
 * Whether an edge goes along with the next attempt: a first time; and again once people were told of it another way. The
 * system's log reaches nobody by itself: it waits until people were told, unless it is all that is wanted.
 */
function carried(state: OutboxState, delivery: Delivery, key: string): boolean {
  const edge = state.edges.get(key);
  if (edge === undefined) return false;
  return edge.settled || (delivery.items.get(key) === false && counts(delivery, edge));
}

function counts(delivery: Delivery, edge: Edge): boolean {
  return delivery.kind !== 'syslog' || !edge.strong;
}

/** An attempt is over. One that is not known any more brings nothing. */
export function attemptEnded(draft: Draft, id: number, outcome: Outcome): void {
  const { state } = draft;
  const way = [...state.ways.values()].find(({ flight }) => flight?.id === id);
  const flight = way?.flight ?? null;
  if (way === undefined || flight === null) return;
  way.flight = null;
  way.wakeAt = draft.now;
  state.flights -= 1;
  const delivery = state.deliveries.get(id);
  if (outcome.kind === 'delivered') delivered(draft, flight, delivery, way, outcome);
  else if (delivery !== undefined) failed(draft, flight, delivery, way, outcome);
}

function delivered(
  draft: Draft,
  flight: Flight,
  delivery: Delivery | undefined,
  way: Way,
  { left, note }: Extract<Outcome, { kind: 'delivered' }>,
): void {
  way.failures = 0;
  way.downUntil = 0;
  if (delivery === undefined) return;
  say(draft, 'info', delivery, `told by ${delivery.kind}: ${flight.content.subject}`);
  if (note !== '') say(draft, 'warn', delivery, `${delivery.kind}: ${note}`);
  if (left.length > 0) remember(draft, flight, delivery, way, left);
  for (const key of flight.keys) {
    remove(draft, delivery, key);
    settle(draft, key);
  }
  if (delivery.items.size === 0) drop(draft, delivery);
  else if (delivery.saved) draft.saves.add(delivery.id);
}

/** Some recipients are still to get it: a delivery of its own. */
function remember(
  draft: Draft,
  flight: Flight,
  delivery: Delivery,
  way: Way,
  recipients: readonly string[],
): void {
  const { state } = draft;
  const keys = flight.keys.filter((key) => state.edges.has(key));
  if (keys.length === 0 && delivery.frozen === null) return;
  const attempts = delivery.attempts + 1;
  state.lastId += 1;
  const id = state.lastId;
  const items = new Map(keys.map((key) => [key, true]));
  const nextAt = draft.now + backoffMs(attempts);
  state.deliveries.set(id, { ...delivery, id, items, recipients, attempts, nextAt, saved: false });
  for (const key of keys) state.edges.get(key)?.deliveries.add(id);
  way.queue.add(id);
  draft.saves.add(id);
}

/** People were told of an edge. */
function settle(draft: Draft, key: string): void {
  const edge = draft.state.edges.get(key);
  if (edge === undefined || edge.settled) return;
  edge.settled = true;
  for (const id of edge.deliveries) {
    const way = draft.state.ways.get(draft.state.deliveries.get(id)?.way ?? '');
    if (way !== undefined) way.wakeAt = draft.now;
  }
  announce(draft, key, edge);
}

/** What ways still have of an edge goes to disk, and then it is said that it is settled: not before each alert has closed its message. */
export function announce(draft: Draft, key: string, edge: Edge): void {
  if (edge.gathering.size > 0) return;
  draft.settled.add(key);
  for (const id of edge.deliveries) draft.saves.add(id);
}

function failed(
  draft: Draft,
  flight: Flight,
  delivery: Delivery,
  way: Way,
  outcome: Exclude<Outcome, { kind: 'delivered' }>,
): void {
  const { now } = draft;
  const { kind, why } = outcome;
  const text = `${delivery.kind}: ${why}`;
  delivery.attempts += 1;
  tried(draft, flight.keys, delivery, text);
  if (kind === 'final') {
    say(draft, 'error', delivery, `${text}: given up: ${flight.content.subject}`);
    for (const key of flight.keys) remove(draft, delivery, key);
    if (delivery.items.size === 0) drop(draft, delivery);
    return;
  }
  if (kind === 'later') {
    delivery.recipients = outcome.left ?? delivery.recipients;
    delivery.nextAt = now + backoffMs(delivery.attempts);
    say(draft, 'warn', delivery, `${text} (attempt ${delivery.attempts}): ${flight.content.subject}`);
  } else {
    // What is new forces an attempt, and is no reason to be more patient with what has waited.
    if (now >= way.downUntil) {
      way.failures += 1;
      way.downUntil = now + backoffMs(way.failures);
    }
    say(draft, 'warn', delivery, `${text} (attempt ${delivery.attempts}): ${flight.content.subject}`);
    shareFailure(draft, way, flight, text);
  }
  for (const id of way.queue) expire(draft, draft.state.deliveries.get(id), text);
}

/** What was waiting behind an attempt that found the way unavailable need not find it out once more. */
function shareFailure(draft: Draft, way: Way, flight: Flight, text: string): void {
  const { state } = draft;
  for (const id of way.queue) {
    const other = state.deliveries.get(id);
    if (other === undefined || id === flight.id || id > flight.lastId || !sendable(state, other)) continue;
    other.attempts += 1;
    const keys = [...other.items.keys()].filter((key) => carried(state, other, key));
    tried(draft, keys, other, text);
  }
}

function tried(draft: Draft, keys: readonly string[], delivery: Delivery, text: string): void {
  for (const key of keys) {
    const edge = draft.state.edges.get(key);
    if (edge === undefined || !delivery.items.has(key)) continue;
    delivery.items.set(key, true);
    if (!edge.settled) edge.failures.push(text);
    draft.touched.add(key);
  }
}

function expire(draft: Draft, delivery: Delivery | undefined, text: string): void {
  if (delivery === undefined || draft.now < delivery.expiresAt) return;
  const what = delivery.frozen?.ids.join(', ') ?? [...delivery.items.keys()].join(', ');
  say(draft, 'error', delivery, `given up after two days, ${text}: ${what}`);
  discard(draft, delivery, '');
}

/** An edge of which the first attempts over all ways have failed is given back. */
export function conclude(draft: Draft, key: string): void {
  const { state, outputs } = draft;
  const edge = state.edges.get(key);
  if (edge === undefined || edge.settled || edge.gathering.size > 0) return;
  const left = [...edge.deliveries].flatMap((id) => state.deliveries.get(id) ?? []);
  if (left.some((delivery) => delivery.items.get(key) === false && counts(delivery, edge))) return;
  const { check, edge: number } = edge.told.notice;
  const why = [...new Set(edge.failures)].join('; ') || 'no way to tell it';
  outputs.push({ kind: 'done', check, edge: number, why });
  state.edges.delete(key);
  for (const delivery of left) {
    delivery.items.delete(key);
    if (delivery.items.size === 0) drop(draft, delivery);
  }
}

/** Gives a delivery up; `why` goes to the edges that people were not told of. */
export function discard(draft: Draft, delivery: Delivery, why: string): void {
  if (why !== '' && delivery.frozen !== null)
    say(draft, 'warn', delivery, `${why}: ${delivery.frozen.subject}`);
  for (const key of [...delivery.items.keys()]) {
    const edge = draft.state.edges.get(key);
    if (why !== '' && edge?.settled === false) edge.failures.push(why);
    remove(draft, delivery, key);
  }
  drop(draft, delivery);
}

function remove({ state, touched }: Draft, delivery: Delivery, key: string): void {
  delivery.items.delete(key);
  const edge = state.edges.get(key);
  if (edge === undefined) return;
  edge.deliveries.delete(delivery.id);
  if (!edge.settled) touched.add(key);
  else if (edge.deliveries.size === 0 && edge.gathering.size === 0) state.edges.delete(key);
}

function drop({ state, outputs }: Draft, delivery: Delivery): void {
  state.deliveries.delete(delivery.id);
  state.ways.get(delivery.way)?.queue.delete(delivery.id);
  if (delivery.saved) outputs.push({ kind: 'forget', id: delivery.id });
}

function say({ outputs }: Draft, level: 'info' | 'warn' | 'error', { alert }: Delivery, text: string): void {
  outputs.push({ kind: 'log', level, alert, text: `alert ${alert}: ${text}` });
}
