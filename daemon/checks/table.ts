/**
 * What is remembered of each check, in typed arrays: a few dozen bytes a check, whatever it is called and whatever it asks. A row is
 * a check; rows are reused.
 */
import { LOCAL, NONE, OK } from './natures.js';
import type { Judging } from './plan.js';
import { TimerWheel } from './wheel.js';

export const State = { UNKNOWN: 0, UP: 1, DOWN: 2 } as const;

/** What a result did to a check's state. */
export type Edge = '' | 'up' | 'down';

export class CheckTable {
  readonly rows: number;
  readonly state: Uint8Array;
  readonly nature: Uint8Array;
  /** With the nature: an HTTP status, an exit code, a signal. */
  readonly detail: Uint16Array;
  /** How many results in a row were as the last one: all good, or all bad. */
  readonly streak: Uint16Array;
  /** Milliseconds; NaN before the first result. */
  readonly latency: Float32Array;
  /** Wall-clock seconds: of the last result, the last success (0: none) and the last edge. */
  readonly lastAt: Float64Array;
  readonly lastOkAt: Float64Array;
  readonly since: Float64Array;
  /** When the next check is due, on the engine's clock. */
  readonly due: Float64Array;
  /** Its place within the interval, 0 to 1. */
  readonly phase: Float32Array;
  readonly host: Uint32Array;
  readonly port: Uint16Array;
  /** The slot of its flight; -1: none, -2: it waits for one. */
  readonly flight: Int32Array;

  constructor(rows: number) {
    this.rows = rows;
    this.state = new Uint8Array(rows);
    this.nature = new Uint8Array(rows);
    this.detail = new Uint16Array(rows);
    this.streak = new Uint16Array(rows);
    this.latency = new Float32Array(rows).fill(Number.NaN);
    this.lastAt = new Float64Array(rows);
    this.lastOkAt = new Float64Array(rows);
    this.since = new Float64Array(rows);
    this.due = new Float64Array(rows);
    this.phase = new Float32Array(rows);
    this.host = new Uint32Array(rows);
    this.port = new Uint16Array(rows);
    this.flight = new Int32Array(rows).fill(-1);
  }

  /** Bytes that a check takes: the arrays above, its timer, and its places in the two queues for a flight. */
  static get rowBytes(): number {
    const own = 1 + 1 + 2 + 2 + 4 + 3 * 8 + 8 + 4 + 4 + 2 + 4;
    // The engine's reference to its plan.
    const reference = 8;
    return own + reference + TimerWheel.rowBytes + 2 * 4;
  }

  /** Forgets what was there. */
  clear(row: number): void {
    this.state[row] = State.UNKNOWN;
    this.nature[row] = NONE;
    this.detail[row] = 0;
    this.streak[row] = 0;
    this.latency[row] = Number.NaN;
    this.lastAt[row] = 0;
    this.lastOkAt[row] = 0;
    this.since[row] = 0;
  }

  /** It stood so before: there is no edge to be told of that. */
  restore(row: number, state: 'up' | 'down', since: number, lastOkAt: number): void {
    this.state[row] = state === 'up' ? State.UP : State.DOWN;
    this.since[row] = since;
    this.lastOkAt[row] = lastOkAt;
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
    const wasOk = this.nature[row] === OK;
    const first = this.lastAt[row] === 0;
    this.lastAt[row] = wall;
    if (nature === LOCAL) {
      // It says nothing about the service; but it is what was seen last.
      if (first) this.nature[row] = nature;
      return '';
    }
    const ok = nature === OK;
    this.nature[row] = nature;
    this.detail[row] = detail;
    this.latency[row] = latencyMs;
    this.streak[row] = first || ok !== wasOk ? 1 : Math.min(65535, (this.streak[row] as number) + 1);
    if (ok) this.lastOkAt[row] = wall;
    return this.change(row, ok, wall, judging);
  }

  /** True where the last result has made it up. */
  isNewlyUp(row: number): boolean {
    return this.state[row] === State.UP && this.since[row] === this.lastAt[row];
  }

  private change(row: number, ok: boolean, wall: number, judging: Judging): Edge {
    const state = this.state[row];
    const streak = this.streak[row] as number;
    if (ok) {
      if (state === State.UP || (state === State.DOWN && streak < judging.rise)) return '';
      this.state[row] = State.UP;
      this.since[row] = wall;
      return state === State.DOWN ? 'up' : '';
    }
    if (state === State.DOWN || streak < judging.fall) return '';
    const { downAfterMs } = judging;
    if (downAfterMs > 0 && wall - (this.lastOkAt[row] as number) < downAfterMs / 1000) return '';
    this.state[row] = State.DOWN;
    this.since[row] = wall;
    return 'down';
  }
}
