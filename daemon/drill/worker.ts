/**
 * A worker process of a drill's machine: the core of its role over hooks that take their time, as daemon/runtime/worker.ts runs it in
 * earnest.
 */
import type { NodeOutput, WithoutNow, WorkerMessage } from '../core/node-types.js';
import { type PrimaryInput, type PrimaryOutput, primaryWakeAt, stepPrimary } from '../core/primary.js';
import { type SecondaryInput, secondaryWakeAt, stepSecondary } from '../core/secondary.js';
import { stepWatchdog, type WatchdogInput, watchdogWakeAt } from '../core/watchdog.js';
import { beginHook, killHook, takeOverHooks } from './hooks.js';
import { beginWorker, firstCore, type WorkerInput } from './worker-begin.js';
import { type HookAction, type Main, type MainInput, PACE, type Worker, type World } from './world.js';

type Order = Extract<NodeOutput, { kind: 'worker-start' }>;

/** Assigns a spare process; it speaks to its main process by `toMain`. */
export function startWorker(
  world: World,
  main: Main,
  order: Order,
  toMain: (input: MainInput) => void,
): Worker {
  const { machine } = main;
  const { incarnation, settings } = main.state;
  const core = firstCore(order, settings, incarnation, world.agenda.now());
  const worker: Worker = {
    ...{ machine, main, id: order.worker, core },
    ...{ alive: true, ready: false, mainGone: false, waiting: [], hooks: new Map() },
    wakeAt: Number.POSITIVE_INFINITY,
    toMain: (input) =>
      world.agenda.after(PACE.channelMs, () => {
        if (main.worker === worker || input.kind === 'worker-finish') toMain(input);
      }),
    lost: () => mainGone(world, worker),
  };
  machine.workers.push(worker);
  workerAfter(world, worker, PACE.workerMs, () => begin(world, worker));
  return worker;
}

function begin(world: World, worker: Worker): void {
  const { settings } = worker.main.state;
  sayAlive(world, worker, settings.heartbeatMs);
  beginWorker(worker, settings, {
    takeOverHooks: (stopUntil, done) =>
      takeOverHooks(
        world,
        worker.machine,
        stopUntil,
        (ms, then) => workerAfter(world, worker, ms, then),
        done,
      ),
    step: (input) => step(world, worker, input),
  });
}

/** Hands a message of the main process over. */
export function tellWorker(world: World, worker: Worker, message: WithoutNow<WorkerMessage>): void {
  workerAfter(world, worker, PACE.channelMs, () => {
    if (worker.ready) step(world, worker, message);
    else worker.waiting.push(message);
  });
}

/** Ends a worker at once; whoever comes next takes its hooks over. */
export function endWorker(worker: Worker): void {
  if (!worker.alive) return;
  worker.alive = false;
  const { workers } = worker.machine;
  workers.splice(workers.indexOf(worker), 1);
}

function mainGone(world: World, worker: Worker): void {
  if (!worker.alive) return;
  worker.mainGone = true;
  if (worker.core.role !== 'primary') endWorker(worker);
  else if (worker.ready) step(world, worker, { kind: 'main-gone' });
}

function workerAfter(world: World, worker: Worker, ms: number, then: () => void): void {
  world.agenda.after(ms, () => {
    if (worker.alive) then();
  });
}

function sayAlive(world: World, worker: Worker, everyMs: number): void {
  worker.toMain({ kind: 'worker-alive', worker: worker.id });
  workerAfter(world, worker, everyMs, () => sayAlive(world, worker, everyMs));
}

function step(world: World, worker: Worker, input: WorkerInput): void {
  if (!worker.alive) return;
  const { core } = worker;
  const stamped = { ...input, now: world.agenda.now() };
  switch (core.role) {
    case 'primary': {
      const next = stepPrimary(core.state, stamped as PrimaryInput);
      core.state = next.state;
      for (const output of next.outputs) performPrimary(world, worker, output);
      return setWake(world, worker, primaryWakeAt(next.state));
    }
    case 'secondary': {
      const next = stepSecondary(core.state, stamped as SecondaryInput);
      core.state = next.state;
      for (const output of next.outputs) {
        if (output.kind === 'hook')
          runHook(world, worker, output.id, output.action, Number.POSITIVE_INFINITY);
        else if (output.kind === 'signal') signal(world, worker, output.id);
        else if (output.kind === 'finish') finish(worker, 'stopped');
      }
      return setWake(world, worker, secondaryWakeAt(next.state));
    }
    case 'watchdog': {
      const next = stepWatchdog(core.state, stamped as WatchdogInput);
      core.state = next.state;
      for (const output of next.outputs) {
        const { id } = worker;
        if (output.kind === 'to-node')
          worker.toMain({ kind: 'worker-send', worker: id, to: output.to, message: output.message });
      }
      return setWake(world, worker, watchdogWakeAt(next.state));
    }
    default:
      core satisfies never;
  }
}

function setWake(world: World, worker: Worker, at: number): void {
  const now = world.agenda.now();
  if (!worker.alive || at === Number.POSITIVE_INFINITY || (at >= worker.wakeAt && worker.wakeAt > now))
    return;
  worker.wakeAt = at;
  workerAfter(world, worker, Math.max(0, at - now) + PACE.timerMs, () => {
    if (worker.wakeAt !== at) return;
    worker.wakeAt = Number.POSITIVE_INFINITY;
    step(world, worker, { kind: 'tick' });
  });
}

function performPrimary(world: World, worker: Worker, output: PrimaryOutput): void {
  const { id } = worker;
  switch (output.kind) {
    case 'to-voters':
      return worker.toMain({ kind: 'worker-send', worker: id, to: null, message: output.message });
    case 'to-node':
      return worker.toMain({ kind: 'worker-send', worker: id, to: output.to, message: output.message });
    case 'report':
      return worker.toMain({ kind: 'worker-report', worker: id, report: output.report });
    case 'hook':
      return runHook(world, worker, output.id, output.action, output.notAfter);
    case 'signal':
      return signal(world, worker, output.id);
    case 'finish':
      if (output.outcome === 'stopped' || output.outcome === 'gave-up') worker.machine.disk.marker = null;
      return finish(worker, output.outcome);
    case 'log':
      return;
    default:
      output satisfies never;
  }
}

function signal(world: World, worker: Worker, id: number): void {
  const hook = worker.hooks.get(id);
  if (hook !== undefined) killHook(world, worker.machine, hook);
}

/** A worker that has ended is heard to its last word. */
function finish(worker: Worker, outcome: Extract<MainInput, { kind: 'worker-finish' }>['outcome']): void {
  worker.toMain({ kind: 'worker-finish', worker: worker.id, outcome });
  endWorker(worker);
}

function runHook(world: World, worker: Worker, id: number, action: HookAction, notAfter: number): void {
  const ended = (code: number | null): void => {
    worker.hooks.delete(id);
    const detail = code === null ? `${action} was killed` : `${action} exited with ${code}`;
    workerAfter(world, worker, PACE.timerMs, () => step(world, worker, { kind: 'hook', id, code, detail }));
  };
  // In its own turn, as a process that is started: the core has asked for it, and has not yet gone on.
  workerAfter(world, worker, PACE.timerMs, () => {
    if (world.agenda.now() > notAfter) return ended(null);
    worker.hooks.set(id, beginHook(world, worker.machine, action, ended));
  });
}
