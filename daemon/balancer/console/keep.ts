/** What should be open is looked at again and again: what could not be opened, or is gone, is tried once more. */
import { setTimeout as delay } from 'node:timers/promises';

/** How often. */
export const RETRY_MS = 5000;

/** What the console and the fifo have in common for their owner. */
export interface Served {
  /** Ends it; what it made is gone then. */
  close(): Promise<void>;
}

/**
 * Calls `open` at once and then every `retryMs`. It gives '' where all is well, or else what is wrong; that is told once for each change.
 * Gives a function that ends it, once what is under way has ended.
 */
export function keepOpen(
  open: () => Promise<string>,
  tell: (problem: string) => void,
  retryMs: number,
): () => Promise<void> {
  const ended = new AbortController();
  async function loop(): Promise<void> {
    let told = '';
    while (!ended.signal.aborted) {
      const problem = await open();
      if (problem !== '' && problem !== told) tell(problem);
      told = problem;
      // Waiting keeps nobody's process, and is cut short by the end.
      await delay(retryMs, undefined, { signal: ended.signal, ref: false }).catch(() => {});
    }
  }
  const done = loop();
  return async () => {
    ended.abort();
    await done;
  };
}
