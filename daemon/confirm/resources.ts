/** What the checks that a resource names mean for it (K10). Pure; the local view is the caller's, who has the engine's table. */
import { ruleOf } from './draft.js';
import { isOutage } from './ledger.js';
import type { ConfirmState, Instant, Sight } from './types.js';
import { needed, stillDown } from './views.js';
import { lengthOf, listOf } from './words.js';

/**
 * `check NAME...`: why the primary's service counts as failed, '' where it does not. An outage counts that is confirmed, and only while
 * as many nodes as that takes still see it down: one that nobody is left to end must not fail a service that is up.
 */
export function whyServiceFailed(state: ConfirmState, checks: readonly string[], now: Instant): string {
  const down = checks.filter((check) => isDownNow(state, check, now));
  const first = down[0];
  if (first === undefined) return '';
  const since = state.ledgers[first]?.since ?? now;
  return `${listOf(down)} ${down.length === 1 ? 'is' : 'are'} confirmed down for ${lengthOf(now - since)}`;
}

function isDownNow(state: ConfirmState, check: string, now: Instant): boolean {
  const rule = ruleOf(state, check);
  const trouble = state.troubles[check];
  if (rule === undefined || trouble === undefined || !isOutage(state.ledgers[check]?.edge ?? 0)) return false;
  return stillDown(state, rule, trouble, now).length >= needed(rule);
}

/** `require NAME...`: why this node must not be promoted, '' where it may. What this node itself sees counts, and nothing else. */
export function whyNotPromoted(checks: readonly string[], sightHere: (check: string) => Sight): string {
  const missing = checks.filter((check) => sightHere(check) !== 'up');
  return missing.map((check) => `${check} is ${sightHere(check)} as seen from here`).join('; ');
}
