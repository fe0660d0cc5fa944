/**
 * A hierarchical timer wheel for a fixed number of timers, one for each row: setting, moving and clearing cost the same
 * whatever their number, and nothing is allocated. Time is in milliseconds, and fires in whole ones, never early.
 * Source: Varghese and Lauck, "Hashed and Hierarchical Timing Wheels" (SOSP 1987), scheme 7.
 */

const BITS = 8;
const SLOTS = 1 << BITS;
/** Four levels reach 2^32 ms, 49 days; what is later is looked at again then. */
const LEVELS = 4;
const SPANS = [1, SLOTS, SLOTS ** 2, SLOTS ** 3, SLOTS ** 4] as const;
const NONE = -1;

/** Words of 4 bytes: of a timer, and where its links are in it, behind its time. */
const WORDS = 4;
const NEXT = 2;
const PREVIOUS = 3;

/** Where timers are kept: the first 16 bytes of each record of `recordBytes`, with 1024 records behind those of the rows. */
export interface WheelMemory {
  memory: ArrayBuffer;
  recordBytes: number;
}

export class TimerWheel {
  /** Doubly linked lists; a row that is in none has NONE. The heads stand behind the rows, level by level. */
  private readonly links: Int32Array;
  private readonly times: Float64Array;
  private readonly words: number;
  private readonly rows: number;
  /** Which slots of the finest level have rows, a bit for each. */
  private readonly occupied = new Int32Array(SLOTS / 32);
  /** Rows with a timer. */
  private count = 0;
  private tick: number;

  /** Records that are needed for so many rows. */
  static records(rows: number): number {
    return rows + SLOTS * LEVELS;
  }

  constructor(rows: number, now: number, own?: WheelMemory) {
    this.rows = rows;
    const records = TimerWheel.records(rows);
    const { memory, recordBytes } = own ?? {
      memory: new ArrayBuffer(records * WORDS * 4),
      recordBytes: WORDS * 4,
    };
    this.links = new Int32Array(memory);
    this.times = new Float64Array(memory);
    this.words = recordBytes / 4;
    for (let row = 0; row < rows; row += 1) this.join(NONE, row, NONE);
    for (let head = rows; head < records; head += 1) this.join(head, head, head);
    this.tick = Math.floor(now);
  }

  private next(place: number): number {
    return this.links[place * this.words + NEXT] as number;
  }

  private previous(place: number): number {
    return this.links[place * this.words + PREVIOUS] as number;
  }

  private setNext(place: number, next: number): void {
    this.links[place * this.words + NEXT] = next;
  }

  private setPrevious(place: number, previous: number): void {
    this.links[place * this.words + PREVIOUS] = previous;
  }

  private join(previous: number, place: number, next: number): void {
    this.setPrevious(place, previous);
    this.setNext(place, next);
  }

  /** The timer of `row` fires at `time`, or soon where that has passed. It replaces an earlier one of the row. */
  set(row: number, time: number): void {
    this.clear(row);
    this.times[(row * this.words) >> 1] = Math.ceil(time);
    this.insert(row);
    this.count += 1;
  }

  clear(row: number): void {
    if (this.next(row) === NONE) return;
    this.remove(row);
    this.count -= 1;
  }

  /** When advance() has to be called at the latest; Infinity without timers. It may be earlier than any timer. */
  nextAt(): number {
    if (this.count === 0) return Number.POSITIVE_INFINITY;
    const boundary = (Math.floor(this.tick / SLOTS) + 1) * SLOTS;
    for (let time = this.tick + 1; time < boundary; ) {
      const slot = time & (SLOTS - 1);
      const word = (this.occupied[slot >> 5] ?? 0) >>> (slot & 31);
      if (word !== 0) return time + (31 - Math.clz32(word & -word));
      time += 32 - (slot & 31);
    }
    return boundary;
  }

  /**
   * Calls `fire` for each row whose time has come by `now`, in the order of time, at most `most` times; true where that was not
   * enough. `fire` may set timers.
   */
  advance(now: number, fire: (row: number) => void, most: number): boolean {
    const end = Math.floor(now);
    let left = most;
    for (;;) {
      // What a limit has left behind in this tick comes first; a timer that is set goes to later ticks.
      const head = this.rows + (this.tick & (SLOTS - 1));
      for (let row = this.next(head); row !== head; row = this.next(head)) {
        if (left === 0) return true;
        left -= 1;
        this.clear(row);
        fire(row);
      }
      if (this.tick >= end) return false;
      this.tick = Math.min(end, Math.max(this.tick + 1, this.nextAt()));
      if ((this.tick & (SLOTS - 1)) === 0) this.cascade(1);
    }
  }

  /** Hands the rows of the coarser level's present slot down. */
  private cascade(level: number): void {
    if (level >= LEVELS) return;
    const slot = Math.floor(this.tick / (SPANS[level] as number)) & (SLOTS - 1);
    if (slot === 0) this.cascade(level + 1);
    const head = this.rows + level * SLOTS + slot;
    let row = this.next(head);
    this.setNext(head, head);
    this.setPrevious(head, head);
    while (row !== head) {
      const after = this.next(row);
      this.insert(row);
      row = after;
    }
  }

  private insert(row: number): void {
    // A time of this very tick, while it is handed down, is still to be fired in it; one that has passed comes next.
    const least = this.next(row) === NONE ? this.tick + 1 : this.tick;
    const most = this.tick + (SPANS[LEVELS] as number) - 1;
    const time = Math.min(most, Math.max(least, this.times[(row * this.words) >> 1] as number));
    const delta = time - this.tick;
    let level = 0;
    while (delta >= (SPANS[level + 1] as number)) level += 1;
    const slot = Math.floor(time / (SPANS[level] as number)) & (SLOTS - 1);
    if (level === 0) this.occupied[slot >> 5] = (this.occupied[slot >> 5] ?? 0) | (1 << (slot & 31));
    const head = this.rows + level * SLOTS + slot;
    const last = this.previous(head);
    this.setNext(last, row);
    this.setPrevious(row, last);
    this.setNext(row, head);
    this.setPrevious(head, row);
  }

  private remove(row: number): void {
    const after = this.next(row);
    const before = this.previous(row);
    this.setNext(before, after);
    this.setPrevious(after, before);
    this.setNext(row, NONE);
    const slot = after - this.rows;
    if (after === before && slot >= 0 && slot < SLOTS)
      this.occupied[slot >> 5] = (this.occupied[slot >> 5] ?? 0) & ~(1 << (slot & 31));
  }
}
