/**
 * A machine as a whole: power, its daemon and the supervisor that restarts it, and the watchdog device. What happens
 * inside its processes is in files of their own.
 */
import type { NodeName } from '../../daemon/core/types.js';
import { dropHooks, setService } from './hooks.js';
import { endMain, startMain } from './main-process.js';
import { type NodePlan, type Profile, settingsOf } from './profile.js';
import { killWorker } from './worker-process.js';
import type { HookModes, Machine, World } from './world.js';

export const GOOD: HookModes = { start: 'good', stop: 'good', status: 'good' };

export function createMachine(profile: Profile, plan: NodePlan, voters: readonly NodeName[]): Machine {
  return {
    plan,
    name: plan.name,
    powered: true,
    boot: 1,
    main: null,
    workers: [],
    hooks: [],
    service: { running: false, forced: false, epoch: 0 },
    pending: new Set(),
    disk: { record: null, marker: null, kept: null, full: false, slow: false },
    device: { armed: false, fedAt: 0 },
    settings: settingsOf(profile, plan, voters),
    modes: GOOD,
    judged: { failed: '', unfit: '' },
  };
}

/** The machine loses its power: everything on it ends at once, and nobody is told. */
export function powerOff(world: World, machine: Machine, why: string): void {
  if (!machine.powered) return;
  machine.powered = false;
  world.trace({ kind: 'machine', node: machine.name, up: false, why });
  dropHooks(machine);
  for (const worker of [...machine.workers]) killWorker(world, worker, 'is gone with its machine');
  if (machine.main !== null) endMain(world, machine.main, 'is gone with its machine');
  setService(world, machine, false);
  machine.device.armed = false;
}

/** Power is back; the daemon starts. What was running before the boot is not running now. */
export function powerOn(world: World, machine: Machine): void {
  if (machine.powered) return;
  machine.powered = true;
  machine.boot += 1;
  machine.disk.marker = null;
  world.trace({ kind: 'machine', node: machine.name, up: true, why: 'booted' });
  startMain(world, machine);
}

/** Kills the main process; `restartMs` later the supervisor starts it again (Infinity: nobody does). */
export function killMain(world: World, machine: Machine, restartMs: number): void {
  if (machine.main === null) return;
  endMain(world, machine.main, 'is killed');
  const { boot } = machine;
  if (restartMs === Number.POSITIVE_INFINITY) return;
  world.agenda.after(restartMs, () => {
    if (machine.boot === boot && machine.powered) startMain(world, machine);
  });
}

/**
 * The watchdog device resets the machine when it was not fed in time; it is looked at by its own hardware. The machine
 * boots again after a while.
 */
export function runDevice(world: World, machine: Machine): void {
  const { deviceTimeoutMs, leaseMs } = world.profile.times;
  if (deviceTimeoutMs === 0) return;
  const { device } = machine;
  const limitMs = deviceTimeoutMs / machine.plan.rate;
  const look = (): void => {
    if (device.armed && world.agenda.now >= device.fedAt + limitMs) {
      world.trace({ kind: 'counted', what: 'device-reset', node: machine.name });
      powerOff(world, machine, 'reset by the watchdog device');
      world.agenda.after(world.prng.range(1, 3) * leaseMs, () => powerOn(world, machine));
    }
    world.agenda.after(
      device.armed ? Math.max(0.01, device.fedAt + limitMs - world.agenda.now) : limitMs / 10,
      look,
    );
  };
  look();
}
