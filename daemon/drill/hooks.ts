/** Hooks of a drill's machines: each takes its time, does what it is for, and ends with 0, or is killed where its limit is shorter. */
import { planStop, stopLimits } from '../core/stop-plan.js';
import type { Instant } from '../core/types.js';
import { type Hook, type HookAction, type Machine, setService, type World } from './world.js';

/** How long what was killed takes to be gone. */
const GONE_MS = 1;
/** Between one look and the next at hooks of processes that are gone. */
const LOOK_MS = 10;

/** Begins a hook. `ended` is called once, unless the machine loses its power. */
export function beginHook(world: World, machine: Machine, action: HookAction, ended: Hook['ended']): Hook {
  const { agenda } = world;
  const hook: Hook = { action, began: agenda.now(), alive: true, ended };
  machine.hooks.push(hook);
  // From here on clients may find it closed.
  if (action === 'stop') setService(world, machine, machine.runs, false);
  agenda.after(machine.times[action], () => {
    if (!hook.alive) return;
    if (action === 'start') setService(world, machine, true, true);
    if (action === 'stop' || action === 'fence') setService(world, machine, false, false);
    end(machine, hook, action === 'status' && !machine.runs ? 1 : 0);
  });
  return hook;
}

/** Ends a hook before its time; what it was about to do is not done. */
export function killHook(world: World, machine: Machine, hook: Hook): void {
  world.agenda.after(GONE_MS, () => {
    if (hook.alive) end(machine, hook, null);
  });
}

function end(machine: Machine, hook: Hook, code: number | null): void {
  hook.alive = false;
  machine.hooks.splice(machine.hooks.indexOf(hook), 1);
  hook.ended(code);
}

/** All hooks are gone with the machine. */
export function dropHooks(machine: Machine): void {
  for (const hook of machine.hooks) hook.alive = false;
  machine.hooks = [];
}

/** Timers of the process on whose behalf something is done: they do nothing when it is gone. */
export type After = (ms: number, then: () => void) => void;

/** Ends the hooks that a process which is gone has left; a stop may go on until `stopUntil` of its begin. */
export function takeOverHooks(
  world: World,
  machine: Machine,
  stopUntil: (began: number) => number,
  after: After,
  done: () => void,
): void {
  const look = (): void => {
    if (machine.hooks.length === 0) return done();
    for (const hook of machine.hooks)
      if (hook.action !== 'stop' || stopUntil(hook.began) <= world.agenda.now())
        killHook(world, machine, hook);
    after(LOOK_MS, look);
  };
  look();
}

/** Runs a hook for a process, killed when its limit is over; `done` with its exit code. */
export function runLimited(
  world: World,
  machine: Machine,
  action: HookAction,
  limitMs: number,
  after: After,
  done: (code: number | null) => void,
): void {
  const hook = beginHook(world, machine, action, (code) => after(0, () => done(code)));
  after(limitMs, () => {
    if (hook.alive) killHook(world, machine, hook);
  });
}

/** The main process's own stop, as daemon/runtime/cleaner.ts does it in earnest; `done` gets why it failed, '' where it did not. */
export function cleanMachine(
  world: World,
  machine: Machine,
  mode: 'check' | 'stop',
  stopEnd: Instant,
  after: After,
  done: (problem: string) => void,
): void {
  const { settings } = machine;
  const { statusTimeoutMs, stopTimeoutMs } = settings;
  const until = (began: number): number => stopLimits(began + stopTimeoutMs, stopTimeoutMs).termAt;
  const stop = (end: Instant): void => {
    const { hook } = planStop(settings, end - world.agenda.now());
    const confirm = (): void =>
      runLimited(world, machine, 'status', statusTimeoutMs, after, (code) =>
        done(code === 1 ? '' : STILL_RUNS),
      );
    if (hook === null) confirm();
    else runLimited(world, machine, 'stop', hook.termAfterMs, after, confirm);
  };
  takeOverHooks(world, machine, until, after, () => {
    if (mode === 'stop') return stop(stopEnd);
    runLimited(world, machine, 'status', statusTimeoutMs, after, (code) => {
      if (code === 0) stop(world.agenda.now() + stopTimeoutMs);
      else done('');
    });
  });
}

const STILL_RUNS = 'it still runs after stop';
