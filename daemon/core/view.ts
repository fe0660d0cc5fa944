/**
 * What a node makes of what it has heard: who holds the lease, who could take over, in which order candidates
 * stand. Pure questions about a NodeState; they change nothing.
 */
import { complaintCount } from './complaints.js';
import { majority } from './lease.js';
import type { NodeState } from './node-types.js';
import type { Instant, MaintenanceMark, NodeName, RunState, StateMessage } from './types.js';

/** The last heartbeat of a node, if it is no older than lease_timeout. */
export function heardLately(state: NodeState, node: NodeName, now: Instant): StateMessage | null {
  const peer = state.peers[node];
  if (peer?.message == null || now - peer.heardAt >= state.settings.leaseMs) return null;
  return peer.message;
}

/** The other node that says it holds the lease, heard within lease_timeout: "the connection from the primary". */
export function connectedHolder(state: NodeState, now: Instant): NodeName | null {
  return state.settings.voters.find((node) => (heardLately(state, node, now)?.holdingEpoch ?? 0) > 0) ?? null;
}

/** True while this node's worker holds the lease. */
export function holding(state: NodeState, now: Instant): boolean {
  const report = state.worker?.report;
  return state.role === 'primary' && report != null && report.leaseUntil > now;
}

/** The nodes that may run the resource, as far as their roles are known, in the order of the file. */
export function candidates(state: NodeState): NodeName[] {
  return state.settings.voters.filter((node) => {
    const role = node === state.settings.node ? state.role : state.peers[node]?.message?.role;
    return role === 'primary' || role === 'secondary';
  });
}

/** What is known of the resource on this node. */
export function runState(state: NodeState): RunState {
  if (state.worker?.report != null) return state.worker.report.run;
  if (state.cleaning?.required === true) return 'stopping';
  return state.knownStopped ? 'stopped' : 'unknown';
}

/** What being able to take over depends on, one by one; who is no voter is granted nothing. */
export interface AbleFacts {
  secondary: boolean;
  /** Nothing of the resource is left here that has to be stopped or looked at first. */
  clean: boolean;
  /** hastmond is not about to end. */
  stays: boolean;
  /** What the resource requires of its primary holds here: else it would be promoted under conditions of its own that do not hold (P5). */
  fit: boolean;
  /** It has not given the resource up, or so long ago that it may try again. */
  rested: boolean;
  voter: boolean;
}

export function ableFacts(state: NodeState, now: Instant): AbleFacts {
  const { gaveUpAt, settings, voter } = state;
  return {
    secondary: state.role === 'secondary',
    clean: state.cleaning === null,
    stays: !state.terminating,
    fit: state.unfit === '',
    rested: gaveUpAt === null || now - gaveUpAt >= settings.complaintIntervalMs,
    voter: voter.sets.some((set) => set.includes(settings.node)),
  };
}

/** True where this node could take the resource over now. */
export function isAble(state: NodeState, now: Instant): boolean {
  const { clean, fit, rested, secondary, stays, voter } = ableFacts(state, now);
  return secondary && clean && stays && fit && rested && voter;
}

/** One set of voters, and who of it is heard. */
export interface Quorum {
  set: readonly NodeName[];
  /** This node, and who has been heard within lease_timeout. */
  there: NodeName[];
  missing: NodeName[];
  needed: number;
  /** Those of `there` that have no record of the past, and grant nothing. */
  forgetful: NodeName[];
  /** Those of `there` that have granted it, and not to the holder that is heard: no release of that one frees them. */
  bound: NodeName[];
  /** Those of `there` that keep it for another node than this one, which is in maintenance (L1); with that one. */
  keeping: { voter: NodeName; holder: NodeName; mark: MaintenanceMark }[];
}

/** Who of each set of voters is heard, and could grant. */
export function quorums(state: NodeState, now: Instant): Quorum[] {
  const { settings, voter } = state;
  const isBound = boundOf(state, now);
  return voter.sets.map((set) => {
    const there = set.filter((node) => node === settings.node || heardLately(state, node, now) !== null);
    const remembers = (node: NodeName): boolean =>
      node === settings.node ? voter.history : state.peers[node]?.message?.memory.history === true;
    return {
      set,
      there,
      missing: set.filter((node) => !there.includes(node)),
      needed: majority(set.length),
      forgetful: there.filter((node) => !remembers(node)),
      bound: there.filter(isBound),
      keeping: there.flatMap((node) => keepingOf(state, node)),
    };
  });
}

/** For whom a voter keeps the resource, by its own word; none for this node. */
function keepingOf({ peers, settings, voter }: NodeState, node: NodeName): Quorum['keeping'] {
  const grant = node === settings.node ? voter.grant : (peers[node]?.message?.memory.grant ?? null);
  return grant?.mark.on && grant.holder.node !== settings.node
    ? [{ voter: node, holder: grant.holder.node, mark: grant.mark }]
    : [];
}

function boundOf(state: NodeState, now: Instant): (node: NodeName) => boolean {
  const { settings, voter } = state;
  const holder = connectedHolder(state, now);
  const epoch = holder === null ? 0 : (state.peers[holder]?.message?.holdingEpoch ?? 0);
  return (node) => {
    const peer = state.peers[node];
    const grant = node === settings.node ? voter.grant : (peer?.message?.memory.grant ?? null);
    if (grant === null || (grant.holder.node === holder && grant.epoch === epoch)) return false;
    return now < ('until' in grant ? grant.until : (peer?.heardAt ?? now) + grant.leftMs);
  };
}

/** True where a node is connected and able, as far as it says. */
function seemsAble(state: NodeState, node: NodeName, now: Instant): boolean {
  return state.peers[node]?.linked === true && heardLately(state, node, now)?.able === true;
}

/** True where a node could take over now: connected, heard, able, and by its own word it lacks nothing (P6). */
export function isReady(state: NodeState, node: NodeName, now: Instant): boolean {
  const lacks = state.peers[node]?.message?.readiness?.lacks ?? [];
  return seemsAble(state, node, now) && lacks.length === 0;
}

/** The ready node with the lowest priority number; '' for nobody. */
export function readySuccessor(state: NodeState, now: Instant): NodeName {
  return byPriority(state, (node) => isReady(state, node, now))[0] ?? '';
}

/** Who would take over if this node stopped, whatever comes: a ready node before one that is able; '' for nobody. */
export function bestSuccessor(state: NodeState, now: Instant): NodeName {
  return readySuccessor(state, now) || (byPriority(state, (node) => seemsAble(state, node, now))[0] ?? '');
}

/** The node to hand over to by priority: ready, set to primary, a lower number than this node's, here for two leases (P2). */
export function betterPrimary(state: NodeState, now: Instant): NodeName | null {
  const { settings, peers } = state;
  const better = byPriority(state, (node) => {
    const peer = peers[node];
    if (peer?.message == null || !isReady(state, node, now)) return false;
    const settled = now - peer.since >= 2 * settings.leaseMs;
    return settled && peer.message.roleSet === 'primary' && peer.message.priority < settings.priority;
  });
  return better[0] ?? null;
}

/** The other voters of which `is` holds, in the order of priority and then of the file. */
export function byPriority(state: NodeState, is: (node: NodeName) => boolean): NodeName[] {
  const others = state.settings.voters.filter((node) => node !== state.settings.node && is(node));
  return others.sort((a, b) => priorityOf(state, a) - priorityOf(state, b));
}

/** How many candidates stand before this node, in the order of priority and then of the file (A5). */
export function rank(state: NodeState, now: Instant): number {
  const { settings } = state;
  const own = settings.voters.indexOf(settings.node);
  return settings.voters.filter((node, index) => {
    const message = heardLately(state, node, now);
    if (node === settings.node || message === null || message.role === 'init' || message.role === 'watchdog')
      return false;
    return message.priority < settings.priority || (message.priority === settings.priority && index < own);
  }).length;
}

/** Why an able secondary may ask for the lease (P1): the first by itself, or nobody to be heard that holds it, and one of the others. */
export interface PromotionReasons {
  successor: boolean;
  holderGone: boolean;
  set: boolean;
  complained: boolean;
  /** What this node has handed over did not come to run there (P8). */
  putBack: boolean;
}

export function promotionReasons(state: NodeState, now: Instant): PromotionReasons {
  return {
    successor: now < state.successorUntil,
    holderGone: connectedHolder(state, now) === null,
    set: state.roleSet === 'primary' && state.gaveUpAt === null,
    complained: complained(state, now),
    putBack: puttingBack(state),
  };
}

/** True where this node takes again what it has handed over (P8). */
export function puttingBack({ handover }: NodeState): boolean {
  return handover?.phase === 'putting-back';
}

/** True where a secondary may ask for the lease (P1): named successor, or the primary is lost and that is confirmed. */
export function promotable(state: NodeState, now: Instant): boolean {
  if (!isAble(state, now)) return false;
  const { complained, holderGone, putBack, set, successor } = promotionReasons(state, now);
  return successor || (holderGone && (set || complained || putBack));
}

/** True where nobody set this node to primary, and another one that was set and waits for the lease can be heard (A5). */
export function standsBack(state: NodeState, now: Instant): boolean {
  if (state.roleSet === 'primary' || now < state.successorUntil || puttingBack(state)) return false;
  return state.settings.voters.some((node) => {
    const message = heardLately(state, node, now);
    return message?.roleSet === 'primary' && message.role === 'primary' && message.run === 'readytorun';
  });
}

/** True where one watchdog has complained more often than complaint_count. */
export function complained(state: NodeState, now: Instant): boolean {
  const { complaintIntervalMs, complaintCount: threshold } = state.settings;
  return complaintCount(state.complaints, complaintIntervalMs, now) > threshold;
}

function priorityOf(state: NodeState, node: NodeName): number {
  return state.peers[node]?.message?.priority ?? Number.MAX_SAFE_INTEGER;
}

/** True where the resource is in maintenance, here or, as far as this voter has heard, on another node. */
export function isKept({ kept, voter }: NodeState): boolean {
  return kept !== null || voter.grant?.mark.on === true;
}
