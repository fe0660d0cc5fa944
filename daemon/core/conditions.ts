/**
 * What every explanation is made of, of a resource, a check or a server: conditions with their present value, what it has to be, whose
 * word that is and how old, and what would have to change. Pure.
 */
import type { DurationMs, NodeName } from './types.js';

/** One thing that has to be so. `T`: the topics of its subject. */
export interface Condition<T extends string = string> {
  topic: T;
  /** A word that stays the same from version to version. */
  name: string;
  /** null: not known. */
  holds: boolean | null;
  /** Conditions of a topic with the same word here are alternatives. '' for one that is needed by itself. */
  oneOf: string;
  /** So many of the alternatives are enough; 1 for one that is needed by itself. */
  enough: number;
  /** What is asked, as a statement. */
  what: string;
  /** How it is. */
  value: string;
  /** How it has to be. */
  needed: string;
  /** How old that knowledge is; null where it is of now. */
  ageMs: DurationMs | null;
  /** Whose word it is: a node, `configuration`, `operator` or who that was, `kernel`. */
  source: NodeName;
  /** What would have to change, '' where nothing has to. */
  change: string;
}

export interface Explanation<T extends string = string> {
  subject: 'resource' | 'check' | 'server' | 'switchover';
  /** Of a server: `HOST/SERVICE`. */
  name: string;
  /** Where this is known. */
  node: NodeName;
  /** The state and its reason, without a full stop; never empty. */
  sentence: string;
  /** How it stands with each topic; null where that does not apply now. */
  verdicts: Record<T, boolean | null>;
  /** In the order of the topics. */
  conditions: Condition<T>[];
}

/** All that stand by themselves, and enough of each group of alternatives; null where there are none. */
export function together(
  conditions: readonly Pick<Condition, 'holds' | 'oneOf' | 'enough'>[],
): boolean | null {
  if (conditions.length === 0) return null;
  const short = new Map<string, number>();
  for (const { enough, holds, oneOf } of conditions)
    if (oneOf !== '') short.set(oneOf, (short.get(oneOf) ?? enough) - (holds === true ? 1 : 0));
  const alone = conditions.filter(({ oneOf }) => oneOf === '');
  return alone.every(({ holds }) => holds === true) && [...short.values()].every((count) => count <= 0);
}

/** Any of them by itself; null where there are none. */
export function anyOf(conditions: readonly Pick<Condition, 'holds'>[]): boolean | null {
  return conditions.length === 0 ? null : conditions.some(({ holds }) => holds === true);
}
