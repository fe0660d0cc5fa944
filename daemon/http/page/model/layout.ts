/** Where the nodes of the picture are, in pixels: for any number of nodes and any width. Pure. */

export interface Point {
  x: number;
  y: number;
}

export interface Box extends Point {
  /** x and y are its middle. */
  width: number;
  height: number;
}

export interface Layout {
  width: number;
  height: number;
  /** In the order of the nodes. */
  boxes: Box[];
}

const BOX_WIDTH_MOST = 212;
/** Between two columns there is room for the mark of a link that is cut. */
const COLUMN_GAP = 24;
const ROW_GAP = 48;
/** Below it, in pixels, a picture has two columns at most, and lines of words in its boxes take two rows. */
export const NARROW = 560;

/**
 * In rows that follow an ellipse where there is room, else in two columns; reading goes with the order of the file. `heights`: what each
 * node needs; those of a row are alike.
 */
export function layout(heights: readonly number[], width: number): Layout {
  const rows = rowsOf(heights.length, width);
  const columns = Math.max(...rows);
  const boxWidth = Math.min(BOX_WIDTH_MOST, (width - COLUMN_GAP * (columns - 1)) / columns);
  const boxes: Box[] = [];
  let top = 0;
  for (const count of rows) {
    const height = Math.max(...heights.slice(boxes.length, boxes.length + count));
    for (let index = 0; index < count; index += 1)
      boxes.push({ x: spread(index, count, width, boxWidth), y: top + height / 2, width: boxWidth, height });
    top += height + ROW_GAP;
  }
  return { width, height: top - ROW_GAP, boxes };
}

/** How many nodes are in each row. */
function rowsOf(nodes: number, width: number): number[] {
  const known: Record<number, number[]> = {
    ...{ 3: [2, 1], 4: [2, 2], 5: [2, 1, 2], 6: [2, 2, 2], 7: [3, 2, 2], 8: [3, 2, 3] },
  };
  const each = width < NARROW ? 2 : 3;
  const rows = width < NARROW ? undefined : known[nodes];
  if (rows !== undefined) return rows;
  if (nodes <= 2) return [Math.max(1, nodes)];
  const whole = Array.from({ length: Math.floor(nodes / each) }, () => each);
  return nodes % each === 0 ? whole : [...whole, nodes % each];
}

function spread(index: number, count: number, width: number, boxWidth: number): number {
  if (count === 1) return width / 2;
  const inset = boxWidth / 2 + (count === 2 ? Math.max(0, (width - 3 * boxWidth) / 6) : 0);
  return inset + (index * (width - 2 * inset)) / (count - 1);
}

export interface Line {
  /** Of SVG. */
  path: string;
  /** The middle of what is to be seen of it, between the boxes. */
  middle: Point;
}

/**
 * The line between two of the boxes: straight where no other one is in its way, else bent towards the middle of the picture, or, where
 * it goes through the middle, to the side.
 */
export function lineBetween(from: number, to: number, plan: Layout): Line {
  const [one, other] = [plan.boxes[from], plan.boxes[to]];
  if (one === undefined || other === undefined) return { path: '', middle: { x: 0, y: 0 } };
  const between = { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
  const others = plan.boxes.filter((box) => box !== one && box !== other);
  const straight = pointsOf(one, between, other);
  if (!others.some((box) => straight.some((at) => isIn(box, at))))
    return { path: `M${words(one)} L${words(other)}`, middle: middleOf(straight, plan.boxes) };
  const away = { x: plan.width / 2 - between.x, y: plan.height / 2 - between.y };
  const isMiddle = Math.abs(away.x) + Math.abs(away.y) < 1;
  const side = isMiddle ? { x: one.width, y: 0 } : { x: away.x * 1.4, y: away.y * 1.4 };
  const bend = { x: between.x + side.x, y: between.y + side.y };
  const path = `M${words(one)} Q${words(bend)} ${words(other)}`;
  return { path, middle: middleOf(pointsOf(one, bend, other), plan.boxes) };
}

const SAMPLES = 64;

/** Along a quadratic curve; boxes are much larger than the steps between them. */
function pointsOf(one: Point, bend: Point, other: Point): Point[] {
  return Array.from({ length: SAMPLES - 1 }, (_, index) => {
    const along = (index + 1) / SAMPLES;
    const back = 1 - along;
    const at = (axis: 'x' | 'y'): number =>
      back * back * one[axis] + 2 * back * along * bend[axis] + along * along * other[axis];
    return { x: at('x'), y: at('y') };
  });
}

function isIn({ height, width, x, y }: Box, at: Point): boolean {
  return Math.abs(at.x - x) < width / 2 && Math.abs(at.y - y) < height / 2;
}

function middleOf(points: readonly Point[], boxes: readonly Box[]): Point {
  const seen = points.filter((at) => !boxes.some((box) => isIn(box, at)));
  const shown = seen.length === 0 ? points : seen;
  return shown[Math.floor(shown.length / 2)] ?? { x: 0, y: 0 };
}

function words({ x, y }: Point): string {
  return `${Math.round(x * 10) / 10},${Math.round(y * 10) / 10}`;
}
