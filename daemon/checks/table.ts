/**
 * What is remembered of each check, in one record of 64 bytes: a check is looked at once in its interval, when nothing of it is
 * in the processor's cache any more, and a record is one line of that. A row is a check; rows are reused.
 */
import { LOCAL, NONE, OK } from './natures.js';
import type { Judging } from './plan.js';
import { TimerWheel } from './wheel.js';

export const State = { UNKNOWN: 0, UP: 1, DOWN: 2 } as const;

/** What a result did to a check's state. */
export type Edge = '' | 'up' | 'down';

/** Bytes of a record. */
const RECORD_BYTES = 64;
/** Where things are in it, in units of their own size; the timer wheel has the first 16 bytes. */
const DUE = 2;
const LAST_AT = 3;
const LAST_OK_AT = 4;
const HOST = 10;
const PHASE = 11;
const LATENCY = 12;
const FLIGHT = 13;
const PORT = 28;
const STREAK = 29;
const DETAIL = 30;
const STATE = 62;
const NATURE = 63;
/** With the state: the host is an IPv4 address, and its number that address. */
const NUMERIC = 0x80;

export class CheckTable {
  readonly rows: number;
  /** The records; the first 16 bytes of each are the timer's, and there are some more for the wheel. */
  readonly memory: ArrayBuffer;
  readonly recordBytes = RECORD_BYTES;
  private readonly bytes: Uint8Array;
  private readonly halves: Uint16Array;
  private readonly words: Int32Array;
  private readonly floats: Float32Array;
  private readonly doubles: Float64Array;
  /** Wall-clock seconds of the last edge. */
  private readonly sinces: Float64Array;

  constructor(rows: number) {
    this.rows = rows;
    this.memory = new ArrayBuffer(TimerWheel.records(rows) * RECORD_BYTES);
    this.bytes = new Uint8Array(this.memory);
    this.halves = new Uint16Array(this.memory);
    this.words = new Int32Array(this.memory);
    this.floats = new Float32Array(this.memory);
    this.doubles = new Float64Array(this.memory);
    this.sinces = new Float64Array(rows);
    for (let row = 0; row < rows; row += 1) {
      this.clear(row);
      this.setFlight(row, -1);
    }
  }

  /** Bytes that a check takes: what is above, the engine's reference to its plan, and its place in a queue for a flight. */
  static readonly rowBytes = RECORD_BYTES + 8 + 8 + 4;

  state(row: number): number {
    return (this.bytes[row * 64 + STATE] as number) & ~NUMERIC;
  }

  nature(row: number): number {
    return this.bytes[row * 64 + NATURE] as number;
  }

  /** With the nature: an HTTP status, an exit code, a signal. */
  detail(row: number): number {
    return this.halves[row * 32 + DETAIL] as number;
  }

  /** Milliseconds; NaN before the first result. */
  latency(row: number): number {
    return this.floats[row * 16 + LATENCY] as number;
  }

  /** Wall-clock seconds of the last result; 0: none yet. */
  lastAt(row: number): number {
    return this.doubles[row * 8 + LAST_AT] as number;
  }

  /** Of the last success. */
  lastOkAt(row: number): number {
    return this.doubles[row * 8 + LAST_OK_AT] as number;
  }

  /** Of the last edge. */
  since(row: number): number {
    return this.sinces[row] as number;
  }

  /** When the next check is due, on the engine's clock. */
  due(row: number): number {
    return this.doubles[row * 8 + DUE] as number;
  }

  setDue(row: number, at: number): void {
    this.doubles[row * 8 + DUE] = at;
  }

  /** The slot of its flight; -1: none, -2: it waits for one. */
  flight(row: number): number {
    return this.words[row * 16 + FLIGHT] as number;
  }

  setFlight(row: number, slot: number): void {
    this.words[row * 16 + FLIGHT] = slot;
  }

  /** Its place within the interval, 0 to 1. */
  phase(row: number): number {
    return this.floats[row * 16 + PHASE] as number;
  }

  port(row: number): number {
    return this.halves[row * 32 + PORT] as number;
  }

  /** The number of its host; where numeric(), an IPv4 address. */
  host(row: number): number {
    return (this.words[row * 16 + HOST] as number) >>> 0;
  }

  numeric(row: number): boolean {
    return ((this.bytes[row * 64 + STATE] as number) & NUMERIC) !== 0;
  }

  /** A check takes the row up. */
  place(row: number, host: number, numeric: boolean, port: number, phase: number): void {
    this.clear(row);
    this.words[row * 16 + HOST] = host;
    this.bytes[row * 64 + STATE] = State.UNKNOWN | (numeric ? NUMERIC : 0);
    this.halves[row * 32 + PORT] = port;
    this.floats[row * 16 + PHASE] = phase;
  }

  /** Forgets what was there. */
  clear(row: number): void {
    this.setState(row, State.UNKNOWN);
    this.bytes[row * 64 + NATURE] = NONE;
    this.halves[row * 32 + DETAIL] = 0;
    this.halves[row * 32 + STREAK] = 0;
    this.floats[row * 16 + LATENCY] = Number.NaN;
    this.doubles[row * 8 + LAST_AT] = 0;
    this.doubles[row * 8 + LAST_OK_AT] = 0;
    this.sinces[row] = 0;
  }

  /** It stood so before: there is no edge to be told of that. */
  restore(row: number, state: 'up' | 'down', since: number, lastOkAt: number): void {
    this.setState(row, state === 'up' ? State.UP : State.DOWN);
    this.sinces[row] = since;
    this.doubles[row * 8 + LAST_OK_AT] = lastOkAt;
  }

  /**
   * Takes a result in, at `wall` seconds, and says whether the state changed. The first success makes a check up without an
   * edge being told; a check that was never seen up goes down with one.
   */
  judge(
    row: number,
    nature: number,
    detail: number,
    latencyMs: number,
    wall: number,
    judging: Judging,
  ): Edge {
    const wasOk = this.nature(row) === OK;
    const first = this.lastAt(row) === 0;
    this.doubles[row * 8 + LAST_AT] = wall;
    if (nature === LOCAL) {
      // It says nothing about the service; but it is what was seen last.
      if (first) this.bytes[row * 64 + NATURE] = nature;
      return '';
    }
    const ok = nature === OK;
    this.bytes[row * 64 + NATURE] = nature;
    this.halves[row * 32 + DETAIL] = detail;
    this.floats[row * 16 + LATENCY] = latencyMs;
    this.halves[row * 32 + STREAK] =
      first || ok !== wasOk ? 1 : Math.min(65535, (this.halves[row * 32 + STREAK] as number) + 1);
    if (ok) this.doubles[row * 8 + LAST_OK_AT] = wall;
    return this.change(row, ok, wall, judging);
  }

  /** True where the last result has made it up. */
  isNewlyUp(row: number): boolean {
    return this.state(row) === State.UP && this.since(row) === this.lastAt(row);
  }

  private setState(row: number, state: number): void {
    const at = row * 64 + STATE;
    this.bytes[at] = ((this.bytes[at] as number) & NUMERIC) | state;
  }

  private change(row: number, ok: boolean, wall: number, judging: Judging): Edge {
    const state = this.state(row);
    const streak = this.halves[row * 32 + STREAK] as number;
    if (ok) {
      if (state === State.UP || (state === State.DOWN && streak < judging.rise)) return '';
      this.setState(row, State.UP);
      this.sinces[row] = wall;
      return state === State.DOWN ? 'up' : '';
    }
    if (state === State.DOWN || streak < judging.fall) return '';
    const { downAfterMs } = judging;
    if (downAfterMs > 0 && wall - this.lastOkAt(row) < downAfterMs / 1000) return '';
    this.setState(row, State.DOWN);
    this.sinces[row] = wall;
    return 'down';
  }
}
