/** Asking peers what they see of a check, and answering them (K1, K2, K5, K6). */
import { type Draft, freshMs, reachable, ruleOf, send, troubleOf } from './draft.js';
import { sendLedger } from './ledger.js';
import type { AnswerMessage, AskMessage, CheckRule, Instant, NodeName, Trouble, View } from './types.js';
import { isTroubled, viewOf } from './views.js';

/** An answer that has not come for so long after the peer's check must have ended is asked for again. */
const LATE_MS = 10_000;

/** Asks every peer that can be reached, and looks again itself, at a bounded rate (K1, K6). */
export function askPeers(draft: Draft, check: string, rule: CheckRule): void {
  const { state, now } = draft;
  const ledger = state.ledgers[check];
  const trouble = state.troubles[check];
  if (trouble === undefined || !isTroubled(trouble, ledger) || now < trouble.askAt) return;
  const mine = troubleOf(draft, check);
  mine.askAt = now + state.config.limits.askMs;
  lookAgain(draft, check, rule);
  for (const peer of reachable(state, rule)) {
    const open = mine.asks[peer];
    if (open !== undefined && now - open.againAt < rule.timeoutMs + LATE_MS) continue;
    // The same question again: where so much is asked that answers take longer than that, the first one still counts.
    const same = open !== undefined && open.at > mine.edgeAt;
    if (!same) state.lastAsk += 1;
    mine.asks[peer] = same ? { ...open, againAt: now } : { id: state.lastAsk, at: now, againAt: now };
    const { id } = mine.asks[peer];
    const { edge, told } = ledger ?? { edge: state.floor, told: state.floor };
    send(draft, peer, { kind: 'ask', check, id, edge, told });
  }
}

/** The own view must stay fresh too; the engine tells edges by itself, results only when asked. */
function lookAgain(draft: Draft, check: string, rule: CheckRule): void {
  const trouble = troubleOf(draft, check);
  const { now } = draft;
  const { own, checkAt } = trouble;
  if (own !== null && now - own.resultAt <= draft.state.config.limits.askMs / 2) return;
  if (checkAt !== null && now - checkAt < rule.timeoutMs + LATE_MS) return;
  trouble.checkAt = now;
  draft.outputs.push({ kind: 'check-now', check, freshMs: rule.intervalMs });
}

/** Something here has changed: peers are asked at once, though never in bursts (K6). */
export function askSoon(draft: Draft, check: string): void {
  const trouble = troubleOf(draft, check);
  const { askMs } = draft.state.config.limits;
  trouble.askAt = Math.min(trouble.askAt, Math.max(draft.now, trouble.askAt - askMs + askMs / 10));
}

/** A peer asks (K2): it is answered from a fresh result, or after a check of now. */
export function asked(draft: Draft, from: NodeName, message: AskMessage): void {
  const { state, now } = draft;
  const { check, id } = message;
  const rule = ruleOf(state, check);
  if (rule === undefined || !rule.nodes.includes(from)) {
    send(draft, from, { kind: 'answer', check, id, view: null });
    return;
  }
  const known = state.ledgers[check];
  if (known !== undefined && (known.edge !== message.edge || known.told !== message.told))
    sendLedger(draft, check, from);
  const trouble = troubleOf(draft, check);
  const { own } = trouble;
  if (own !== null && now - own.resultAt <= freshMs(rule)) {
    send(draft, from, { kind: 'answer', check, id, view: viewOf(own, now) });
    return;
  }
  trouble.owed[from] = { id, at: now };
  if (trouble.checkAt !== null && now - trouble.checkAt < rule.timeoutMs + LATE_MS) return;
  trouble.checkAt = now;
  draft.outputs.push({ kind: 'check-now', check, freshMs: freshMs(rule) });
}

/** A result has come: whoever waits for it is answered. */
export function answerOwed(draft: Draft, check: string): void {
  const before = draft.state.troubles[check];
  const rule = ruleOf(draft.state, check);
  if (before === undefined || rule === undefined || before.own === null) return;
  if (draft.now - before.own.resultAt > freshMs(rule)) return;
  for (const [peer, { id }] of Object.entries(before.owed)) {
    send(draft, peer, { kind: 'answer', check, id, view: viewOf(before.own, draft.now) });
    delete troubleOf(draft, check).owed[peer];
  }
}

/** What no result comes for is not owed for ever: the peer is told that nothing is known. */
export function giveUpOwed(draft: Draft, check: string, rule: CheckRule): void {
  const before = draft.state.troubles[check];
  if (before === undefined) return;
  for (const [peer, { id, at }] of Object.entries(before.owed)) {
    if (draft.now - at < owedMs(rule)) continue;
    send(draft, peer, { kind: 'answer', check, id, view: NOTHING });
    delete troubleOf(draft, check).owed[peer];
  }
}

function owedMs(rule: CheckRule): number {
  return rule.timeoutMs + LATE_MS / 2;
}

const NOTHING: View = {
  ...{ sight: 'unknown', forMs: 0, resultAgeMs: 0, failing: false, nature: 'none', address: '' },
  ...{ latencyMs: 0, goodAgoMs: null },
};

/** An answer counts for the ask it answers (K4); what it says is dated by when that was sent. */
export function answered(draft: Draft, from: NodeName, message: AnswerMessage): void {
  const before = draft.state.troubles[message.check];
  const ask = before?.asks[from];
  if (before === undefined || ask === undefined || ask.id !== message.id) return;
  const trouble = troubleOf(draft, message.check);
  delete trouble.asks[from];
  const sight = message.view?.sight;
  const downAt: Instant | null =
    sight === 'down' ? draft.now : sight === 'up' ? null : (before.heard[from]?.downAt ?? null);
  trouble.heard[from] = { askedAt: ask.at, heardAt: draft.now, view: message.view, downAt };
}

/** A connection is lost, and with it what was under way on it. */
export function peerLost(draft: Draft, check: string, peer: NodeName): void {
  const trouble = troubleOf(draft, check);
  delete trouble.asks[peer];
  delete trouble.owed[peer];
}

/** The own view, as the engine tells it. True where something changed that peers should be asked about. */
export function see(draft: Draft, check: string, view: View): boolean {
  const { now } = draft;
  const before = draft.state.troubles[check];
  if (before === undefined && view.sight !== 'down') return false;
  const trouble: Trouble = troubleOf(draft, check);
  const turned = before?.own?.sight !== view.sight;
  trouble.checkAt = null;
  trouble.own = {
    ...{
      sight: view.sight,
      since: now - view.forMs,
      resultAt: now - view.resultAgeMs,
      failing: view.failing,
    },
    ...{ nature: view.nature, address: view.address, latencyMs: view.latencyMs },
    goodAt: view.goodAgoMs === null ? (before?.own?.goodAt ?? null) : now - view.goodAgoMs,
  };
  return turned;
}
