/** A terminal's whole screen, for as long as somebody looks on: the lines that were there before come back afterwards. */

export interface Screen {
  /** Shows a text, made for so many columns and rows; once more when the size changes. */
  draw(render: (columns: number, rows: number) => string): void;
  close(): void;
}

/** 'q', and what Ctrl-C and Ctrl-D type. */
const ENDS: readonly number[] = [0x71, 0x51, 0x03, 0x04];
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_REST_OF_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/** `onEnd`: 'q' or Ctrl-C was typed. */
export function openScreen(onEnd: () => void): Screen {
  const { stdin, stdout } = process;
  let last: ((columns: number, rows: number) => string) | null = null;
  const keys = stdin.isTTY === true;

  function redraw(): void {
    if (last === null) return;
    const [columns, rows] = [stdout.columns || 80, stdout.rows || 24];
    const lines = last(columns, rows).replace(/\n$/, '').split('\n').slice(0, rows);
    // Overwritten, not cleared: nothing flickers.
    stdout.write(`${HOME}${lines.join(`${CLEAR_REST_OF_LINE}\n`)}${CLEAR_REST_OF_LINE}${CLEAR_BELOW}`);
  }

  function typed(bytes: Buffer): void {
    if (bytes.some((byte) => ENDS.includes(byte))) onEnd();
  }

  function close(): void {
    process.removeListener('exit', close);
    stdout.removeListener('resize', redraw);
    stdout.write(LEAVE);
    if (!keys) return;
    stdin.removeListener('data', typed);
    stdin.setRawMode(false);
    stdin.pause();
  }

  stdout.write(ENTER);
  stdout.on('resize', redraw);
  process.on('exit', close);
  if (keys) {
    stdin.setRawMode(true);
    stdin.on('data', typed);
  }
  return {
    draw(render) {
      last = render;
      redraw();
    },
    close,
  };
}
