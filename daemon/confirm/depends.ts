/** What holds an alert back: a mute, maintenance, and a check before it that is down itself (E9, E10). */
import { type Draft, freshMs, ledgerOf, log, ruleOf, troubleOf } from './draft.js';
import { isOutage, noteOf } from './ledger.js';
import type { ConfirmState, Instant } from './types.js';

/** Why nothing is told of this check now; '' where nothing holds it back. */
export function heldBecause(state: ConfirmState, check: string, now: Instant): string {
  const ledger = state.ledgers[check];
  if (ledger !== undefined && now < ledger.mute.until) return 'muted';
  const leftAlone = state.config.checks[check]?.leftAlone;
  if (leftAlone !== undefined) return `${leftAlone} is in maintenance`;
  const behind = state.config.checks[check]?.depends.find((name) => isDownHere(state, name));
  return behind === undefined ? '' : `behind ${behind}, which is down`;
}

/** Confirmed to be down, or seen down here. */
export function isDownHere(state: ConfirmState, check: string): boolean {
  return isOutage(state.ledgers[check]?.edge ?? 0) || state.troubles[check]?.own?.sight === 'down';
}

/**
 * True where every check that this one depends on has been looked at since the outage began to be known (E9): a router's own
 * check may come later than those of what lies behind it. One that fails but does not count as down yet is waited for; not for ever.
 */
export function dependenciesKnown(draft: Draft, check: string): boolean {
  const { state, now } = draft;
  const ledger = ledgerOf(draft, check);
  const since = noteOf(ledger, ledger.edge)?.at ?? now;
  let known = true;
  for (const name of state.config.checks[check]?.depends ?? []) {
    const rule = ruleOf(state, name);
    if (rule === undefined || now - since >= 3 * freshMs(rule)) continue;
    const trouble = troubleOf(draft, name);
    const { own } = trouble;
    if (own !== null && own.resultAt >= since && (!own.failing || own.sight === 'down')) continue;
    known = false;
    trouble.neededUntil = now + freshMs(rule);
    if (trouble.checkAt !== null && now - trouble.checkAt < freshMs(rule)) continue;
    // Once more after a failure that does not count yet, but no more often than it takes.
    trouble.checkAt = now;
    draft.outputs.push({ kind: 'check-now', check: name, freshMs: 0 });
  }
  return known;
}

/** Notes that an edge is held back (E9), once. */
export function holdBack(draft: Draft, check: string, why: string): void {
  const before = draft.state.ledgers[check];
  if (before === undefined || before.held >= before.edge || before.told >= before.edge) return;
  const ledger = ledgerOf(draft, check);
  ledger.held = ledger.edge;
  log(draft, 'info', check, `not told: ${why}`);
}
