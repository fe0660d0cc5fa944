/** Columns of text that fit a width. Pure; it knows nothing of what stands in them. */

export interface Column {
  title: string;
  right?: boolean;
  /** May be shortened to this many characters. */
  least?: number;
}

/** Where nothing says how wide a line may be. */
const WIDTH = 120;
/** In less, lines would be of single words. */
const WIDTH_LEAST = 20;

/** How wide a line of prose is, where a line has so many columns; Infinity where nothing says that. */
export function proseWidth(columns: number): number {
  return Number.isFinite(columns) ? Math.max(WIDTH_LEAST, columns) : WIDTH;
}

/** Between two columns. */
export const GAP = 2;

/**
 * The lines of a table, its titles first, none wider than `width`; a cell that was cut ends in `+`. `paint` may colour a cell of a row
 * once it has its final width.
 */
export function layOut(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
  paint: (cell: string, row: number, column: number) => string,
): string[] {
  const widths = columns.map(({ title }, index) =>
    rows.reduce((most, row) => Math.max(most, row[index]?.length ?? 0), title.length),
  );
  shrink(widths, columns, width);
  const line = (cells: readonly string[], row: number): string => {
    const last = columns.length - 1;
    let room = width;
    const parts = columns.map(({ right }, index) => {
      const wide = Math.min(widths[index] ?? 0, Math.max(0, room));
      room -= wide + GAP;
      const text = cut(cells[index] ?? '', wide);
      const padded = right ? text.padStart(wide) : index === last ? text : text.padEnd(wide);
      const painted = row < 0 || text === '' ? text : paint(text, row, index);
      return padded.replace(text, () => painted);
    });
    return parts.join(' '.repeat(GAP)).trimEnd();
  };
  const titles = columns.map(({ title }) => title);
  return [line(titles, -1), ...rows.map((row, index) => line(row, index))];
}

/** True where the table fits into `width` with each column at its least width: nothing is lost but the ends of cells that may be shortened. */
export function fits(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): boolean {
  const least = columns.map((column, index) => {
    const widest = rows.reduce((most, row) => Math.max(most, row[index]?.length ?? 0), column.title.length);
    return Math.min(widest, column.least ?? widest);
  });
  return least.reduce((sum, wide) => sum + wide, GAP * (columns.length - 1)) <= width;
}

/** Takes from the column that has most to spare, until all of them fit or none can spare any more. */
function shrink(widths: number[], columns: readonly Column[], width: number): void {
  let over = widths.reduce((sum, wide) => sum + wide, GAP * (widths.length - 1)) - width;
  const spare = columns.map(({ least }, index) => (least === undefined ? 0 : (widths[index] ?? 0) - least));
  for (; over > 0; over -= 1) {
    const most = Math.max(...spare);
    const index = spare.indexOf(most);
    if (most <= 0) return;
    spare[index] = most - 1;
    widths[index] = (widths[index] ?? 0) - 1;
  }
}

function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  return width < 1 ? '' : `${text.slice(0, width - 1)}+`;
}

/** Texts behind each other, `; ` between them, on lines of this width behind `indent`. */
export function wrap(texts: readonly string[], indent: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const [index, text] of texts.entries()) {
    const piece = index < texts.length - 1 ? `${text};` : text;
    if (line !== '' && indent.length + line.length + 1 + piece.length > width) {
      lines.push(indent + line);
      line = '';
    }
    line += line === '' ? piece : ` ${piece}`;
  }
  return line === '' ? lines : [...lines, indent + line];
}

/** A text on lines of this width, cut between words where that can be; all lines but the first begin with `indent`. */
export function fold(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  let line = /^ */.exec(text)?.[0] ?? '';
  let empty = true;
  for (let word of text.trim().split(/ +/)) {
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
      empty = true;
    }
    // At least one character a line, however narrow it is.
    for (
      let room = width - line.length;
      empty && word.length > Math.max(1, room);
      room = width - line.length
    ) {
      const at = Math.max(1, room);
      lines.push(line + word.slice(0, at));
      word = word.slice(at);
      line = indent;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}
