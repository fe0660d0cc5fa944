/** Rows that wait, first come first served, in a ring that has room for every row once. */
export class RowQueue {
  private readonly ring: Int32Array;
  private head = 0;
  private length = 0;

  constructor(rows: number) {
    this.ring = new Int32Array(Math.max(1, rows));
  }

  get size(): number {
    return this.length;
  }

  push(row: number): void {
    this.ring[(this.head + this.length) % this.ring.length] = row;
    this.length += 1;
  }

  /** -1 where none waits. */
  shift(): number {
    if (this.length === 0) return -1;
    const row = this.ring[this.head] as number;
    this.head = (this.head + 1) % this.ring.length;
    this.length -= 1;
    return row;
  }
}
