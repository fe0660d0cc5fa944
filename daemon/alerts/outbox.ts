/**
 * The outbox: which edges go into which message, which message over which way and when, and what is told back. It knows no clock, no
 * file and no process. Unlike the core's, its state is changed in place: a router that dies brings ten thousand edges in as many
 * steps.
 *
 * An edge is settled as soon as one way has told people of it. What is left of it then is kept on disk and tried again from
 * here; an edge of which the first attempts over all ways have failed is given back, for another node to try.
 */
import type { AlertSpec } from '../checks/spec.js';
import {
  type Delivery,
  type Edge,
  type OutboxInput,
  type OutboxOutput,
  type OutboxState,
  type Told,
  WAYS,
  type WayKind,
} from './outbox-types.js';
import {
  announce,
  attemptEnded,
  type Compose,
  conclude,
  type Draft,
  discard,
  FLIGHTS_MAX,
  pump,
} from './outbox-ways.js';

/** For so long a message is tried again. */
export const KEEP_MS = 2 * 24 * 3_600_000;

export function createOutbox(): OutboxState {
  return {
    ...{ alerts: new Map(), edges: new Map(), gathers: new Map(), deliveries: new Map(), ways: new Map() },
    ...{ flights: 0, lastId: 0 },
  };
}

/** Takes one input, changes the state, and says what is to be done. `wall` is shown and kept, and decides nothing. */
export function stepOutbox(
  state: OutboxState,
  input: OutboxInput,
  time: { now: number; wall: number },
  compose: Compose,
): OutboxOutput[] {
  const draft: Draft = {
    ...{ state, ...time, compose, saves: new Set(), settled: new Set(), touched: new Set(), outputs: [] },
  };
  take(draft, input);
  for (const [alert, { dueAt }] of state.gathers) if (dueAt <= draft.now) flush(draft, alert);
  for (const key of draft.touched) conclude(draft, key);
  for (const way of state.ways.values()) if (way.flight === null && way.wakeAt <= draft.now) pump(draft, way);
  return finish(draft);
}

/** When the outbox wants a tick at the latest. */
export function outboxWakeAt(state: OutboxState): number {
  let at = Number.POSITIVE_INFINITY;
  for (const { dueAt } of state.gathers.values()) at = Math.min(at, dueAt);
  // Whose attempt ends gives the next one its turn.
  if (state.flights >= FLIGHTS_MAX) return at;
  for (const way of state.ways.values()) if (way.flight === null) at = Math.min(at, way.wakeAt);
  return at;
}

/** The ways of an alert. */
export function waysOf(alert: AlertSpec): WayKind[] {
  return WAYS.filter((kind) =>
    kind === 'mail' ? alert.mail !== null : kind === 'syslog' ? alert.syslog : alert[kind] !== '',
  );
}

function take(draft: Draft, input: OutboxInput): void {
  switch (input.kind) {
    case 'configure':
      return configure(draft, input.alerts);
    case 'restore':
      for (const { id, record } of input.records) {
        // The clock may have been set since: what has waited for too long is still tried once.
        const slept = Math.max(0, input.wall - record.wall);
        const d = deliver(draft, record.alert, record.kind, id);
        Object.assign(d, { frozen: record.content, recipients: record.recipients, saved: true });
        Object.assign(d, { attempts: record.attempts, expiresAt: draft.now + record.leftMs - slept });
      }
      return;
    case 'tell':
      return tell(draft, input.told);
    case 'cancel':
      return cancel(draft, `${input.check}#${input.edge}`);
    case 'result':
      return attemptEnded(draft, input.id, input.outcome);
    case 'tick':
      return;
    default:
      input satisfies never;
  }
}

/** What an alert that is gone, or a way of it, still had to do is not done any more. */
function configure(draft: Draft, alerts: readonly AlertSpec[]): void {
  const { state } = draft;
  state.alerts = new Map(alerts.map((alert) => [alert.name, alert]));
  for (const [name, { keys }] of state.gathers) {
    if (state.alerts.has(name)) continue;
    state.gathers.delete(name);
    for (const key of keys) {
      const edge = state.edges.get(key);
      if (edge === undefined) continue;
      edge.gathering.delete(name);
      edge.failures.push(`alert ${name} is not in the file any more`);
      if (edge.settled) announce(draft, key, edge);
      draft.touched.add(key);
    }
  }
  for (const delivery of state.deliveries.values()) {
    const spec = state.alerts.get(delivery.alert);
    if (spec !== undefined && waysOf(spec).includes(delivery.kind)) delivery.nextAt = draft.now;
    else discard(draft, delivery, `${delivery.kind} of alert ${delivery.alert} is not in the file any more`);
  }
  for (const way of state.ways.values()) Object.assign(way, { failures: 0, downUntil: 0, wakeAt: draft.now });
}

function tell(draft: Draft, told: Told): void {
  const { state, now } = draft;
  const { notice } = told;
  const known = state.edges.get(notice.id);
  if (known !== undefined) {
    // Its answer is still to come, or was lost.
    if (known.settled) announce(draft, notice.id, known);
    return;
  }
  const wanted = [...state.alerts.values()].filter((alert) => wants(alert, notice));
  const edge: Edge = {
    ...{ told, settled: false, deliveries: new Set(), failures: [] },
    strong: wanted.some((alert) => waysOf(alert).some((kind) => kind !== 'syslog')),
    gathering: new Set(wanted.map(({ name }) => name)),
  };
  if (wanted.length === 0) {
    draft.outputs.push({ kind: 'done', check: notice.check, edge: notice.edge, why: '' });
    return;
  }
  state.edges.set(notice.id, edge);
  for (const { name, gatherMs } of wanted) {
    const gather = state.gathers.get(name) ?? { dueAt: now + gatherMs, keys: new Set() };
    gather.keys.add(notice.id);
    state.gathers.set(name, gather);
  }
}

function wants(alert: AlertSpec, { alerts, facts }: Told['notice']): boolean {
  if (alerts.length > 0 && !alerts.includes(alert.name)) return false;
  // Calm may mean calm and down.
  const good = facts.what === 'up' || (facts.what === 'calm' && facts.lastedMs !== null);
  return alert.recovery || !good;
}

/** A message is closed, and goes over each of its ways. */
function flush(draft: Draft, name: string): void {
  const { state } = draft;
  const keys = state.gathers.get(name)?.keys ?? new Set();
  const alert = state.alerts.get(name);
  state.gathers.delete(name);
  const deliveries = alert === undefined ? [] : waysOf(alert).map((kind) => deliver(draft, name, kind));
  for (const key of keys) {
    const edge = state.edges.get(key);
    if (edge === undefined) continue;
    edge.gathering.delete(name);
    for (const delivery of deliveries) {
      delivery.items.set(key, false);
      edge.deliveries.add(delivery.id);
    }
    if (edge.settled) announce(draft, key, edge);
    draft.touched.add(key);
  }
}

function deliver(draft: Draft, alert: string, kind: WayKind, id = draft.state.lastId + 1): Delivery {
  const { state, now } = draft;
  const key = `${alert}/${kind}`;
  state.lastId = Math.max(state.lastId, id);
  const delivery: Delivery = {
    ...{ id, alert, kind, way: key, items: new Map(), frozen: null, recipients: null, attempts: 0 },
    ...{ nextAt: now, expiresAt: now + KEEP_MS, saved: false },
  };
  state.deliveries.set(id, delivery);
  const way = state.ways.get(key) ?? {
    ...{ queue: new Set(), flight: null, failures: 0, downUntil: 0, wakeAt: now },
  };
  way.queue.add(id);
  way.wakeAt = now;
  state.ways.set(key, way);
  return delivery;
}

function cancel(draft: Draft, key: string): void {
  const { state } = draft;
  const edge = state.edges.get(key);
  // Once people were told here, the rest is owed to them.
  if (edge === undefined || edge.settled) return;
  for (const name of edge.gathering) {
    const gather = state.gathers.get(name);
    gather?.keys.delete(key);
    if (gather?.keys.size === 0) state.gathers.delete(name);
  }
  for (const id of edge.deliveries) {
    const delivery = state.deliveries.get(id);
    if (delivery === undefined) continue;
    delivery.items.delete(key);
    if (delivery.items.size === 0) discard(draft, delivery, '');
  }
  state.edges.delete(key);
}

/** What is kept comes first, then what is not needed any more, then who is told that it is settled. */
function finish(draft: Draft): OutboxOutput[] {
  const { state, compose } = draft;
  const saves: OutboxOutput[] = [];
  for (const id of draft.saves) {
    const delivery = state.deliveries.get(id);
    if (delivery === undefined) continue;
    const told = [...delivery.items.keys()].flatMap((key) => {
      const edge = state.edges.get(key);
      return edge?.settled && edge.gathering.size === 0 ? [edge.told] : [];
    });
    const keep = delivery.frozen !== null || told.length > 0;
    if (!keep && delivery.saved) draft.outputs.push({ kind: 'forget', id });
    delivery.saved = keep;
    if (!keep) continue;
    const { alert, kind, recipients, attempts } = delivery;
    const content = delivery.frozen ?? compose(alert, told);
    const leftMs = delivery.expiresAt - draft.now;
    const record = { alert, kind, content, recipients, attempts, leftMs, wall: draft.wall };
    saves.push({ kind: 'save', id, record });
  }
  for (const key of draft.settled) {
    const edge = state.edges.get(key);
    if (edge === undefined) continue;
    const { check, edge: number } = edge.told.notice;
    draft.outputs.push({ kind: 'done', check, edge: number, why: '' });
    if (edge.deliveries.size === 0) state.edges.delete(key);
  }
  return [...saves, ...draft.outputs];
}
