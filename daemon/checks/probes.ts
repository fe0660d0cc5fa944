/**
 * Checks that a person wants run now, with the times of their phases: those of the configuration in their own rows, others in a few
 * rows that are kept free for it.
 */
import { messageOf } from '../sys/errors.js';
import type { Engine } from './engine.js';
import type { Flight } from './flight.js';
import type { MainToMonitor, MonitorToMain, ResultView } from './ipc.js';
import { NATURES } from './natures.js';
import { phasesOf } from './phases.js';
import type { CheckSpec } from './spec.js';

/** So many checks of others at once. */
const ROWS = 16;

export interface ProbesOptions {
  /** The engine's rows from here on are for this. */
  firstRow: number;
  engine: () => Engine;
  /** Has a row run this check from now on. */
  define: (row: number, spec: CheckSpec, ca: string) => void;
  say: (message: MonitorToMain) => void;
}

export class Probes {
  private readonly options: ProbesOptions;
  private readonly free: number[];
  private readonly waiting = new Map<number, number[]>();

  constructor(options: ProbesOptions) {
    this.options = options;
    this.free = Array.from({ length: ROWS }, (_, index) => options.firstRow + index);
  }

  /** Rows that the engine needs for this. */
  static readonly rows = ROWS;

  run({ request, what }: Extract<MainToMonitor, { kind: 'probe' }>): void {
    const { define, engine, say } = this.options;
    const refuse = (refused: string): void => say({ kind: 'probed', request, refused, probe: null });
    const row = 'row' in what ? what.row : this.free.pop();
    if (row === undefined) return refuse(`${ROWS} others are under way: try again`);
    try {
      if ('spec' in what) define(row, what.spec, what.ca);
    } catch (error) {
      this.free.push(row);
      return refuse(messageOf(error));
    }
    if (!engine().defined(row)) return refuse('it is not run here; the log says why');
    this.waiting.set(row, [...(this.waiting.get(row) ?? []), request]);
    engine().runNow(row);
  }

  /** Somebody waits for this row's result. */
  asked(row: number): boolean {
    return this.waiting.size > 0 && this.waiting.has(row);
  }

  /** A check that was asked for has ended. */
  result(row: number, nature: number, flight: Flight, seen: ResultView): void {
    const requests = this.waiting.get(row) ?? [];
    this.waiting.delete(row);
    // A plugin goes where it likes.
    const address = flight.plan?.wire === 'exec' ? '' : seen.address;
    const phases = phasesOf(flight, flight.begunAt + flight.tookMs, NATURES[nature] ?? 'none');
    const probe = { last: { ...seen, address }, phases };
    for (const request of requests) this.options.say({ kind: 'probed', request, refused: '', probe });
    // The engine is not done with the row before it has taken leave of the other side.
    if (this.owns(row)) setImmediate(() => this.release(row));
  }

  /** The row is none of the configuration's. */
  owns(row: number): boolean {
    return row >= this.options.firstRow;
  }

  private release(row: number): void {
    this.options.engine().remove(row);
    this.free.push(row);
  }
}
