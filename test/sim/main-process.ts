/**
 * The main process of a machine: the shell around the core of a node, as daemon/runtime/resource.ts is in earnest. Feeds
 * the core, carries its outputs out, wakes it in time, and feeds the watchdog device.
 */
import { demandOf, deviceAction } from '../../daemon/core/demand.js';
import { nodeWakeAt, startNode, stepNode } from '../../daemon/core/node.js';
import type { KeptNote, NodeOutput } from '../../daemon/core/node-types.js';
import { runClean, runFence } from './cleaner.js';
import { checkExplained } from './explained.js';
import { deepFreeze } from './freeze.js';
import { observeStep } from './observe.js';
import { Violation } from './trace.js';
import { killWorker, startWorkerProcess, tellWorkerProcess } from './worker-process.js';
import { localNow, type Machine, type MainInput, type MainProcess, trueTime, type World } from './world.js';

let incarnations = 0;

/**
 * Starts hastmond on a machine that has none. It first waits for an earlier process's worker, which stops the resource
 * and ends when its main process is gone; then it takes part.
 */
export function startMain(world: World, machine: Machine): void {
  if (machine.main !== null || !machine.powered) return;
  incarnations += 1;
  const main: MainProcess = {
    machine,
    incarnation: incarnations,
    state: null as unknown as MainProcess['state'],
    alive: true,
    started: false,
    paused: false,
    deviceOpen: false,
    inbox: [],
    unread: [],
    worker: null,
    wakeAt: Number.POSITIVE_INFINITY,
  };
  machine.main = main;
  world.trace({ kind: 'process', node: machine.name, process: 'main', what: 'starts' });
  const { prng } = world;
  mainAfter(world, main, prng.range(5, 60), () => {
    const left = machine.workers.filter((worker) => worker.alive);
    for (const worker of left) killWorker(world, worker, 'killed by the new main process');
    takePart(world, main);
  });
}

function takePart(world: World, main: MainProcess): void {
  const { machine } = main;
  main.started = true;
  const init = {
    settings: machine.settings,
    incarnation: main.incarnation,
    record: machine.disk.record,
    leftRunning: machine.disk.marker,
    roleOnStart: machine.plan.roleOnStart,
    kept: keptNote(world, machine),
  };
  const { state, outputs } = startNode(init, localNow(world, machine));
  main.state = state;
  world.stepped?.(main, null);
  if (init.record?.grant) world.trace({ kind: 'counted', what: 'voter-restarted', node: machine.name });
  const { history, sets, epochMax } = state.voter;
  if (history) world.trace({ kind: 'voter-sets', voter: machine.name, sets, epochMax, restarted: true });
  if (state.kept !== null) world.trace({ kind: 'counts-on-marks', node: machine.name, on: true });
  world.mainStarted(machine);
  for (const output of outputs) perform(world, main, output);
  lookAtDevice(world, main);
  if (world.profile.protection === 'device') feedDevice(world, main);
  // Its monitor has to look first.
  if (machine.judged.failed + machine.judged.unfit !== '')
    mainAfter(world, main, world.prng.below(world.profile.times.leaseMs), () => tellJudged(world, machine));
  setWake(world, main);
}

function keptNote({ agenda }: World, { disk }: Machine): KeptNote | null {
  return disk.kept === null
    ? null
    : { ...disk.kept.note, leftMs: Math.max(0, disk.kept.endsAt - agenda.now) };
}

function feedDevice(world: World, main: MainProcess): void {
  lookAtDevice(world, main);
  mainAfter(world, main, world.profile.times.deviceTimeoutMs / 4, () => feedDevice(world, main));
}

/** Gives an input to the core, now or when the process goes on. */
export function feedMain(world: World, main: MainProcess, input: MainInput): void {
  if (!main.alive || !main.started) return;
  if (!main.paused) return step(world, main, input);
  if ('worker' in input) main.unread.push(input.worker);
  main.inbox.push(() => {
    if ('worker' in input) main.unread.shift();
    step(world, main, input);
  });
}

/** Tells the daemon of a machine what the checks say now. */
export function tellJudged(world: World, machine: Machine): void {
  if (machine.main !== null) feedMain(world, machine.main, { kind: 'judged', ...machine.judged });
}

/** Runs `then` after `ms` of true time, when the process is alive and goes on. */
export function mainAfter(world: World, main: MainProcess, ms: number, then: () => void): void {
  world.agenda.after(ms, () => {
    if (!main.alive) return;
    if (main.paused) main.inbox.push(then);
    else then();
  });
}

export function pauseMain(world: World, main: MainProcess): void {
  if (!main.alive || main.paused) return;
  main.paused = true;
  world.trace({ kind: 'process', node: main.machine.name, process: 'main', what: 'is paused (SIGSTOP)' });
}

export function resumeMain(world: World, main: MainProcess): void {
  if (!main.alive || !main.paused) return;
  main.paused = false;
  world.trace({ kind: 'process', node: main.machine.name, process: 'main', what: 'goes on (SIGCONT)' });
  while (!main.paused && main.alive) {
    const next = main.inbox.shift();
    if (next === undefined) break;
    next();
  }
}

/** The main process ends at once; its workers notice, unless they hang. */
export function endMain(world: World, main: MainProcess, why: string): void {
  if (!main.alive) return;
  const { machine } = main;
  main.alive = false;
  machine.main = null;
  world.trace({ kind: 'process', node: machine.name, process: 'main', what: why });
  world.mainEnded(machine, machine.powered);
  for (const worker of machine.workers) {
    // The channel ends after what was said on it.
    const at = Math.max(worker.toWorkerAt, world.agenda.now + world.profile.ipcMs);
    if (worker.main === main) world.agenda.at(at, () => worker.lost());
  }
}

function step(world: World, main: MainProcess, input: MainInput): void {
  if (!main.alive) return;
  const before = main.state;
  const stamped = { ...input, now: localNow(world, main.machine) } as Parameters<typeof stepNode>[1];
  if (world.profile.freeze) {
    deepFreeze(before);
    deepFreeze(stamped);
  }
  const { state, outputs } = stepNode(before, stamped);
  main.state = state;
  observeStep(world, main, before, stamped, outputs);
  world.stepped?.(main, before);
  if (world.profile.explained)
    checkExplained(main.machine.name, { before, input: stamped, after: state, outputs });
  for (const output of outputs) {
    if (!main.alive) return;
    perform(world, main, output);
  }
  lookAtDevice(world, main);
  setWake(world, main);
}

function setWake(world: World, main: MainProcess): void {
  if (!main.alive) return;
  const at = trueTime(main.machine, nodeWakeAt(main.state, localNow(world, main.machine)));
  if (at >= main.wakeAt && main.wakeAt > world.agenda.now) return;
  main.wakeAt = at;
  world.agenda.at(at + world.profile.timerLateMs, () => {
    if (!main.alive || main.wakeAt !== at) return;
    if (main.paused) {
      main.inbox.push(() => wake(world, main, at));
      return;
    }
    wake(world, main, at);
  });
}

function wake(world: World, main: MainProcess, at: number): void {
  if (main.wakeAt !== at) return;
  main.wakeAt = Number.POSITIVE_INFINITY;
  step(world, main, { kind: 'tick' });
}

function perform(world: World, main: MainProcess, output: NodeOutput): void {
  const { machine } = main;
  switch (output.kind) {
    case 'send':
      world.send(machine, output.to, output.message);
      return;
    case 'store':
      store(world, main, output);
      return;
    case 'worker-start':
      startWorkerProcess(world, main, output);
      return;
    case 'worker-kill':
      if (main.worker?.id === output.worker) {
        killWorker(world, main.worker, 'is ended by main');
        main.worker = null;
      }
      return;
    case 'worker-message':
      if (main.worker?.id === output.worker) tellWorkerProcess(world, main.worker, output.message);
      return;
    case 'keep':
      keepNote(world, main, output.note);
      return;
    case 'clean':
      if (output.mode === 'stop' && keepsAlone(main.state))
        throw new Violation('left-alone', `${machine.name}: main stops what is in maintenance`);
      runClean(world, main, output.id, output.mode, output.stopEnd);
      return;
    case 'fence':
      runFence(world, main, output.id);
      return;
    case 'notify':
      return;
    case 'reply':
      world.trace({ kind: 'reply', node: machine.name, error: output.error, text: output.text });
      return;
    case 'progress':
      world.trace({ kind: 'progress', node: machine.name, text: output.text });
      return;
    case 'terminated':
      terminated(world, main, output.ok, output.left);
      return;
    case 'log':
      if (world.reading)
        world.trace({
          kind: 'log',
          node: machine.name,
          process: 'main',
          level: output.level,
          text: output.text,
        });
      return;
    default:
      output satisfies never;
  }
}

/** Written and synced a little later; what is under way when the machine or the process dies may be on disk or not. */
function store(world: World, main: MainProcess, output: Extract<NodeOutput, { kind: 'store' }>): void {
  const { machine } = main;
  const { prng, profile } = world;
  const { boot, disk } = machine;
  const ok = !disk.full;
  const ms = disk.slow ? prng.range(profile.storeMs, profile.times.leaseMs) : profile.storeMs;
  world.agenda.after(prng.range(0, Math.floor(ms)), () => {
    const alive = main.alive && machine.boot === boot;
    const later = machine.main !== null && machine.main !== main;
    if (ok && !later && (alive || prng.chance(300))) disk.record = output.record;
    if (alive)
      mainAfter(world, main, ms / 3, () => feedMain(world, main, { kind: 'stored', id: output.id, ok }));
  });
}

/** In maintenance, for good: nothing may be done to the resource. */
export function keepsAlone({ kept }: MainProcess['state']): boolean {
  return kept !== null && ['noting', 'in-force', 'changing', 'renoting'].includes(kept.phase);
}

/** As durable as the voter's record, but that a full disk lets a file be removed. */
function keepNote(world: World, main: MainProcess, note: KeptNote | null): void {
  const { machine } = main;
  const { prng, profile } = world;
  const { boot, disk } = machine;
  const ok = note === null || !disk.full;
  const endsAt = note === null ? 0 : world.agenda.now + note.leftMs;
  world.agenda.after(prng.range(0, Math.floor(profile.storeMs)), () => {
    const alive = main.alive && machine.boot === boot;
    const later = machine.main !== null && machine.main !== main;
    if (ok && !later && (alive || prng.chance(300))) disk.kept = note === null ? null : { note, endsAt };
    if (alive) mainAfter(world, main, profile.storeMs / 3, () => feedMain(world, main, { kind: 'kept', ok }));
  });
}

function terminated(world: World, main: MainProcess, ok: boolean, left: boolean): void {
  const { machine } = main;
  if (ok && !left) machine.disk.marker = null;
  mainAfter(world, main, 1, () => {
    for (const worker of [...machine.workers]) killWorker(world, worker, 'is ended by main');
    endMain(world, main, ok ? 'exits 0' : 'exits 70: the resource may be running');
  });
}

/** Arms, feeds or disarms the watchdog device by what the core's state says (rule G5). */
export function lookAtDevice(world: World, main: MainProcess): void {
  const { machine } = main;
  if (world.profile.protection !== 'device' || !main.alive) return;
  const { device } = machine;
  const demand = demandOf(main.state, localNow(world, machine));
  const action = deviceAction([demand], { open: main.deviceOpen, counting: device.armed });
  if (action === 'wait') return;
  main.deviceOpen = action !== 'close';
  device.armed = action !== 'close';
  device.fedAt = world.agenda.now;
}
