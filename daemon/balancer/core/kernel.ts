/** What the kernel has: told as a whole, changed by what the core plans, refused, or changed by somebody else. */
import { afterChanges, diffService, inOrder } from '../ipvs/diff.js';
import type { Change, ServiceKey, Table, TableService } from '../types.js';
import { type BalancerState, type Draft, happened, log, type Service } from './state.js';
import { RETRY_MS } from './types.js';
import { signature, wantedOf } from './wanted.js';
import { adoptHint, differenceWords, nameOf } from './words.js';

export function takeTable(draft: Draft, table: Table): void {
  const { state } = draft;
  const before = state.table;
  state.table = new Map(table);
  if (before === null) {
    for (const key of state.owned) {
      state.dirty.add(key);
      if (!table.has(key)) state.claims.add(key);
    }
    for (const service of state.services.values()) draft.touched.add(service);
  } else
    for (const key of new Set([...before.keys(), ...table.keys()]))
      compare(draft, key, before.get(key), table.get(key));
  state.unsure = false;
  disown(draft, [...state.owned]);
}

function compare(
  draft: Draft,
  key: ServiceKey,
  before: TableService | undefined,
  after: TableService | undefined,
): void {
  const { state } = draft;
  if (before === after || signature(before) === signature(after)) return;
  const service = state.byKey.get(key);
  state.dirty.add(key);
  if (service !== undefined) draft.touched.add(service);
  if (!state.owned.has(key)) return;
  const wanted = service === undefined ? undefined : wantedOf(state, service, draft.now);
  if (state.claims.delete(key) && !isPartOf(after, wanted)) {
    // Somebody made it while this one was about to.
    state.owned.delete(key);
    draft.save = true;
    return;
  }
  // To be made anew; another may be first.
  if (after === undefined) state.claims.add(key);
  if (state.unsure || before === undefined) return;
  // One that vanished is made anew whatever is left alone otherwise: nobody would answer.
  const leave = state.settings.foreign === 'leave' && after !== undefined;
  if (leave) state.left.set(key, signature(wanted));
  draft.save ||= leave;
  const name = service === undefined ? key : nameOf(state, service);
  const what = differenceWords(key, before, after);
  const text = `${name} was changed by somebody else: ${what}; ${leave ? 'it is left so' : 'it is put right'}`;
  log(draft, 'warn', text, tagOf(service));
  happened(draft, { kind: 'table-meddled', ...tagOf(service), text, data: { what, left: leave } });
}

function tagOf(service: Service | undefined): { service?: string } {
  return service === undefined ? {} : { service: service.config.tag };
}

/** It is what a part of the changes that make the wanted one would have made. */
function isPartOf(actual: TableService | undefined, wanted: TableService | undefined): boolean {
  if (actual === undefined || wanted === undefined) return actual === undefined;
  if (actual.scheduler !== wanted.scheduler || actual.persistenceSeconds !== wanted.persistenceSeconds)
    return false;
  return [...actual.servers].every(([key, { method }]) => wanted.servers.get(key)?.method === method);
}

export function takeApplied(draft: Draft, changes: readonly Change[]): void {
  const { table, claims, refused } = draft.state;
  if (table === null) return;
  const keys = new Set(changes.map(({ service }) => service));
  const part = new Map([...keys].flatMap((key) => pick(table, key)));
  const after = afterChanges(part, changes);
  for (const key of keys) {
    const service = after.get(key);
    if (service === undefined) table.delete(key);
    else table.set(key, service);
    claims.delete(key);
    if (!refused.delete(key)) continue;
    const known = draft.state.byKey.get(key);
    const text = `${known === undefined ? key : nameOf(draft.state, known)}: its changes are made now`;
    log(draft, 'info', text, tagOf(known));
    happened(draft, { kind: 'table-accepted', ...tagOf(known), text, data: { virtual: key } });
  }
  disown(draft, keys);
}

function pick(table: Table, key: ServiceKey): [ServiceKey, TableService][] {
  const service = table.get(key);
  return service === undefined ? [] : [[key, service]];
}

/** What is gone, and is not to be there, is nobody's. */
export function disown(draft: Draft, keys: Iterable<ServiceKey>): void {
  const { state } = draft;
  if (state.table === null || state.config === null || state.active === null) return;
  for (const key of keys) {
    if (state.table.has(key) || !state.owned.has(key)) continue;
    if (state.active && state.byKey.has(key)) continue;
    state.owned.delete(key);
    state.claims.delete(key);
    state.left.delete(key);
    draft.save = true;
  }
}

/** Left alone until RETRY_MS are over, or something else is wanted of it (B8). */
export function takeRefused(draft: Draft, keys: readonly ServiceKey[], why: string): void {
  const { state, now } = draft;
  state.unsure = true;
  for (const key of keys) {
    const service = state.byKey.get(key);
    const wanted = signature(service === undefined ? undefined : wantedOf(state, service, now));
    // Every few seconds the same: once is enough for people.
    const before = state.refused.get(key);
    const level = before?.why === why && before.wanted === wanted ? 'debug' : 'error';
    state.refused.set(key, { until: now + RETRY_MS, wanted, why });
    state.dirty.add(key);
    const name = service === undefined ? key : nameOf(state, service);
    const text = `${name}: its changes were refused: ${why}; tried again every ${RETRY_MS / 1000} s`;
    log(draft, level, text, tagOf(service));
    if (level === 'error') happened(draft, { kind: 'table-refused', ...tagOf(service), text, data: { why } });
  }
}

/** Those whose time to be left alone is over. */
export function retryRefused({ state, now }: Draft): void {
  for (const [key, { until }] of state.refused) if (until <= now) state.dirty.add(key);
}

/**
 * What makes the kernel's table the wanted one, in order. Only services are looked at that may differ: those that were touched since
 * they were found alike, and those with ramps. Empty until the table, the file, and whether this node is active are known.
 */
export function planChanges(state: BalancerState, now: number): Change[] {
  const { table, dirty } = state;
  if (table === null || state.config === null || state.active === null) return [];
  for (const { service } of state.ramping) if (service.key !== '') dirty.add(service.key);
  const changes: Change[] = [];
  for (const key of dirty) {
    const service = state.byKey.get(key);
    if (!state.owned.has(key)) {
      dirty.delete(key);
      continue;
    }
    const wanted = service === undefined ? undefined : wantedOf(state, service, now);
    if (isHeld(state, key, wanted, now)) continue;
    const found = diffService(key, table.get(key), wanted);
    changes.push(...found);
    if (found.length > 0) continue;
    dirty.delete(key);
    state.refused.delete(key);
  }
  return inOrder(changes);
}

/** Refused not long ago, or left to somebody else; and still the same is wanted of it. */
function isHeld(
  state: BalancerState,
  key: ServiceKey,
  wanted: TableService | undefined,
  now: number,
): boolean {
  const refusal = state.refused.get(key);
  const left = state.left.get(key);
  if (refusal === undefined && left === undefined) return false;
  const mark = signature(wanted);
  if (left === mark) return true;
  state.left.delete(key);
  return refusal !== undefined && refusal.until > now && refusal.wanted === mark;
}

/** Why the table of a service is not as wanted, or is not touched; '' for nothing. */
export function problemOf(state: BalancerState, service: Service): string {
  const { key } = service;
  if (service.fault !== '') return service.fault;
  if (state.table === null) return "the kernel's table has not been read";
  if (service.foreign)
    return `it exists in the kernel and was not made by this balancer; ${adoptHint(service)}`;
  const refusal = state.refused.get(key);
  if (refusal !== undefined) return `refused: ${refusal.why}`;
  return state.left.has(key) ? 'it was changed by somebody else, and is left so' : '';
}
