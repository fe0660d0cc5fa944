/**
 * The engine's loop: one wait for connections, timers and Node's own loop together, where epoll can be had; Node's timers where it
 * cannot.
 */
import type { Epoll } from '../sys/epoll.js';
import type { Engine } from './engine.js';

/** Node's own timers, which the wait knows nothing of, come this late at most. */
const BLOCK_MS = 50;
/** Timers that would follow each other this closely are gathered, and fire together this late: to wake up is a good part of a check's cost. */
const DENSE_MS = 2;
const GATHER_MS = 4;
/** Batches of events that are taken before timers have their turn. */
const BATCHES_MAX = 64;

export interface Loop {
  /** Node's loop is to be visited before the next wait: something was begun there. */
  yield(): void;
  stop(): void;
}

/**
 * `event`: an event of the set, by slot and generation. What has come is taken in before a deadline is judged: who was kept from
 * running for a while does not hold that against the services.
 */
export function runOnEpoll(
  engine: Engine,
  epoll: Epoll,
  now: () => number,
  event: (slot: number, generation: number, events: number) => void,
): Loop {
  let yielding = false;
  let stopped = false;
  let more = false;
  let turnedAt = Number.NEGATIVE_INFINITY;
  /** When the engine has its next turn. */
  function nextTurn(): number {
    if (more) return turnedAt;
    const at = engine.nextAt();
    return at - turnedAt < DENSE_MS ? turnedAt + GATHER_MS : at;
  }
  function turn(): void {
    if (stopped) return;
    const begun = now();
    // What Node was told to watch since its last look is watched only after its next one.
    const end = yielding ? begun : begun + BLOCK_MS;
    yielding = false;
    let time = begun;
    for (;;) {
      const node = waitAndTake(Math.max(0, Math.ceil(Math.min(end, nextTurn()) - time)));
      time = now();
      if (time >= nextTurn()) {
        turnedAt = time;
        more = engine.turn();
        time = now();
      }
      if (node || yielding || time >= end) break;
    }
    setImmediate(turn);
  }

  /** True where Node's loop has something to do. */
  function waitAndTake(waitMs: number): boolean {
    let node = epoll.wait(waitMs, event);
    for (let batches = 1; epoll.full && batches < BATCHES_MAX; batches += 1)
      node = epoll.wait(0, event) || node;
    return node;
  }

  setImmediate(turn);
  return {
    yield: () => {
      yielding = true;
    },
    stop: () => {
      stopped = true;
    },
  };
}

/** Without epoll: the wires tell their events by Node's loop; timers are its own. */
export function runOnNode(engine: Engine, now: () => number): Loop {
  let timer: NodeJS.Timeout | undefined;
  let at = Number.POSITIVE_INFINITY;
  let stopped = false;
  function turn(): void {
    const more = engine.turn();
    at = Number.POSITIVE_INFINITY;
    arm(more ? 0 : engine.nextAt());
  }
  function arm(nextAt: number): void {
    if (stopped) return;
    const next = Math.min(nextAt, now() + BLOCK_MS);
    if (next >= at) return;
    at = next;
    clearTimeout(timer);
    timer = setTimeout(turn, Math.max(0, next - now()));
  }
  arm(engine.nextAt());
  return {
    yield: () => {},
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
