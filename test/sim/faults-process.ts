/** Faults of processes and machines: killed, paused, powered off. */
import type { Fault } from './faults.js';
import { killMain, powerOff, powerOn } from './machine.js';
import { pauseMain, resumeMain } from './main-process.js';
import { crashWorker, pauseWorker, resumeWorker } from './worker-process.js';
import { localNow, type Machine, type World } from './world.js';

/**
 * True where main and worker both are well, so that one of them may be lost: the other guards it. With a watchdog
 * device that does not matter.
 */
function mayLoseOne(world: World, machine: Machine): boolean {
  const { main } = machine;
  if (main === null || !main.started) return false;
  if (world.profile.protection === 'device') return true;
  if (main.paused || main.state.cleaning !== null) return false;
  // A worker that has died, while main does not know it yet.
  if (main.state.worker !== null && !machine.workers.some(({ id }) => id === main.state.worker?.id))
    return false;
  return machine.workers.every((worker) => worker.main === main && worker.ready && !worker.paused);
}

/** How long until a main process is there again. */
function restartMs({ prng, profile }: World): number {
  return prng.chance(500) ? prng.range(1, 100) : prng.range(1, 4) * profile.times.leaseMs;
}

export const killMainOnly: Fault = ({ world, target }) => {
  if (!mayLoseOne(world, target)) return false;
  killMain(world, target, restartMs(world));
  return true;
};

export const killWorkerOnly: Fault = ({ world, target }) => {
  const worker = target.main?.worker;
  if (worker == null || !worker.alive || !mayLoseOne(world, target)) return false;
  crashWorker(world, worker);
  return true;
};

/** Both at once: only where the device, or a restart and a stop within what is left of the grant, stand behind them. */
export const killBoth: Fault = ({ world, target }) => {
  const { prng, profile } = world;
  const { main } = target;
  if (main === null || !mayLoseOne(world, target)) return false;
  let ms = restartMs(world);
  if (profile.protection === 'none') return false;
  if (profile.protection === 'supervisor') {
    ms = prng.range(1, 50);
    if (!restartFits(world, target, ms)) return false;
  }
  world.trace({ kind: 'fault', text: `main and worker of ${target.name} are killed at once` });
  for (const worker of [...target.workers]) crashWorker(world, worker);
  killMain(world, target, ms);
  return true;
};

/** The stop's own time is in the grant after the lease; what comes before it has to fit into what is left of the lease. */
function restartFits(world: World, machine: Machine, ms: number): boolean {
  const worker = machine.main?.worker;
  if (worker?.core.role !== 'primary') return true;
  const { phase, lease } = worker.core.state;
  if (phase === 'waiting') return true;
  if (phase === 'stopping' || phase === 'stuck') return false;
  const leftMs = (lease?.until ?? Number.NEGATIVE_INFINITY) - localNow(world, machine);
  const startMs = 60;
  const endHooksMs = 30;
  return leftMs > ms + startMs + endHooksMs;
}

export const loseMachine: Fault = ({ world, target, ms, endLater }) => {
  if (!target.powered) return false;
  powerOff(world, target, 'power lost');
  endLater(ms, () => powerOn(world, target));
  return true;
};

export const pauseMainOnly: Fault = ({ world, target, ms, endLater }) => {
  const { main } = target;
  if (main === null || !mayLoseOne(world, target)) return false;
  pauseMain(world, main);
  endLater(ms, () => resumeMain(world, main));
  return true;
};

export const pauseWorkerOnly: Fault = ({ world, target, ms, endLater }) => {
  const worker = target.main?.worker;
  if (worker == null || !worker.alive || !mayLoseOne(world, target)) return false;
  pauseWorker(world, worker);
  endLater(ms, () => resumeWorker(world, worker));
  return true;
};

/** Everything of hastmon on a machine stands still, while the service goes on. */
export const pauseBoth: Fault = ({ world, target, ms, endLater }) => {
  const { main } = target;
  if (world.profile.protection !== 'device' || main === null || !mayLoseOne(world, target)) return false;
  const workers = [...target.workers];
  pauseMain(world, main);
  for (const worker of workers) pauseWorker(world, worker);
  endLater(ms, () => {
    for (const worker of workers) resumeWorker(world, worker);
    resumeMain(world, main);
  });
  return true;
};
