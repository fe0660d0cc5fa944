/**
 * What a node lacks to take the resource over, by its own word: what it says of itself in every heartbeat, and what the holder asks before
 * it hands over. The facts are those of `explain`. Pure.
 */
import type { Condition } from './conditions.js';
import type { NodeState } from './node-types.js';
import type { Instant, Lack, NodeName, Readiness, StateMessage } from './types.js';
import { ableFacts, heardLately, type Quorum, quorums } from './view.js';
import { legible } from './words.js';

/** A heartbeat has to fit into a frame with much else. */
const VALUE_MAX = 200;

/** What this node says of itself. */
export function readinessOf(state: NodeState, now: Instant): Readiness {
  return { lacks: lacksOf(state, now), failbackMs: state.settings.failbackMs };
}

function lacksOf(state: NodeState, now: Instant): Lack[] {
  const facts = ableFacts(state, now);
  // Whoever is no secondary is not asked for more.
  if (!facts.secondary) return [{ name: 'role', value: state.role }];
  const lacks: Lack[] = [];
  const lack = (name: string, value: string): void => {
    lacks.push({ name, value: plain(value) });
  };
  if (!facts.clean) lack('clean', 'a stop or a first look is under way');
  if (!facts.stays) lack('stays', 'it ends');
  if (!facts.fit) lack('fit', state.unfit);
  if (!facts.rested) lack('rested', state.lastError || 'it failed');
  if (!facts.voter) lack('voter', 'it is not');
  const all = quorums(state, now);
  const short = all.find(({ needed, there }) => there.length < needed);
  if (short !== undefined) lack('majority', unheardOf(short));
  const blank = all.find(({ forgetful, needed, there }) => there.length - forgetful.length < needed);
  if (blank !== undefined && short === undefined) lack('history', `${blank.forgetful.join(' and ')} not`);
  const tied = all.find(({ bound, forgetful, needed, there }) => {
    const free = there.filter((node) => !bound.includes(node) && !forgetful.includes(node));
    return free.length < needed;
  });
  if (tied !== undefined && blank === undefined)
    lack('free', `${tied.bound.join(' and ')} not, by an earlier grant`);
  const { grant } = state.voter;
  if (grant?.mark.on && grant.holder.node !== state.settings.node)
    lack('maintenance', `${grant.holder.node} is in maintenance`);
  return lacks;
}

/** `hostC cannot be heard, and 1 more of 3 is needed`. */
function unheardOf({ missing, needed, set, there }: Quorum): string {
  const short = needed - there.length;
  return `${missing.join(' and ')} cannot be heard, and ${short} more of ${set.length} ${short === 1 ? 'is' : 'are'} needed`;
}

/** As it may travel: legible, and not too much of it. */
function plain(text: string): string {
  return legible(text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX - 1)}…` : text);
}

/** Why this node, which runs the resource or has handed it over, could not take it again; '' where nothing of its own stands in the way. */
export function whyNotAgain(state: NodeState, now: Instant): string {
  const { fit, rested, voter } = ableFacts(state, now);
  if (!fit) return state.unfit;
  if (!rested) return `it has just given the resource up (${state.lastError || 'it failed'})`;
  return voter ? '' : 'by its own file it is none of the voters';
}

/** A condition that a node speaks for itself of. */
interface Asked {
  name: string;
  what: string;
  /** How it is where it holds. */
  value: string;
  /** The phrase of a refusal, given how it is. */
  otherwise: (value: string) => string;
}

/** What is asked of a node that is to take over, in this order. */
const ASKED: readonly Asked[] = [
  { name: 'role', what: 'it is secondary', value: 'secondary', otherwise: (value) => `its role is ${value}` },
  {
    name: 'clean',
    what: 'the resource is known to be stopped there',
    value: 'known',
    otherwise: (value) => `${value} there`,
  },
  {
    name: 'stays',
    what: 'its hastmond is not about to end',
    value: 'it stays',
    otherwise: () => 'its hastmond is about to end',
  },
  {
    name: 'fit',
    what: 'what the resource requires of its primary holds there',
    value: 'it holds',
    otherwise: (value) => `what the resource requires of its primary does not hold there: ${value}`,
  },
  {
    name: 'rested',
    what: 'it has not just given the resource up',
    value: 'it has not',
    otherwise: (value) =>
      `it has just given the resource up: ${value}; once that is mended, hastmonctl role secondary there makes it forgotten`,
  },
  {
    name: 'voter',
    what: 'it is one of the voters',
    value: 'it is',
    otherwise: () => 'by its own file it is none of the voters',
  },
  {
    name: 'majority',
    what: 'it hears a majority of the voters',
    value: 'it does',
    otherwise: (value) => `it does not hear a majority of the voters: ${value}`,
  },
  {
    name: 'history',
    what: 'a majority of the voters it hears remembers earlier leases',
    value: 'it does',
    otherwise: (value) => `no majority that it hears remembers earlier leases: ${value}`,
  },
  {
    name: 'free',
    what: 'a majority of the voters it hears is free to grant it, once it is released',
    value: 'it is',
    otherwise: (value) => `no majority that it hears is free to grant it: ${value}`,
  },
  {
    name: 'maintenance',
    what: 'it keeps the resource for nobody in maintenance',
    value: 'for nobody',
    otherwise: (value) => value,
  },
];

/** The conditions for a handover to `node`, as this node has heard of them (P6). None of them holds of a node that is not heard. */
export function successorConditions(
  state: NodeState,
  node: NodeName,
  now: Instant,
): Condition<'successor'>[] {
  const message = heardLately(state, node, now);
  const peer = state.peers[node];
  const connected = peer?.linked === true && message !== null;
  const of = (fact: Omit<Condition, 'topic' | 'oneOf' | 'enough'>): Condition<'successor'> => ({
    ...{ topic: 'successor', oneOf: '', enough: 1 },
    ...fact,
  });
  const first = of({
    ...{ name: 'connected', what: `${node} is connected and heard`, holds: connected },
    value: connected ? 'it is' : 'it is not',
    needed: 'heard within lease_timeout',
    ageMs: peer?.message == null ? null : now - peer.heardAt,
    source: state.settings.node,
    change: connected ? '' : `${node} is not connected`,
  });
  if (!connected || message === null) return [first];
  const ageMs = now - (peer?.heardAt ?? now);
  return [first, ...saidOf(message).map((fact) => of({ ...fact, ageMs, source: node }))];
}

function saidOf(message: StateMessage): Omit<Condition, 'topic' | 'oneOf' | 'enough' | 'ageMs' | 'source'>[] {
  const { able, readiness, role, run } = message;
  if (readiness === null)
    return [
      {
        ...{ name: 'able', what: 'it is able to take over', holds: able },
        value: able ? 'it is; its version says no more' : `${role}, ${run}`,
        needed: 'it is',
        change: able ? '' : `its role is ${role}, its state ${run}`,
      },
    ];
  const lacking = new Map(readiness.lacks.map(({ name, value }) => [name, value]));
  // Of whoever is no secondary nothing else is known.
  const asked = lacking.has('role') ? ASKED.slice(0, 1) : ASKED;
  const known = asked.map(({ name, otherwise, what, value }) => {
    const lack = lacking.get(name);
    lacking.delete(name);
    const change = lack === undefined ? '' : otherwise(lack);
    return { name, what, holds: lack === undefined, value: lack ?? value, needed: value, change };
  });
  // A newer version may know of more.
  const others = [...lacking].map(([name, value]) => ({
    ...{ name, what: `it says that it lacks nothing (${name})`, holds: false },
    ...{ value: value || 'it lacks it', needed: 'it lacks nothing', change: `it lacks ${name}: ${value}` },
  }));
  return [...known, ...others];
}

/** Why a node cannot take over now, one phrase for each condition that does not hold; none where it can. */
export function whyNot(state: NodeState, node: NodeName, now: Instant): string[] {
  return successorConditions(state, node, now).flatMap(({ change }) => (change === '' ? [] : [change]));
}
