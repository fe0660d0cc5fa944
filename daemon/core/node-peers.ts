/**
 * What a node makes of links and messages: hands votes and answers on, remembers what others say, counts complaints, and meets
 * holders. Part of the core of a node; reached through node.ts.
 */
import { acquisitionAnswered } from './acquire.js';
import { clearComplaints, countComplaint } from './complaints.js';
import { givenBack } from './node-handover.js';
import { acquireContext, handleAcquisition } from './node-lease.js';
import { maintenanceVoid } from './node-maintenance.js';
import { become, ensureSecondaryWorker, leavePrimary, tellWorker } from './node-role.js';
import type { NodeOutput, NodeState } from './node-types.js';
import { voterOutputs } from './node-voter.js';
import type { Instant, NodeName, PeerMessage, StateMessage } from './types.js';
import { heardLately, holding } from './view.js';
import {
  changeVoters,
  type VoterOutput,
  voteOnAsk,
  voteOnRelease,
  voteOnRequest,
  voterHeard,
  voterSurpassed,
} from './voter.js';

export function peerMessage(
  state: NodeState,
  from: NodeName,
  message: PeerMessage,
  now: Instant,
  outputs: NodeOutput[],
): void {
  switch (message.kind) {
    case 'state':
      heardState(state, from, message, now, outputs);
      return;
    case 'ask':
      if (message.holder.node === from)
        voterOutputs(state, voteOnAsk(state.voter, from, message, now), outputs);
      return;
    case 'request':
      if (message.holder.node === from)
        voterOutputs(state, voteOnRequest(state.voter, from, message, now), outputs);
      return;
    case 'release':
      if (message.holder.node === from)
        voterOutputs(state, voteOnRelease(state.voter, message, now), outputs);
      return;
    case 'answer': {
      const { holder } = message;
      if (holder.node !== state.settings.node || holder.incarnation !== state.incarnation) return;
      const result = acquisitionAnswered(state.acquisition, acquireContext(state, now), from, message, now);
      handleAcquisition(state, result, now, outputs);
      if (state.worker?.role === 'primary') tellWorker(state, { kind: 'answer', from, message }, outputs);
      return;
    }
    case 'complaint':
      heardComplaint(state, from, message, now);
      return;
    case 'handover':
      if (message.holder.node === from) namedSuccessor(state, from, message.epoch, now, outputs);
      return;
    default:
      message satisfies never;
  }
}

/** A holder has stopped, and leaves the resource to this node. */
function namedSuccessor(
  state: NodeState,
  from: NodeName,
  epoch: number,
  now: Instant,
  outputs: NodeOutput[],
): void {
  if (state.handover?.to === from && epoch > state.handover.epoch) givenBack(state, now, outputs);
  if (state.role !== 'secondary') return;
  state.successorUntil = now + state.settings.leaseMs;
  state.namedBy = from;
}

export function linkChanged(
  state: NodeState,
  node: NodeName,
  up: boolean,
  now: Instant,
  outputs: NodeOutput[],
): void {
  const before = state.peers[node];
  if (before?.linked === up) return;
  const heardAt = before?.heardAt ?? Number.NEGATIVE_INFINITY;
  const peer = { linked: up, since: now, heardAt, message: before?.message ?? null, readySince: null };
  state.peers = { ...state.peers, [node]: peer };
  if (up) state.lastHeartbeat = null; // The new link gets a heartbeat at once.
  if (state.role === 'primary' || state.role === 'secondary') {
    outputs.push({ kind: 'notify', action: up ? 'connect' : 'disconnect', args: [] });
  }
}

function heardComplaint(
  state: NodeState,
  from: NodeName,
  message: Extract<PeerMessage, { kind: 'complaint' }>,
  now: Instant,
): void {
  if (state.peers[from]?.message?.role !== 'watchdog') return;
  const keep = state.settings.complaintCount + 1;
  state.complaints = countComplaint(state.complaints, from, message, keep, now);
}

function heardState(
  state: NodeState,
  from: NodeName,
  message: StateMessage,
  now: Instant,
  outputs: NodeOutput[],
): void {
  const before = state.peers[from];
  const last = before?.message;
  if (last != null && last.incarnation === message.incarnation && last.sequence >= message.sequence) return;
  const fresh = heardLately(state, from, now) !== null;
  const peer = {
    ...{ linked: before?.linked ?? false, since: before?.since ?? now, heardAt: now, message },
    // Where it was not heard for a lease, it begins anew.
    readySince: fresh ? (before?.readySince ?? null) : null,
  };
  state.peers = { ...state.peers, [from]: peer };
  voterOutputs(state, voterHeard(state.voter, from, message.memory, now), outputs);
  voterOutputs(state, voterSurpassed(state.voter, from, message.holdingEpoch), outputs);
  if (state.worker?.role === 'watchdog') tellWorker(state, { kind: 'heard', from, message }, outputs);
  if (message.holdingEpoch === 0) return;
  if (state.role === 'secondary') {
    if (message.run === 'run') state.complaints = clearComplaints(state.complaints);
    ensureSecondaryWorker(state, now, outputs);
    if (state.worker?.role === 'secondary') tellWorker(state, { kind: 'heard', from, message }, outputs);
  } else if (state.kept !== null) {
    // Its own last lease may still be in somebody's words.
    if (message.holdingEpoch > (state.voter.grant?.epoch ?? state.voter.epochMax))
      maintenanceVoid(state, from, outputs);
  } else if (state.role === 'primary' && !holding(state, now) && state.leaving === null) {
    meetHolder(state, from, now, outputs);
  }
}

/** A primary without a lease that meets a holder becomes its secondary (P4); what it runs by force ends. */
function meetHolder(state: NodeState, from: NodeName, now: Instant, outputs: NodeOutput[]): void {
  log(outputs, 'info', `${from} holds the lease: becoming secondary`, from);
  if (state.worker?.role === 'primary') {
    leavePrimary(state, { to: 'secondary', why: 'role', successor: '', command: 0 }, outputs);
  } else if (state.cleaning === null) {
    become(state, 'secondary', now, outputs);
  } else {
    state.role = 'secondary';
  }
}

export function changeOfVoters(state: NodeState): VoterOutput[] {
  const change = changeVoters(state.voter, state.settings.voters);
  if ('outputs' in change) return change.outputs;
  return [{ kind: 'log', level: 'error', text: `the change of the voters is refused: ${change.refused}` }];
}

function log(outputs: NodeOutput[], level: 'info' | 'warn' | 'error', text: string, peer = ''): void {
  outputs.push({ kind: 'log', level, text, peer });
}
