/**
 * One resource in the main process: feeds the pure core of the node with what happens and carries out, in order,
 * what it decides. The shell around daemon/core/node.ts; it decides nothing.
 */

import type { NewEvent } from '../../proto/event-types.js';
import { keepPlan } from '../actions/plan.js';
import type { StateChange } from '../actions/reports.js';
import type { Config, ResourceConfig } from '../config/types.js';
import { nodeWakeAt, startNode, stepNode } from '../core/node.js';
import type { NodeCommand, NodeInput, NodeOutput, NodeState, WithoutNow } from '../core/node-types.js';
import type { NodeName, PeerMessage } from '../core/types.js';
import { candidates, connectedHolder, holding } from '../core/view.js';
import type { VoterRecord } from '../core/voter.js';
import { recordResource } from '../events/resource.js';
import type { NetLog } from '../net/log.js';
import type { PeerNetwork } from '../net/peer-network.js';
import type { Store } from '../state/store.js';
import { bootTime } from '../sys/clock.js';
import { programOf } from './action-hooks.js';
import { type Cleaner, createCleaner } from './cleaner.js';
import { type CommandReply, createCommandReplies } from './command-replies.js';
import type { HookSetup, WorkerToMain } from './ipc.js';
import { createKeptNotes } from './kept-note.js';
import { createLookout } from './lookout.js';
import { createRunningNote } from './running-note.js';
import { settingsOf } from './settings-of.js';
import { createWake } from './wake.js';
import type { WorkerPool, WorkerProcess } from './worker-pool.js';

export interface ResourceRuntime {
  readonly name: string;
  state(): NodeState;
  config(): ResourceConfig;
  workerPid(): number;
  /** What cannot be relied on here, one sentence each. */
  warnings(): string[];
  /** An init or watchdog node has seen it run here. */
  seenRunning(): boolean;
  /** How long the last stop of the main process or of a worker took, null where none was seen. */
  lastStopMs(): number | null;
  peerMessage(from: NodeName, message: PeerMessage): void;
  link(node: NodeName, up: boolean): void;
  /** `wait`: the promise is fulfilled when the command is done, not when it is accepted; `progress` is told how far it is. */
  command(command: NodeCommand, wait: boolean, progress?: (text: string) => void): Promise<CommandReply>;
  reconfigure(config: Config, resource: ResourceConfig): void;
  /** Puts its actions in force where the disk did not take them before. */
  keepActions(): void;
  /** What its checks say: why the service counts as failed, why this node must not be promoted; '' for neither. */
  judge(failed: string, unfit: string): void;
  /** Runs the lists for a change of a check's state, after those that wait already. */
  stateChanged(change: StateChange): void;
  /** Stops what runs here and releases; true where the resource is known to be stopped. */
  terminate(): Promise<boolean>;
  close(): void;
}

export interface ResourceOptions {
  config: Config;
  resource: ResourceConfig;
  incarnation: number;
  store: Store;
  hookDirectory: string;
  /** What hastmond itself is executed from. */
  script: string;
  pool: WorkerPool;
  network: () => PeerNetwork;
  log: { child(fields: object): NetLog };
  /** Puts on record what has happened. */
  record: (event: NewEvent) => void;
  /** Called when the state has changed: the watchdog device is fed by what it says. */
  changed: () => void;
}

const VOTER = 'voter';

/** Starts a resource: reads what it must remember, and takes part. */
export function startResource(options: ResourceOptions): ResourceRuntime {
  let { config, resource } = options;
  const { store } = options;
  const name = resource.name;
  const warnings = new Set<string>();
  const replies = createCommandReplies();
  let worker: { id: number; process: WorkerProcess } | null = null;
  let stopBegan: number | null = null;
  let lastStopMs: number | null = null;
  let finishTermination: ((ok: boolean) => void) | null = null;
  let closed = false;
  let log = options.log.child({ resource: name, role: 'init' });
  /** Of the lease that this node holds, or held last. */
  let heldEpoch = 0;

  const recorder = recordResource(name, options.record);
  const record = readRecord();
  const runningNote = createRunningNote(
    store,
    () => log,
    () => settingsOf(config, resource).stopTimeoutMs,
  );
  const keptNotes = createKeptNotes(store, () => log, Date.now);
  const leftRunning = runningNote.read();
  keepActions();
  const started = startNode(
    {
      settings: settingsOf(config, resource),
      incarnation: options.incarnation,
      record,
      leftRunning,
      roleOnStart: resource.roleOnStart,
      kept: keptNotes.read(),
    },
    bootTime(),
  );
  let state = started.state;
  if (state.role !== 'init') log = options.log.child({ resource: name, role: state.role });
  if (record?.grant?.holder.node === config.node) heldEpoch = record.grant.epoch;
  const cleaner = makeCleaner();
  const lookout = createLookout({
    role: () => state.role,
    idle: () => state.cleaning === null && !state.terminating,
    status: () => cleaner.look(),
    intervalMs: () => state.settings.statusIntervalMs,
    log: () => log,
  });
  const wake = createWake(bootTime, () => feed({ kind: 'tick' }));
  const queue: WithoutNow<NodeInput>[] = [];
  let stepping = true;

  function readRecord(): VoterRecord | null {
    const read = store.read(VOTER);
    if (read.kind === 'valid') return read.value as VoterRecord;
    if (read.kind === 'corrupt') {
      const aside = store.setAside(VOTER);
      const text = `the voter's record is corrupt (${read.reason}): this node votes again when it has heard the others`;
      warnings.add(text);
      log.error({}, `${text}; the file was kept as ${aside}`);
    }
    return null;
  }

  function makeCleaner(): Cleaner {
    return createCleaner({
      hooks: hookSetup(),
      settings: () => state.settings,
      log: () => log,
      facts: () => ({
        ...{ resource: name, node: config.node, role: state.role },
        ...{ epoch: heldEpoch, primary: primaryNow(), candidates: candidates(state) },
      }),
      cleaned(id, ok, detail) {
        // A check that found nothing running may have found nothing out; after a stop that succeeded, it is known.
        if (ok && state.cleaning?.id === id && state.cleaning.mode === 'stop') runningNote.clear();
        feed({ kind: 'cleaned', id, ok, detail });
      },
      fenced: (id, ok, detail) => feed({ kind: 'fenced', id, ok, detail }),
      ended: recorder.hook,
    });
  }

  /** A plan that cannot be kept leaves the one before it in force. */
  function keepActions(): void {
    const plan = resource.actions?.plan;
    if (plan == null) return;
    const text = 'the actions cannot be put in force';
    try {
      keepPlan(store, plan);
      warnings.delete(text);
    } catch (error) {
      warnings.add(text);
      log.error({}, `${text}: ${(error as Error).message}`);
    }
  }

  function hookSetup(): HookSetup {
    return {
      ...programOf(resource, options.script, store.dir),
      fence: resource.fence ?? '',
      directory: options.hookDirectory,
      stateDir: config.stateDir,
    };
  }

  function primaryNow(): NodeName {
    return holding(state, bootTime()) ? config.node : (connectedHolder(state, bootTime()) ?? '');
  }

  /** Inputs that come while outputs are carried out wait their turn. */
  function feed(input: WithoutNow<NodeInput>): void {
    if (closed) return;
    queue.push(input);
    if (!stepping) drain();
  }

  function drain(): void {
    stepping = true;
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const step = stepNode(state, { ...next, now: bootTime() } as NodeInput);
      apply(step.state, step.outputs);
    }
    stepping = false;
    wake.at(nodeWakeAt(state, bootTime()));
  }

  function apply(next: NodeState, outputs: NodeOutput[]): void {
    const roleBefore = state.role;
    const before = candidates(state).join();
    recorder.stepped(state, next);
    state = next;
    if (next.role !== roleBefore) log = options.log.child({ resource: name, role: next.role });
    heldEpoch = Math.max(heldEpoch, next.worker?.report?.epoch ?? 0);
    for (const output of outputs) perform(output);
    if (candidates(state).join() !== before) tellCandidates();
    measureStop();
    options.changed();
  }

  function perform(output: NodeOutput): void {
    switch (output.kind) {
      case 'send':
        options.network().send(name, output.to, output.message);
        return;
      case 'store':
        storeRecord(output.id, output.record);
        return;
      case 'worker-start':
        startWorker(output);
        return;
      case 'worker-kill':
        if (worker?.id === output.worker) endWorker();
        return;
      case 'worker-message':
        if (worker?.id === output.worker) worker.process.tell({ kind: 'core', message: output.message });
        return;
      case 'keep':
        return keptNotes.keep(output.note, (ok) => feed({ kind: 'kept', ok }));
      case 'clean':
        cleaner.clean(output.id, output.mode, output.stopEnd);
        return;
      case 'fence':
        cleaner.fence(output.id);
        return;
      case 'notify':
        cleaner.notify(output.action, output.args);
        return;
      case 'reply':
        return replies.answer(output.command, { error: output.error, text: output.text, done: true });
      case 'progress':
        return replies.progress(output.command, output.text);
      case 'terminated':
        if (output.ok && !output.left) runningNote.clear();
        finishTermination?.(output.ok);
        return;
      case 'log':
        return log[output.level](output.peer === '' ? {} : { peer: output.peer }, output.text);
      default:
        output satisfies never;
    }
  }

  function storeRecord(id: number, value: VoterRecord): void {
    store.write(VOTER, value).then(
      () => feed({ kind: 'stored', id, ok: true }),
      (error: Error) => {
        log.error({}, `cannot store the voter's record: ${error.message}`);
        feed({ kind: 'stored', id, ok: false });
      },
    );
  }

  function startWorker(output: Extract<NodeOutput, { kind: 'worker-start' }>): void {
    if (output.role === 'primary') runningNote.write(state.settings.stopTimeoutMs);
    heldEpoch = Math.max(heldEpoch, output.init?.lease?.epoch ?? 0);
    const id = output.worker;
    const callbacks = {
      said: (message: WorkerToMain) => workerSaid(id, message),
      exited: () => workerExited(id),
    };
    const child = options.pool.take(callbacks, output.role === 'primary');
    worker = { id, process: child };
    const { settings, incarnation } = state;
    child.tell({
      kind: 'assign',
      role: output.role,
      settings,
      incarnation,
      hooks: hookSetup(),
      epoch: heldEpoch,
      init: output.init,
    });
    tellCandidates();
  }

  function tellCandidates(): void {
    worker?.process.tell({ kind: 'primary-is', node: primaryNow(), candidates: candidates(state) });
  }

  function workerSaid(id: number, message: WorkerToMain): void {
    switch (message.kind) {
      case 'alive':
        return feed({ kind: 'worker-alive', worker: id });
      case 'report':
        return feed({ kind: 'worker-report', worker: id, report: message.report });
      case 'hook':
        return recorder.hook(message.end);
      case 'send':
        return feed({ kind: 'worker-send', worker: id, to: message.to, message: message.message });
      case 'finish':
        if (message.outcome === 'stopped' || message.outcome === 'gave-up') runningNote.clear();
        return feed({ kind: 'worker-finish', worker: id, outcome: message.outcome });
      case 'log':
        return log[message.level]({ workerpid: worker?.process.pid }, message.text);
      default:
        message satisfies never;
    }
  }

  function workerExited(id: number): void {
    if (worker?.id === id) worker = null;
    feed({ kind: 'worker-exit', worker: id });
  }

  function endWorker(): void {
    worker?.process.kill();
    worker = null;
  }

  /** For the margin that `status` shows: from the begin of a stop to the word that all is stopped. */
  function measureStop(): void {
    const run = state.worker?.report?.run;
    const stopping = run === 'stopping' || state.cleaning?.mode === 'stop';
    if (stopping && stopBegan === null) stopBegan = bootTime();
    if (stopping || stopBegan === null) return;
    lastStopMs = bootTime() - stopBegan;
    stopBegan = null;
  }

  apply(state, started.outputs);
  drain();

  return {
    name,
    state: () => state,
    config: () => resource,
    workerPid: () => worker?.process.pid ?? 0,
    warnings: () => [lookout.warning(), ...warnings].filter((text) => text !== ''),
    seenRunning: () => lookout.running(),
    lastStopMs: () => lastStopMs,
    peerMessage: (from, message) => feed({ kind: 'peer', from, message }),
    link: (node, up) => feed({ kind: 'link', node, up }),
    command: (command, wait, progress = () => {}) =>
      replies.open((id) => feed({ kind: 'command', id, command }), wait, progress),
    reconfigure(newConfig, newResource) {
      config = newConfig;
      resource = newResource;
      keepActions();
      cleaner.setHooks(hookSetup());
      const settings = settingsOf(config, resource);
      // Renewals ask for the new time from now on; a daemon that starts after this one must reckon with the shorter.
      if (settings.stopTimeoutMs < (runningNote.read() ?? 0)) runningNote.write(settings.stopTimeoutMs);
      feed({ kind: 'settings', settings });
    },
    keepActions,
    judge(failed, unfit) {
      if (failed !== state.serviceFailed || unfit !== state.unfit) feed({ kind: 'judged', failed, unfit });
    },
    stateChanged: ({ node, check, from, to }) => cleaner.notify('change', [check, node, from, to]),
    terminate() {
      return new Promise((resolve) => {
        finishTermination = resolve;
        feed({ kind: 'terminate' });
      });
    },
    close() {
      closed = true;
      replies.close(`this hastmond takes no part in ${name} any more`);
      lookout.close();
      wake.cancel();
      endWorker();
      cleaner.close();
    },
  };
}
