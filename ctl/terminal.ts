/** Where hastmonctl's words go: results to stdout, everything else to stderr. It knows terminals, no commands. */
import { printError, printResult } from '../daemon/process/print.js';
import { exitCode } from '../daemon/process/sysexits.js';
import type { Screen } from './screen.js';

export interface Terminal {
  /** A result, as it is. */
  print(text: string): void;
  /** A line for the operator that is no result. */
  note(line: string): void;
  /** How far it is: one line that changes on a terminal, else a line now and then. '' clears it. */
  progress(line: string): void;
  /** True where results may be coloured (https://no-color.org). */
  readonly colour: boolean;
  /** Characters in a line of results; Infinity where they do not go to a terminal. */
  columns(): number;
  /** Nobody reads the results any more. */
  gone(): boolean;
  /** The whole screen, until it is closed; null where results do not go to a terminal. `onEnd`: the user wants to end it. */
  screen(onEnd: () => void): Promise<Screen | null>;
  /** Asks and gives the answer, '' for Ctrl-C and Ctrl-D; null where nobody is there to answer. */
  ask(question: string): Promise<string | null>;
}

const CLEAR_LINE = '\r\x1b[K';

/** Where lines stay, no more than one in this time: what they tell changes many times a second. */
const LINE_PAUSE_MS = 1000;

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stderr, stdin, stdout } = process;
  const smart = stderr.isTTY === true && process.env.TERM !== 'dumb';
  let shown = '';
  let shownAt = Number.NEGATIVE_INFINITY;
  let gone = false;

  function clear(): void {
    if (smart && shown !== '') stderr.write(CLEAR_LINE);
    shown = '';
  }

  return {
    print(text) {
      clear();
      const code = printResult('hastmonctl', text, () => {
        gone = true;
      });
      if (code !== exitCode.ok) process.exit(code);
    },
    note(line) {
      clear();
      printError(line);
    },
    progress(line) {
      if (line === shown) return;
      const now = performance.now();
      if (smart) stderr.write(`${CLEAR_LINE}${line.slice(0, Math.max(20, (stderr.columns || 80) - 1))}`);
      else if (line === '' || now - shownAt < LINE_PAUSE_MS) return;
      else printError(line);
      shown = line;
      shownAt = now;
    },
    colour: stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '',
    columns: () => (stdout.isTTY === true ? stdout.columns || 80 : Number.POSITIVE_INFINITY),
    gone: () => gone,
    async screen(onEnd) {
      if (stdout.isTTY !== true || process.env.TERM === 'dumb') return null;
      clear();
      const { openScreen } = await import('./screen.js');
      return openScreen(onEnd);
    },
    async ask(question) {
      if (stdin.isTTY !== true || stderr.isTTY !== true) return null;
      clear();
      const { createInterface } = await import('node:readline/promises');
      const lines = createInterface({ input: stdin, output: stderr });
      // After Ctrl-Z and fg readline leaves its input paused: nothing would be waited for, and the process would end.
      lines.on('SIGCONT', () => lines.resume());
      try {
        return await lines.question(question).catch(() => {
          stderr.write('\n');
          return '';
        });
      } finally {
        lines.close();
      }
    },
  };
}
