/**
 * One resource on one node: the main process's pure core. `stepNode(state, input)` is its only door; everything
 * else of this folder that the main process needs is reached through it. No I/O, no clock, no chance.
 */
import { copyAcquisition, initAcquisition } from './acquire.js';
import { NO_FAILBACK, noteArrived, noteReady } from './failback.js';
import { endHandover } from './handover.js';
import { allVoters, grantMs } from './lease.js';
import { beginCleaning } from './node-clean.js';
import { runCommand } from './node-command.js';
import { cleaned, fenced, guard, stoodStill, takeOverAt, workerExited } from './node-guard.js';
import { driveHandover, handOverUnasked } from './node-handover.js';
import { heartbeat } from './node-heartbeat.js';
import { driveAcquisition } from './node-lease.js';
import {
  adoptedMaintenance,
  driveMaintenance,
  maintenanceKept,
  maintenanceUnanswered,
  maintenanceWakeAt,
} from './node-maintenance.js';
import { changeOfVoters, linkChanged, peerMessage } from './node-peers.js';
import { become, beginTermination, NO_SUCCESSOR, primaryFinished, tellWorker } from './node-role.js';
import type { KeptNote, NodeInput, NodeOutput, NodeState, NodeStep } from './node-types.js';
import { voterOutputs } from './node-voter.js';
import type { PrimaryReport } from './primary-types.js';
import type { Settings } from './settings.js';
import { leaseTerms } from './settings.js';
import type { DurationMs, Instant, Role } from './types.js';
import { bestSuccessor, isReady } from './view.js';
import { copyVoter, initVoter, type VoterRecord, voterAlone, voterStored } from './voter.js';

export interface NodeInit {
  settings: Settings;
  incarnation: number;
  /** The voter's record, null where there is none or it is not valid. */
  record: VoterRecord | null;
  /** Where an earlier process of this node may have left the resource running: the shortest stop_timeout it had; else null. */
  leftRunning: DurationMs | null;
  roleOnStart: Role;
  /** What an earlier process of this node left in maintenance, null for nothing. */
  kept: KeptNote | null;
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
    handover: null,
    failback: NO_FAILBACK,
    giver: '',
    kept: init.kept === null ? null : adoptedMaintenance(init.kept, now),
    lastRevision: 1,
    disownAt: Number.NEGATIVE_INFINITY,
    cleaning: null,
    lastCleanId: 0,
    gaveUpAt: null,
    successorUntil: Number.NEGATIVE_INFINITY,
    namedBy: '',
    successorTold: NO_SUCCESSOR,
    handoverNotBefore: Number.NEGATIVE_INFINITY,
    steppedAt: now,
    guardNotBefore: Number.NEGATIVE_INFINITY,
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
    serviceFailed: '',
    unfit: '',
  };
  const outputs: NodeOutput[] = [];
  if (init.record !== null) voterOutputs(state, changeOfVoters(state), outputs);
  if (init.kept !== null) {
    log(outputs, 'info', `in maintenance (${init.kept.reason}): the resource is taken up as it is`);
    state.roleSet = init.kept.roleSet;
    become(state, 'primary', now, outputs, { resumed: true });
    settle(state, now, outputs);
    return { state, outputs };
  }
  if (init.leftRunning !== null) {
    log(outputs, 'warn', 'an earlier hastmond may have left the resource running: stopping it first');
    // The voters granted the time to stop by the file of then (H5).
    beginCleaning(state, 'stop', now + Math.min(init.leftRunning, settings.stopTimeoutMs), 0, outputs);
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
  noteStandstill(state, input.now);
  if (!state.terminated) {
    route(state, input, outputs);
    settle(state, input.now, outputs);
  } else {
    // A node that is about to exit still votes, is heard, and says no to commands: another resource may keep it for a while.
    if (input.kind === 'peer' || input.kind === 'command') route(state, input, outputs);
    heartbeat(state, input.now, outputs);
  }
  return { state, outputs };
}

/**
 * A main process that stood still (SIGSTOP, a busy machine) has words of its worker waiting that it has not read: it reads
 * them before it judges the worker by what it knew before (G1).
 */
function noteStandstill(state: NodeState, now: Instant): void {
  if (stoodStill(state, now)) state.guardNotBefore = now + READ_FIRST_MS;
  state.steppedAt = now;
}

/** Enough to read what waits. */
const READ_FIRST_MS = 20;

/** When the core has to be stepped again at the latest. */
export function nodeWakeAt(state: NodeState, now: Instant): Instant {
  if (state.terminated) return state.heartbeatAt;
  const times = [state.heartbeatAt, maintenanceWakeAt(state)];
  if (state.guardNotBefore > now) times.push(state.guardNotBefore);
  const { worker, acquisition, cleaning } = state;
  if (acquisition.phase !== 'idle') times.push(acquisition.deadline);
  else if (acquisition.retryAt > now) times.push(acquisition.retryAt);
  if (worker?.report) {
    const at = takeOverAt(worker.report, state.settings);
    if (at > now) times.push(at);
  }
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
      voterOutputs(state, voterStored(state.voter, input.id, input.ok, now), outputs);
      return;
    case 'cleaned':
      cleaned(state, input.id, input.ok, input.detail, now, outputs);
      return;
    case 'kept':
      maintenanceKept(state, input.ok, now, outputs);
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
      voterOutputs(state, changeOfVoters(state), outputs);
      if (state.worker)
        tellWorker(state, { kind: 'settings', settings: input.settings, sets: state.voter.sets }, outputs);
      return;
    case 'judged':
      judged(state, input.failed, input.unfit, outputs);
      return;
    case 'terminate':
      maintenanceUnanswered(state, outputs);
      beginTermination(state, now, outputs);
      return;
    default:
      input satisfies never;
  }
}

/** The worker is told when the service begins or ceases to count as failed, not when the words for it change. */
function judged(state: NodeState, failed: string, unfit: string, outputs: NodeOutput[]): void {
  const changed = (failed === '') !== (state.serviceFailed === '');
  state.serviceFailed = failed;
  state.unfit = unfit;
  if (changed && state.worker?.role === 'primary') tellWorker(state, { kind: 'judged', failed }, outputs);
}

/** What follows from any input: the guard, the heartbeat, acquisition, what becomes of a handover, and one that nobody ordered. */
function settle(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  guard(state, now, outputs);
  driveMaintenance(state, now, outputs);
  voterOutputs(state, voterAlone(state.voter, now), outputs);
  noteReady(state, now);
  noteArrived(state, now);
  driveHandover(state, now, outputs);
  driveAcquisition(state, now, outputs);
  tellSuccessor(state, now, outputs);
  handOverUnasked(state, now, outputs);
  heartbeat(state, now, outputs);
  deliverToSelf(state, now, outputs);
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
    const report = withLease(input.report, worker.report);
    worker.report = report;
    state.attempts = report.attempts;
    if (report.lastError !== '') state.lastError = report.lastError;
    if (report.run === 'run') state.giver = '';
    // What it said before it heard of the handover tells nothing of that.
    if (report.run === 'run' && report.stopsHeard >= worker.stopsTold && state.leaving?.why === 'handover')
      handoverFailed(state, input.now, outputs);
  } else if (input.kind === 'worker-send') {
    const { message, to: one } = input;
    const sets = message.kind === 'request' ? [...state.voter.sets, ...message.sets] : state.voter.sets;
    for (const to of one === null ? allVoters(sets) : [one]) outputs.push({ kind: 'send', to, message });
  } else if (input.kind === 'worker-finish') {
    primaryFinished(state, input.outcome, input.now, outputs);
  }
}

/** What a worker said before it heard of the lease that it was given may not be so any more: it may start under it (G1, G5). */
function withLease(said: PrimaryReport, known: PrimaryReport | null): PrimaryReport {
  if (known === null || said.heardEpoch >= known.heardEpoch) return said;
  const { epoch, heardEpoch, leaseUntil, grantedUntil } = known;
  return { ...said, epoch, heardEpoch, leaseUntil, grantedUntil, mayRun: true, wantsLease: false };
}

/** The resource could not be stopped here, and goes on running. */
function handoverFailed(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  state.leaving = null;
  endHandover(state, `handover failed: ${state.lastError}`, '', now, outputs);
}

/** Who has handed the resource over goes before all others, until it runs here (P8). */
function tellSuccessor(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  if (state.worker?.role !== 'primary') return;
  const giveBack = state.giver !== '' && isReady(state, state.giver, now);
  const node = giveBack ? state.giver : bestSuccessor(state, now);
  if (node === state.successorTold.node && giveBack === state.successorTold.giveBack) return;
  state.successorTold = { node, giveBack };
  tellWorker(state, { kind: 'successor', node, giveBack }, outputs);
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
