/**
 * What a node explains of itself against what its core then does, at every step: an explanation that is wrong here would be wrong in
 * `hastmonctl explain`. Throws a Violation where they differ.
 */
import { type Condition, type Explanation, explain, together } from '../../daemon/core/explain.js';
import type { NodeInput, NodeOutput, NodeState } from '../../daemon/core/node-types.js';
import { holding, runState } from '../../daemon/core/view.js';
import { Violation } from './trace.js';

export interface Step {
  before: NodeState;
  input: NodeInput;
  after: NodeState;
  outputs: readonly NodeOutput[];
}

/** Looks at one step of the core of `node`. */
export function checkExplained(node: string, step: Step): void {
  const { after, before, input } = step;
  // What the node would have said at the moment before, and says now.
  const was = explain(before, input.now);
  const is = explain(after, input.now);
  const wrong = disagreement(step, was, is);
  if (wrong !== '')
    throw new Violation('explained', `${node}: ${wrong}\n${shown(was)}\n-- ${input.kind} --\n${shown(is)}`);
}

function disagreement({ after, before, input, outputs }: Step, was: Explanation, is: Explanation): string {
  if (is.sentence === '' || is.conditions.some(({ value, what }) => value === '' || what === ''))
    return 'an explanation without words';
  const unsaid = is.conditions.find(
    ({ change, holds, topic }) => topic !== 'stepping-down' && holds !== true && change === '',
  );
  if (unsaid !== undefined) return `${unsaid.name} does not hold, and nothing is said to change that`;
  const runs = after.role === 'primary' && runState(after) === 'run';
  if (is.verdicts.running !== runs && !(runs && !holding(after, input.now)))
    return `it ${runs ? 'runs' : 'does not run'}, and is explained otherwise`;
  if (before.terminated || after.terminated) return '';
  return (
    asking(after, outputs, input.now, is) ||
    promoted(before, after, input, was) ||
    stopping(before, after, outputs, is)
  );
}

/** It asks for the lease just where every condition for that holds; those of the voters are for them to judge. */
function asking(after: NodeState, outputs: readonly NodeOutput[], now: number, is: Explanation): string {
  const conditions = is.conditions.filter(
    ({ name, topic }) => topic === 'promotion' && name !== 'majority' && name !== 'granted',
  );
  const may = together(conditions) === true;
  const { phase, retryAt } = after.acquisition;
  const asks =
    phase !== 'idle' || outputs.some((output) => output.kind === 'send' && output.message.kind === 'ask');
  if (asks && !may) return 'it asks for the lease against what it explains';
  if (may && !asks && now >= retryAt) return 'it could ask for the lease by what it explains, and does not';
  return '';
}

/** A secondary that becomes primary unasked said that it could be promoted. */
function promoted(before: NodeState, after: NodeState, input: NodeInput, was: Explanation): string {
  if (before.role !== 'secondary' || after.role !== 'primary' || input.kind === 'command') return '';
  const reasons = was.conditions.filter(({ name, topic }) => topic === 'promotion' && name !== 'granted');
  return together(reasons) === true ? '' : 'it was promoted against what it explained';
}

/** Where the resource is stopped or handed over, one of the conditions for stepping down says so. */
function stopping(
  before: NodeState,
  after: NodeState,
  outputs: readonly NodeOutput[],
  is: Explanation,
): string {
  const told = outputs.some(
    ({ kind, ...output }) => kind === 'worker-message' && 'message' in output && isStop(output),
  );
  const takesOver =
    outputs.some((output) => output.kind === 'clean' && output.mode === 'stop') && before.role === 'primary';
  if (!told && !(takesOver && after.role === 'primary')) return '';
  return is.verdicts['stepping-down'] === true ? '' : 'it steps down, and none of its reasons holds';
}

function isStop(output: object): boolean {
  const { message } = output as { message: { kind: string } };
  return message.kind === 'stop';
}

function shown({ conditions, sentence, verdicts }: Explanation): string {
  const line = ({ holds, name, topic, value }: Condition): string =>
    `  ${topic} ${name}: ${holds} (${value})`;
  return [`${sentence} ${JSON.stringify(verdicts)}`, ...conditions.map(line)].join('\n');
}
