/**
 * The engine's loop: one wait for connections, timers and Node's own loop together, where epoll can be had; Node's timers where it
 * cannot.
 */
import type { Epoll } from '../sys/epoll.js';
import type { Engine } from './engine.js';

/** Node's own timers, which the wait knows nothing of, come this late at most. */
const BLOCK_MS = 50;

export interface Loop {
  /** Node's loop is to be visited before the next wait: something was begun there. */
  yield(): void;
  stop(): void;
}

/** `event`: an event of the set, by slot and generation. */
export function runOnEpoll(
  engine: Engine,
  epoll: Epoll,
  now: () => number,
  event: (slot: number, generation: number, events: number) => void,
): Loop {
  let yielding = false;
  let stopped = false;
  function turn(): void {
    if (stopped) return;
    // What Node was told to watch since its last look is watched only after its next one.
    const end = yielding ? now() : now() + BLOCK_MS;
    yielding = false;
    for (;;) {
      engine.turn();
      const time = now();
      if (yielding) break;
      const waitMs = Math.min(end, engine.nextAt()) - time;
      if (epoll.wait(Math.max(0, Math.ceil(waitMs)), event) || time >= end) break;
    }
    setImmediate(turn);
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
    engine.turn();
    at = Number.POSITIVE_INFINITY;
    arm();
  }
  function arm(): void {
    if (stopped) return;
    const next = Math.min(engine.nextAt(), now() + BLOCK_MS);
    if (next >= at) return;
    at = next;
    clearTimeout(timer);
    timer = setTimeout(turn, Math.max(0, next - now()));
  }
  arm();
  return {
    yield: () => {},
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
