/**
 * What waits to be said to other monitoring nodes. A peer is sent as much as it reads, and of what was not sent yet the newest word of
 * a kind about a check alone: after a connection came up there may be one about each of ten thousand checks.
 */
import type { ConfirmMessage, NodeName } from '../confirm/types.js';

export interface Post {
  send(to: NodeName, message: ConfirmMessage): void;
  /** It is not connected any more: what waits for it would be old when it comes back. */
  lost(node: NodeName): void;
  close(): void;
}

export interface PostOptions {
  /** False: there is no connection. */
  send: (to: NodeName, message: ConfirmMessage) => boolean;
  /** Bytes on their way that the peer has not read; infinite where there is no connection. */
  waiting: (to: NodeName) => number;
}

/** A quarter of what ends a connection. */
const WAITING_MAX = 64 * 1024;
/** Encoded in one turn: a few milliseconds. */
const TURN_MAX = 100;
/** How soon it is tried again where the peer is slow. */
const RETRY_MS = 20;
/** About checks that are not configured here: a bound for what a peer can make this node say. */
const WORDS_MAX = 200_000;

export function createPost({ send, waiting }: PostOptions): Post {
  const queues = new Map<NodeName, Map<string, ConfirmMessage>>();
  let immediate: NodeJS.Immediate | null = null;
  let timer: NodeJS.Timeout | null = null;

  function schedule(slow: boolean): void {
    if (immediate !== null) return;
    if (slow) {
      timer ??= setTimeout(() => {
        timer = null;
        flush();
      }, RETRY_MS);
    } else {
      immediate = setImmediate(() => {
        immediate = null;
        flush();
      });
    }
  }

  function flush(): void {
    let left = TURN_MAX;
    for (const [node, queue] of queues) {
      // It went while this was being thought of; what is old when it comes back is not said.
      if (waiting(node) === Number.POSITIVE_INFINITY) queue.clear();
      for (const [key, message] of queue) {
        if (left === 0 || waiting(node) > WAITING_MAX) break;
        left -= 1;
        queue.delete(key);
        if (!send(node, message)) queue.clear();
      }
      if (queue.size === 0) queues.delete(node);
    }
    if (queues.size > 0) schedule(left > 0);
  }

  return {
    send(to, message) {
      const queue = queues.get(to) ?? new Map<string, ConfirmMessage>();
      queues.set(to, queue);
      const key = `${message.kind} ${message.check}`;
      // It takes its place at the end: what was said in between holds no longer. What is asked and answered keeps the one it has:
      // a slow peer would never read it if it went back to the end every time.
      if (message.kind !== 'ask' && message.kind !== 'answer') queue.delete(key);
      if (queue.size < WORDS_MAX) queue.set(key, message);
      schedule(false);
    },
    lost: (node) => void queues.delete(node),
    close() {
      queues.clear();
      if (immediate !== null) clearImmediate(immediate);
      if (timer !== null) clearTimeout(timer);
    },
  };
}
