/** Who tells people of an edge, once in the whole cluster: order, claims, takeover (E3 to E6). */
import { dependenciesKnown, heldBecause, holdBack } from './depends.js';
import { type Draft, ledgerOf, log, reachable, ruleOf, send, troubleOf } from './draft.js';
import { changed, edgeId, isOutage, messageId, noteOf, sendLedger } from './ledger.js';
import type { CheckRule, ClaimMessage, ConfirmState, Facts, Instant, Ledger, NodeName } from './types.js';
import { later } from './views.js';
import { edgeSentence } from './words.js';

/** The next edge to settle, and whether people are to be told of it or it passes in silence (E5, E8, E9). */
export function nextToSettle(ledger: Ledger): { edge: number; say: boolean } | null {
  const { edge, told, said, flap } = ledger;
  if (told < edge) {
    const next = told + 1;
    const kind = noteOf(ledger, next)?.kind;
    // A calm edge stands two behind the one before it.
    if (kind === undefined && noteOf(ledger, next + 1)?.kind === 'calm') return { edge: next, say: false };
    if (kind === 'flapping' || next === flap) return { edge: next, say: true };
    if (kind === 'calm') return { edge: next, say: true };
    if (flap !== 0 && next > flap) return { edge: next, say: false };
    if (!isOutage(next)) return { edge: next, say: isOutage(said) };
    return { edge: next, say: !(next <= ledger.held && edge > next) };
  }
  // All is settled, but by sides that could not talk: what people believe is not what is.
  if (flap === 0 && said > 0 && isOutage(said) !== isOutage(edge) && said < edge) return { edge, say: true };
  return null;
}

/** Settles what can be settled, or takes the next step towards it. */
export function tell(draft: Draft, check: string, rule: CheckRule): void {
  settleSilently(draft, check);
  const { state, now } = draft;
  const ledger = state.ledgers[check];
  if (ledger === undefined) return;
  const next = nextToSettle(ledger);
  expire(draft, check, next?.edge ?? null);
  if (next === null || ledger.stored < ledger.edge) return;
  const turn = state.troubles[check]?.turn ?? null;
  if (turn !== null) {
    goOn(draft, check, rule);
    return;
  }
  const why = heldBecause(state, check, now);
  if (why !== '') {
    holdBack(draft, check, why);
    return;
  }
  const trouble = troubleOf(draft, check);
  if (now < turnAt(state, check, rule, next.edge) || trouble.granted !== null) return;
  if (isOutage(next.edge) && !dependenciesKnown(draft, check)) return;
  claim(draft, check, rule, next.edge);
}

/** Edges that nobody is to hear of are settled at once: every node comes to the same (E5). */
function settleSilently(draft: Draft, check: string): void {
  const ledger = draft.state.ledgers[check];
  const trouble = draft.state.troubles[check];
  if (ledger === undefined || trouble?.turn?.phase === 'sending' || trouble?.granted) return;
  const settled = silentUpTo(ledger);
  if (settled === ledger.told) return;
  const mine = ledgerOf(draft, check);
  mine.told = settled;
  changed(draft, check, null);
}

/** A peer may have counted far ahead: so many edges are settled in one step, the rest in the next ones. */
const SETTLED_MAX = 100;

/** Up to which edge all can be settled in silence now. */
function silentUpTo(ledger: Ledger): number {
  let { told } = ledger;
  for (let count = 0; count < SETTLED_MAX; count += 1) {
    const next = nextToSettle({ ...ledger, told });
    if (next === null || next.say || next.edge <= told) break;
    told = next.edge;
  }
  return told;
}

/** From when this node may claim: those who saw the edge come first, in the order of the file (E3). */
function turnAt(state: ConfirmState, check: string, rule: CheckRule, edge: number): Instant {
  const trouble = state.troubles[check];
  const ledger = state.ledgers[check];
  if (trouble === undefined || ledger === undefined) return Number.POSITIVE_INFINITY;
  const here = [...reachable(state, rule), state.self].sort(
    (a, b) => rule.nodes.indexOf(a) - rule.nodes.indexOf(b),
  );
  const witnesses = here.filter((node) => isWitness(ledger, edge, node));
  const order = [...witnesses, ...here.filter((node) => !witnesses.includes(node))];
  return trouble.turnFrom + order.indexOf(state.self) * state.config.limits.turnMs;
}

function isWitness(ledger: Ledger, edge: number, node: NodeName): boolean {
  const sight = isOutage(edge) ? 'down' : 'up';
  const note = noteOf(ledger, edge);
  return note?.witnesses.some((witness) => witness.node === node && witness.view.sight === sight) ?? false;
}

/** Asks all who can be reached for leave to tell people of an edge (E4). */
function claim(draft: Draft, check: string, rule: CheckRule, edge: number): void {
  const { state, now } = draft;
  const trouble = troubleOf(draft, check);
  const asked = reachable(state, rule);
  const { claimMs } = state.config.limits;
  trouble.turn = { edge, phase: 'claiming', asked, renewAt: now + claimMs / 3, deadline: now + claimMs };
  for (const peer of asked) sendClaim(draft, check, peer);
  if (asked.length === 0) startSending(draft, check, rule);
}

/** A claim, or its renewal; also to a peer that connects while it stands. */
export function sendClaim(draft: Draft, check: string, peer: NodeName): void {
  const { state } = draft;
  const turn = state.troubles[check]?.turn;
  const ledger = state.ledgers[check];
  if (!turn || ledger === undefined) return;
  const witness = isWitness(ledger, turn.edge, state.self);
  send(draft, peer, { kind: 'claim', check, edge: turn.edge, witness });
}

/** A turn that is under way: sends when all have granted, renews its claim, gives up when the shell is silent. */
function goOn(draft: Draft, check: string, rule: CheckRule): void {
  const { state, now } = draft;
  const trouble = troubleOf(draft, check);
  const { turn } = trouble;
  if (turn === null) return;
  const open = turn.asked.filter((peer) => state.connected.includes(peer));
  trouble.turn = { ...turn, asked: open };
  if (turn.phase === 'claiming' && (open.length === 0 || now >= turn.deadline)) {
    startSending(draft, check, rule);
  } else if (turn.phase === 'sending' && now >= turn.deadline) {
    couldNotSend(draft, check, turn.edge, 'no word from the alert in time');
  } else if (now >= turn.renewAt) {
    trouble.turn = { ...turn, asked: open, renewAt: now + state.config.limits.claimMs / 3 };
    for (const peer of reachable(state, rule)) sendClaim(draft, check, peer);
  }
}

function startSending(draft: Draft, check: string, rule: CheckRule): void {
  const { state, now } = draft;
  const trouble = troubleOf(draft, check);
  const { turn } = trouble;
  if (turn === null) return;
  const { claimMs, sendMs } = state.config.limits;
  trouble.turn = {
    ...{ edge: turn.edge, phase: 'sending', asked: [] },
    ...{ renewAt: now + claimMs / 3, deadline: now + sendMs },
  };
  draft.outputs.push({
    ...{ kind: 'notify', check, edge: turn.edge, id: edgeId(check, turn.edge) },
    messageId: messageId(check, turn.edge, state.config.domain),
    facts: factsOf(ledgerOf(draft, check), rule, turn.edge, now),
  });
}

function factsOf(ledger: Ledger, rule: CheckRule, edge: number, now: Instant): Facts {
  const note = noteOf(ledger, edge);
  const at = note?.at ?? now;
  const since = note?.since ?? ledger.since;
  const witnesses = (note?.witnesses ?? []).map(({ node, view }) => ({ node, view: later(view, now - at) }));
  const kind = note?.kind ?? (isOutage(edge) ? 'down' : 'up');
  const what = edge === ledger.flap ? 'flapping' : kind;
  const silent = rule.nodes.filter((node) => !witnesses.some((witness) => witness.node === node));
  const lastedMs = isOutage(edge) ? null : Math.max(0, at - since);
  const ackBy = ledger.ack >= edge - 1 ? ledger.ackBy : '';
  const sentence = edgeSentence(what, note?.witnesses ?? [], silent, lastedMs);
  return { what, sinceMs: now - since, agoMs: now - at, lastedMs, witnesses, silent, ackBy, sentence };
}

/** A turn for what another node has settled is over, and a grant that has lapsed is none. */
function expire(draft: Draft, check: string, next: number | null): void {
  const before = draft.state.troubles[check];
  if (before === undefined) return;
  if (before.turn !== null && before.turn.edge !== next) {
    if (before.turn.phase === 'sending')
      draft.outputs.push({ kind: 'cancel', check, edge: before.turn.edge });
    giveUp(draft, check);
  }
  const { granted } = before;
  if (granted === null) return;
  const { now, state } = draft;
  const settled = next === null || granted.edge < next;
  if (!settled && now < granted.until && state.connected.includes(granted.to)) return;
  const trouble = troubleOf(draft, check);
  trouble.granted = null;
  trouble.turnFrom = now;
}

function giveUp(draft: Draft, check: string): void {
  const trouble = troubleOf(draft, check);
  const rule = ruleOf(draft.state, check);
  const { turn } = trouble;
  if (turn === null) return;
  trouble.turn = null;
  trouble.turnFrom = draft.now;
  for (const peer of rule === undefined ? [] : reachable(draft.state, rule))
    send(draft, peer, { kind: 'release', check, edge: turn.edge });
}

/** The alert could not be sent from here: the others come first now (E6). */
export function couldNotSend(draft: Draft, check: string, edge: number, why: string): void {
  const turn = draft.state.troubles[check]?.turn;
  const rule = ruleOf(draft.state, check);
  if (turn?.phase !== 'sending' || turn.edge !== edge || rule === undefined) return;
  const trouble = troubleOf(draft, check);
  const sentence = `could not tell people of ${edgeId(check, edge)}: ${why}`;
  // It is tried again and again, perhaps for hours: said once.
  if (sentence !== trouble.sentence) log(draft, 'warn', check, sentence);
  trouble.sentence = sentence;
  draft.outputs.push({ kind: 'cancel', check, edge });
  giveUp(draft, check);
  trouble.turnFrom = draft.now + (rule.nodes.length + 1) * draft.state.config.limits.turnMs;
}

/** It was sent: to disk, and to all (E5). What was sent counts even where the turn is over by now. */
export function wasSent(draft: Draft, check: string, edge: number): void {
  const { state } = draft;
  if (ruleOf(state, check) === undefined) return;
  const ledger = ledgerOf(draft, check);
  if (edge > ledger.edge) return;
  if (edge > ledger.said) ledger.saidBy = state.self;
  ledger.said = Math.max(ledger.said, edge);
  ledger.told = Math.max(ledger.told, edge);
  const trouble = troubleOf(draft, check);
  if (trouble.turn !== null && trouble.turn.edge <= edge) trouble.turn = null;
  trouble.turnFrom = draft.now;
  changed(draft, check, null);
}

/** Another node wants to tell people (E4). */
export function claimed(draft: Draft, from: NodeName, message: ClaimMessage): void {
  const { state, now } = draft;
  const { check, edge } = message;
  const rule = ruleOf(state, check);
  if (rule === undefined || !rule.nodes.includes(from)) {
    send(draft, from, { kind: 'grant', check, edge });
    return;
  }
  const by = whyNot(draft, from, message, rule);
  if (by !== '') {
    if (by === 'settled') sendLedger(draft, check, from);
    send(draft, from, { kind: 'refuse', check, edge, by });
    return;
  }
  const trouble = troubleOf(draft, check);
  if (trouble.turn !== null) giveUp(draft, check);
  trouble.granted = { to: from, edge, until: now + state.config.limits.claimMs };
  send(draft, from, { kind: 'grant', check, edge });
}

/** What stands against a claim; '' where nothing does. */
function whyNot(draft: Draft, from: NodeName, message: ClaimMessage, rule: CheckRule): string {
  const { state, now } = draft;
  const { check, edge, witness } = message;
  const ledger = ledgerOf(draft, check);
  const trouble = troubleOf(draft, check);
  const next = nextToSettle(ledger);
  if (edge <= ledger.told && next?.edge !== edge) return 'settled';
  const { turn, granted } = trouble;
  if (turn?.phase === 'sending') return state.self;
  if (turn !== null && rule.nodes.indexOf(state.self) < rule.nodes.indexOf(from)) return state.self;
  if (granted !== null && granted.to !== from && now < granted.until && state.connected.includes(granted.to))
    return granted.to;
  const held = heldBecause(state, check, now);
  if (!witness && held !== '' && isOutage(edge) && trouble.own?.sight === 'down') return held;
  return '';
}

export function wasGranted(draft: Draft, check: string, from: NodeName, edge: number): void {
  const turn = draft.state.troubles[check]?.turn;
  if (turn?.phase !== 'claiming' || turn.edge !== edge) return;
  troubleOf(draft, check).turn = { ...turn, asked: turn.asked.filter((peer) => peer !== from) };
}

/** Refused: what was granted is given back, and the next attempt comes by the order of the file, so that one of two wins (E4). */
export function wasRefused(draft: Draft, check: string, edge: number): void {
  const { state, now } = draft;
  const turn = state.troubles[check]?.turn;
  const rule = ruleOf(state, check);
  if (turn?.phase !== 'claiming' || turn.edge !== edge || rule === undefined) return;
  giveUp(draft, check);
  troubleOf(draft, check).turnFrom = now + (rule.nodes.indexOf(state.self) + 1) * state.config.limits.turnMs;
}

export function wasReleased(draft: Draft, check: string, from: NodeName, edge: number): void {
  const granted = draft.state.troubles[check]?.granted;
  if (!granted || granted.to !== from || granted.edge > edge) return;
  const trouble = troubleOf(draft, check);
  trouble.granted = null;
  trouble.turnFrom = draft.now;
}
