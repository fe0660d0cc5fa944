/** What the nodes see of a check, and what follows from it: confirmed, over, or neither (K3 to K8). Pure, and reads only. */
import { freshMs } from './draft.js';
import type {
  CheckRule,
  ConfirmState,
  Instant,
  Ledger,
  NodeName,
  Own,
  Trouble,
  View,
  Witness,
} from './types.js';

/** How many nodes must have seen it: `confirm`, by default two, at most all that monitor it (K3). */
export function needed(rule: CheckRule): number {
  return Math.min(rule.confirm === 0 ? 2 : rule.confirm, rule.nodes.length);
}

export function viewOf(own: Own, now: Instant): View {
  return {
    sight: own.sight,
    forMs: now - own.since,
    resultAgeMs: now - own.resultAt,
    failing: own.failing,
    nature: own.nature,
    address: own.address,
    latencyMs: own.latencyMs,
    goodAgoMs: own.goodAt === null ? null : now - own.goodAt,
  };
}

/** A view that counts now: of whom, and the time during which it surely was so, as narrow as the messages leave it. */
export interface Span {
  node: NodeName;
  sight: Sight;
  from: Instant;
  to: Instant;
  view: View;
}

type Sight = View['sight'];

/** The views that count: fresh, of connected nodes, and given after the last edge was known here (K4). */
export function spansOf(state: ConfirmState, rule: CheckRule, trouble: Trouble, now: Instant): Span[] {
  const fresh = freshMs(rule);
  const spans: Span[] = [];
  const { own } = trouble;
  if (own !== null && now - own.resultAt <= fresh && own.sight !== 'unknown')
    spans.push({ node: state.self, sight: own.sight, from: own.since, to: now, view: viewOf(own, now) });
  for (const node of rule.nodes) {
    const heard = trouble.heard[node];
    if (node === state.self || !heard?.view || !state.connected.includes(node)) continue;
    const { askedAt, heardAt, view } = heard;
    if (now - heardAt > fresh || askedAt <= trouble.edgeAt || view.sight === 'unknown') continue;
    const passed = now - heardAt;
    spans.push({
      ...{ node, sight: view.sight, from: heardAt - view.forMs, to: askedAt },
      view: later(view, passed),
    });
  }
  return spans;
}

/** A view as it is told some time after. */
export function later(view: View, passedMs: number): View {
  return {
    ...view,
    forMs: view.forMs + passedMs,
    resultAgeMs: view.resultAgeMs + passedMs,
    goodAgoMs: view.goodAgoMs === null ? null : view.goodAgoMs + passedMs,
  };
}

/** Nodes that saw it down at one and the same moment: the most that can be found, and since when the first of them did (K3). */
export function downTogether(
  state: ConfirmState,
  rule: CheckRule,
  trouble: Trouble,
  now: Instant,
): { nodes: NodeName[]; since: Instant } {
  const down = spansOf(state, rule, trouble, now).filter(({ sight }) => sight === 'down');
  let best: Span[] = [];
  for (const { from } of down) {
    const together = down.filter((span) => span.from <= from && from <= span.to);
    if (together.length > best.length) best = together;
  }
  return { nodes: best.map(({ node }) => node), since: Math.min(now, ...best.map(({ from }) => from)) };
}

/**
 * Nodes whose last word is that it is down, none older than two rounds of asking: what a confirmed outage is worth now (K10). What was
 * seen before the edge counts here, since it is what the edge was made of.
 */
export function stillDown(state: ConfirmState, rule: CheckRule, trouble: Trouble, now: Instant): NodeName[] {
  const limit = currentMs(state, rule);
  return rule.nodes.filter((node) => {
    if (node === state.self) {
      const { own } = trouble;
      return own?.sight === 'down' && now - own.resultAt <= limit;
    }
    const heard = trouble.heard[node];
    return heard?.view?.sight === 'down' && now - heard.heardAt <= limit && state.connected.includes(node);
  });
}

/** What a peer said longer ago than this says nothing of how it is now. */
export function currentMs(state: ConfirmState, rule: CheckRule): number {
  return freshMs(rule) + 2 * state.config.limits.askMs;
}

/** True where the outage is over (K7): someone sees it up, and fewer than `confirm` nodes see it down or may still do. */
export function isOver(state: ConfirmState, rule: CheckRule, trouble: Trouble, now: Instant): boolean {
  const need = needed(rule);
  const spans = spansOf(state, rule, trouble, now);
  if (!spans.some(({ sight }) => sight === 'up')) return false;
  const down = rule.nodes.filter((node) => mayBeDown(state, trouble, spans, node, now)).length;
  if (down >= need) return false;
  const unheard = rule.nodes.length - spans.length;
  return spans.length >= need || down + unheard < need;
}

/** A "down" stands until its node says otherwise, or has been silent for the hold; so does what was never heard (K8). */
export function mayBeDown(
  state: ConfirmState,
  trouble: Trouble,
  spans: readonly Span[],
  node: NodeName,
  now: Instant,
): boolean {
  const span = spans.find((other) => other.node === node);
  if (span !== undefined) return span.sight === 'down';
  const { holdMs } = state.config.limits;
  const { own } = trouble;
  if (node === state.self && own?.sight === 'down') return now - own.resultAt < holdMs;
  const heard = trouble.heard[node];
  if (heard !== undefined && heard.view === null) return false;
  const begun = Math.max(trouble.startedAt, trouble.edgeAt);
  const last = heard?.downAt ?? (heard !== undefined && heard.askedAt > trouble.edgeAt ? null : begun);
  // Where one connection has come back others may follow: silence counts anew from then.
  return last !== null && now - Math.max(last, state.connectedAt) < holdMs;
}

/** What everybody saw, for people: this node, then those that answered, in the order of the file. */
export function witnessesOf(state: ConfirmState, rule: CheckRule, trouble: Trouble, now: Instant): Witness[] {
  const witnesses: Witness[] = [];
  for (const node of rule.nodes) {
    if (node === state.self && trouble.own !== null) witnesses.push({ node, view: viewOf(trouble.own, now) });
    const heard = node === state.self ? undefined : trouble.heard[node];
    if (heard?.view) witnesses.push({ node, view: later(heard.view, now - heard.heardAt) });
  }
  return witnesses;
}

/** True where this node is kept busy by a check: it asks its peers about it (K1, K6). */
export function isTroubled(trouble: Trouble, ledger: Ledger | undefined): boolean {
  return trouble.own?.sight === 'down' || (ledger?.edge ?? 0) % 2 === 1;
}
