/**
 * What a node explains of itself against what its core then does, at every step: an explanation that is wrong here would be wrong in
 * `hastmonctl explain`. Throws a Violation where they differ.
 */
import { type Condition, type Explanation, together } from '../../daemon/core/conditions.js';
import { explain } from '../../daemon/core/explain.js';
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
    counted(after, input.now, is) ||
    asking(after, outputs, input.now, is) ||
    acquired(before, after, was) ||
    promoted(before, after, input, was) ||
    stopping(before, after, outputs, is)
  );
}

/** What is asked of the state itself, in other words than those of the core: conditions that hide behind others are found by these. */
function counted(after: NodeState, now: number, is: Explanation): string {
  const report = after.role === 'primary' ? after.worker?.report : undefined;
  const { settings } = after;
  const heard = (node: string): boolean => {
    const peer = after.peers[node];
    return node === settings.node || (peer?.message != null && now < peer.heardAt + settings.leaseMs);
  };
  const remembers = (node: string): boolean =>
    node === settings.node ? after.voter.history : after.peers[node]?.message?.memory.history === true;
  const keepsForOther = (node: string): boolean => {
    const own = node === settings.node;
    const grant = own ? after.voter.grant : heard(node) ? after.peers[node]?.message?.memory.grant : null;
    return grant?.mark.on === true && grant.holder.node !== settings.node;
  };
  const sets = after.voter.sets;
  const most = (count: number, set: readonly string[]): boolean => 2 * count > set.length;
  const majorities = sets.map((set) => most(set.filter(heard).length, set));
  const holds = report != null && report.leaseUntil > now;
  const truths: Record<string, readonly boolean[]> = {
    'running/role': [after.role === 'primary'],
    'running/lease': [holds || report?.forced === true || after.kept !== null],
    'running/started': [runState(after) === 'run'],
    'promotion/rested': [after.gaveUpAt === null || after.gaveUpAt + settings.complaintIntervalMs <= now],
    'promotion/majority': majorities,
    'promotion/history': sets.map((set) =>
      most(set.filter((node) => heard(node) && remembers(node)).length, set),
    ),
    'promotion/maintenance': sets.map((set) => most(set.filter((node) => !keepsForOther(node)).length, set)),
    'promotion/granted': sets.map((set) =>
      most(set.filter((node) => !Object.hasOwn(after.acquisition.refusals, node)).length, set),
    ),
    'staying/majority': majorities,
    // The worker steps down so much before its end.
    'staying/lease': [holds && report.leaseUntil - now > Math.min(100, settings.leaseMs / 10)],
    'staying/service': [after.serviceFailed === ''],
    'staying/attempts': [after.attempts < settings.attempts],
  };
  for (const [place, wanted] of Object.entries(truths)) {
    const said = is.conditions.filter(({ name, topic }) => `${topic}/${name}` === place);
    if (said.length > 0 && said.some(({ holds }, at) => holds !== wanted[at]))
      return `${place} is ${wanted.join()}, and is explained as ${said.map(({ holds }) => holds).join()}`;
  }
  const ends = after.terminating || after.leaving !== null || after.cleaning?.required === true;
  const lost = report != null && !holds && report.stopEnd !== Number.POSITIVE_INFINITY;
  return is.verdicts['stepping-down'] === true && !ends && !lost
    ? 'it steps down by what it explains alone'
    : '';
}

/** Who gets the lease heard a majority of voters, and was not refused by one. */
function acquired(before: NodeState, after: NodeState, was: Explanation): string {
  const gained = after.acquisition.phase === 'idle' && before.acquisition.phase === 'acquiring';
  if (!gained || !was.conditions.some(({ topic }) => topic === 'promotion')) return '';
  const epoch = after.worker?.report?.epoch ?? 0;
  if (epoch !== before.acquisition.epoch || after.worker?.report?.wantsLease === true) return '';
  const voters = was.conditions.filter(({ name, topic }) => topic === 'promotion' && name === 'granted');
  return together(voters) === false ? 'it got the lease from a majority that refuses it' : '';
}

/** Conditions that are for the voters to judge, when they are asked. */
const OF_VOTERS: ReadonlySet<string> = new Set(['majority', 'history', 'maintenance', 'free', 'granted']);

/** It asks for the lease just where every condition for that holds; those of the voters are for them to judge. */
function asking(after: NodeState, outputs: readonly NodeOutput[], now: number, is: Explanation): string {
  const conditions = is.conditions.filter(({ name, topic }) => topic === 'promotion' && !OF_VOTERS.has(name));
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
  // Answers of voters may come through where their heartbeats are lost.
  const reasons = was.conditions.filter(({ name, topic }) => topic === 'promotion' && !OF_VOTERS.has(name));
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
