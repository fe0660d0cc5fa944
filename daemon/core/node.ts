/**
 * One resource on one node: the main process's pure core. `stepNode(state, input)` is its only door; everything
 * else of this folder that the main process needs is reached through it. No I/O, no clock, no chance.
 */
import { acquisitionAnswered, copyAcquisition, initAcquisition } from './acquire.js';
import { clearComplaints, countComplaint } from './complaints.js';
import { grantMs } from './lease.js';
import { beginCleaning } from './node-clean.js';
import { runCommand } from './node-command.js';
import { cleaned, fenced, guard, workerExited } from './node-guard.js';
import { acquireContext, driveAcquisition, handleAcquisition } from './node-lease.js';
import { become, beginTermination, ensureSecondaryWorker, primaryFinished, tellWorker } from './node-role.js';
import type { NodeInput, NodeOutput, NodeState, NodeStep } from './node-types.js';
import type { Settings } from './settings.js';
import { leaseTerms } from './settings.js';
import type { Instant, NodeName, PeerMessage, Role, StateMessage, VoterMemory } from './types.js';
import { bestSuccessor, betterPrimary, holding, isAble, runState } from './view.js';
import {
  changeVoters,
  copyVoter,
  initVoter,
  type VoterOutput,
  type VoterRecord,
  voteOnAsk,
  voteOnRelease,
  voteOnRequest,
  voterAlone,
  voterHeard,
  voterMemory,
  voterStored,
} from './voter.js';

export interface NodeInit {
  settings: Settings;
  incarnation: number;
  /** The voter's record, null where there is none or it is not valid. */
  record: VoterRecord | null;
  /** True where an earlier process of this node may have left the resource running. */
  leftRunning: boolean;
  roleOnStart: Role;
}

/** The state and first outputs after a start: what was left running is stopped first, then the role is taken up. */
export function startNode(init: NodeInit, now: Instant): NodeStep {
  const { settings } = init;
  const voter = initVoter(settings.node, settings.voters, init.record, grantMs(leaseTerms(settings)), now);
  const state: NodeState = {
    settings,
    incarnation: init.incarnation,
    voter,
    acquisition: initAcquisition(voter.sets),
    role: 'init',
    roleSet: 'init',
    peers: {},
    complaints: {},
    worker: null,
    lastWorkerId: 0,
    leaving: null,
    cleaning: null,
    lastCleanId: 0,
    gaveUpAt: null,
    successorUntil: Number.NEGATIVE_INFINITY,
    successorTold: '',
    handoverNotBefore: Number.NEGATIVE_INFINITY,
    heartbeatAt: now,
    sequence: 0,
    lastHeartbeat: null,
    refusalTold: '',
    knownStopped: false,
    terminating: false,
    terminated: false,
    stopFailed: false,
    attempts: 0,
    lastError: '',
  };
  const outputs: NodeOutput[] = [];
  if (init.record !== null) voterOutputs(state, changeOfVoters(state), now, outputs);
  if (init.leftRunning) {
    log(outputs, 'warn', 'an earlier hastmond may have left the resource running: stopping it first');
    beginCleaning(state, 'stop', now + settings.stopTimeoutMs, 0, outputs);
  }
  if (init.roleOnStart !== 'init') {
    state.roleSet = init.roleOnStart;
    become(state, init.roleOnStart, now, outputs);
  }
  settle(state, now, outputs);
  return { state, outputs };
}

/** The only door: same state and input, same result; the given state is not changed. */
export function stepNode(before: NodeState, input: NodeInput): NodeStep {
  const state: NodeState = {
    ...before,
    voter: copyVoter(before.voter),
    acquisition: copyAcquisition(before.acquisition),
    worker: before.worker === null ? null : { ...before.worker },
    cleaning: before.cleaning === null ? null : { ...before.cleaning },
  };
  const outputs: NodeOutput[] = [];
  if (!state.terminated) {
    route(state, input, outputs);
    settle(state, input.now, outputs);
  } else if (input.kind === 'peer') {
    route(state, input, outputs); // A node that is about to exit still votes.
  }
  return { state, outputs };
}

/** When the core has to be stepped again at the latest. */
export function nodeWakeAt(state: NodeState, now: Instant): Instant {
  if (state.terminated) return Number.POSITIVE_INFINITY;
  const times = [state.heartbeatAt];
  const { worker, acquisition, cleaning } = state;
  if (acquisition.phase !== 'idle') times.push(acquisition.deadline);
  else if (acquisition.retryAt > now) times.push(acquisition.retryAt);
  if (worker?.report?.mayRun && worker.report.leaseUntil > now) times.push(worker.report.leaseUntil);
  if (cleaning?.failedAt != null) times.push(cleaning.failedAt + state.settings.heartbeatMs);
  return Math.min(...times);
}

function route(state: NodeState, input: NodeInput, outputs: NodeOutput[]): void {
  const { now } = input;
  switch (input.kind) {
    case 'tick':
      return;
    case 'peer':
      peerMessage(state, input.from, input.message, now, outputs);
      return;
    case 'link':
      linkChanged(state, input.node, input.up, now, outputs);
      return;
    case 'worker-alive':
    case 'worker-report':
    case 'worker-send':
    case 'worker-finish':
      workerSpoke(state, input, outputs);
      return;
    case 'worker-exit':
      if (state.worker?.id === input.worker) workerExited(state, now, outputs);
      return;
    case 'stored':
      if (!input.ok) log(outputs, 'error', 'the voter record could not be written: acquisitions are refused');
      voterOutputs(state, voterStored(state.voter, input.id, input.ok, now), now, outputs);
      return;
    case 'cleaned':
      cleaned(state, input.id, input.ok, input.detail, now, outputs);
      return;
    case 'fenced':
      fenced(state, input.id, input.ok, input.detail, now, outputs);
      return;
    case 'command':
      runCommand(state, input.id, input.command, now, outputs);
      return;
    case 'settings':
      state.settings = input.settings;
      state.voter.ownGrantMs = Math.max(state.voter.ownGrantMs, grantMs(leaseTerms(input.settings)));
      voterOutputs(state, changeOfVoters(state), now, outputs);
      if (state.worker)
        tellWorker(state, { kind: 'settings', settings: input.settings, sets: state.voter.sets }, outputs);
      return;
    case 'terminate':
      beginTermination(state, now, outputs);
      return;
    default:
      input satisfies never;
  }
}

/** What follows from any input: the guard, the heartbeat, acquisition, handover by priority. */
function settle(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  guard(state, now, outputs);
  voterOutputs(state, voterAlone(state.voter, now), now, outputs);
  driveAcquisition(state, now, outputs);
  tellSuccessor(state, now, outputs);
  handOverByPriority(state, now, outputs);
  heartbeat(state, now, outputs);
  deliverToSelf(state, now, outputs);
}

function changeOfVoters(state: NodeState): VoterOutput[] {
  const change = changeVoters(state.voter, state.settings.voters);
  if ('outputs' in change) return change.outputs;
  return [{ kind: 'log', level: 'error', text: `the change of the voters is refused: ${change.refused}` }];
}

type WorkerInput = Extract<
  NodeInput,
  { kind: 'worker-alive' | 'worker-report' | 'worker-send' | 'worker-finish' }
>;

function workerSpoke(state: NodeState, input: WorkerInput, outputs: NodeOutput[]): void {
  const { worker } = state;
  if (worker === null || worker.id !== input.worker) return;
  worker.aliveAt = input.now;
  worker.spoken = true;
  if (input.kind === 'worker-report') {
    const { report } = input;
    worker.report = report;
    state.attempts = report.attempts;
    if (report.lastError !== '') state.lastError = report.lastError;
    if (report.run === 'run' && state.leaving?.why === 'handover') handoverFailed(state, input.now, outputs);
  } else if (input.kind === 'worker-send') {
    const targets = input.to === null ? [...new Set(state.voter.sets.flat())] : [input.to];
    for (const to of targets) outputs.push({ kind: 'send', to, message: input.message });
  } else if (input.kind === 'worker-finish') {
    primaryFinished(state, input.outcome, input.now, outputs);
  }
}

function handoverFailed(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  const { leaving } = state;
  if (leaving === null) return;
  state.leaving = null;
  state.handoverNotBefore = now + 20 * state.settings.leaseMs;
  if (leaving.command !== 0) {
    outputs.push({
      kind: 'reply',
      command: leaving.command,
      error: `handover failed: ${state.lastError}`,
      text: '',
    });
  }
}

function linkChanged(
  state: NodeState,
  node: NodeName,
  up: boolean,
  now: Instant,
  outputs: NodeOutput[],
): void {
  const before = state.peers[node];
  if (before?.linked === up) return;
  const heardAt = before?.heardAt ?? Number.NEGATIVE_INFINITY;
  const peer = { linked: up, since: now, heardAt, message: before?.message ?? null };
  state.peers = { ...state.peers, [node]: peer };
  if (up) state.lastHeartbeat = null; // The new link gets a heartbeat at once.
  if (state.role === 'primary' || state.role === 'secondary') {
    outputs.push({ kind: 'notify', action: up ? 'connect' : 'disconnect', args: [] });
  }
}

function peerMessage(
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
        voterOutputs(state, voteOnAsk(state.voter, from, message, now), now, outputs);
      return;
    case 'request':
      if (message.holder.node === from)
        voterOutputs(state, voteOnRequest(state.voter, from, message, now), now, outputs);
      return;
    case 'release':
      if (message.holder.node === from)
        voterOutputs(state, voteOnRelease(state.voter, message, now), now, outputs);
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
      if (message.holder.node === from && state.role === 'secondary')
        state.successorUntil = now + state.settings.leaseMs;
      return;
    default:
      message satisfies never;
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
  const peer = { linked: before?.linked ?? false, since: before?.since ?? now, heardAt: now, message };
  state.peers = { ...state.peers, [from]: peer };
  voterOutputs(state, voterHeard(state.voter, from, message.memory, now), now, outputs);
  if (state.worker?.role === 'watchdog') tellWorker(state, { kind: 'heard', from, message }, outputs);
  if (message.holdingEpoch === 0) return;
  if (state.role === 'secondary') {
    if (message.run === 'run') state.complaints = clearComplaints(state.complaints);
    ensureSecondaryWorker(state, now, outputs);
    if (state.worker?.role === 'secondary') tellWorker(state, { kind: 'heard', from, message }, outputs);
  } else if (state.role === 'primary' && !holding(state, now) && state.leaving === null) {
    meetHolder(state, from, now, outputs);
  }
}

/** A primary without a lease that meets a holder becomes its secondary (P4); what it runs by force ends. */
function meetHolder(state: NodeState, from: NodeName, now: Instant, outputs: NodeOutput[]): void {
  log(outputs, 'info', `${from} holds the lease: becoming secondary`, from);
  if (state.worker?.role === 'primary') {
    state.leaving = { to: 'secondary', why: 'role', command: 0 };
    tellWorker(state, { kind: 'stop', why: 'role', successor: '' }, outputs);
  } else if (state.cleaning === null) {
    become(state, 'secondary', now, outputs);
  } else {
    state.role = 'secondary';
  }
}

function voterOutputs(state: NodeState, from: VoterOutput[], now: Instant, outputs: NodeOutput[]): void {
  const sets = state.voter.sets;
  for (const output of from) {
    if (output.kind === 'answer') outputs.push({ kind: 'send', to: output.to, message: output.message });
    else if (output.kind === 'store') outputs.push(output);
    else {
      log(outputs, output.level, output.text);
      if (state.worker?.role === 'primary') {
        tellWorker(state, { kind: 'settings', settings: state.settings, sets }, outputs);
      }
    }
  }
  void now;
}

function tellSuccessor(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  if (state.worker?.role !== 'primary') return;
  const node = bestSuccessor(state, now);
  if (node === state.successorTold) return;
  state.successorTold = node;
  tellWorker(state, { kind: 'successor', node }, outputs);
}

function handOverByPriority(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  if (state.leaving !== null || state.terminating || now < state.handoverNotBefore) return;
  if (!holding(state, now) || state.worker?.report?.run !== 'run') return;
  const to = betterPrimary(state, now);
  if (to === null) return;
  log(outputs, 'info', `handing over to ${to}: set to primary, with a better priority`, to);
  state.leaving = { to: 'secondary', why: 'handover', command: 0 };
  tellWorker(state, { kind: 'stop', why: 'handover', successor: to }, outputs);
}

function heartbeat(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  const { settings, worker } = state;
  const report = worker?.report;
  const held = holding(state, now);
  const body: HeartbeatFacts = {
    role: state.role,
    roleSet: state.roleSet,
    run: runState(state),
    priority: settings.priority,
    able: isAble(state, now),
    holdingEpoch: held ? (report?.epoch ?? 0) : 0,
    forced: report?.forced ?? false,
  };
  const memory = voterMemory(state.voter, now);
  if (now < state.heartbeatAt && sameFacts(state.lastHeartbeat, body, memory)) return;
  if (now >= state.heartbeatAt) {
    const next = state.heartbeatAt + settings.heartbeatMs;
    state.heartbeatAt = next > now ? next : now + settings.heartbeatMs;
  }
  state.sequence += 1;
  const message: StateMessage = {
    kind: 'state',
    incarnation: state.incarnation,
    sequence: state.sequence,
    ...body,
    memory,
  };
  state.lastHeartbeat = message;
  for (const node in state.peers) {
    if (state.peers[node]?.linked) outputs.push({ kind: 'send', to: node, message });
  }
}

type HeartbeatFacts = Omit<StateMessage, 'kind' | 'incarnation' | 'sequence' | 'memory'>;

/** True where a heartbeat sent now would say what the last one said. */
function sameFacts(last: StateMessage | null, body: HeartbeatFacts, memory: VoterMemory): boolean {
  return (
    last !== null &&
    last.role === body.role &&
    last.roleSet === body.roleSet &&
    last.run === body.run &&
    last.priority === body.priority &&
    last.able === body.able &&
    last.holdingEpoch === body.holdingEpoch &&
    last.forced === body.forced &&
    last.memory.history === memory.history &&
    last.memory.sets === memory.sets
  );
}

/** Messages of this node to itself (its own vote) need no network. */
function deliverToSelf(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  const self = state.settings.node;
  for (let index = 0; index < outputs.length; index += 1) {
    const output = outputs[index];
    if (output?.kind !== 'send' || output.to !== self) continue;
    outputs.splice(index, 1);
    index -= 1;
    peerMessage(state, self, output.message, now, outputs);
  }
}

function log(outputs: NodeOutput[], level: 'info' | 'warn' | 'error', text: string, peer = ''): void {
  outputs.push({ kind: 'log', level, text, peer });
}
