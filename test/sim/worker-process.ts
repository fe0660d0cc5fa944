/**
 * A worker process: the shell around the core of a role, as daemon/runtime/worker.ts is in earnest. Ends what an earlier
 * worker's hooks still do, then feeds its core, runs its hooks and talks to the main process over a channel that
 * keeps the order.
 */

import type { WithoutNow, WorkerMessage } from '../../daemon/core/node-types.js';
import {
  type PrimaryFinish,
  type PrimaryOutput,
  type PrimaryReport,
  primaryWakeAt,
  stepPrimary,
} from '../../daemon/core/primary.js';
import { secondaryWakeAt, stepSecondary } from '../../daemon/core/secondary.js';
import { stepWatchdog, watchdogWakeAt } from '../../daemon/core/watchdog.js';
import { beginWorker, firstCore, type WorkerOrder } from '../../daemon/drill/worker-begin.js';
import { takeOverHooks } from './cleaner.js';
import { deepFreeze } from './freeze.js';
import { beginHook, killLeftovers, signalHook, takeByForce } from './hooks.js';
import { feedMain } from './main-process.js';
import { Violation } from './trace.js';
import {
  localNow,
  type MainInput,
  type MainProcess,
  trueTime,
  type WorkerProcess,
  type World,
} from './world.js';

/** Assigns a process: a warm spare mostly, else one that has to be forked first. */
export function startWorkerProcess(
  world: World,
  main: MainProcess,
  order: WorkerOrder & { worker: number },
): void {
  const { machine } = main;
  const { settings } = main.state;
  const now = localNow(world, machine);
  if (order.role === 'primary') machine.disk.marker = settings.stopTimeoutMs;
  const worker: WorkerProcess = {
    machine,
    main,
    id: order.worker,
    role: order.role,
    alive: true,
    ready: false,
    paused: false,
    inbox: [],
    core: firstCore(order, settings, main.incarnation, now),
    mainGone: false,
    hooks: new Map(),
    signalled: new Set(),
    wakeAt: Number.POSITIVE_INFINITY,
    toMainAt: 0,
    toWorkerAt: 0,
    waiting: [],
    lost: () => workerAfter(world, worker, 0, () => mainGone(world, worker)),
  };
  machine.workers.push(worker);
  main.worker = worker;
  const { prng } = world;
  const busy = prng.chance(world.profile.busyPermille);
  const beginMs = busy ? prng.range(40, 150) : prng.range(1, 5);
  workerAfter(world, worker, beginMs, () => begin(world, worker));
}

function begin(world: World, worker: WorkerProcess): void {
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
    step: (input) => stepCore(world, worker, input),
  });
}

/** Hands a message of the main process over, in order. */
export function tellWorkerProcess(
  world: World,
  worker: WorkerProcess,
  message: WithoutNow<WorkerMessage>,
): void {
  const at = Math.max(worker.toWorkerAt, world.agenda.now + delay(world));
  worker.toWorkerAt = at;
  workerAfter(world, worker, at - world.agenda.now, () => {
    if (worker.ready) stepCore(world, worker, message);
    else worker.waiting.push(message);
  });
}

/** Ends a worker by SIGKILL; its hooks are not touched, whoever comes next takes them over. */
export function killWorker(world: World, worker: WorkerProcess, why: string): void {
  if (!worker.alive) return;
  worker.alive = false;
  const { workers } = worker.machine;
  workers.splice(workers.indexOf(worker), 1);
  world.trace({ kind: 'process', node: worker.machine.name, process: `worker (${worker.role})`, what: why });
}

/** A worker that dies without its main process's doing: main learns of it, perhaps before its last words arrive. */
export function crashWorker(world: World, worker: WorkerProcess): void {
  if (!worker.alive) return;
  killWorker(world, worker, 'dies');
  const { main, id } = worker;
  world.agenda.after(delay(world), () => {
    if (main.worker === worker) main.worker = null;
    feedMain(world, main, { kind: 'worker-exit', worker: id });
  });
}

export function pauseWorker(world: World, worker: WorkerProcess): void {
  if (!worker.alive || worker.paused) return;
  worker.paused = true;
  world.trace({
    kind: 'process',
    node: worker.machine.name,
    process: `worker (${worker.role})`,
    what: 'is paused (SIGSTOP)',
  });
}

export function resumeWorker(world: World, worker: WorkerProcess): void {
  if (!worker.alive || !worker.paused) return;
  worker.paused = false;
  world.trace({
    kind: 'process',
    node: worker.machine.name,
    process: `worker (${worker.role})`,
    what: 'goes on (SIGCONT)',
  });
  while (!worker.paused && worker.alive) {
    const next = worker.inbox.shift();
    if (next === undefined) break;
    next();
  }
}

/** Runs `then` after `ms` of true time, when the process lives and goes on. */
function workerAfter(world: World, worker: WorkerProcess, ms: number, then: () => void): void {
  world.agenda.after(ms, () => {
    if (!worker.alive) return;
    if (worker.paused) worker.inbox.push(then);
    else then();
  });
}

function delay(world: World): number {
  return (world.profile.ipcMs * world.prng.range(1, 10)) / 10;
}

function sayAlive(world: World, worker: WorkerProcess, everyMs: number): void {
  say(world, worker, { kind: 'worker-alive', worker: worker.id });
  workerAfter(world, worker, everyMs, () => sayAlive(world, worker, everyMs));
}

function say(world: World, worker: WorkerProcess, input: MainInput): void {
  const at = Math.max(worker.toMainAt, world.agenda.now + delay(world));
  worker.toMainAt = at;
  world.agenda.at(at, () => feedMain(world, worker.main, input));
}

function mainGone(world: World, worker: WorkerProcess): void {
  worker.mainGone = true;
  if (worker.role !== 'primary') killWorker(world, worker, 'ends: main is gone');
  else if (worker.ready) stepCore(world, worker, { kind: 'main-gone' });
}

function stepCore(world: World, worker: WorkerProcess, input: object & { kind: string }): void {
  if (!worker.alive) return;
  const now = localNow(world, worker.machine);
  const { core } = worker;
  const stamped = { ...input, now };
  if (world.profile.freeze) {
    deepFreeze(core.state);
    deepFreeze(stamped);
  }
  let wakeAt: number;
  if (core.role === 'primary') {
    const before = core.state;
    const step = stepPrimary(before, stamped as Parameters<typeof stepPrimary>[1]);
    if (
      before.phase === 'running' &&
      step.state.attempts > before.attempts &&
      step.state.serviceFailed !== ''
    )
      world.trace({ kind: 'counted', what: 'service-failed', node: worker.machine.name });
    if (step.state.maintained && !before.maintained)
      world.trace({ kind: 'counts-on-marks', node: worker.machine.name, on: true });
    core.state = step.state;
    for (const output of step.outputs) performPrimary(world, worker, output);
    wakeAt = primaryWakeAt(step.state);
  } else if (core.role === 'secondary') {
    const step = stepSecondary(core.state, stamped as Parameters<typeof stepSecondary>[1]);
    core.state = step.state;
    for (const output of step.outputs) {
      if (output.kind === 'hook') runHook(world, worker, output.id, output.action, 0, Infinity);
      else performShared(world, worker, output);
    }
    wakeAt = secondaryWakeAt(step.state);
  } else {
    const step = stepWatchdog(core.state, stamped as Parameters<typeof stepWatchdog>[1]);
    core.state = step.state;
    for (const output of step.outputs) {
      if (output.kind === 'to-node')
        say(world, worker, {
          kind: 'worker-send',
          worker: worker.id,
          to: output.to,
          message: output.message,
        });
      else if (output.kind === 'log') performShared(world, worker, output);
    }
    wakeAt = watchdogWakeAt(step.state);
  }
  setWake(world, worker, wakeAt);
}

function setWake(world: World, worker: WorkerProcess, wakeAt: number): void {
  if (!worker.alive || wakeAt === Number.POSITIVE_INFINITY) return;
  const at = trueTime(worker.machine, wakeAt);
  if (at >= worker.wakeAt && worker.wakeAt > world.agenda.now) return;
  worker.wakeAt = at;
  workerAfter(world, worker, Math.max(0, at - world.agenda.now) + world.profile.timerLateMs, () => {
    if (worker.wakeAt !== at) return;
    worker.wakeAt = Number.POSITIVE_INFINITY;
    stepCore(world, worker, { kind: 'tick' });
  });
}

function performPrimary(world: World, worker: WorkerProcess, output: PrimaryOutput): void {
  switch (output.kind) {
    case 'to-voters':
      return say(world, worker, {
        kind: 'worker-send',
        worker: worker.id,
        to: null,
        message: output.message,
      });
    case 'to-node':
      return say(world, worker, {
        kind: 'worker-send',
        worker: worker.id,
        to: output.to,
        message: output.message,
      });
    case 'report':
      leaseReported(world, worker, output.report);
      if (output.report.forced) takeByForce(world, worker.machine);
      return say(world, worker, { kind: 'worker-report', worker: worker.id, report: output.report });
    case 'hook':
      if (output.action !== 'status' && worker.core.role === 'primary' && worker.core.state.maintained)
        throw new Violation(
          'left-alone',
          `${worker.machine.name}: ${output.action} of what is in maintenance`,
        );
      return runHook(world, worker, output.id, output.action, output.epoch, output.notAfter);
    case 'finish':
      if (output.outcome === 'stopped' || output.outcome === 'gave-up') worker.machine.disk.marker = null;
      return finish(world, worker, output.outcome);
    default:
      return performShared(world, worker, output);
  }
}

function leaseReported(world: World, worker: WorkerProcess, report: PrimaryReport): void {
  const { core, machine, main } = worker;
  if (core.role !== 'primary' || report.leaseUntil === Number.NEGATIVE_INFINITY) return;
  world.trace({
    kind: 'lease',
    holder: { node: machine.name, incarnation: main.incarnation },
    epoch: report.epoch,
    until: trueTime(machine, report.grantedUntil),
  });
}

type Shared =
  | { kind: 'signal'; id: number; signal: 'TERM' | 'KILL' }
  | { kind: 'finish' }
  | { kind: 'log'; level: string; text: string };

function performShared(world: World, worker: WorkerProcess, output: Shared): void {
  if (output.kind === 'signal') {
    const hook = worker.hooks.get(output.id);
    if (hook !== undefined) signalHook(world, hook, output.signal);
    else worker.signalled.add(output.id);
  } else if (output.kind === 'finish') {
    finish(world, worker, 'stopped');
  } else if (world.reading) {
    const { level, text } = output;
    world.trace({ kind: 'log', node: worker.machine.name, process: 'worker', level, text });
  }
}

/** Says so and exits; the main process expects it. */
function finish(world: World, worker: WorkerProcess, outcome: PrimaryFinish): void {
  const { main, id } = worker;
  say(world, worker, { kind: 'worker-finish', worker: id, outcome });
  killWorker(world, worker, 'ends');
  // The exit of a process is noticed on another way than its words, sometimes sooner.
  const sooner = world.prng.chance(world.profile.overtakingPermille);
  world.agenda.at(sooner ? world.agenda.now : worker.toMainAt, () => {
    if (main.worker === worker) main.worker = null;
    feedMain(world, main, { kind: 'worker-exit', worker: id });
  });
}

/** A hook is on record before it executes, and a start looks at the clock once more just before. */
function runHook(
  world: World,
  worker: WorkerProcess,
  id: number,
  action: 'start' | 'stop' | 'status' | 'fence',
  epoch: number,
  notAfter: number,
): void {
  const { machine } = worker;
  world.trace({ kind: 'hook-recorded', node: machine.name });
  const forced = worker.core.role === 'primary' && worker.core.state.forced;
  const spawnMs = world.prng.chance(world.profile.busyPermille) ? world.prng.range(2, 20) : 1;
  workerAfter(world, worker, spawnMs, () => {
    const ended = (code: number | null, detail: string): void => {
      worker.hooks.delete(id);
      if (action === 'stop') killLeftovers(world, machine);
      workerAfter(world, worker, 0, () =>
        stepCore(world, worker, { kind: 'hook', id, code, detail } as never),
      );
    };
    if (worker.signalled.delete(id)) return ended(null, `${action} was ended before it executed`);
    if (localNow(world, machine) > notAfter)
      return ended(null, `${action} was not run: its lease has passed`);
    const facts = { epoch, incarnation: worker.main.incarnation, forced };
    worker.hooks.set(id, beginHook(world, machine, action, facts, ended));
  });
}
