/**
 * How a worker process begins, as daemon/runtime/worker.ts does in earnest: with the core of its role, once nothing of an earlier worker
 * runs any more. The simulator's workers (test/sim/worker-process.ts) begin so, too.
 */
import type { WithoutNow, WorkerMessage } from '../core/node-types.js';
import { initPrimary, type PrimaryInit, type PrimaryInput } from '../core/primary.js';
import { initSecondary, type SecondaryInput } from '../core/secondary.js';
import type { Settings } from '../core/settings.js';
import { stopLimits } from '../core/stop-plan.js';
import type { Instant } from '../core/types.js';
import { initWatchdog, type WatchdogInput } from '../core/watchdog.js';
import type { WorkerCore } from './world.js';

/** What a worker is started for; `init` is null but for a primary. */
export interface WorkerOrder {
  role: WorkerCore['role'];
  init: PrimaryInit | null;
}

/** The core of the role that was ordered, at `now` on the clock of its machine. */
export function firstCore(
  { init, role }: WorkerOrder,
  settings: Settings,
  incarnation: number,
  now: Instant,
): WorkerCore {
  if (role === 'secondary') return { role, state: initSecondary(settings, now) };
  if (role === 'watchdog') return { role, state: initWatchdog(settings, incarnation, now) };
  if (init === null) throw new Error('a primary worker needs its initial state');
  return { role, state: initPrimary(init, now) };
}

/** A worker that begins; `waiting`: what its main process has said before it was ready. */
export interface Beginner {
  core: WorkerCore;
  ready: boolean;
  mainGone: boolean;
  waiting: WithoutNow<WorkerMessage>[];
}

/** What the core of a worker takes, whatever its role. */
export type WorkerInput = WithoutNow<PrimaryInput | SecondaryInput | WatchdogInput>;

/** What a worker that begins needs of its process. */
export interface BeginnerShell {
  /** Ends the hooks that an earlier worker left, a `stop` that began at `began` not before `stopUntil(began)`; `done` when none is left. */
  takeOverHooks(stopUntil: (began: number) => number, done: () => void): void;
  step(input: WorkerInput): void;
}

/**
 * First what an earlier worker still runs has to end; then the core goes on, and hears what was said meanwhile. Only a primary's does: a
 * secondary's hears its primary again at the next heartbeat, and without a main process neither it nor a watchdog's is left.
 */
export function beginWorker(worker: Beginner, { stopTimeoutMs }: Settings, shell: BeginnerShell): void {
  const { role } = worker.core;
  const ready = (): void => {
    worker.ready = true;
    shell.step(role === 'secondary' ? { kind: 'heard' } : { kind: 'tick' });
    const said = worker.waiting.splice(0);
    if (role !== 'primary') return;
    for (const message of said) shell.step(message);
    if (worker.mainGone) shell.step({ kind: 'main-gone' });
  };
  if (role === 'watchdog') ready();
  else shell.takeOverHooks((began) => stopLimits(began + stopTimeoutMs, stopTimeoutMs).termAt, ready);
}
