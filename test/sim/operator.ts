/**
 * The operator: commands, reloads of the configuration, and the end and restart of daemons in an orderly way.
 */
import type { NodeCommand } from '../../daemon/core/node-types.js';
import type { Settings } from '../../daemon/core/settings.js';
import type { NodeName } from '../../daemon/core/types.js';
import { changeVoters, copyVoter } from '../../daemon/core/voter.js';
import { feedMain, startMain } from './main-process.js';
import type { Machine, World } from './world.js';

let commands = 0;

/** Gives a command to the daemon of a machine; nothing happens where none runs. */
export function command(world: World, machine: Machine, given: NodeCommand): void {
  if (machine.main === null || !machine.main.started) return;
  world.trace({ kind: 'command', node: machine.name, text: describeCommand(given) });
  commands += 1;
  feedMain(world, machine.main, { kind: 'command', id: commands, command: given });
}

/** SIGTERM; the daemon stops what it runs, and exits. */
export function terminate(world: World, machine: Machine): void {
  if (machine.main === null || !machine.main.started) return;
  world.trace({ kind: 'command', node: machine.name, text: 'kill -TERM hastmond' });
  feedMain(world, machine.main, { kind: 'terminate' });
}

/**
 * Changes the configuration file of a machine and reloads it; a daemon that does not run reads it when it starts. A change of the
 * voters that is refused is reloaded again after a while.
 */
export function reload(world: World, machine: Machine, change: Partial<Settings>): void {
  machine.settings = { ...machine.settings, ...change };
  if (change.voters !== undefined)
    world.trace({ kind: 'voters', node: machine.name, members: change.voters });
  else world.trace({ kind: 'command', node: machine.name, text: `reload: ${describeChange(change)}` });
  apply(world, machine, machine.settings);
}

function apply(world: World, machine: Machine, settings: Settings): void {
  const { main } = machine;
  if (machine.settings !== settings) return;
  if (main === null) {
    if (machine.powered && isNamed(machine)) startMain(world, machine);
    return;
  }
  const again = (): void => world.agenda.after(settings.leaseMs / 2, () => apply(world, machine, settings));
  if (!main.started || main.paused) return again();
  const voters = changeVoters(copyVoter(main.state.voter), settings.voters);
  if ('refused' in voters) return again();
  const { disk } = machine;
  if (disk.marker !== null) disk.marker = Math.min(disk.marker, settings.stopTimeoutMs);
  feedMain(world, main, { kind: 'settings', settings });
}

/** True where the machine's own file names it as a voter, so that its daemon is meant to run. */
export function isNamed(machine: Machine): boolean {
  return machine.settings.voters.includes(machine.name);
}

function describeCommand(given: NodeCommand): string {
  switch (given.kind) {
    case 'role':
      return `hastmonctl role ${given.role}${given.force ? ' --force' : ''}`;
    case 'switchover':
      return `hastmonctl switchover${given.to === '' ? '' : ` --to ${given.to satisfies NodeName}`}`;
    case 'bootstrap':
      return 'hastmonctl bootstrap';
    case 'maintenance-on':
      return 'hastmonctl maintenance on';
    case 'maintenance-forget':
      return 'hastmonctl maintenance forget';
    case 'maintenance-off':
      return 'hastmonctl maintenance off';
    default:
      return given satisfies never;
  }
}

function describeChange(change: Partial<Settings>): string {
  return Object.entries(change)
    .map(([key, value]) => `${key} ${String(value)}`)
    .join(', ');
}
