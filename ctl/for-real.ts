/**
 * `hastmonctl drill NAME --for-real`: the resource is handed over to another node, stays there for a while, and comes back. It begins
 * only where nothing speaks against it, and says at every end where the resource is. It asks and tells by what it is given, and knows no process,
 * no socket and no clock.
 */
import type { NodeName } from '../daemon/core/types.js';
import type { DrillFacts, DrillNode } from '../proto/drill-types.js';
import type { RealTask } from './drill-arguments.js';
import type { Known } from './drill-facts.js';
import { duration } from './words.js';

export interface RealEffects {
  /** The present state. Rejects where there is no answer. */
  look(): Promise<DrillFacts>;
  /** Resolves when hastmond has done its part of it, with why not; '' where it did. */
  switchover(to: NodeName): Promise<string>;
  /** Sets this node's role to primary; '' or why not. */
  setPrimary(): Promise<string>;
  /** Runs the command that switches back on that node; '' or why it failed. */
  runBack(on: NodeName): Promise<string>;
  /** A step that was taken. */
  say(line: string): void;
  /** How far it is. */
  progress(line: string): void;
  /** Resolves after one look's time, earlier where the operator interrupts. */
  pause(): Promise<void>;
  /** How often the operator has interrupted. */
  interrupts(): number;
}

/** One way. Times are CLOCK_BOOTTIME of this node, in milliseconds; null: not come to. */
export interface Leg {
  from: NodeName;
  to: NodeName;
  askedAt: number;
  /** The service was told to stop, as this node knows or has heard. */
  stopsAt: number | null;
  /** The other node has the lease. */
  heldAt: number | null;
  /** It runs there. */
  runsAt: number | null;
}

export interface RealResult {
  there: Leg | null;
  back: Leg | null;
  /** '' where it went there and came back; else what went wrong. */
  problem: string;
  /** What it is at the end, and what to do; never empty. */
  end: string;
  /** The operator wanted it to end. */
  interrupted: boolean;
}

/** Why nothing should be begun, one sentence each; none where it may be. */
export function objections(task: RealTask, known: Known, outages: readonly string[]): string[] {
  const { asked, others, missing } = known;
  const words = [asked, ...others];
  const maintenance = words.find((word) => word.maintenance !== null)?.maintenance ?? null;
  return [
    ...notRunning(asked),
    ...words.flatMap(notConnected),
    ...missing
      .filter(({ node }) => asked.nodes.some((each) => each.node === node && each.fresh && each.linked))
      .map(({ node, why }) => `${node} does not answer: ${why}`),
    ...asked.nodes.filter(({ history }) => !history).map(({ node }) => `the voter of ${node} has no history`),
    ...words
      .filter((word) => word.votersChanging)
      .map(({ node }) => `the voters are being changed, as ${node} knows`),
    ...(maintenance === null ? [] : [`it is in maintenance on ${maintenance.node}`]),
    ...(asked.serviceFailed === '' ? [] : [`its service counts as failed: ${asked.serviceFailed}`]),
    ...(asked.unfit === '' ? [] : [`it could not come back to ${asked.node}: ${asked.unfit}`]),
    ...outages.map((name) => `the outage of ${name} is confirmed, and not over`),
    ...noSuccessor(task, asked),
  ];
}

function notRunning({ node: self, nodes }: DrillFacts): string[] {
  const own = nodes.find(({ node }) => node === self);
  const holder = nodes.find(({ holds }) => holds);
  if (nodes.some(({ forced }) => forced)) return ['it runs by force, outside the rules'];
  if (own?.holds !== true)
    return [holder === undefined ? 'nobody holds it' : `it is held by ${holder.node}: run the drill there`];
  return own.run === 'run' ? [] : [`it does not run here: it is ${own.run}`];
}

/** As this node sees the others. */
function notConnected({ node: self, nodes }: DrillFacts): string[] {
  return nodes.flatMap(({ fresh, heardMs, linked, node }) => {
    if (node === self || (fresh && linked)) return [];
    if (fresh) return [`${node} is not connected with ${self}`];
    return [
      heardMs === null
        ? `${self} has not heard ${node}`
        : `${self} heard ${node} last ${duration(heardMs)} ago`,
    ];
  });
}

function noSuccessor(task: RealTask, facts: DrillFacts): string[] {
  const others = facts.nodes.map(({ node }) => node).filter((node) => node !== facts.node);
  if (task.to !== '' && !others.includes(task.to))
    return [`${task.to} is not another node of it: ${others.join(', ')} are`];
  const successor = successorOf(task, facts);
  if (successor === null)
    return [
      task.to === '' ? 'no other node is able to take it over' : `${task.to} is not able to take it over`,
    ];
  return comesBack(task, facts, successor) ? [] : [noWayBack(facts, successor)];
}

/** Who takes it over; null where nobody can. */
export function successorOf({ to }: RealTask, { node: self, nodes }: DrillFacts): DrillNode | null {
  const able = nodes.filter(({ able, fresh, linked, node }) => node !== self && able && fresh && linked);
  if (to !== '') return able.find(({ node }) => node === to) ?? null;
  return [...able].sort((a, b) => a.priority - b.priority)[0] ?? null;
}

/** Nothing that moves a resource is taken over the network: it comes back by its priority, or by a command on the other node. */
function comesBack({ back }: RealTask, facts: DrillFacts, successor: DrillNode): boolean {
  return back.length > 0 || facts.settings.priority < successor.priority;
}

function noWayBack({ node: self, resource, settings }: DrillFacts, { node, priority }: DrillNode): string {
  return (
    `it would not come back by itself: ${self} has priority ${settings.priority}, ${node} ${priority}; name a command that switches ` +
    `back on ${node}, as in: -- ssh {} hastmonctl switchover ${resource} --to ${self}`
  );
}

/** Carries it out; nothing that goes wrong is thrown. `facts`: as of the objections, of which there were none. */
export async function forReal(task: RealTask, facts: DrillFacts, effects: RealEffects): Promise<RealResult> {
  const { node: self, nodes } = facts;
  const successor = successorOf(task, facts)?.node ?? '';
  const roleSet = nodes.find(({ node }) => node === self)?.roleSet;
  const legs: { there: Leg | null; back: Leg | null } = { there: null, back: null };
  let problem = '';
  try {
    if (effects.interrupts() > 0) throw new Stop('interrupted before anything was done');
    legs.there = newLeg(self, successor, await effects.look());
    effects.say(`${task.resource}: handing it over to ${successor}`);
    await move(legs.there, facts, effects, effects.switchover(successor));
    effects.say(`${task.resource}: runs on ${successor}${took(legs.there)}`);
    await hold(task, successor, effects);
    legs.back = newLeg(successor, self, await effects.look());
    effects.say(`${task.resource}: coming back to ${self}`);
    const how = task.back.length > 0 ? effects.runBack(successor) : effects.setPrimary();
    await move(legs.back, facts, effects, how);
    effects.say(`${task.resource}: runs on ${self}${took(legs.back)}`);
  } catch (error) {
    // Whatever it was: where the resource is has to be said.
    problem = error instanceof Error ? error.message : String(error);
  }
  effects.progress('');
  if (roleSet === 'primary' && legs.there !== null) {
    const notSet = await setAgain(self, effects);
    problem = problem || notSet;
  }
  const end = await whereItIs(task, self, effects);
  return { ...legs, problem, end, interrupted: effects.interrupts() > 0 };
}

/** A handover takes the set role from this node: where the resource is back, so is that, however it came back. '' or why not. */
async function setAgain(self: NodeName, effects: RealEffects): Promise<string> {
  try {
    const own = (await effects.look()).nodes.find(({ node }) => node === self);
    return own?.holds === true && own.roleSet !== 'primary' ? await effects.setPrimary() : '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Ends the drill where it is. */
class Stop extends Error {}

function newLeg(from: NodeName, to: NodeName, { bootMs }: DrillFacts): Leg {
  return { from, to, askedAt: bootMs, stopsAt: null, heldAt: null, runsAt: null };
}

function took({ runsAt, stopsAt }: Leg): string {
  return runsAt === null || stopsAt === null
    ? ''
    : `, after ${duration(runsAt - stopsAt)} without the service`;
}

/** How long one way may take: the stop, every attempt to start, and coming back after all of them have failed. */
function limitMs({ settings }: DrillFacts): number {
  const { attempts, heartbeatMs, leaseMs, startTimeoutMs, switchoverTimeoutMs } = settings;
  return switchoverTimeoutMs + (attempts + 1) * (startTimeoutMs + heartbeatMs) + 10 * leaseMs;
}

/**
 * Waits until it runs where it is to go, and notes when what was seen. Throws a Stop where it does not, or comes to run again where it
 * was, or the operator has interrupted twice.
 */
async function move(
  leg: Leg,
  facts: DrillFacts,
  effects: RealEffects,
  command: Promise<string>,
): Promise<void> {
  const fate: { said: string | null } = { said: null };
  command.then(
    (said) => {
      fate.said = said;
    },
    (error: unknown) => {
      fate.said = error instanceof Error ? error.message : String(error);
    },
  );
  const end = leg.askedAt + limitMs(facts);
  for (;;) {
    // What was said by now must show in what is looked at next.
    const { said } = fate;
    const seen = await effects.look();
    note(leg, seen);
    if (leg.runsAt !== null && said !== null) return;
    const from = seen.nodes.find(({ node }) => node === leg.from);
    const back = from?.holds === true && from.run === 'run';
    if (said !== null && said !== '' && back) throw new Stop(said);
    if (said === '' && leg.stopsAt !== null && back)
      throw new Stop(`${leg.to} could not run it: it runs on ${leg.from} again`);
    if (seen.bootMs >= end)
      throw new Stop(`it does not run on ${leg.to} after ${duration(seen.bootMs - leg.askedAt)}`);
    if (effects.interrupts() > 1) throw new Stop('interrupted twice');
    effects.progress(standing(leg, seen));
    await effects.pause();
  }
}

function note(leg: Leg, { bootMs, nodes }: DrillFacts): void {
  const from = nodes.find(({ node }) => node === leg.from);
  const to = nodes.find(({ node }) => node === leg.to);
  // Who is only not heard may still run it.
  if (leg.stopsAt === null && from?.fresh === true && (from.run !== 'run' || !from.holds))
    leg.stopsAt = bootMs;
  if (leg.heldAt === null && to?.holds === true) leg.heldAt = bootMs;
  if (leg.runsAt === null && to?.holds === true && to.run === 'run') leg.runsAt = bootMs;
}

function standing({ from, to }: Leg, { nodes }: DrillFacts): string {
  const words = [from, to].map((name) => {
    const node = nodes.find((each) => each.node === name);
    return `${name}: ${node?.role ?? 'unknown'}, ${node?.run ?? 'unknown'}`;
  });
  return words.join(' | ');
}

/** It stays there; an interrupt has it come back at once. Throws a Stop where it leaves by itself. */
async function hold({ holdMs, resource }: RealTask, on: NodeName, effects: RealEffects): Promise<void> {
  const began = (await effects.look()).bootMs;
  for (;;) {
    const { bootMs, nodes } = await effects.look();
    const node = nodes.find((each) => each.node === on);
    if (node?.fresh !== true) throw new Stop(`${on} is not heard any more`);
    if (!node.holds || node.run !== 'run')
      throw new Stop(`it does not run on ${on} any more: it is ${node.run}`);
    const leftMs = began + holdMs - bootMs;
    if (leftMs <= 0 || effects.interrupts() > 0) return;
    effects.progress(`${resource}: runs on ${on}, for ${duration(leftMs)} more`);
    await effects.pause();
  }
}

async function whereItIs({ resource }: RealTask, self: NodeName, effects: RealEffects): Promise<string> {
  const explain = `hastmonctl explain ${resource} on each node says why`;
  let facts: DrillFacts;
  try {
    facts = await effects.look();
  } catch (error) {
    return `where ${resource} is cannot be said: ${error instanceof Error ? error.message : String(error)}`;
  }
  const holder = facts.nodes.find(({ holds }) => holds);
  if (holder === undefined) return `nobody holds ${resource} just now; ${explain}`;
  if (holder.run !== 'run')
    return `${resource} is held by ${holder.node} and does not run yet: it is ${holder.run}; ${explain}`;
  if (holder.node === self) return `${resource} runs on ${self}`;
  return `${resource} runs on ${holder.node}; this brings it back, on ${holder.node}: hastmonctl switchover ${resource} --to ${self}`;
}
