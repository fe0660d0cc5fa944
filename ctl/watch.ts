/** --watch: looks again and again, and shows it in the same place on a terminal, else one below the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { plain } from './check-words.js';
import type { Room } from './checks.js';
import { ControlFailure } from './client.js';
import { CtlError } from './error.js';
import type { Terminal } from './terminal.js';

interface Shown {
  text: (room: Room) => string;
  note: string;
}

export interface WatchOptions<S extends Shown> {
  terminal: Terminal;
  everyMs: number;
  /** Draw on the whole screen, where there is one. */
  screen: boolean;
  first: S;
  look: () => Promise<S>;
  /** Prints one look below the last one. */
  append: (shown: S) => void;
}

/** Goes on until it is interrupted, 'q' is typed, or nobody reads any more. */
export async function watch<S extends Shown>(options: WatchOptions<S>): Promise<void> {
  const { append, everyMs, look, terminal } = options;
  const ended = new AbortController();
  const { signal } = ended;
  const screen = options.screen ? await terminal.screen(() => ended.abort()) : null;
  const end = (): void => ended.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, end);
  let shown = options.first;
  let failure = '';
  function draw(): void {
    screen?.draw((columns, rows) => {
      const head = failure || shown.note;
      const lines = head === '' ? [] : head.split('\n').map((line) => line.slice(0, columns));
      const room = { columns, rows: rows - lines.length, colour: terminal.colour };
      return [...lines, shown.text(room)].join('\n');
    });
  }
  try {
    while (!signal.aborted && !terminal.gone()) {
      if (screen === null && failure === '') append(shown);
      else if (screen === null) terminal.note(`hastmonctl: ${failure}`);
      draw();
      await sleep(everyMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) break;
      try {
        shown = await Promise.race([look(), whenAborted(signal, shown)]);
        failure = '';
      } catch (error) {
        // hastmond may be restarting: what was shown last stays, with why it is old.
        if (!(error instanceof ControlFailure || error instanceof CtlError)) throw error;
        failure = error.message.split('\n').map(plain).join('\n');
      }
    }
  } finally {
    screen?.close();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.removeListener(name, end);
  }
}

function whenAborted<S>(signal: AbortSignal, value: S): Promise<S> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(value), { once: true }));
}
