/**
 * The monitor process as the main process sees it: forked where there is something to check, told what, asked how it stands, and
 * replaced when it dies or hangs. Checks go by name here, and by row there.
 */
import type { ChildProcess } from 'node:child_process';
import type {
  CheckView,
  Definition,
  EdgeView,
  Known,
  MainToMonitor,
  MonitorToMain,
  ProbeView,
  ResultView,
} from '../checks/ipc.js';
import type { CheckSpec, MonitorConfig } from '../checks/spec.js';
import type { Sight } from '../confirm/types.js';
import type { NetLog } from '../net/log.js';
import { forkSelf } from '../sys/fork.js';
import { createStartedGroups, markOf } from '../sys/started.js';
import { createMonitorChannel, type MonitorChannel } from './monitor-channel.js';
import { type Defined, definitionFor, readCa } from './monitor-definition.js';
import { createMonitorRequests, type MonitorRequests } from './monitor-requests.js';
import { type ProcessSettings, sameProcess, UNCONFIGURED } from './monitor-settings.js';
import type { ProcessRecords } from './process-record.js';

export type NamedView = Omit<CheckView, 'row' | 'serial'> & { name: string };

export interface MonitorEvents {
  /** `begunAt`: when that check began, in milliseconds of CLOCK_BOOTTIME. */
  edge(name: string, edge: 'up' | 'down', view: NamedView, last: ResultView, begunAt: number): void;
  /** Some checks have come up for the first time, which is no edge. */
  cameUp(checks: readonly { name: string; begunAt: number }[]): void;
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
  run(name: string): Promise<{ view: NamedView; last: ResultView; begunAt: number }>;
  history(name: string): Promise<readonly ResultView[]>;
  /** How a check stands as seen from here, as far as that is known at once; unknown for a name that there is not. */
  sight(name: string): Sight;
  /**
   * Runs a check of the configuration by its name, or any other, now; a process is started for it where there is nothing else to
   * check. Rejects with words for people where it cannot be run.
   */
  probe(what: string | CheckSpec): Promise<ProbeView>;
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
  /** How a check that is new here stood before; null: not known. */
  remembered?: (name: string) => Known | null;
  /** A process that has said nothing for so long hangs; it beats once a second. */
  silenceMs?: number;
}

interface Entry extends Defined {
  name: string;
}

/** Checks told of in one message: two or three milliseconds of this process. */
const CHUNK = 100;
const SILENCE_MS = 10_000;
/** Until its first word: on a machine that is short of processors a program takes long to load, and longer where it is started anew. */
const START_MS = 60_000;
const RESTART_MS = [200, 1000, 5000, 30_000] as const;
/** It has lasted: the next restart is quick again. */
const LASTED_MS = 60_000;
/** Room for checks that a reload adds; where that is not enough, the process is started anew. */
const ROWS_MIN = 1024;
const SPARE_ROWS = 1.125;
/** Beyond a check's own limit: its wait for a place, and the process's start. */
const PROBE_SPARE_MS = 20_000;

export function createMonitorHost(options: MonitorHostOptions): MonitorHost {
  const { log, records, silenceMs = SILENCE_MS } = options;
  let config: ProcessSettings | null = null;
  let child: ChildProcess | null = null;
  let channel: MonitorChannel<MainToMonitor> | null = null;
  const rows: (Entry | null)[] = [];
  const free: number[] = [];
  /** Rows that the present process has room for. */
  let room = 0;
  const byName = new Map<string, number>();
  const requests = createMonitorRequests(tell);
  let restarts = 0;
  let restartTimer: NodeJS.Timeout | undefined;
  let silence: NodeJS.Timeout | undefined;
  let lastBeat: Beat | null = null;
  /** The present process checks. */
  let working = false;
  let closed = false;
  let serial = 0;
  /** What was last said about monitoring, also where nothing is to be checked here. */
  let given: ProcessSettings | null = null;
  /** Checks that are run on request. */
  let probing = 0;
  /** Why the present process cannot work. */
  let failure = '';

  function start(): void {
    if (config === null || closed) return;
    const begun = performance.now();
    const process = forkSelf(options.script, ['monitor']);
    if (typeof process === 'string') {
      log.error({}, `the monitor process cannot be started: ${process}`);
      return lost(0);
    }
    child = process;
    restartTimer = undefined;
    channel = createMonitorChannel((message) => {
      if (process.connected) process.send(message, () => {});
    });
    const pid = process.pid ?? 0;
    if (pid > 0) records.record(pid);
    const groups = createStartedGroups(markOf(pid));
    process.on('message', (given) => {
      const message = given as MonitorToMain;
      if (message.kind === 'group') groups.note(message.group, message.alive);
      else heard(process, message);
    });
    process.on('error', (error) => {
      log.error({ workerpid: pid }, `the monitor process: ${error.message}`);
      if (pid === 0 && child === process) lost(0);
    });
    process.on('exit', () => {
      groups.end();
      records.forget(pid);
      if (child === process) lost(performance.now() - begun);
    });
    room = Math.max(ROWS_MIN, Math.ceil(rows.length * SPARE_ROWS));
    const { flights, plugins, resolveMs, users, chroot } = config;
    tell({ kind: 'setup', setup: { rows: room, flights, plugins, resolveMs, users, chroot } });
    define([...byName.values()]);
    watch(Math.max(silenceMs, START_MS));
  }

  function watch(limitMs = silenceMs): void {
    clearTimeout(silence);
    silence = setTimeout(() => {
      // Where it was this process that stood still, what the other one has said meanwhile is heard first.
      silence = setTimeout(() => giveUp(limitMs), silenceMs / 10);
    }, limitMs);
  }

  function giveUp(limitMs: number): void {
    const { pid } = child ?? {};
    log.error({ workerpid: pid }, `the monitor process has said nothing for ${limitMs / 1000} s: ending it`);
    child?.kill('SIGKILL');
  }

  function lost(lastedMs: number): void {
    child = null;
    abandon();
    options.events.blind();
    if (config !== null && byName.size === 0) config = null;
    if (closed || config === null) return;
    restarts = lastedMs > LASTED_MS ? 0 : restarts + 1;
    const delay = RESTART_MS[Math.min(restarts, RESTART_MS.length) - 1] ?? RESTART_MS[0];
    log.error({}, `the monitor process has ended: starting another one in ${delay} ms`);
    restartTimer = setTimeout(start, delay);
  }

  /** Nobody answers any more. */
  function abandon(): void {
    lastBeat = null;
    working = false;
    clearTimeout(silence);
    const reason =
      failure === '' ? 'the monitor process has ended' : `the monitor process cannot work: ${failure}`;
    failure = '';
    requests.abandon(reason);
  }

  function tell(message: MainToMonitor): void {
    if (child !== null) channel?.say(message);
  }

  function define(which: readonly number[]): void {
    const pieces: (() => MainToMonitor)[] = [];
    for (let at = 0; at < which.length; at += CHUNK) {
      const rowsOf = which.slice(at, at + CHUNK);
      pieces.push(() => ({ kind: 'define', checks: rowsOf.flatMap((row) => definitionOf(row) ?? []) }));
    }
    channel?.sayAll(pieces);
  }

  function definitionOf(row: number): Definition | null {
    const entry = rows[row];
    if (entry == null) return null;
    const definition = definitionFor(row, entry);
    if (typeof definition !== 'string') return definition;
    log.error({ check: entry.name }, `check ${entry.name} is not run: ${definition}`);
    return null;
  }

  function heard(process: ChildProcess, message: Exclude<MonitorToMain, { kind: 'group' }>): void {
    if (child !== process) return;
    watch();
    switch (message.kind) {
      case 'ready':
        log.info(
          { workerpid: process.pid },
          `the monitor process is ready, as user ${message.user}: ${byName.size} checks`,
        );
        for (const note of message.notes) log.warn({}, note);
        working = true;
        return options.events.ready();
      case 'up':
        return options.events.cameUp(
          message.rows.flatMap((row, index) =>
            cameUp(row, message.serials[index] ?? 0, message.begun[index] ?? 0),
          ),
        );
      case 'failed':
        failure = message.reason;
        log.error({ workerpid: process.pid }, `the monitor process cannot work: ${message.reason}`);
        return;
      case 'beat':
        lastBeat = message;
        return;
      case 'edges':
        return message.edges.forEach(heardEdge);
      default:
        requests.answered(message);
    }
  }

  function heardEdge({ begunAt, edge, view, last }: EdgeView): void {
    const entry = entryAt(view.row, view.serial);
    if (entry === null) return;
    const wall = options.wall();
    const lastOkAt = Number.isFinite(view.okAge) ? wall - view.okAge / 1000 : 0;
    entry.known = { state: edge, since: wall, lastOkAt };
    options.events.edge(entry.name, edge, named(entry.name, view), last, begunAt);
  }

  function cameUp(row: number, itsSerial: number, begunAt: number): { name: string; begunAt: number }[] {
    const entry = entryAt(row, itsSerial);
    if (entry === null) return [];
    const wall = options.wall();
    entry.known ??= { state: 'up', since: wall, lastOkAt: wall };
    return [{ name: entry.name, begunAt }];
  }

  /** What the process speaks of; null where that is gone, and maybe another check in its row. */
  function entryAt(row: number, itsSerial: number): Entry | null {
    const entry = rows[row];
    return entry?.serial === itsSerial ? entry : null;
  }

  const ask: MonitorRequests['ask'] = (kind, message, limitMs) =>
    child === null
      ? Promise.reject(new Error('the monitor process does not run'))
      : requests.ask(kind, message, limitMs);

  function rowOf(name: string): number {
    const row = byName.get(name);
    if (row === undefined) throw new Error(`there is no check ${name}`);
    return row;
  }

  function take(spec: CheckSpec): number {
    const row = free.pop() ?? rows.length;
    serial += 1;
    rows[row] = { name: spec.name, spec, known: options.remembered?.(spec.name) ?? null, serial };
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
    given = next;
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
    abandon();
    clearTimeout(restartTimer);
    restartTimer = undefined;
    if (process === null) return;
    process.disconnect();
    const timer = setTimeout(() => process.kill('SIGKILL'), 1000);
    process.once('exit', () => clearTimeout(timer));
  }

  async function probe(what: string | CheckSpec): Promise<ProbeView> {
    const row = typeof what === 'string' ? rowOf(what) : -1;
    const spec = typeof what === 'string' ? rows[row]?.spec : what;
    const ca = typeof what === 'string' ? '' : readCa(what.options.tls.ca);
    if (config === null && child === null) {
      config = given ?? UNCONFIGURED;
      start();
    }
    probing += 1;
    try {
      const limitMs = (spec?.options.timeoutMs ?? 0) + PROBE_SPARE_MS;
      const told = typeof what === 'string' ? { row } : { spec: what, ca };
      const answer = await ask('probed', (id) => ({ kind: 'probe', request: id, what: told }), limitMs);
      if (answer.probe === null) throw new Error(answer.refused);
      return answer.probe;
    } finally {
      probing -= 1;
      if (probing === 0 && byName.size === 0) {
        config = null;
        end();
      }
    }
  }

  return {
    apply,
    probe,
    look: async (names) => {
      const wanted = names === null ? null : names.map(rowOf);
      const { views } = await ask('views', (id) => ({ kind: 'look', request: id, rows: wanted }));
      return views.flatMap((view) => {
        const entry = entryAt(view.row, view.serial);
        return entry === null ? [] : named(entry.name, view);
      });
    },
    run: async (name) => {
      const row = rowOf(name);
      const { begunAt, last, view } = await ask('ran', (id) => ({ kind: 'run', request: id, row }));
      if (entryAt(view.row, view.serial)?.name !== name)
        throw new Error(`${name} is another check meanwhile`);
      return { view: named(name, view), last, begunAt };
    },
    history: async (name) => {
      const row = rowOf(name);
      return (await ask('history', (id) => ({ kind: 'history', request: id, row }))).results;
    },
    sight: (name) => {
      const row = working ? byName.get(name) : undefined;
      return row === undefined ? 'unknown' : (rows[row]?.known?.state ?? 'unknown');
    },
    beat: () => lastBeat,
    async close() {
      closed = true;
      const process = child;
      end();
      if (process?.pid !== undefined && process.exitCode === null && process.signalCode === null)
        await new Promise((resolve) => process.once('exit', resolve));
    },
  };
}

function named(name: string, { row: _, serial: __, ...view }: CheckView): NamedView {
  return { name, ...view };
}
