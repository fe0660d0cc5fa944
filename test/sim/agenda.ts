/**
 * What will happen, in the order of true time: a binary heap of things to do. Things due at the same time happen in
 * the order in which they were entered, so that a run depends on nothing but its seed.
 */
import { Violation } from './trace.js';

/** More steps than this, each within this time of the one before, are a loop. */
const STEPS_MAX = 20_000;
const STAND_STILL_MS = 0.001;
/** More steps than this in a simulated second are a storm: runs in which all is well have some 3000 at most. */
const STORM_STEPS = 20_000;
const STORM_MS = 1000;

interface Entry {
  at: number;
  order: number;
  run: () => void;
}

export class Agenda {
  /** True time in milliseconds since the begin of the run. */
  now = 0;
  /** How many things have happened. */
  count = 0;
  private readonly heap: Entry[] = [];
  private order = 0;
  private readonly window = { from: 0, steps: 0 };

  /** Enters something to be done at `at`, or now where that has passed. */
  at(at: number, run: () => void): void {
    this.order += 1;
    const entry = { at: Math.max(at, this.now), order: this.order, run };
    const { heap } = this;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!before(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  after(delay: number, run: () => void): void {
    this.at(this.now + delay, run);
  }

  /** Does everything that is due up to `end`. */
  runUntil(end: number): void {
    let stepsHere = 0;
    for (let top = this.heap[0]; top !== undefined && top.at <= end; top = this.heap[0]) {
      this.remove();
      stepsHere = top.at - this.now < STAND_STILL_MS ? stepsHere + 1 : 0;
      if (stepsHere > STEPS_MAX)
        throw new Violation('busy', `time stands still at ${this.now} ms: something wakes itself for ever`);
      this.now = top.at;
      this.count += 1;
      this.expectCalm();
      top.run();
    }
    this.now = end;
  }

  /** Something that asks again for every answer moves time on, and never comes to an end all the same. */
  private expectCalm(): void {
    const { window } = this;
    if (this.now - window.from > STORM_MS) Object.assign(window, { from: this.now, steps: 0 });
    window.steps += 1;
    if (window.steps > STORM_STEPS)
      throw new Violation(
        'busy',
        `${STORM_STEPS} steps since ${window.from.toFixed(0)} ms: a storm of messages`,
      );
  }

  private remove(): void {
    const { heap } = this;
    const last = heap.pop() as Entry;
    const size = heap.length;
    if (size === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= size) break;
      if (child + 1 < size && before(heap[child + 1] as Entry, heap[child] as Entry)) child += 1;
      const below = heap[child] as Entry;
      if (!before(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
