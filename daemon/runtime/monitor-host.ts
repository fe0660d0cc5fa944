/**
 * The monitor process as the main process sees it: forked where there is something to check, told what, asked how it stands, and
 * replaced when it dies or hangs. Checks go by name here, and by row there.
 */
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
import { bootTime } from '../sys/clock.js';
import { createMonitorChannel, type MonitorChannel } from './monitor-channel.js';
import { type Defined, definitionFor, readCa } from './monitor-definition.js';
import { createMonitorRequests, type MonitorRequests } from './monitor-requests.js';
import { type ProcessSettings, sameProcess, UNCONFIGURED } from './monitor-settings.js';
import type { ProcessRecords } from './process-record.js';
import { createSupervisedChild, type Say } from './supervised-child.js';

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
  /** It has ended; another one is started in so many milliseconds. */
  ended?(restartMs: number): void;
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
/** Room for checks that a reload adds; where that is not enough, the process is started anew. */
const ROWS_MIN = 1024;
const SPARE_ROWS = 1.125;
/** Beyond a check's own limit: its wait for a place, and the process's start. */
const PROBE_SPARE_MS = 20_000;

export function createMonitorHost(options: MonitorHostOptions): MonitorHost {
  const { log } = options;
  let config: ProcessSettings | null = null;
  const child = createSupervisedChild<MainToMonitor, MonitorToMain>({
    ...{ script: options.script, args: ['monitor'], records: options.records, log },
    ...{ name: 'the monitor process', clock: bootTime, silenceMs: options.silenceMs ?? SILENCE_MS },
    ...{ begun, heard, gone },
    replacing: (delayMs) => options.events.ended?.(delayMs),
  });
  /** To the present process. */
  let channel: MonitorChannel<MainToMonitor> | null = null;
  const rows: (Entry | null)[] = [];
  const free: number[] = [];
  /** Rows that the present process has room for. */
  let room = 0;
  const byName = new Map<string, number>();
  const requests = createMonitorRequests(tell);
  let lastBeat: Beat | null = null;
  /** The present process checks. */
  let working = false;
  let serial = 0;
  /** What was last said about monitoring, also where nothing is to be checked here. */
  let given: ProcessSettings | null = null;
  /** Checks that are run on request. */
  let probing = 0;
  /** Why the present process cannot work. */
  let failure = '';

  function begun(say: Say<MainToMonitor>): void {
    if (config === null) return;
    channel = createMonitorChannel(say);
    room = Math.max(ROWS_MIN, Math.ceil(rows.length * SPARE_ROWS));
    const { flights, plugins, resolveMs, users, chroot } = config;
    tell({ kind: 'setup', setup: { rows: room, flights, plugins, resolveMs, users, chroot } });
    define([...byName.values()]);
  }

  function gone(): void {
    abandon();
    options.events.blind();
    if (byName.size === 0) end();
  }

  /** Nobody answers any more. */
  function abandon(): void {
    lastBeat = null;
    working = false;
    channel = null;
    const reason =
      failure === '' ? 'the monitor process has ended' : `the monitor process cannot work: ${failure}`;
    failure = '';
    requests.abandon(reason);
  }

  function tell(message: MainToMonitor): void {
    channel?.say(message);
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

  function heard(message: Exclude<MonitorToMain, { kind: 'group' }>): void {
    const { pid } = child.view();
    switch (message.kind) {
      case 'ready':
        log.info(
          { workerpid: pid },
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
        log.error({ workerpid: pid }, `the monitor process cannot work: ${message.reason}`);
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
    channel === null
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
    const removed = [...byName].filter(([name]) => !wanted.has(name));
    for (const [name, row] of removed) {
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
    given = next;
    const settings = wanted.size > 0 ? next : null;
    const other = config !== null && settings !== null && !sameProcess(config, settings);
    if (settings === null || other || (child.view().alive && rows.length > room)) end();
    config = settings;
    if (child.view().alive) {
      tell({ kind: 'remove', rows: removed.map(([, row]) => row) });
      define(changed);
    } else if (config !== null) child.start();
  }

  function end(): void {
    config = null;
    abandon();
    child.end();
  }

  async function probe(what: string | CheckSpec): Promise<ProbeView> {
    const row = typeof what === 'string' ? rowOf(what) : -1;
    const spec = typeof what === 'string' ? rows[row]?.spec : what;
    const ca = typeof what === 'string' ? '' : readCa(what.options.tls.ca);
    if (config === null) {
      config = given ?? UNCONFIGURED;
      child.start();
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
      if (probing === 0 && byName.size === 0) end();
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
      abandon();
      await child.close();
    },
  };
}

function named(name: string, { row: _, serial: __, ...view }: CheckView): NamedView {
  return { name, ...view };
}
