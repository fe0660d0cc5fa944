/** Things that are done one after the other, and wait meanwhile, but not too many. It does not know what they are. */

export interface Turns<T> {
  /** After those that wait already. Of too many, the one that has waited longest is dropped. */
  add(item: T): void;
  /** Nothing further is begun. */
  close(): void;
}

export interface TurnsOptions<T> {
  run: (item: T) => Promise<void>;
  dropped: (item: T) => void;
  /** How long the first one waits. */
  afterMs: number;
  /** How many may wait. */
  max: number;
}

export function createTurns<T>({ run, dropped, afterMs, max }: TurnsOptions<T>): Turns<T> {
  const waiting: T[] = [];
  let busy = false;
  let closed = false;

  async function runAll(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined && !closed; next = waiting.shift()) await run(next);
    busy = false;
  }

  return {
    add(item) {
      waiting.push(item);
      const oldest = waiting.length > max ? waiting.shift() : undefined;
      if (oldest !== undefined) dropped(oldest);
      if (busy) return;
      busy = true;
      setTimeout(() => void runAll(), afterMs);
    },
    close() {
      closed = true;
    },
  };
}
