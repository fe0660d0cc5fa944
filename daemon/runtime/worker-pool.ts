/**
 * The worker processes of this daemon: forks them, keeps spares at hand so that a change of role need not wait
 * for a process to start, ends them, and records them so that a later daemon can end what this one left behind.
 * Knows processes and the channel to them; does not know what they do.
 */
import type { ChildProcess } from 'node:child_process';
import type { RecordEvent } from '../../proto/event-types.js';
import type { Role } from '../core/types.js';
import { processEnded } from '../events/process.js';
import type { NetLog } from '../net/log.js';
import type { Store } from '../state/store.js';
import { forkSelf } from '../sys/fork.js';
import { killProcess, processAlive, recordAlive } from '../sys/process.js';
import type { MainToWorker, WorkerToMain } from './ipc.js';
import { createProcessRecords } from './process-record.js';

export interface WorkerProcess {
  readonly pid: number;
  tell(message: MainToWorker): void;
  /** SIGKILL, at once. The callbacks are not called any more. */
  kill(): void;
}

export interface WorkerCallbacks {
  said(message: WorkerToMain): void;
  /** It has ended without being killed through `kill`. */
  exited(): void;
}

export interface WorkerPool {
  /**
   * A process that waits to be assigned; the spare, or a new one. `urgent`: the next spare is forked a little later, for a
   * failover needs the processor now.
   */
  take(callbacks: WorkerCallbacks, urgent: boolean): WorkerProcess;
  /** Forks the spares that are missing. */
  warm(): void;
  /** As many spares are wanted as `spares` says now: forks what is missing in a while. */
  adjust(): void;
  /** Ends every process. */
  close(): void;
}

export interface WorkerPoolOptions {
  /** The script to fork, and its arguments. */
  script: string;
  args: readonly string[];
  /** How many processes wait, at least 1. */
  spares: () => number;
  /** Where processes are recorded. */
  store: Store;
  log: NetLog;
  record: RecordEvent;
}

interface Child {
  process: ChildProcess;
  pid: number;
  callbacks: WorkerCallbacks | null;
}

/** How long after a spare was taken the next one is forked, and after one was lost, lest a broken one is forked all the time. */
const WARM_DELAY_MS = 1000;
/** Where nothing is urgent: the next change of role may come soon. */
const WARM_SOON_MS = 300;

/** A pool; nothing is forked before the first `warm` or `take`. */
export function createWorkerPool(options: WorkerPoolOptions): WorkerPool {
  const records = createProcessRecords(options.store, options.log);
  const children = new Set<Child>();
  const spares: Child[] = [];
  let closed = false;
  let warmTimer: NodeJS.Timeout | null = null;

  function start(): Child {
    const child = forkSelf(options.script, options.args);
    if (typeof child === 'string') throw new Error(`a worker process cannot be started: ${child}`);
    const entry: Child = { process: child, pid: child.pid ?? 0, callbacks: null };
    children.add(entry);
    records.record(entry.pid);
    child.on('message', (message) => entry.callbacks?.said(message as WorkerToMain));
    child.on('error', (error) =>
      options.log.error({ workerpid: entry.pid }, `worker process: ${error.message}`),
    );
    child.on('exit', (code, signal) => {
      children.delete(entry);
      const how = signal === null ? `with status ${code}` : `by ${signal}`;
      const at = spares.indexOf(entry);
      if (at >= 0) {
        spares.splice(at, 1);
        if (!closed) {
          options.log.warn({ workerpid: entry.pid }, `a spare worker process ended unexpectedly, ${how}`);
          options.record(processEnded(`a spare worker process (${how})`, 'spare', WARM_DELAY_MS));
        }
        warmAfter(WARM_DELAY_MS);
      } else if (entry.callbacks !== null && code !== 0) {
        options.log.warn({ workerpid: entry.pid }, `a worker process ended unexpectedly, ${how}`);
        // The core has another one started, at once.
        options.record(processEnded(`a worker process (${how})`, 'worker', 0));
      }
      records.forget(entry.pid);
      entry.callbacks?.exited();
    });
    return entry;
  }

  function warm(): void {
    while (!closed && spares.length < options.spares()) spares.push(start());
  }

  function warmAfter(delayMs: number): void {
    if (warmTimer !== null || closed) return;
    warmTimer = setTimeout(() => {
      warmTimer = null;
      warm();
    }, delayMs);
  }

  function take(callbacks: WorkerCallbacks, urgent: boolean): WorkerProcess {
    let child = spares.shift();
    while (child !== undefined && !child.process.connected) child = spares.shift();
    child ??= start();
    child.callbacks = callbacks;
    warmAfter(urgent ? WARM_DELAY_MS : WARM_SOON_MS);
    const taken = child;
    return {
      pid: taken.pid,
      tell: (message) => {
        if (taken.process.connected) taken.process.send(message, () => {});
      },
      kill: () => {
        taken.callbacks = null;
        taken.process.kill('SIGKILL');
      },
    };
  }

  return {
    take,
    warm,
    adjust() {
      if (spares.length < options.spares()) warmAfter(WARM_DELAY_MS);
    },
    close() {
      closed = true;
      if (warmTimer !== null) clearTimeout(warmTimer);
      for (const child of children) {
        child.callbacks = null;
        child.process.kill('SIGKILL');
        records.forget(child.pid);
      }
    },
  };
}

/** A machine that is lost may leave several resources to this node at once; each takes a process of 25 MB or so. */
const SPARES_MAX = 4;

/** How many spares a node needs for the roles of its resources: one for each that may be started here at any moment. */
export function sparesFor(roles: readonly Role[]): number {
  const candidates = roles.filter((role) => role === 'primary' || role === 'secondary').length;
  return Math.max(1, Math.min(SPARES_MAX, candidates));
}

/** Ends the workers that an earlier daemon recorded, and waits until they are gone. Gives back how many lived. */
export async function endRecordedWorkers(store: Store): Promise<number> {
  let ended = 0;
  for (const name of store.names()) {
    const read = store.read(name);
    const value =
      read.kind === 'valid' ? (read.value as { pid: number; startTime: number; bootId: string }) : null;
    if (value !== null && recordAlive(value)) {
      killProcess(value.pid, value.startTime, 'SIGKILL');
      ended += 1;
      while (processAlive(value.pid, value.startTime)) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    store.remove(name);
  }
  return ended;
}
