/**
 * The main process's own stop, as daemon/runtime/cleaner.ts does it in earnest: takes the hooks of a dead process over,
 * runs `stop` within its limits, kills what is left, and asks `status` at last. Goes on only while its process does.
 */
import { lateStatusMs, planStop, stopLimits } from '../../daemon/core/stop-plan.js';
import type { Instant } from '../../daemon/core/types.js';
import { beginHook, type HookFacts, killLeftovers, signalHook } from './hooks.js';
import { feedMain, mainAfter } from './main-process.js';
import type { HookAction } from './trace.js';
import { localNow, localTime, type Machine, type MainProcess, trueTime, type World } from './world.js';

/** A timer of the process on whose behalf something is done. */
type After = (ms: number, then: () => void) => void;

const LOOK_MS = 10;

/**
 * Ends the hooks that run on a machine; a `stop` that began at `began` may go on until `stopUntil` (true times). `done`
 * when none is left.
 */
export function takeOverHooks(
  world: World,
  machine: Machine,
  stopUntil: (began: number) => number,
  after: After,
  done: () => void,
): void {
  const look = (): void => {
    if (machine.hooks.length === 0) return done();
    let nextMs = LOOK_MS;
    for (const hook of machine.hooks) {
      const leftMs = hook.action === 'stop' ? stopUntil(hook.began) - world.agenda.now : 0;
      if (leftMs <= 0) signalHook(world, hook, 'KILL');
      else nextMs = Math.min(nextMs, leftMs);
    }
    after(Math.max(1, nextMs), look);
  };
  look();
}

/** What the core asked for with `clean`. */
export function runClean(
  world: World,
  main: MainProcess,
  id: number,
  mode: 'check' | 'stop',
  stopEnd: Instant,
): void {
  const { machine } = main;
  const { statusTimeoutMs, stopTimeoutMs } = main.state.settings;
  const after: After = (ms, then) => mainAfter(world, main, ms, then);
  const finish = (ok: boolean, detail: string): void =>
    feedMain(world, main, { kind: 'cleaned', id, ok, detail });
  let end = stopEnd;
  const stopUntil = (began: number): number => {
    end = Math.min(end, localTime(machine, began) + stopTimeoutMs);
    return trueTime(machine, stopLimits(end, stopTimeoutMs).termAt);
  };
  for (const { action, began } of machine.hooks)
    if (action === 'fence') end = Math.min(end, localTime(machine, began));
  takeOverHooks(world, machine, stopUntil, after, () => {
    if (mode === 'stop') return stop(world, main, end, finish);
    runHook(world, main, 'status', statusTimeoutMs * 0.9, statusTimeoutMs, (code) => {
      if (code !== 0) return finish(true, code === 1 ? '' : 'its state is not known');
      stop(world, main, localNow(world, machine) + stopTimeoutMs, (ok, detail) =>
        finish(ok || detail !== STILL_RUNS, detail),
      );
    });
  });
}

/** What the core asked for with `fence`. */
export function runFence(world: World, main: MainProcess, id: number): void {
  const limit = main.state.settings.fenceTimeoutMs;
  runHook(world, main, 'fence', limit * 0.9, limit, (code) =>
    feedMain(world, main, { kind: 'fenced', id, ok: code === 0, detail: 'fence did not exit 0' }),
  );
}

const STILL_RUNS = 'it still runs after stop';

function stop(
  world: World,
  main: MainProcess,
  stopEnd: Instant,
  finish: (ok: boolean, detail: string) => void,
): void {
  const { machine } = main;
  const { settings } = main.state;
  const { killFirst, hook } = planStop(settings, stopEnd - localNow(world, machine));
  if (killFirst) killLeftovers(world, machine);
  const confirm = (): void => {
    killLeftovers(world, machine);
    const limit = lateStatusMs(settings, stopEnd - localNow(world, machine));
    runHook(world, main, 'status', limit * 0.9, limit, (code) => {
      if (code === 1) finish(true, '');
      else finish(false, code === 0 ? STILL_RUNS : 'after stop its state is not known');
    });
  };
  if (hook === null) confirm();
  else runHook(world, main, 'stop', hook.termAfterMs, hook.killAfterMs, confirm);
}

/** Limits count from the begin and on the machine's clock; they pass unnoticed while the process is paused. */
function runHook(
  world: World,
  main: MainProcess,
  action: HookAction,
  termAfterMs: number,
  killAfterMs: number,
  done: (code: number | null) => void,
): void {
  const { machine } = main;
  const facts: HookFacts = { epoch: 0, incarnation: main.incarnation, forced: false };
  mainAfter(world, main, 1, () => {
    const hook = beginHook(world, machine, action, facts, (code) =>
      mainAfter(world, main, 0, () => done(code)),
    );
    const { rate } = machine.plan;
    mainAfter(world, main, termAfterMs / rate, () => signalHook(world, hook, 'TERM'));
    mainAfter(world, main, killAfterMs / rate, () => signalHook(world, hook, 'KILL'));
  });
}
