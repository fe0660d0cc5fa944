/**
 * Why the resource runs here or does not, was promoted or was not, stays or will step down: every condition of it with its present
 * value, what it has to be, whose word that is and how old, and what would have to change. Pure. What decides (view.ts, node-lease.ts)
 * is asked here for the same facts, so that the answer cannot differ from what the core then does.
 */
import { explainPromotion } from './explain-promotion.js';
import { explainRunning, explainStaying, explainSteppingDown } from './explain-running.js';
import type { NodeState } from './node-types.js';
import type { DurationMs, Instant, NodeName } from './types.js';
import { waitingFor } from './waiting.js';

/** `running`: here, now. `promotion`: for the lease. `staying`: what has to go on. `stepping-down`: what ends it, each by itself. */
export type Topic = 'running' | 'promotion' | 'staying' | 'stepping-down';

export interface Condition {
  topic: Topic;
  /** A word that stays the same from version to version. */
  name: string;
  /** null: not known. */
  holds: boolean | null;
  /** Conditions of a topic with the same word here are alternatives: one of them is enough. '' for one that is needed by itself. */
  oneOf: string;
  /** What is asked, as a statement. */
  what: string;
  /** How it is. */
  value: string;
  /** How it has to be. */
  needed: string;
  /** How old that knowledge is; null where it is of now. */
  ageMs: DurationMs | null;
  /** Whose word it is: a node, `configuration`, `operator`. */
  source: NodeName;
  /** What would have to change, '' where nothing has to. */
  change: string;
}

export interface Explanation {
  /** The same sentence as in `status`. */
  sentence: string;
  /** Whether the conditions of each topic hold together; null where the topic does not apply to the node in its role. */
  verdicts: Record<Topic, boolean | null>;
  conditions: Condition[];
}

/** Explains the resource on this node at `now`. */
export function explain(state: NodeState, now: Instant): Explanation {
  const conditions = [
    ...explainRunning(state, now),
    ...explainPromotion(state, now),
    ...explainStaying(state, now),
    ...explainSteppingDown(state, now),
  ];
  const of = (topic: Topic): Condition[] => conditions.filter((condition) => condition.topic === topic);
  return {
    sentence: waitingFor(state, now),
    verdicts: {
      running: together(of('running')),
      promotion: together(of('promotion')),
      staying: together(of('staying')),
      'stepping-down': anyOf(of('stepping-down')),
    },
    conditions,
  };
}

/** All that stand by themselves, and one of each group of alternatives. */
export function together(conditions: readonly Condition[]): boolean | null {
  if (conditions.length === 0) return null;
  const groups = new Map<string, boolean>();
  for (const { holds, oneOf } of conditions)
    if (oneOf !== '') groups.set(oneOf, groups.get(oneOf) === true || holds === true);
  const alone = conditions.filter(({ oneOf }) => oneOf === '');
  return alone.every(({ holds }) => holds === true) && [...groups.values()].every((holds) => holds);
}

function anyOf(conditions: readonly Condition[]): boolean | null {
  return conditions.length === 0 ? null : conditions.some(({ holds }) => holds === true);
}
