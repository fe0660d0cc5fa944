/**
 * A switchover in good times to a node that cannot start the service, or is lost on the way: who has handed over takes it again, and nobody
 * waits for a watchdog's complaints (P8). Comes last in a run, when everything has been well for a while.
 */
import type { NodeName } from '../../daemon/core/types.js';
import type { Cluster } from './cluster.js';
import { GOOD, powerOff } from './machine.js';
import { command, isNamed } from './operator.js';
import type { PlannedMove, Profile } from './profile.js';
import { type Checker, Violation } from './trace.js';
import { type Machine, machineOf, type World } from './world.js';

/** It is given back to a node that is known to be able: where that word is still on its way, one more start comes between. */
const STARTS_MAX = 2;

/** What is seen of a switchover. */
interface Seen extends Checker {
  /** What the operator was told; null as long as he waits. */
  told: string | null;
  /** How often `start` has begun on other nodes than the one that hands over. */
  starts: number;
}

/** Does what the profile has drawn, where a switchover is possible; throws a Violation where it is not put back. */
export function tryPlannedMove(cluster: Cluster, planned: PlannedMove): void {
  const { world } = cluster;
  const holder = world.machines.find((machine) => machine.service.running);
  if (holder === undefined || !mayMove(holder)) return;
  const named = world.machines.filter(isNamed);
  // Without the one that is lost there has to be a majority.
  const move = named.length < 3 ? 'cannot-start' : planned;
  if (move === 'cannot-start')
    for (const machine of world.machines) if (machine !== holder) machine.modes = { ...GOOD, start: 'fail' };
  // Nor is any machine so busy that a lease of two heartbeats is lost by that.
  world.profile = { ...world.profile, busyPermille: 0, overtakingPermille: 0 };
  const seen = watch(world, holder, move);
  cluster.checkers.push(seen);
  command(world, holder, { kind: 'switchover', to: '' });
  const to = holder.main?.state.handover?.to ?? '';
  // It was refused, or comes to nothing for now: what the faults have left has its time still.
  if (to === '') return;
  const end = world.agenda.now + boundMs(world.profile, move);
  const over = (): boolean => seen.told !== null && runner(world) !== '';
  while (!over() && world.agenda.now < end)
    world.agenda.runUntil(world.agenda.now + world.profile.times.heartbeatMs);
  judge({ world, holder, to, move }, seen);
}

function mayMove({ main, service }: Machine): boolean {
  return !service.forced && main?.started === true && main.state.handover === null;
}

function watch(world: World, holder: Machine, move: PlannedMove): Seen {
  const lose = (): void => {
    const successor = machineOf(world, holder.main?.state.handover?.to ?? '');
    if (successor !== null) powerOff(world, successor, 'lost on the way');
  };
  const seen: Seen = {
    told: null,
    starts: 0,
    see(event) {
      if (event.kind === 'reply' && event.node === holder.name) seen.told ??= event.error || event.text;
      if (event.kind === 'release' && event.holder.node === holder.name && move === 'lost-at-release')
        world.agenda.after(0, lose);
      if (event.kind !== 'hook-begin' || event.action !== 'start' || event.node === holder.name) return;
      seen.starts += 1;
      if (move === 'lost-at-start') world.agenda.after(0, lose);
    },
  };
  return seen;
}

/** By when it runs again: the hooks here and there, and a successor that is lost has its lease and grant. */
function boundMs({ hookMs, times }: Profile, move: PlannedMove): number {
  const { deviceTimeoutMs, fenceTimeoutMs, heartbeatMs, leaseMs, stopTimeoutMs } = times;
  const grantMs = (leaseMs + Math.max(stopTimeoutMs + fenceTimeoutMs, deviceTimeoutMs)) * 1.06;
  const passingMs = 10 * hookMs + 8 * heartbeatMs + 2 * leaseMs + 1500;
  return move === 'cannot-start' ? passingMs : passingMs + leaseMs + grantMs;
}

interface Case {
  world: World;
  holder: Machine;
  to: NodeName;
  move: PlannedMove;
}

function judge({ holder, move, to, world }: Case, { starts, told }: Seen): void {
  const where = runner(world);
  const fail = (what: string): never => {
    throw new Violation('put-back', `a switchover from ${holder.name} to ${to} (${move}): ${what}`);
  };
  if (where === '') fail(`it runs nowhere after ${boundMs(world.profile, move).toFixed(0)} ms`);
  if (told === null) fail('whoever asked is told nothing of it');
  if (move === 'cannot-start') {
    if (where !== holder.name) fail(`it runs on ${where}`);
    if (starts > STARTS_MAX) fail(`it was started ${starts} times before it was given back`);
  }
  // Another node that was set to primary may be quicker than the one that has handed a lost one over.
  const may = move === 'cannot-start' ? /^put back: / : /^put back: |has taken it/;
  if (!may.test(told ?? '')) fail(`whoever asked is told: ${told}`);
}

function runner({ machines }: World): NodeName {
  return machines.find(({ service }) => service.running)?.name ?? '';
}
