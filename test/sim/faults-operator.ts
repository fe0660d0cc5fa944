/** What operators do at the worst moment: commands, restarts, reloads. */
import type { NodeCommand } from '../../daemon/core/node-types.js';
import type { Fault } from './faults.js';
import { startMain } from './main-process.js';
import { command, reload, terminate } from './operator.js';
import { SHORTEST_STOP_SHARE } from './profile.js';
import type { Machine, World } from './world.js';

export const giveCommand: Fault = ({ world, target }) => {
  const { prng, profile, machines } = world;
  const role = prng.pick(['primary', 'primary', 'secondary', 'watchdog', 'init'] as const);
  const given: NodeCommand = prng.chance(400)
    ? { kind: 'switchover', to: prng.chance(500) ? '' : prng.pick(machines).name }
    : { kind: 'role', role, force: role === 'primary' && profile.faults.force && prng.chance(300) };
  command(world, target, given);
  return true;
};

/** SIGTERM, and a new start some time later. */
export const restartDaemon: Fault = ({ world, target, ms }) => {
  const { main, boot } = target;
  if (main === null || !main.started) return false;
  terminate(world, target);
  const look = (): void => {
    if (target.boot !== boot || !target.powered || target.main !== null) {
      if (target.main === main) world.agenda.after(50, look);
      return;
    }
    startMain(world, target);
  };
  world.agenda.after(ms, look);
  return true;
};

/** Maintenance on the node that holds, for a while or until it is ended; changed while it is on, and with a restart under it now and then. */
export const maintain: Fault = (context) => {
  const { world, ms } = context;
  const { agenda, prng, machines } = world;
  const holder = machines.find(({ main }) => main?.started && main.state.worker?.report?.run === 'run');
  if (holder === undefined) return false;
  const timed = prng.chance(400);
  const forMs = timed ? ms : Number.POSITIVE_INFINITY;
  const on = (reason: string) => command(world, holder, { kind: 'maintenance-on', reason, by: 'op', forMs });
  on('upgrade');
  agenda.after(ms / 2, () => on('upgrade that takes longer'));
  if (prng.chance(600)) agenda.after(prng.below(ms), () => restartDaemon({ ...context, target: holder }));
  if (!timed || prng.chance(300))
    agenda.after(2 * ms, () => command(world, holder, { kind: 'maintenance-off' }));
  return true;
};

/** Other times in every file, reloaded by one machine after the other. */
export const changeTimes: Fault = ({ world }) => {
  const { prng, profile } = world;
  const percent = prng.pick([50, 80, 100, 150, 250]);
  const { leaseMs, stopTimeoutMs, heartbeatMs } = profile.times;
  const change = {
    leaseMs: Math.max(2 * heartbeatMs, Math.round((leaseMs * percent) / 100)),
    stopTimeoutMs: Math.max(150, Math.round(stopTimeoutMs * prng.pick([SHORTEST_STOP_SHARE, 1, 2]))),
  };
  if (profile.protection === 'device') change.stopTimeoutMs = stopTimeoutMs;
  inTurn(world, (machine) => reload(world, machine, change));
  return true;
};

/** One voter more or one less, reloaded by one machine after the other; the next change comes when all have. */
export const changeVoters: Fault = ({ world, target }) => {
  const { prng, profile, machines } = world;
  if (world.changingVoters || (!profile.faults.careless && !votersSettled(world))) return false;
  const { voters } = target.settings;
  const added = machines.find((machine) => !voters.includes(machine.name));
  const removed = prng.pick(voters);
  const next =
    added !== undefined && prng.chance(500)
      ? [...voters, added.name]
      : voters.filter((name) => name !== removed);
  const candidates = machines.filter(({ name, plan }) => next.includes(name) && plan.role !== 'watchdog');
  if (next.length < 2 || candidates.length === 0) return false;
  world.changingVoters = true;
  inTurn(
    world,
    (machine) => reload(world, machine, { voters: next }),
    () => {
      world.changingVoters = false;
    },
  );
  return true;
};

/** True where `hastmonctl status` says on every node that the last change of the voters is over. */
function votersSettled({ machines }: World): boolean {
  return machines.every(({ name, main, settings }) => {
    const named = settings.voters.join(' ');
    if (main === null) return !settings.voters.includes(name);
    return (
      main.started &&
      main.state.voter.history &&
      main.state.voter.sets.length === 1 &&
      main.state.voter.sets[0]?.join(' ') === named
    );
  });
}

/** At each machine, in an order and at moments of their own. */
function inTurn(world: World, then: (machine: Machine) => void, done: () => void = () => {}): void {
  const { prng, profile, machines } = world;
  const spreadMs = prng.pick([10, profile.times.leaseMs, profile.times.leaseMs * 4]);
  for (const machine of machines) {
    world.agenda.after(prng.below(spreadMs), () => {
      // When everything is healed, all files are made to agree.
      if (!world.healed) then(machine);
    });
  }
  world.agenda.after(spreadMs, done);
}
