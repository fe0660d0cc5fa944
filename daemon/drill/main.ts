/**
 * The main process of a drill's machine: feeds the core of the node, carries its outputs out and wakes it in time, as
 * daemon/runtime/resource.ts does in earnest.
 */
import { nodeWakeAt, startNode, stepNode } from '../core/node.js';
import type { NodeInput, NodeOutput } from '../core/node-types.js';
import type { Role } from '../core/types.js';
import { cleanMachine, dropHooks, runLimited } from './hooks.js';
import { endWorker, startWorker, tellWorker } from './worker.js';
import { type Machine, type Main, type MainInput, PACE, setService, type World } from './world.js';

/** Starts hastmond on a machine, which takes that role up. */
export function startMain(world: World, machine: Machine, role: Role, incarnation: number): void {
  const { disk, settings } = machine;
  const init = {
    ...{ settings, incarnation, record: disk.record, leftRunning: disk.marker },
    ...{ roleOnStart: role, kept: disk.kept },
  };
  const { outputs, state } = startNode(init, world.agenda.now());
  const main: Main = { machine, state, alive: true, worker: null, wakeAt: Number.POSITIVE_INFINITY };
  machine.main = main;
  for (const output of outputs) perform(world, main, output);
  setWake(world, main);
}

/** Gives an input to the core; nothing where its process is gone. */
export function feedMain(world: World, main: Main, input: MainInput): void {
  if (!main.alive) return;
  const step = stepNode(main.state, { ...input, now: world.agenda.now() } as NodeInput);
  main.state = step.state;
  for (const output of step.outputs) {
    if (!main.alive) return;
    perform(world, main, output);
  }
  setWake(world, main);
}

/** Kills the main process; its workers notice. */
export function killMain(world: World, main: Main): void {
  main.alive = false;
  main.machine.main = null;
  for (const worker of main.machine.workers)
    if (worker.main === main) world.agenda.after(PACE.channelMs, worker.lost);
}

/** The machine loses its power: everything on it is gone, and nobody is told. */
export function powerOff(world: World, machine: Machine): void {
  machine.powered = false;
  if (machine.main !== null) machine.main.alive = false;
  machine.main = null;
  for (const worker of [...machine.workers]) endWorker(worker);
  dropHooks(machine);
  setService(world, machine, false, false);
}

function mainAfter(world: World, main: Main, ms: number, then: () => void): void {
  world.agenda.after(ms, () => {
    if (main.alive) then();
  });
}

function setWake(world: World, main: Main): void {
  const now = world.agenda.now();
  const at = nodeWakeAt(main.state, now);
  if (!main.alive || at === Number.POSITIVE_INFINITY || (at >= main.wakeAt && main.wakeAt > now)) return;
  main.wakeAt = at;
  mainAfter(world, main, Math.max(0, at - now) + PACE.timerMs, () => {
    if (main.wakeAt !== at) return;
    main.wakeAt = Number.POSITIVE_INFINITY;
    feedMain(world, main, { kind: 'tick' });
  });
}

function perform(world: World, main: Main, output: NodeOutput): void {
  const { machine } = main;
  const { disk } = machine;
  const soon = (ms: number, input: MainInput): void =>
    mainAfter(world, main, ms, () => feedMain(world, main, input));
  const after = (ms: number, then: () => void): void => mainAfter(world, main, ms, then);
  switch (output.kind) {
    case 'send':
      return world.send(machine, output.to, output.message);
    case 'store':
      disk.record = output.record;
      return soon(PACE.diskMs, { kind: 'stored', id: output.id, ok: true });
    case 'keep':
      disk.kept = output.note;
      return soon(PACE.diskMs, { kind: 'kept', ok: true });
    case 'worker-start': {
      if (output.role === 'primary') disk.marker = main.state.settings.stopTimeoutMs;
      const to = (input: MainInput): void => feedMain(world, main, input);
      main.worker = startWorker(world, main, output, to);
      return;
    }
    case 'worker-kill':
      if (main.worker?.id !== output.worker) return;
      endWorker(main.worker);
      main.worker = null;
      return;
    case 'worker-message':
      if (main.worker?.id === output.worker) tellWorker(world, main.worker, output.message);
      return;
    case 'clean': {
      const { id, mode, stopEnd } = output;
      return cleanMachine(world, machine, mode, stopEnd, after, (problem) =>
        feedMain(world, main, { kind: 'cleaned', id, ok: problem === '', detail: problem }),
      );
    }
    case 'fence':
      return runLimited(world, machine, 'fence', main.state.settings.fenceTimeoutMs, after, (code) =>
        feedMain(world, main, { kind: 'fenced', id: output.id, ok: code === 0, detail: 'fence was killed' }),
      );
    case 'terminated':
    case 'notify':
    case 'reply':
    case 'progress':
    case 'log':
      return;
    default:
      output satisfies never;
  }
}
