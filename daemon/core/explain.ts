/**
 * Why the resource runs here or does not, was promoted or was not, stays or will step down: every condition of it with its present
 * value, what it has to be, whose word that is and how old, and what would have to change. Pure. What decides (view.ts, node-lease.ts)
 * is asked here for the same facts, so that the answer cannot differ from what the core then does.
 */
import { anyOf, type Condition, type Explanation, together } from './conditions.js';
import { explainPromotion } from './explain-promotion.js';
import { explainRunning, explainStaying, explainSteppingDown } from './explain-running.js';
import type { NodeState } from './node-types.js';
import type { Instant, RunState } from './types.js';
import { runState } from './view.js';
import { waitingFor } from './waiting.js';

/** `running`: here, now. `promotion`: for the lease. `staying`: what has to go on. `stepping-down`: what ends it, each by itself. */
export type Topic = 'running' | 'promotion' | 'staying' | 'stepping-down';

/** Explains the resource on this node at `now`. */
export function explain(state: NodeState, now: Instant): Explanation<Topic> {
  const conditions = [
    ...explainRunning(state, now),
    ...explainPromotion(state, now),
    ...explainStaying(state, now),
    ...explainSteppingDown(state, now),
  ];
  const of = (topic: Topic): Condition<Topic>[] =>
    conditions.filter((condition) => condition.topic === topic);
  return {
    subject: 'resource',
    name: state.settings.resource,
    node: state.settings.node,
    sentence: sentenceOf(state, now),
    verdicts: {
      running: together(of('running')),
      promotion: together(of('promotion')),
      staying: together(of('staying')),
      'stepping-down': anyOf(of('stepping-down')),
    },
    conditions,
  };
}

/** What it is here, and what `status` says that it waits for. */
function sentenceOf(state: NodeState, now: Instant): string {
  const waiting = waitingFor(state, now);
  const why = waiting.startsWith(NOTHING) ? waiting.slice(NOTHING.length) : `waiting for ${waiting}`;
  const run = runState(state);
  // What goes without saying in this role is not said.
  const usual: readonly RunState[] =
    state.role === 'primary' ? ['run', 'readytorun'] : ['stopped', 'unknown'];
  return `${state.role}${usual.includes(run) ? '' : `, ${run}`}; ${why}`;
}

const NOTHING = 'nothing: ';
