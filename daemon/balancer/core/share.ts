/**
 * What the director tells those that may follow it, and what they make of it (B12). Tags and checks that the file here does not have are
 * put aside: files are reloaded at slightly different times. They serve as soon as the file has them.
 */
import { keep } from './configure.js';
import {
  type BalancerState,
  type Check,
  type Draft,
  newCheck,
  newMemory,
  type Pair,
  type PairMemory,
  pairKey,
} from './state.js';
import type { ShareEntry } from './types.js';

type PairEntry = Extract<ShareEntry, { kind: 'pair' }>;

/** All that is to be told to a node that knows nothing: every pair, and of the rest what is not as usual. */
export function shareAll(state: BalancerState, now: number): ShareEntry[] {
  const entries: ShareEntry[] = [];
  for (const check of state.checks.values())
    if (check.state !== 'unknown') entries.push(...checkEntry(check, now));
  for (const { config, off, pairs } of state.hosts.values()) {
    if (off !== null) entries.push(hostEntry(state, config.tag, now));
    entries.push(...pairs.map((pair) => entryOf(pair, now)));
  }
  // What operators said of those that left the file holds when they come back, wherever that is.
  for (const { host, service, memory } of state.aside.pairs.values())
    entries.push(pairEntry(host, service, memory, now));
  for (const [host, { by, at }] of state.aside.hosts)
    entries.push({ kind: 'host', host, off: { by, age: now - at } });
  for (const { config, sorryAt } of state.services.values())
    if (sorryAt !== null) entries.push({ kind: 'service', service: config.tag, sorryAge: now - sorryAt });
  return entries;
}

/** What this step has changed. */
export function shareChanged({ state, changed, now }: Draft): ShareEntry[] {
  return [
    ...[...changed.checks].flatMap((check) => checkEntry(check, now)),
    ...[...changed.hosts].map((host) => hostEntry(state, host, now)),
    ...[...changed.pairs].map((pair) => entryOf(pair, now)),
    ...[...changed.services].map(({ config, sorryAt }) => ({
      ...{ kind: 'service' as const, service: config.tag, sorryAge: age(sorryAt, now) },
    })),
  ];
}

function age(at: number | null, now: number): number | null {
  return at === null ? null : now - at;
}

function checkEntry({ name, state, nature, since, passAt }: Check, now: number): ShareEntry[] {
  if (state === 'unknown') return [];
  return [{ kind: 'check', name, state, nature, sinceAge: now - (since ?? now), passAge: age(passAt, now) }];
}

function hostEntry(state: BalancerState, host: string, now: number): ShareEntry {
  const off = state.hosts.get(host)?.off ?? null;
  return { kind: 'host', host, off: off === null ? null : { by: off.by, age: now - off.at } };
}

function entryOf({ host, service, memory }: Pair, now: number): ShareEntry {
  return pairEntry(host.config.tag, service.config.tag, memory, now);
}

function pairEntry(host: string, service: string, memory: PairMemory, now: number): ShareEntry {
  const { ramp, real } = memory;
  return {
    ...{ kind: 'pair', host, service, real },
    reasons: [...memory.reasons].map(([name, { by, at }]) => ({ name, by, age: now - at })),
    ...{ zeroAge: age(memory.zeroSince, now), awaitAge: age(memory.awaitSince, now) },
    ramp: ramp === null ? null : { durationMs: ramp.durationMs, leftMs: ramp.deadline - now },
    ...{ rampAskedMs: memory.rampAskedMs, override: memory.override },
  };
}

/** Takes what the director says. While this node is the director itself, nobody else's word counts. */
export function takeShare(draft: Draft, entries: readonly ShareEntry[], full: boolean): void {
  const { state } = draft;
  if (state.active === true) return;
  draft.save = true;
  if (full) forget(draft);
  for (const entry of entries) takeEntry(draft, entry);
}

/** Before all is told: nothing is so, and no server has weight. */
function forget({ state, now }: Draft): void {
  state.aside = { pairs: new Map(), hosts: new Map(), services: new Map() };
  state.ramping.clear();
  for (const check of state.checks.values())
    Object.assign(check, { state: 'unknown', nature: '', since: null, passAt: null });
  for (const host of state.hosts.values()) {
    host.off = null;
    for (const pair of host.pairs) pair.memory = newMemory(pair.real, now);
  }
  for (const service of state.services.values()) service.sorryAt = null;
}

function takeEntry({ state, now }: Draft, entry: ShareEntry): void {
  switch (entry.kind) {
    case 'check': {
      const check = state.checks.get(entry.name) ?? newCheck(entry.name);
      state.checks.set(entry.name, check);
      const passAt = entry.passAge === null ? null : now - entry.passAge;
      Object.assign(check, { state: entry.state, nature: entry.nature, since: now - entry.sinceAge, passAt });
      return;
    }
    case 'host': {
      const off = entry.off === null ? null : { by: entry.off.by, at: now - entry.off.age };
      const host = state.hosts.get(entry.host);
      if (host !== undefined) host.off = off;
      else if (off !== null) keep(state.aside.hosts, entry.host, off);
      else state.aside.hosts.delete(entry.host);
      return;
    }
    case 'service': {
      const sorryAt = entry.sorryAge === null ? null : now - entry.sorryAge;
      const service = state.services.get(entry.service);
      if (service !== undefined) Object.assign(service, { sorryAt, warm: true });
      else keep(state.aside.services, entry.service, sorryAt);
      return;
    }
    case 'pair':
      return takePair(state, entry, now);
    default:
      entry satisfies never;
  }
}

function takePair(state: BalancerState, entry: PairEntry, now: number): void {
  const { host, service } = entry;
  const memory = memoryOf(entry, now);
  const pair = state.hosts.get(host)?.pairs.find((one) => one.service.config.tag === service);
  if (pair === undefined) {
    keep(state.aside.pairs, pairKey(host, service), { host, service, memory });
    return;
  }
  // Where it is about another server, one of the two files is newer: that is settled by the next one, or when this node decides.
  pair.memory = memory;
  if (pair.memory.ramp === null) state.ramping.delete(pair);
  else state.ramping.add(pair);
}

function memoryOf(entry: PairEntry, now: number): PairMemory {
  const { ramp, real } = entry;
  return {
    ...newMemory(real, now),
    reasons: new Map(entry.reasons.map(({ name, by, age }) => [name, { by, at: now - age }])),
    zeroSince: entry.zeroAge === null ? null : now - entry.zeroAge,
    awaitSince: entry.awaitAge === null ? null : now - entry.awaitAge,
    ramp: ramp === null ? null : { durationMs: ramp.durationMs, deadline: now + ramp.leftMs },
    ...{ rampAskedMs: entry.rampAskedMs, override: entry.override },
  };
}
