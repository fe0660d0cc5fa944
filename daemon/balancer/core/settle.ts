/** What follows for a service from what has changed: who gets weight, who loses it, whether the sorry server is in, and whose it is. */
import {
  type Check,
  type Draft,
  happened,
  log,
  type Pair,
  pairChanged,
  type Ramp,
  type Service,
} from './state.js';
import { sorryServer } from './wanted.js';
import { fullWeight, isDisabled, isEligible, isFresh, isPassing, isUndecided, weightNow } from './weights.js';
import { adoptHint, mailText, nameOf, seconds, whyZero } from './words.js';

/** Decides about every service that this step has touched. */
export function settle(draft: Draft): void {
  for (const service of draft.touched) {
    const { state } = draft;
    if (service.key !== '') state.dirty.add(service.key);
    takeOver(draft, service);
    // Where this node is not the director, what is known is what the director says.
    if (state.active !== true) continue;
    decide(draft, service);
    claim(draft, service);
    for (const { check } of service.pairs) if (check !== null) noteAwaited(draft, check);
  }
}

function decide(draft: Draft, service: Service): void {
  for (const pair of service.pairs) passed(draft, pair);
  const failing = isFailing(service, aliveWeight(service));
  if (!service.warm && !(failing && service.pairs.some(isUndecided))) {
    service.warm = true;
    draft.save = true;
  }
  for (const pair of service.pairs) {
    const has = pair.memory.zeroSince === null;
    // While there is nothing to decide by, nobody comes, and those that were found with weight keep it.
    const wanted = isEligible(pair) && (service.warm ? !failing : has);
    if (wanted && !has) comes(draft, pair);
    else if (!wanted && has) goes(draft, pair);
  }
  if (service.warm && failing !== (service.sorryAt !== null)) sorryEdge(draft, service, failing);
}

/** Of those that are to have weight, whatever becomes of the service. */
export function aliveWeight({ pairs }: Service): number {
  let alive = 0;
  for (const pair of pairs) if (isEligible(pair)) alive += fullWeight(pair);
  return alive;
}

/** Below its quorum, or without any weight; between `quorum - hysteresis` and `quorum + hysteresis` it stays what it is. */
export function isFailing({ config, sorryAt }: Service, alive: number): boolean {
  if (alive === 0) return true;
  const { quorum, hysteresis } = config;
  return sorryAt === null ? alive < quorum - hysteresis : alive < quorum + hysteresis;
}

/** Forgets that it waits for a pass, where there was one. */
function passed(draft: Draft, pair: Pair): void {
  const { memory, check } = pair;
  if (memory.awaitSince === null || pair.real === '') return;
  if (check !== null && !(check.state === 'up' && isFresh(check, memory.awaitSince))) return;
  memory.awaitSince = null;
  pairChanged(draft, pair);
}

function comes(draft: Draft, pair: Pair): void {
  const { memory, service } = pair;
  const { now, state } = draft;
  memory.ramp = rampOf(draft, pair);
  const zeroMs = now - (memory.zeroSince ?? now);
  Object.assign(memory, { zeroSince: null, rampAskedMs: null, kept: null });
  pair.shown = 0;
  if (memory.ramp !== null) state.ramping.add(pair);
  const how = memory.ramp === null ? '' : ` over ${seconds(memory.ramp.durationMs)}`;
  const why = pair.check === null ? 'it has no check' : 'its check passes';
  const to = fullWeight(pair);
  const text = `weight 0 -> ${to}${how}: ${why}; it had none for ${seconds(zeroMs)}`;
  say(draft, pair, text);
  const rampMs = memory.ramp?.durationMs ?? 0;
  happened(draft, { kind: 'weight-changed', ...tagsOf(pair), text, data: { from: 0, to, rampMs, why } });
  pairChanged(draft, pair);
  draft.touched.add(service);
}

/** How it comes back: over what was asked for, else gradually where it was away for long enough (B4). null: at once. */
export function rampOf({ state, now }: Pick<Draft, 'state' | 'now'>, { memory, service }: Pair): Ramp | null {
  const options = state.config?.options;
  const triggerMs = service.config.rampTriggerMs ?? options?.rampTriggerMs ?? 0;
  const long = memory.zeroSince !== null && now - memory.zeroSince >= triggerMs;
  const usual = long ? (service.config.rampMs ?? options?.rampMs ?? 0) : 0;
  const durationMs = memory.rampAskedMs ?? usual;
  return durationMs > 0 ? { durationMs, deadline: now + durationMs } : null;
}

function goes(draft: Draft, pair: Pair): void {
  const { memory } = pair;
  const { now } = draft;
  const from = weightNow(pair, now);
  const ramping = memory.ramp !== null && memory.ramp.deadline > now;
  // What was begun is not done: see statusOf.
  if (ramping && !isPassing(pair)) memory.awaitSince = now;
  Object.assign(memory, { zeroSince: now, ramp: null, kept: null });
  draft.state.ramping.delete(pair);
  const why = whyZero(pair, now);
  const text = `weight -> 0: ${why}`;
  say(draft, pair, text);
  const by = byWhom(pair);
  happened(draft, {
    ...{ kind: 'weight-changed', ...tagsOf(pair), ...(by !== undefined && { by }), text },
    data: { from, to: 0, rampMs: 0, why },
  });
  pairChanged(draft, pair);
}

/** Ends the ramps whose time is over, and tells the steps of the others. */
export function advanceRamps(draft: Draft, weightOf: (pair: Pair) => number): void {
  for (const pair of draft.state.ramping) {
    const { memory } = pair;
    const weight = weightOf(pair);
    if (memory.ramp !== null && memory.ramp.deadline > draft.now) {
      if (weight !== pair.shown)
        say(draft, pair, `weight ${pair.shown} -> ${weight}: it comes back`, 'debug');
      pair.shown = weight;
      continue;
    }
    draft.state.ramping.delete(pair);
    if (memory.ramp === null) continue;
    const text = `weight ${weight}: it has come back`;
    say(draft, pair, text);
    happened(draft, { kind: 'ramp-ended', ...tagsOf(pair), text, data: { weight } });
    memory.ramp = null;
    // Full at last; the table may not have it yet.
    pairChanged(draft, pair);
  }
}

function tagsOf({ host, service }: Pair): { host: string; service: string } {
  return { host: host.config.tag, service: service.config.tag };
}

/** Who has disabled it last. */
function byWhom({ host, memory }: Pair): string | undefined {
  const given = [...(host.off === null ? [] : [host.off]), ...memory.reasons.values()];
  return given.sort((a, b) => b.at - a.at)[0]?.by;
}

function say(draft: Draft, pair: Pair, text: string, level: 'info' | 'debug' = 'info'): void {
  const { host, service } = tagsOf(pair);
  log(draft, level, `${host} in ${service}: ${text}`, { host, service });
}

function sorryEdge(draft: Draft, service: Service, failing: boolean): void {
  const { state, now } = draft;
  const { tag, email } = service.config;
  const failedMs = service.sorryAt === null ? null : now - service.sorryAt;
  const sorry = sorryServer(state, service)?.tag ?? null;
  service.sorryAt = failing ? now : null;
  draft.save = true;
  draft.changed.services.add(service);
  if (failing) {
    const stand = sorry === null ? 'there is no sorry server: nobody answers' : `sorry server ${sorry} in`;
    const text = `${nameOf(state, service)}: no server has weight: ${stand}`;
    log(draft, 'warn', text, { service: tag });
    happened(draft, { kind: 'sorry-in', service: tag, text, data: { sorry: sorry ?? '' } });
  } else {
    const text = `${nameOf(state, service)}: servers have weight again after ${seconds(failedMs ?? 0)}: sorry server out`;
    log(draft, 'info', text, { service: tag });
    happened(draft, { kind: 'sorry-out', service: tag, text, data: { lastedMs: Math.round(failedMs ?? 0) } });
  }
  if (!email || state.config?.options.email == null) return;
  const subject = failing ? `VS '${tag}' FAIL` : `VS '${tag}' OK (after ${seconds(failedMs ?? 0)})`;
  const text = mailText(state, service, { sorry, failedMs: failing ? null : (failedMs ?? 0) }, now);
  draft.events.push({ kind: 'mail', service: tag, subject, text });
}

/** One that exists and is not its own: taken over where that was asked for, and told once where not (B6). */
function takeOver(draft: Draft, service: Service): void {
  const { state } = draft;
  const exists = service.key !== '' && state.table?.has(service.key) === true;
  if (!exists || state.owned.has(service.key)) {
    service.foreign = false;
    return;
  }
  if (state.recover || state.settings.adopt || service.config.adopt) adopt(draft, service);
  else if (!service.foreign) {
    service.foreign = true;
    const text = `${nameOf(state, service)} exists in the kernel and was not made by this balancer: it is not touched; ${adoptHint(service)}`;
    log(draft, 'warn', text, { service: service.config.tag });
    happened(draft, {
      kind: 'vs-foreign',
      service: service.config.tag,
      text,
      data: { virtual: service.key },
    });
  }
}

/**
 * Takes over a service that exists. Of a server with weight that weight is believed until its check has a result; one with weight 0
 * has been disabled, by all that is known, if its check passes (B11).
 */
export function adopt(draft: Draft, service: Service): void {
  const { state, now } = draft;
  const kernel = state.table?.get(service.key);
  if (kernel === undefined) return;
  state.owned.add(service.key);
  state.claims.delete(service.key);
  service.foreign = false;
  draft.save = true;
  draft.touched.add(service);
  const text = `${nameOf(state, service)} is taken over`;
  log(draft, 'info', text, { service: service.config.tag });
  happened(draft, { kind: 'vs-adopted', service: service.config.tag, text, data: { virtual: service.key } });
  for (const pair of service.pairs) {
    const weight = kernel.servers.get(pair.real)?.weight;
    if (weight === undefined || pair.real === '' || isDisabled(pair)) continue;
    const state = pair.check?.state ?? 'up';
    if (weight > 0) {
      // One that is known to be down loses it at once, one that is up has its full one.
      const kept = state === 'unknown' ? weight : null;
      Object.assign(pair.memory, { zeroSince: null, awaitSince: null, kept, ramp: null });
    } else if (state === 'unknown')
      Object.assign(pair.memory, { zeroSince: now, awaitSince: now, foundZero: true });
    else if (state === 'up' && fullWeight(pair) > 0) recovered(draft, pair);
    pairChanged(draft, pair);
  }
}

/** It had no weight when it was found, and nothing is wrong with it: somebody will have wanted it so. */
export function recovered(draft: Draft, pair: Pair): void {
  pair.memory.foundZero = false;
  pair.memory.reasons.set('recovered', { by: 'hastmon', at: draft.now });
  const text = 'disabled (recovered): it was found with weight 0, and passes its check; nobody knows why';
  say(draft, pair, text);
  happened(draft, {
    ...{ kind: 'server-disabled', ...tagsOf(pair), by: 'hastmon', text },
    data: { reasons: 'recovered', whole: false },
  });
  pairChanged(draft, pair);
}

/** A service that does not exist becomes its own before it is made: who dies in between finds it again. */
function claim(draft: Draft, service: Service): void {
  const { state } = draft;
  const { key } = service;
  if (state.table === null || key === '' || !service.warm || state.table.has(key) || state.owned.has(key))
    return;
  state.owned.add(key);
  state.claims.add(key);
  draft.save = true;
}

/** A result is needed at once where somebody waits for one that begins later than any there is, or the last one did not count. */
function noteAwaited({ state }: Draft, check: Check): void {
  const waits =
    check.doubted ||
    check.pairs.some(
      (pair) =>
        pair.memory.awaitSince !== null &&
        !isDisabled(pair) &&
        (check.resultAt === null || check.resultAt <= pair.memory.awaitSince),
    );
  if (waits) state.awaited.add(check.name);
  else state.awaited.delete(check.name);
}
