/** The plan in force on disk, and which of its sections an action of hastmond's runs. */
import { isDeepStrictEqual } from 'node:util';
import { readStored, type Store } from '../state/store.js';
import { sectionsFor } from './states.js';
import { type ActionPlan, PLAN, type Section } from './types.js';

/**
 * Puts a plan in force: what is run from now on is run by it, and a list under way goes on with the one that it has read. Throws where the
 * disk does not take it; what was in force stays then.
 */
export function keepPlan(store: Store, plan: ActionPlan): void {
  const kept = store.read(PLAN);
  if (kept.kind === 'valid' && isDeepStrictEqual(kept.value, plan)) return;
  store.writeSync(PLAN, plan, 'process');
}

/** The plan in force in the state directory of a resource; a text says why there is none. */
export function readPlan(directory: string): ActionPlan | string {
  const kept = readStored(directory, PLAN);
  if (kept.kind === 'valid') return kept.value as ActionPlan;
  const why = kept.kind === 'corrupt' ? kept.reason : 'hastmond has put none in force';
  return `no actions in ${directory}: ${why}`;
}

/**
 * The sections that a hook's action runs, with what follows it as HookRequest.args has it: for `role` the resource and both roles, for
 * `change` the resource, the check, the node that saw it and both states.
 */
export function sectionsOf({ sections }: ActionPlan, action: string, args: readonly string[]): Section[] {
  switch (action) {
    case 'start':
      return sectionsFor(sections, 'secondary', 'primary', 'role');
    case 'stop':
      return sectionsFor(sections, 'primary', 'secondary', 'role');
    case 'role': {
      const [, from = '', to = ''] = args;
      // Those lists are run by start and stop, under the lease.
      return from === 'primary' || to === 'primary' ? [] : sectionsFor(sections, from, to, 'role');
    }
    case 'change': {
      const [, , , from = '', to = ''] = args;
      return sectionsFor(sections, from, to, 'check');
    }
    default:
      return sections.filter(({ on }) => on.kind === 'event' && on.event === action);
  }
}

/** The longest that the lists of a plan may take, one after the other, in milliseconds. */
export function listsMs({ sections }: ActionPlan): number {
  const commands = sections.flatMap((section) => section.commands);
  // Beyond its limit, a command is given a second to end, and the next one has to be started.
  return commands.reduce((sum, { timeoutMs }) => sum + timeoutMs + 2000, 2000);
}
