/**
 * The monitor process, `hastmon: checks (monitor)`: opens what needs privileges, drops them, and runs the engine for the main
 * process. It decides nothing but whether a check is up or down.
 */
import { lookup } from 'node:dns';
import { performance } from 'node:perf_hooks';
import { bootTime } from '../sys/clock.js';
import { messageOf } from '../sys/errors.js';
import { loadNative } from '../sys/native.js';
import { becomeFirstOf } from '../sys/privileges.js';
import { hostOf } from './compile.js';
import { Engine } from './engine.js';
import type { Flight } from './flight.js';
import { type Answer, History } from './history.js';
import { Hosts } from './hosts.js';
import {
  type CheckView,
  type Definition,
  EDGES_MAX,
  type EdgeView,
  type MainToMonitor,
  type MonitorSetup,
  type MonitorToMain,
  type ResultView,
} from './ipc.js';
import type { Loop } from './loop.js';
import { NATURES, type Nature } from './natures.js';
import { phaseOf } from './pacing.js';
import { PlanShare } from './plan-share.js';
import { Probes } from './probes.js';
import type { CheckSpec } from './spec.js';
import type { Edge } from './table.js';
import { openWires, type Wires } from './wires.js';

/** Entries of each ring: 5 MiB a ring. */
const HISTORY_ENTRIES = 16_384;
const HISTORY_SHOWN = 50;
const BEAT_MS = 1000;
const GATHER_UP_MS = 50;
/** A name that does not resolve is asked for again after this. */
const FAILURE_MS = 5000;
const STATES = ['unknown', 'up', 'down'] as const;

/** The entry of the process. */
export function runMonitor(): void {
  process.title = 'hastmon: checks (monitor)';
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('disconnect', () => process.exit(0));
  let monitor: Monitor | null = null;
  process.on('message', (message: MainToMonitor) => {
    if (message.kind !== 'setup') return monitor?.take(message);
    try {
      monitor = new Monitor(message.setup);
    } catch (error) {
      say({ kind: 'failed', reason: messageOf(error) });
      setImmediate(() => process.exit(1));
    }
  });
}

function say(message: MonitorToMain): void {
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}

const now = (): number => performance.now();
const wall = (): number => Date.now() / 1000;
/** In ms; the wall clock may have been moved meanwhile. */
const ageOf = (at: number): number => Math.max(0, (wall() - at) * 1000);

class Monitor {
  private readonly engine: Engine;
  private readonly hosts: Hosts;
  private readonly history = new History(HISTORY_ENTRIES);
  /** Requests that wait for the result of a row. */
  private readonly asked = new Map<number, number[]>();
  private readonly serials: Uint32Array;
  /** Rows that have come up for the first time, and when that check began; the main process has not been told of them. */
  private up: { row: number; begunAt: number }[] = [];
  private readonly probes: Probes;
  private readonly plans = new PlanShare();
  private readonly loop: Loop | undefined;
  /** From the engine's clock to the wall's, in seconds: asked for once a second, and not for each result. */
  private wallOffset = wall() - now() / 1000;
  /** From the engine's clock to CLOCK_BOOTTIME, in milliseconds. */
  private bootOffset = bootTime() - now();
  /** Edges of this turn that the main process has not been told of. */
  private edges: EdgeView[] = [];

  constructor(setup: MonitorSetup) {
    this.serials = new Uint32Array(setup.rows);
    // One descriptor for each check under way, and a hundred for all else.
    const notes = raiseLimit(setup.flights + setup.plugins * 2 + 100);
    this.hosts = new Hosts({ lookup: resolve, now, keepMs: setup.resolveMs, failureMs: FAILURE_MS });
    let wires: Wires | undefined;
    this.probes = new Probes({
      firstRow: setup.rows,
      engine: () => this.engine,
      define: (row, spec, ca) => this.plan(row, spec, ca),
      say: (message) => this.tell(message),
    });
    this.engine = new Engine({
      rows: setup.rows + Probes.rows,
      flights: setup.flights,
      hosts: this.hosts,
      wires: (events) => {
        wires = openWires(
          events,
          setup,
          (slot) => this.engine.flight(slot),
          (group, alive) => say({ kind: 'group', group, alive }),
        );
        return wires.byName;
      },
      now,
      wall: (at) => at / 1000 + this.wallOffset,
      result: (row, nature, edge, flight) => this.result(row, nature, edge, flight),
    });
    const user = becomeFirstOf(setup.users, setup.chroot);
    this.loop = wires?.run(this.engine, now);
    say({ kind: 'ready', user, notes: [...notes, ...(wires?.notes ?? [])] });
    setInterval(() => this.beat(), BEAT_MS);
  }

  take(message: Exclude<MainToMonitor, { kind: 'setup' }>): void {
    switch (message.kind) {
      case 'define':
        for (const definition of message.checks) this.define(definition);
        return;
      case 'remove':
        for (const row of message.rows) {
          this.engine.remove(row);
          // The next check of the row has no answer for them.
          this.asked.delete(row);
        }
        return;
      case 'run':
        this.asked.set(message.row, [...(this.asked.get(message.row) ?? []), message.request]);
        this.engine.runNow(message.row);
        return;
      case 'look':
        return this.tell({ kind: 'views', request: message.request, views: this.views(message.rows) });
      case 'history':
        return say({
          kind: 'history',
          request: message.request,
          results: this.history.of(this.serials[message.row] as number, HISTORY_SHOWN).map((entry) =>
            resultView(entry.at, entry.nature, entry.latencyMs, {
              ...entry,
              excerptLength: entry.excerpt.length,
            }),
          ),
        });
      case 'probe':
        return this.probes.run(message);
      default:
        message satisfies never;
    }
  }

  private define({ row, serial, spec, ca, known }: Definition): void {
    this.serials[row] = serial;
    this.engine.remove(row);
    this.plan(row, spec, ca);
    if (known !== null) this.engine.table.restore(row, known.state, known.since, known.lastOkAt);
  }

  private plan(row: number, spec: CheckSpec, ca: string): void {
    this.engine.define(row, this.plans.of(spec, ca), hostOf(spec.url), spec.url.port, phaseOf(spec.name));
  }

  private result(row: number, nature: number, edge: Edge, flight: Flight): void {
    const { tookMs } = flight;
    const at = this.engine.table.lastAt(row);
    if (this.probes.asked(row))
      this.probes.result(row, nature, flight, resultView(at, nature, tookMs, flight));
    if (this.probes.owns(row)) return;
    this.history.add(this.serials[row] as number, at, nature, tookMs, flight);
    const requests = this.asked.size > 0 ? this.asked.get(row) : undefined;
    if (edge === '' && this.engine.table.isNewlyUp(row)) this.tellUp(row, flight.begunAt);
    if (edge === '' && requests === undefined) return;
    const view = this.view(row);
    const last = resultView(at, nature, tookMs, flight);
    const told = { view, last, begunAt: flight.begunAt + this.bootOffset };
    if (edge !== '') this.tellEdge({ edge, ...told });
    this.asked.delete(row);
    for (const request of requests ?? []) this.tell({ kind: 'ran', request, ...told });
  }

  /** Once this turn is over, together with what else it brings; the turn ends soon. */
  private tellEdge(edge: EdgeView): void {
    this.edges.push(edge);
    if (this.edges.length >= EDGES_MAX) this.flush();
    else if (this.edges.length === 1) {
      this.loop?.yield();
      queueMicrotask(() => this.flush());
    }
  }

  /** A little later, together with others: at the start they come by the thousand. */
  private tellUp(row: number, begunAt: number): void {
    this.up.push({ row, begunAt });
    if (this.up.length === 1) setTimeout(() => this.flushUp(), GATHER_UP_MS);
  }

  private flushUp(): void {
    const { serials, up } = this;
    this.up = [];
    this.tell({
      kind: 'up',
      rows: up.map(({ row }) => row),
      serials: up.map(({ row }) => serials[row] as number),
      begun: up.map(({ begunAt }) => begunAt + this.bootOffset),
    });
  }

  private flush(): void {
    const { edges } = this;
    this.edges = [];
    if (edges.length > 0) say({ kind: 'edges', edges });
  }

  /** What is told after an edge is heard after it. */
  private tell(message: MonitorToMain): void {
    this.flush();
    say(message);
  }

  private views(rows: readonly number[] | null): CheckView[] {
    const all = rows ?? Array.from({ length: this.engine.table.rows }, (_, row) => row);
    const known = (row: number): boolean => this.engine.defined(row) && !this.probes.owns(row);
    return all.filter(known).map((row) => this.view(row));
  }

  private view(row: number): CheckView {
    const { table } = this.engine;
    const age = (at: number): number => (at === 0 ? Number.POSITIVE_INFINITY : ageOf(at));
    return {
      row,
      serial: this.serials[row] as number,
      state: STATES[table.state(row)] ?? 'unknown',
      nature: NATURES[table.nature(row)] ?? 'none',
      detail: table.detail(row),
      latencyMs: table.latency(row),
      age: age(table.lastAt(row)),
      okAge: age(table.lastOkAt(row)),
      sinceAge: age(table.since(row)),
    };
  }

  private beat(): void {
    this.wallOffset = wall() - now() / 1000;
    this.bootOffset = bootTime() - now();
    const { engine } = this;
    this.tell({
      kind: 'beat',
      underWay: engine.underWay,
      ...engine.lateness.take(),
      skipped: engine.skipped,
    });
    engine.skipped = 0;
  }
}

function resultView(
  at: number,
  nature: number,
  latencyMs: number,
  answer: Answer & { host?: string },
): ResultView {
  return {
    age: ageOf(at),
    nature: (NATURES[nature] ?? 'none') satisfies Nature,
    detail: answer.detail,
    latencyMs,
    text: answer.text,
    excerpt: answer.excerpt.toString('latin1', 0, answer.excerptLength),
    address: answer.host ?? '',
  };
}

/** The system's resolver, on its own thread. */
function resolve(name: string, done: (addresses: readonly string[], reason: string) => void): void {
  lookup(name, { all: true, order: 'verbatim' }, (error, addresses) => {
    if (error !== null) done([], error.code ?? messageOf(error));
    else done([...new Set(addresses.map(({ address }) => address))], '');
  });
}

function raiseLimit(wanted: number): string[] {
  try {
    const native = loadNative();
    const { soft, hard } = native.getrlimit('nofile');
    if (soft === null || soft >= wanted) return [];
    const root = process.getuid?.() === 0;
    const most = root || hard === null ? wanted : Math.min(wanted, hard);
    native.setrlimit('nofile', { soft: most, hard: hard === null ? null : Math.max(hard, most) });
    return most < wanted ? [`only ${most} of ${wanted} files may be open at once: raise LimitNOFILE`] : [];
  } catch (error) {
    return [`the limit of open files stays as it is: ${messageOf(error)}`];
  }
}
