/**
 * `hastmonctl drill NAME --for-real`: the resource is handed over to another node, stays there for a while, and comes back. Whatever happens,
 * it says at the end where the resource is. It asks and tells by what it is given, and knows no process, no socket and no clock. Whether it may
 * begin is for drill-objections.ts.
 */
import type { NodeName, Role } from '../daemon/core/types.js';
import type { DrillFacts } from '../proto/drill-types.js';
import type { RealTask } from './drill-arguments.js';
import { successorOf } from './drill-objections.js';
import { duration } from './words.js';

export interface RealEffects {
  /** The present state. Rejects where there is no answer. */
  look(): Promise<DrillFacts>;
  /** Resolves when it is known what came of it, with why it did not; '' where it runs there. */
  switchover(to: NodeName): Promise<string>;
  /** Sets this node's role; '' or why not. */
  setRole(role: 'primary' | 'secondary'): Promise<string>;
  /** Runs the command that switches back on that node; '' or why it failed. */
  runBack(on: NodeName): Promise<string>;
  /** Ends that command where it still runs; resolves when it is gone. */
  endBack(): Promise<void>;
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
  /** It was stopped, never ran there, and runs again where it was. */
  againAt: number | null;
}

/** How long no node has served on this way, in milliseconds, whether it came to run there or was put back; null where that is not known. */
export function awayMs({ againAt, runsAt, stopsAt }: Leg): number | null {
  const end = runsAt ?? againAt;
  return end === null || stopsAt === null ? null : Math.max(0, end - stopsAt);
}

export interface RealResult {
  there: Leg | null;
  back: Leg | null;
  /** '' where it went there and came back; else what went wrong. */
  problem: string;
  /** What this node's role is set to now where that is not as before, and what to do; '' where it is. */
  role: string;
  /** What it is at the end, and what to do; never empty. */
  end: string;
  /** The operator wanted it to end. */
  interrupted: boolean;
}

/** What was asked for a way; `said` is null as long as nothing came of it. */
interface Order {
  said: string | null;
}

interface Drill {
  task: RealTask;
  effects: RealEffects;
  self: NodeName;
  /** As of the objections. */
  facts: DrillFacts;
  legs: { there: Leg | null; back: Leg | null };
  order: Order;
  /** The drill has set this node to primary. */
  setHere: boolean;
}

/** Carries it out; nothing that goes wrong is thrown. `facts`: as of the objections, of which there were none. */
export async function forReal(task: RealTask, facts: DrillFacts, effects: RealEffects): Promise<RealResult> {
  const { node: self } = facts;
  const drill: Drill = {
    ...{ task, effects, self, facts, legs: { there: null, back: null } },
    ...{ order: { said: '' }, setHere: false },
  };
  const { legs } = drill;
  let problem = '';
  let over = true;
  try {
    await thereAndBack(drill);
  } catch (error) {
    // Whatever it was: where the resource is has to be said.
    problem = messageOf(error);
  }
  effects.progress('');
  if (problem !== '' && legs.there !== null) over = await comeToEnd(drill);
  if (roleBefore(drill) === 'primary' && legs.there !== null) {
    const notSet = await setAgain(drill);
    problem = problem || notSet;
  }
  const { end, role } = await whereItIs(drill, over);
  return { ...legs, problem, role, end, interrupted: effects.interrupts() > 0 };
}

async function thereAndBack(drill: Drill): Promise<void> {
  const { effects, facts, legs, self, task } = drill;
  const successor = successorOf(task, facts)?.node ?? '';
  if (effects.interrupts() > 0) throw new Stop('interrupted before anything was done');
  legs.there = newLeg(self, successor, await effects.look());
  effects.say(`${task.resource}: handing it over to ${successor}`);
  await move(drill, legs.there, effects.switchover(successor));
  effects.say(`${task.resource}: runs on ${successor}${took(legs.there)}`);
  await hold(task, successor, effects);
  legs.back = newLeg(successor, self, await effects.look());
  effects.say(`${task.resource}: coming back to ${self}`);
  drill.setHere = task.back.length === 0;
  await move(drill, legs.back, drill.setHere ? effects.setRole('primary') : effects.runBack(successor));
  effects.say(`${task.resource}: runs on ${self}${took(legs.back)}`);
}

/** Ends the drill where it is. */
class Stop extends Error {}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function roleBefore({ facts, self }: Drill): Role | null {
  return facts.nodes.find(({ node }) => node === self)?.roleSet ?? null;
}

/** A handover takes the set role from this node: where the resource is back, so is that, however it came back. '' or why not. */
async function setAgain({ effects, self }: Drill): Promise<string> {
  try {
    const own = (await effects.look()).nodes.find(({ node }) => node === self);
    return own?.holds === true && own.roleSet !== 'primary' ? await effects.setRole('primary') : '';
  } catch (error) {
    return messageOf(error);
  }
}

function newLeg(from: NodeName, to: NodeName, { bootMs }: DrillFacts): Leg {
  return { from, to, askedAt: bootMs, stopsAt: null, heldAt: null, runsAt: null, againAt: null };
}

function took(leg: Leg): string {
  const ms = awayMs(leg);
  return ms === null ? '' : `, after ${duration(ms)} without the service`;
}

/** How long one way may take: the stop, every attempt to start, and coming back after all of them have failed. */
function limitMs({ settings }: DrillFacts): number {
  const { attempts, heartbeatMs, leaseMs, startTimeoutMs, switchoverTimeoutMs } = settings;
  return switchoverTimeoutMs + (attempts + 1) * (startTimeoutMs + heartbeatMs) + 10 * leaseMs;
}

/**
 * Waits until it runs where it is to go, and notes when what was seen. Throws a Stop where what was asked is refused or fails, where it comes
 * to run again where it was, takes too long, or the operator has interrupted twice.
 */
async function move(drill: Drill, leg: Leg, asked: Promise<string>): Promise<void> {
  const { effects, facts } = drill;
  const order: Order = { said: null };
  drill.order = order;
  asked.then(
    (said) => {
      order.said = said;
    },
    (error: unknown) => {
      order.said = messageOf(error);
    },
  );
  const end = leg.askedAt + limitMs(facts);
  for (;;) {
    // What was said by now must show in what is looked at next.
    const { said } = order;
    const seen = await effects.look();
    note(leg, seen);
    // Also where it runs there: then something else has moved it.
    if (said !== null && said !== '') throw new Stop(said);
    if (said === '' && leg.runsAt !== null) return;
    const from = seen.nodes.find(({ node }) => node === leg.from);
    const back = from?.holds === true && from.run === 'run';
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
  const again = from?.fresh === true && from.holds && from.run === 'run';
  if (leg.againAt === null && leg.stopsAt !== null && leg.runsAt === null && again) leg.againAt = bootMs;
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

/** Where it has run on one node for so many heartbeats, a handover that had begun would have been heard of. */
const CALM_HEARTBEATS = 2;

/**
 * Waits for what came of what was begun, for no longer than one way may take and until the operator interrupts once more; false where it is
 * still under way. Where this node was set to primary and has not got it, that is taken back: else it would move after the drill's last word.
 */
async function comeToEnd(drill: Drill): Promise<boolean> {
  const { effects, facts, legs, task } = drill;
  const { heartbeatMs } = facts.settings;
  const calmMs = CALM_HEARTBEATS * heartbeatMs;
  const interrupts = effects.interrupts();
  try {
    await effects.endBack();
    const first = await effects.look();
    const asked = (legs.back ?? legs.there)?.askedAt ?? first.bootMs;
    const end = Math.max(asked + limitMs(facts), first.bootMs + 2 * calmMs);
    let [on, since] = ['', first.bootMs];
    for (let seen = first; ; seen = await effects.look()) {
      const leg = legs.back ?? legs.there;
      if (leg !== null) note(leg, seen);
      const running = seen.nodes.find(({ holds, run }) => holds && run === 'run')?.node ?? '';
      const undone = await undoRole(drill, seen);
      if (running !== on || running === '' || undone) [on, since] = [running, seen.bootMs];
      if (drill.order.said !== null && running !== '' && seen.bootMs - since >= calmMs) return true;
      if (seen.bootMs >= end || effects.interrupts() > interrupts) return false;
      effects.progress(
        `${task.resource}: waiting for what was begun to come to its end; an interrupt ends that`,
      );
      await effects.pause();
    }
  } catch {
    return false;
  } finally {
    effects.progress('');
  }
}

/** True where the role was sent. Only while another node runs it: on the holder it would move the resource. */
async function undoRole(drill: Drill, { nodes }: DrillFacts): Promise<boolean> {
  const { effects, self, setHere } = drill;
  const own = nodes.find(({ node }) => node === self);
  const elsewhere = nodes.some(({ holds, node, run }) => node !== self && holds && run === 'run');
  if (!setHere || !elsewhere || own?.roleSet !== 'primary' || own.holds || own.role === 'primary')
    return false;
  drill.setHere = false;
  await effects.setRole('secondary');
  return true;
}

async function whereItIs(drill: Drill, over: boolean): Promise<Pick<RealResult, 'end' | 'role'>> {
  const { effects, order, self, task } = drill;
  const { resource } = task;
  const explain = `hastmonctl explain ${resource} on each node says why`;
  let facts: DrillFacts;
  try {
    facts = await effects.look();
  } catch (error) {
    return { end: `where ${resource} is cannot be said: ${messageOf(error)}`, role: '' };
  }
  const role = roleWords(drill, facts);
  const holder = facts.nodes.find(({ holds }) => holds);
  // What was asked has not been answered, or has been and it stops.
  const moving = !over && (order.said === null || holder?.run === 'stopping');
  const still = moving ? ', and the move that was begun is still under way' : '';
  if (holder === undefined) return { end: `nobody holds ${resource} just now${still}; ${explain}`, role };
  const { node, run } = holder;
  if (moving) return { end: `${resource} is held by ${node} (${run})${still}; ${explain}`, role };
  if (run !== 'run')
    return { end: `${resource} is held by ${node} and does not run yet: it is ${run}; ${explain}`, role };
  if (node === self) return { end: `${resource} runs on ${self}`, role };
  const end = `${resource} runs on ${node}; this brings it back, on ${node}: hastmonctl switchover ${resource} --to ${self}`;
  return { end, role };
}

function roleWords(drill: Drill, { nodes }: DrillFacts): string {
  const { self, task } = drill;
  const before = roleBefore(drill);
  const own = nodes.find(({ node }) => node === self);
  if (own === undefined || own.roleSet === before) return '';
  const changed = `${self} is set to ${own.roleSet ?? 'no role'} now, and was set to ${before ?? 'no role'} before`;
  if (own.roleSet === 'primary')
    return (
      `${changed}: it takes ${task.resource} back from a node of worse priority whenever it is able. When it runs elsewhere, this ` +
      `ends that, on ${self}: hastmonctl role ${before ?? 'secondary'} ${task.resource}`
    );
  return before === 'primary'
    ? `${changed}; when ${task.resource} runs here again, this sets it as before: hastmonctl role primary ${task.resource}`
    : changed;
}
