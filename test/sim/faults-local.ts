/** Faults of one machine's hooks, service and disk. */
import type { Fault } from './faults.js';
import { setService } from './hooks.js';
import { GOOD, killMain } from './machine.js';

/** Hooks fail, hang, lie or are slow for a while. */
export const afflictHooks: Fault = ({ world, target, ms, endLater }) => {
  const { prng } = world;
  const modes = {
    start: prng.pick(['good', 'slow', 'fail', 'hang', 'lie', 'late'] as const),
    stop: prng.pick(['good', 'good', 'slow', 'fail', 'hang'] as const),
    status: prng.pick(['good', 'good', 'good', 'unknown', 'hang'] as const),
  };
  target.modes = modes;
  world.trace({
    kind: 'fault',
    text: `hooks of ${target.name}: start ${modes.start}, stop ${modes.stop}, status ${modes.status}`,
  });
  endLater(ms, () => {
    if (target.modes === modes) target.modes = GOOD;
  });
  return true;
};

/** The service ends by itself. */
export const stopService: Fault = ({ world, target }) => {
  if (!target.service.running) return false;
  world.trace({ kind: 'fault', text: `the service on ${target.name} dies by itself` });
  setService(world, target, false);
  return true;
};

export const fillDisk: Fault = ({ world, target, ms, endLater }) => {
  world.trace({ kind: 'fault', text: `the disk of ${target.name} is full` });
  target.disk.full = true;
  endLater(ms, () => {
    target.disk.full = false;
  });
  return true;
};

export const slowDisk: Fault = ({ world, target, ms, endLater }) => {
  world.trace({ kind: 'fault', text: `the disk of ${target.name} is slow` });
  target.disk.slow = true;
  endLater(ms, () => {
    target.disk.slow = false;
  });
  return true;
};

/**
 * A voter's record is lost while its daemon restarts. One at a time: what a second loss takes with it, nobody can
 * know any more (docs/protocol.md, M3).
 */
export const corruptDisk: Fault = ({ world, target }) => {
  const { prng, profile, machines } = world;
  if (target.main === null || !target.main.started || target.main.paused) return false;
  // A primary's worker that has just died leaves the service to main: both at once are outside the guarantee.
  const primary = target.main.state.worker?.role === 'primary';
  if (primary || target.workers.some((worker) => worker.role === 'primary')) return false;
  // Whoever is a voter by any file or any voter's set: during a change they differ.
  const voters = new Set(
    machines.flatMap(({ settings, main }) => [
      ...settings.voters,
      ...(main?.started ? main.state.voter.sets.flat() : []),
    ]),
  );
  const othersRemember = machines
    .filter((machine) => machine !== target && voters.has(machine.name))
    .every(
      (machine) => machine.disk.record !== null && machine.main?.started && machine.main.state.voter.history,
    );
  if (!othersRemember || target.main.state.cleaning !== null) return false;
  world.trace({ kind: 'fault', text: `the voter record of ${target.name} is corrupt` });
  killMain(world, target, prng.range(1, profile.times.leaseMs));
  // A write that is under way does not bring the record back.
  target.disk = { ...target.disk, record: null };
  world.trace({ kind: 'forgotten', voter: target.name });
  return true;
};
