/** The words for states, and which sections belong to a change from one to another. Pure. */
import type { Section } from './types.js';

/** Roles of hastmon, which are also states that a check may report. */
const ROLES: ReadonlySet<string> = new Set(['init', 'primary', 'secondary', 'watchdog']);

const SAME: ReadonlyMap<string, string> = new Map([
  ['master', 'primary'],
  ['slave', 'secondary'],
]);

/** A state's word in a file, in a report, and as the first word of what a check prints. */
const STATE = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** What a check is in that has not said anything that can be understood. */
export const UNKNOWN = 'unknown';

/** The one way to write a state: small letters, master as primary, slave as secondary; null where it is none. */
export function normalState(word: string): string | null {
  const small = word.toLowerCase();
  // Sections could not say which of the two words `_to_` divides.
  return STATE.test(small) && !`_${small}_`.includes('_to_') ? (SAME.get(small) ?? small) : null;
}

/** The state that a check prints: its first word, without what may follow it (`OK: …`). */
export function stateIn(output: string): string {
  const [word = ''] = output.trimStart().split(/\s/, 1);
  return normalState(word.replace(/[:,;.!]+$/, '')) ?? UNKNOWN;
}

export function isRoleWord(state: string): boolean {
  return ROLES.has(state);
}

/**
 * The sections for a change, in their order in the file. Lists of changes of role belong to the lease (`role`); a check's word
 * runs none that names a role, and none at all between two roles, whatever it says.
 */
export function sectionsFor(
  sections: readonly Section[],
  from: string,
  to: string,
  by: 'role' | 'check',
): Section[] {
  if (by === 'check' && isRoleWord(from) && isRoleWord(to)) return [];
  return sections.filter(({ on }) => {
    if (on.kind !== 'change') return false;
    if (by === 'check' && (isRoleWord(on.from) || isRoleWord(on.to))) return false;
    return (on.from === '*' || on.from === from) && (on.to === '*' || on.to === to);
  });
}

/** True where some change can run a section for it: one of roles that start, stop or a role's hook stand for, or one of a check. */
export function canHappen(from: string, to: string): boolean {
  if (from === to && from !== '*') return false;
  if (from === '*' && to === '*') return true;
  const roles = [from, to].filter((word) => word !== '*').map(isRoleWord);
  if (roles.includes(true) && roles.includes(false)) return false;
  // A primary begins as a secondary and ends as one.
  return from === 'primary'
    ? to === '*' || to === 'secondary'
    : to !== 'primary' || from === '*' || from === 'secondary';
}

/**
 * What the states of its checks say of a resource: all of them primary (0, it runs), all secondary or stopped (1, it does not); null
 * where that cannot be said.
 */
export function statusOfStates(states: readonly string[]): 0 | 1 | null {
  if (states.length === 0) return null;
  if (states.every((state) => state === 'primary')) return 0;
  return states.every((state) => state === 'secondary' || state === 'stopped') ? 1 : null;
}
