/** Results of checks, and which checks are to be run. */
import type { CheckSpec } from '../../checks/spec.js';
import { recovered } from './settle.js';
import { type BalancerState, type Check, type Draft, log, pairChanged } from './state.js';
import type { CheckResult } from './types.js';
import { fullWeight, isDisabled } from './weights.js';

/** No checks are run where this node is not the director; what is under way there counts no more. */
export function takeResults(draft: Draft, results: readonly CheckResult[]): void {
  if (draft.state.active !== true) return;
  for (const result of results) {
    const check = draft.state.checks.get(result.name);
    if (check !== undefined && check.spec !== null) takeResult(draft, check, result);
  }
}

function takeResult(draft: Draft, check: Check, result: CheckResult): void {
  const { now } = draft;
  check.resultAt = Math.max(check.resultAt ?? result.begunAt, result.begunAt);
  if (result.pass) check.passAt = Math.max(check.passAt ?? result.begunAt, result.begunAt);
  const state = stateAfter(check, result);
  const known = check.state !== 'unknown';
  const edge = state !== check.state;
  // A pass that does not count says nothing of why it is down.
  const doubted = result.state === 'up' && state !== 'up';
  const told = edge || (!doubted && check.nature !== result.nature);
  const waited = doubted || check.doubted || check.pairs.some(({ memory }) => memory.awaitSince !== null);
  check.doubted = doubted;
  if (told) {
    draft.changed.checks.add(check);
    draft.save = true;
    check.nature = result.nature;
  }
  if (edge) {
    Object.assign(check, { state, since: now });
    log(draft, 'info', `check ${check.name} is ${state}: ${result.nature}`);
  }
  if (!edge && !waited) return;
  for (const pair of check.pairs) {
    draft.touched.add(pair.service);
    const { memory } = pair;
    if (known || state === 'unknown' || (memory.kept === null && !memory.foundZero)) continue;
    // The first result: what was found in the table counts no more.
    if (memory.foundZero && state === 'up' && !isDisabled(pair) && fullWeight(pair) > 0)
      recovered(draft, pair);
    Object.assign(memory, { kept: null, foundZero: false });
    pairChanged(draft, pair);
  }
}

/** It comes up only by a pass that began after it was seen down. */
function stateAfter(check: Check, { state, pass, begunAt }: CheckResult): Check['state'] {
  if (state === 'down') return 'down';
  if (check.state === 'up') return 'up';
  const fresh = pass && (check.state === 'unknown' || check.since === null || begunAt > check.since);
  return fresh ? 'up' : check.state;
}

/** The checks that are to be run now: one of each name. The same list as before where nothing has changed. */
export function checksOf(state: BalancerState): readonly CheckSpec[] {
  return state.active === true ? state.specs : NONE;
}

const NONE: readonly CheckSpec[] = [];

/** How a check stands by all that is known, for who begins to run it; null: not known. */
export function knownCheck(
  state: BalancerState,
  name: string,
): { state: 'up' | 'down'; since: number; passAt: number | null } | null {
  const check = state.checks.get(name);
  if (check === undefined || check.state === 'unknown' || check.since === null) return null;
  return { state: check.state, since: check.since, passAt: check.passAt };
}

/**
 * Names of checks of which a result is needed that begins now: somebody waits for a pass. A check is among them until there is such
 * a result, passed or not; then its interval serves.
 */
export function awaited(state: BalancerState): string[] {
  return state.active === true ? [...state.awaited] : [];
}
