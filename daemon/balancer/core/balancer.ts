/**
 * The balancer's core: it is told what happens, and says what the kernel's table is to be. It knows no clock and no I/O; its state is
 * changed in place. The order of a life: createBalancer, restore, then inputs as they come; after every step planChanges says what
 * the kernel lacks, and balancerWakeAt when a tick is due.
 */
import { takeResults } from './checks.js';
import { takeCommand } from './commands.js';
import { configure, forgetStrangers } from './configure.js';
import { disown, retryRefused, takeApplied, takeRefused, takeTable } from './kernel.js';
import { advanceRamps, settle } from './settle.js';
import { shareChanged, takeShare } from './share.js';
import { type BalancerState, type Draft, openDraft, renewMemory } from './state.js';
import type { BalancerEvent, BalancerInput } from './types.js';
import { weightNow } from './weights.js';

export { awaited, checksOf, knownCheck } from './checks.js';
export { explainServers } from './explain.js';
export { planChanges } from './kernel.js';
export { shareAll } from './share.js';
export { type BalancerState, createBalancer } from './state.js';
export { restore, saved } from './store.js';
export { checkerViews, pairViews, serviceViews } from './views.js';
export { wantedService, wantedTable } from './wanted.js';

/** Takes one input, changes the state, and says what follows. Inputs come in the order of their times. */
export function stepBalancer(state: BalancerState, input: BalancerInput): BalancerEvent[] {
  const draft = openDraft(state, input.now);
  take(draft, input);
  settle(draft);
  // All services of the file have been looked at with the table.
  if (state.table !== null && state.config !== null) state.recover = false;
  if (draft.save) draft.events.push({ kind: 'save' });
  const entries = state.active === true ? shareChanged(draft) : [];
  if (entries.length > 0) draft.events.push({ kind: 'share', entries });
  return draft.events;
}

function take(draft: Draft, input: BalancerInput): void {
  switch (input.kind) {
    case 'tick':
      if (draft.state.active === true) advanceRamps(draft, (pair) => weightNow(pair, draft.now));
      return retryRefused(draft);
    case 'settings': {
      const { adopt, foreign } = input;
      draft.state.settings = { adopt, foreign };
      if (foreign === 'restore') draft.state.left.clear();
      return touchAll(draft);
    }
    case 'config':
      return configure(draft, input.config, input.addresses);
    case 'results':
      return takeResults(draft, input.results);
    case 'table':
      return takeTable(draft, input.table);
    case 'applied':
      return takeApplied(draft, input.changes);
    case 'refused':
      return takeRefused(draft, input.services, input.why);
    case 'command':
      return takeCommand(draft, input.command);
    case 'active':
      return setActive(draft, input.active);
    case 'share':
      return takeShare(draft, input.entries, input.full);
    default:
      input satisfies never;
  }
}

function touchAll({ state, touched }: Draft): void {
  for (const key of state.owned) state.dirty.add(key);
  for (const service of state.services.values()) touched.add(service);
}

function setActive(draft: Draft, active: boolean): void {
  const { state } = draft;
  const { active: before } = state;
  if (active === before) return;
  state.active = active;
  // Something else is wanted of all of them.
  state.refused.clear();
  touchAll(draft);
  if (active && before === false && state.config !== null) begin(draft);
  disown(draft, [...state.owned]);
}

/** Another director was before; from here on this node's file counts, and its own results. */
function begin({ state, now }: Draft): void {
  forgetStrangers(state, now);
  for (const { pairs } of state.services.values())
    for (const pair of pairs) {
      if (pair.memory.real !== pair.real) pair.memory = renewMemory(pair.memory, pair.real, now);
      // Clocks of two nodes are not alike: who waits, waits for a pass that begins here.
      if (pair.memory.awaitSince !== null) pair.memory.awaitSince = now;
      if (pair.memory.ramp === null) state.ramping.delete(pair);
    }
}

/** When a tick is due at the latest: the next second of a ramp, or the end of a refusal. Infinity: none. */
export function balancerWakeAt(state: BalancerState, now: number): number {
  let at = Number.POSITIVE_INFINITY;
  if (state.active === true)
    for (const { memory } of state.ramping) {
      const left = Math.ceil(((memory.ramp?.deadline ?? now) - now) / 1000);
      at = Math.min(at, left <= 0 ? now : (memory.ramp?.deadline ?? now) - (left - 1) * 1000);
    }
  for (const { until } of state.refused.values()) if (until > now) at = Math.min(at, until);
  return at;
}
