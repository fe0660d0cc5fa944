/**
 * The monitor process as the main process sees it: forked where there is something to check, told what, asked how it stands, and
 * replaced when it dies or hangs. Checks go by name here, and by row there.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type {
  CheckView,
  Definition,
  Known,
  MainToMonitor,
  MonitorToMain,
  ResultView,
} from '../checks/ipc.js';
import type { CheckSpec, MonitorConfig } from '../checks/spec.js';
import type { Sight } from '../confirm/types.js';
import type { NetLog } from '../net/log.js';
import { messageOf } from '../sys/errors.js';
import type { ProcessRecords } from './process-record.js';

export type NamedView = Omit<CheckView, 'row'> & { name: string };

export interface MonitorEvents {
  edge(name: string, edge: 'up' | 'down', view: NamedView, last: ResultView): void;
  /** The process is gone: what it saw last may not be so any more. */
  blind(): void;
  /** It checks, for the first time or again; what was down counts as down until a result says otherwise. */
  ready(): void;
}

export interface MonitorHost {
  /** What is to be checked from now on; `same` says that a check need not be touched. null: nothing. */
  apply(config: MonitorConfig | null, same: (before: CheckSpec, after: CheckSpec) => boolean): void;
  /** How checks stand, all of them where `names` is null; rejects where there is no answer. */
  look(names: readonly string[] | null): Promise<NamedView[]>;
  run(name: string): Promise<{ view: NamedView; last: ResultView }>;
  history(name: string): Promise<readonly ResultView[]>;
  /** How a check stands as seen from here, as far as that is known at once; unknown for a name that there is not. */
  sight(name: string): Sight;
  /** The last words of the process on itself. */
  beat(): Beat | null;
  close(): Promise<void>;
}

export type Beat = Extract<MonitorToMain, { kind: 'beat' }>;

export interface MonitorHostOptions {
  script: string;
  records: ProcessRecords;
  log: NetLog;
  events: MonitorEvents;
  /** Seconds of the wall clock. */
  wall: () => number;
  /** A process that has said nothing for so long hangs; it beats once a second. */
  silenceMs?: number;
}

interface Entry {
  name: string;
  spec: CheckSpec;
  known: Known | null;
  serial: number;
}

interface Pending {
  resolve(answer: MonitorToMain): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** Checks told of in one message. */
const CHUNK = 1000;
/** Longer than any check may take. */
const ANSWER_MS = 60_000;
const SILENCE_MS = 10_000;
const RESTART_MS = [200, 1000, 5000, 30_000] as const;
/** It has lasted: the next restart is quick again. */
const LASTED_MS = 60_000;
const ROWS_MIN = 1024;

export function createMonitorHost(options: MonitorHostOptions): MonitorHost {
  const { log, records, silenceMs = SILENCE_MS } = options;
  let config: MonitorConfig | null = null;
  let child: ChildProcess | null = null;
  const rows: (Entry | null)[] = [];
  const free: number[] = [];
  /** Rows that the present process has room for. */
  let room = 0;
  const byName = new Map<string, number>();
  const pending = new Map<number, Pending>();
  let request = 0;
  let restarts = 0;
  let restartTimer: NodeJS.Timeout | undefined;
  let silence: NodeJS.Timeout | undefined;
  let lastBeat: Beat | null = null;
  let closed = false;
  let serial = 0;

  function start(): void {
    if (config === null || closed) return;
    const begun = performance.now();
    const process = fork(options.script, ['monitor'], {
      cwd: '/',
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child = process;
    const pid = process.pid ?? 0;
    records.record(pid);
    process.on('message', (message) => heard(process, message as MonitorToMain));
    process.on('error', (error) => log.error({ workerpid: pid }, `the monitor process: ${error.message}`));
    process.on('exit', () => {
      records.forget(pid);
      if (child === process) lost(performance.now() - begun);
    });
    room = Math.max(ROWS_MIN, 2 * rows.length);
    const { flights, plugins, resolveMs, users, chroot } = config;
    tell({ kind: 'setup', setup: { rows: room, flights, plugins, resolveMs, users, chroot } });
    define([...byName.values()]);
    watch();
  }

  function watch(): void {
    clearTimeout(silence);
    silence = setTimeout(() => {
      // Where it was this process that stood still, what the other one has said meanwhile is heard first.
      silence = setTimeout(giveUp, silenceMs / 10);
    }, silenceMs);
  }

  function giveUp(): void {
    const { pid } = child ?? {};
    log.error(
      { workerpid: pid },
      `the monitor process has said nothing for ${silenceMs / 1000} s: ending it`,
    );
    child?.kill('SIGKILL');
  }

  function lost(lastedMs: number): void {
    child = null;
    lastBeat = null;
    clearTimeout(silence);
    for (const [, { reject, timer }] of pending) {
      clearTimeout(timer);
      reject(new Error('the monitor process has ended'));
    }
    pending.clear();
    options.events.blind();
    if (closed || config === null) return;
    restarts = lastedMs > LASTED_MS ? 0 : restarts + 1;
    const delay = RESTART_MS[Math.min(restarts, RESTART_MS.length) - 1] ?? RESTART_MS[0];
    log.error({}, `the monitor process has ended: starting another one in ${delay} ms`);
    restartTimer = setTimeout(start, delay);
  }

  function tell(message: MainToMonitor): void {
    if (child?.connected) child.send(message, () => {});
  }

  function define(which: readonly number[]): void {
    for (let at = 0; at < which.length; at += CHUNK) {
      const checks = which.slice(at, at + CHUNK).flatMap((row) => definitionOf(row) ?? []);
      tell({ kind: 'define', checks });
    }
  }

  function definitionOf(row: number): Definition | null {
    const entry = rows[row];
    if (entry == null) return null;
    const { ca } = entry.spec.options.tls;
    try {
      const { spec, known, serial } = entry;
      return { row, serial, spec, ca: ca === '' ? '' : readFileSync(ca, 'utf8'), known };
    } catch (error) {
      log.error({ check: entry.name }, `check ${entry.name} is not run: ${messageOf(error)}`);
      return null;
    }
  }

  function heard(process: ChildProcess, message: MonitorToMain): void {
    if (child !== process) return;
    watch();
    switch (message.kind) {
      case 'ready':
        log.info(
          { workerpid: process.pid },
          `the monitor process is ready, as user ${message.user}: ${byName.size} checks`,
        );
        for (const note of message.notes) log.warn({}, note);
        return options.events.ready();
      case 'up':
        return message.rows.forEach((row, index) => void cameUp(row, message.serials[index] ?? 0));
      case 'failed':
        log.error({ workerpid: process.pid }, `the monitor process cannot work: ${message.reason}`);
        return;
      case 'beat':
        lastBeat = message;
        return;
      case 'edge': {
        const entry = rows[message.view.row];
        if (entry == null) return;
        const wall = options.wall();
        entry.known = {
          state: message.edge,
          since: wall,
          lastOkAt: Number.isFinite(message.view.okAge) ? wall - message.view.okAge / 1000 : 0,
        };
        return options.events.edge(entry.name, message.edge, named(entry.name, message.view), message.last);
      }
      default: {
        const waiting = pending.get(message.request);
        if (waiting === undefined) return;
        pending.delete(message.request);
        clearTimeout(waiting.timer);
        waiting.resolve(message);
      }
    }
  }

  function cameUp(row: number, itsSerial: number): void {
    const entry = rows[row];
    const wall = options.wall();
    if (entry?.serial === itsSerial) entry.known ??= { state: 'up', since: wall, lastOkAt: wall };
  }

  function ask<K extends MonitorToMain['kind']>(
    kind: K,
    message: (request: number) => MainToMonitor,
  ): Promise<Extract<MonitorToMain, { kind: K }>> {
    if (child === null) return Promise.reject(new Error('the monitor process does not run'));
    request += 1;
    const id = request;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        pending.delete(id);
        reject(new Error('the monitor process does not answer'));
      }, ANSWER_MS);
      const answered = (answer: MonitorToMain): void => {
        if (answer.kind === kind) resolve(answer as Extract<MonitorToMain, { kind: K }>);
        else reject(new Error(`${kind} was asked for, and ${answer.kind} answered`));
      };
      pending.set(id, { resolve: answered, reject, timer });
      tell(message(id));
    });
  }

  function rowOf(name: string): number {
    const row = byName.get(name);
    if (row === undefined) throw new Error(`there is no check ${name}`);
    return row;
  }

  function take(spec: CheckSpec): number {
    const row = free.pop() ?? rows.length;
    serial += 1;
    rows[row] = { name: spec.name, spec, known: null, serial };
    byName.set(spec.name, row);
    return row;
  }

  function apply(next: MonitorConfig | null, same: (before: CheckSpec, after: CheckSpec) => boolean): void {
    const wanted = new Map((next?.active ? next.checks : []).map((spec) => [spec.name, spec]));
    const gone = [...byName].filter(([name]) => !wanted.has(name));
    for (const [name, row] of gone) {
      byName.delete(name);
      rows[row] = null;
      free.push(row);
    }
    const changed: number[] = [];
    for (const spec of wanted.values()) {
      const row = byName.get(spec.name);
      const entry = row === undefined ? null : rows[row];
      if (row === undefined || entry == null) changed.push(take(spec));
      else if (!same(entry.spec, spec)) {
        // How it stood is still what was last known of the service.
        entry.spec = spec;
        changed.push(row);
      }
    }
    const before = config;
    config = wanted.size > 0 ? next : null;
    const other = before !== null && config !== null && !sameProcess(before, config);
    if (config === null || other || (child !== null && rows.length > room)) end();
    if (config !== null && child === null && restartTimer === undefined) start();
    else if (child !== null) {
      tell({ kind: 'remove', rows: gone.map(([, row]) => row) });
      define(changed);
    }
  }

  function end(): void {
    const process = child;
    child = null;
    clearTimeout(silence);
    clearTimeout(restartTimer);
    restartTimer = undefined;
    if (process === null) return;
    process.disconnect();
    const timer = setTimeout(() => process.kill('SIGKILL'), 1000);
    process.once('exit', () => clearTimeout(timer));
  }

  return {
    apply,
    look: async (names) => {
      const wanted = names === null ? null : names.map(rowOf);
      const { views } = await ask('views', (id) => ({ kind: 'look', request: id, rows: wanted }));
      return views.map((view) => named(rows[view.row]?.name ?? '', view));
    },
    run: async (name) => {
      const row = rowOf(name);
      const { view, last } = await ask('ran', (id) => ({ kind: 'run', request: id, row }));
      return { view: named(name, view), last };
    },
    history: async (name) => {
      const row = rowOf(name);
      return (await ask('history', (id) => ({ kind: 'history', request: id, row }))).results;
    },
    sight: (name) => {
      const row = child === null ? undefined : byName.get(name);
      return row === undefined ? 'unknown' : (rows[row]?.known?.state ?? 'unknown');
    },
    beat: () => lastBeat,
    async close() {
      closed = true;
      const process = child;
      end();
      if (process !== null && process.exitCode === null && process.signalCode === null)
        await new Promise((resolve) => process.once('exit', resolve));
    },
  };
}

function named(name: string, { row: _, ...view }: CheckView): NamedView {
  return { name, ...view };
}

/** What a process is started with has not changed. */
function sameProcess(a: MonitorConfig, b: MonitorConfig): boolean {
  return (
    a.flights === b.flights &&
    a.plugins === b.plugins &&
    a.resolveMs === b.resolveMs &&
    a.chroot === b.chroot &&
    a.users.join() === b.users.join()
  );
}
