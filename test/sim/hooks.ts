/**
 * Hook processes and the service they start and stop: the truth about what runs on a machine. A hook does what the
 * machine's modes say, takes its time, and may be ended by a signal with its work half done.
 */

import { SHORTEST_STOP_SHARE } from './profile.js';
import type { HookAction } from './trace.js';
import type { HookProcess, Machine, World } from './world.js';

export interface HookFacts {
  epoch: number;
  incarnation: number;
  forced: boolean;
}

/** Puts the truth: the service of this machine runs from now on, or does not. */
export function setService(world: World, machine: Machine, running: boolean, facts?: HookFacts): void {
  if (machine.service.running === running) return;
  const { forced, epoch } = facts ?? machine.service;
  machine.service = { running, forced, epoch };
  world.trace({ kind: 'service', node: machine.name, running, forced, epoch });
}

/** A worker by force goes on with a service that was started under a lease: from now on it runs by force. */
export function takeByForce(world: World, { service, name: node }: Machine): void {
  if (!service.running || service.forced) return;
  service.forced = true;
  world.trace({ kind: 'service', node, ...service });
}

/** Ends for certain what start has left behind: the control group is killed. */
export function killLeftovers(world: World, machine: Machine): void {
  if (world.profile.backing !== 'cgroup') return;
  machine.pending.clear();
  setService(world, machine, false);
}

/** Begins a hook. `ended` is called once, unless the machine goes down. */
export function beginHook(
  world: World,
  machine: Machine,
  action: HookAction,
  facts: HookFacts,
  ended: (code: number | null, detail: string) => void,
): HookProcess {
  const hook: HookProcess = { machine, action, began: world.agenda.now, alive: true, stubborn: false, ended };
  machine.hooks.push(hook);
  world.trace({ kind: 'hook-begin', node: machine.name, action, ...facts });
  if (action === 'start') start(world, hook, facts);
  else if (action === 'stop') stop(world, hook);
  else if (action === 'status') status(world, hook);
  else fence(world, hook);
  return hook;
}

/** Sends a signal to the hook's process group; what dies, dies a moment later. */
export function signalHook(world: World, hook: HookProcess, signal: 'TERM' | 'KILL'): void {
  if (!hook.alive || (signal === 'TERM' && hook.stubborn)) return;
  world.agenda.after(signal === 'KILL' ? 0.3 : 1, () => {
    if (!hook.alive) return;
    if (hook.action === 'start' && world.prng.chance(400)) comeUpLater(world, hook.machine, hook);
    if (hook.action === 'stop' && world.prng.chance(500)) setService(world, hook.machine, false);
    endHook(world, hook, null, `${hook.action} was ended by SIG${signal}`);
  });
}

/** All hooks, and what they were about to do, are gone with the machine. */
export function dropHooks(machine: Machine): void {
  for (const hook of machine.hooks) hook.alive = false;
  machine.hooks = [];
  machine.pending.clear();
}

function endHook(world: World, hook: HookProcess, code: number | null, detail: string): void {
  if (!hook.alive) return;
  hook.alive = false;
  const { hooks } = hook.machine;
  hooks.splice(hooks.indexOf(hook), 1);
  world.trace({ kind: 'hook-end', node: hook.machine.name, action: hook.action, code });
  hook.ended(code, detail);
}

/** After `ms`, if the hook still lives by then. */
function during(world: World, hook: HookProcess, ms: number, then: () => void): void {
  world.agenda.after(ms, () => {
    if (hook.alive) then();
  });
}

function usual(world: World): number {
  const { hookMs } = world.profile;
  return world.prng.range(Math.ceil(hookMs / 2), hookMs);
}

function start(world: World, hook: HookProcess, facts: HookFacts): void {
  const { prng, profile } = world;
  const { machine } = hook;
  const mode = machine.modes.start;
  const { startTimeoutMs } = profile.times;
  const ms =
    mode === 'slow' ? prng.range(startTimeoutMs >> 2, Math.round(startTimeoutMs * 1.3)) : usual(world);
  machine.service = machine.service.running ? machine.service : { ...machine.service, ...facts };
  if (mode === 'hang') {
    hook.stubborn = prng.chance(500);
    if (prng.chance(500)) during(world, hook, ms, () => setService(world, machine, true, facts));
    return;
  }
  if (mode === 'good' || mode === 'slow')
    during(world, hook, (ms * prng.range(1, 9)) / 10, () => setService(world, machine, true, facts));
  during(world, hook, ms, () => {
    if (mode === 'late') comeUpLater(world, machine, hook, facts);
    if (mode === 'fail') endHook(world, hook, 1, 'start exited with 1');
    else endHook(world, hook, 0, '');
  });
}

/** A daemon that start has left behind makes the service run some time later, unless it is ended before. */
function comeUpLater(world: World, machine: Machine, hook: object, facts?: HookFacts): void {
  const { prng, profile } = world;
  machine.pending.add(hook);
  world.agenda.after(prng.range(1, Math.round(profile.times.leaseMs)), () => {
    if (machine.pending.delete(hook)) setService(world, machine, true, facts);
  });
}

/**
 * Where nothing ends the service for certain, a stop hook is assumed to work within its limits; and where no control
 * group holds what a start has left behind, that does not come up after `status` has said stopped (docs/safety.md).
 */
function stop(world: World, hook: HookProcess): void {
  const { prng, profile } = world;
  const { machine } = hook;
  const reliable = profile.backing === 'stop-works';
  const mode = reliable && machine.modes.stop !== 'slow' ? 'good' : machine.modes.stop;
  if (profile.backing !== 'cgroup') machine.pending.clear();
  const { stopTimeoutMs } = profile.times;
  // "Within its limits" are the shortest ones that a reload may set: the voters may have granted no more.
  const most = stopTimeoutMs * (reliable ? 0.5 * SHORTEST_STOP_SHARE : 1.2);
  const slow = prng.range(Math.floor(most / 8), Math.floor(most));
  const ms = mode === 'slow' ? slow : usual(world);
  if (mode === 'hang') {
    hook.stubborn = prng.chance(500);
    return;
  }
  during(world, hook, ms, () => {
    if (mode === 'fail') return endHook(world, hook, 1, 'stop exited with 1');
    machine.pending.clear();
    setService(world, machine, false);
    endHook(world, hook, 0, '');
  });
}

function status(world: World, hook: HookProcess): void {
  const { prng, profile } = world;
  const { machine } = hook;
  if (machine.modes.status === 'hang') {
    hook.stubborn = prng.chance(500);
    return;
  }
  const ms = usual(world);
  const unknown =
    machine.modes.status === 'unknown' || (!world.healed && prng.chance(profile.unknownPermille));
  during(world, hook, ms, () => {
    const code = unknown ? 3 : machine.service.running ? 0 : 1;
    endHook(world, hook, code, `status exited with ${code}`);
  });
}

/** The fence program cuts the node off from the resource: what runs there no longer counts. */
function fence(world: World, hook: HookProcess): void {
  during(world, hook, usual(world), () => {
    hook.machine.pending.clear();
    setService(world, hook.machine, false);
    endHook(world, hook, 0, '');
  });
}
