/**
 * Ranges of hosts: `web[1-20]`, `srv[01-16]`, `db[1-3,7]`. Digits, commas and hyphens between brackets are a range; an IPv6 address has
 * a colon there, and is none. Several ranges in a word stand for every combination, the last one counting fastest.
 */
import { quote, type Reporter } from '../../config/diagnostic.js';
import type { Word } from '../../config/tree.js';
import { partOf } from './lines.js';

/** The hosts of one line. */
export const LINE_HOSTS_MAX = 4096;

const RANGE = /\[([0-9,-]+)\]/g;
const DIGITS_MAX = 9;
const EXPECTED = 'expected numbers such as [1-20], [01-16] or [1-3,7]';

/** Numbers in a row; `width`: with zeros before them up to so many digits, 0 for none. */
interface Piece {
  from: number;
  to: number;
  width: number;
}

/** What a word stands for: itself where it has no range. undefined after an error, which is reported. */
export function expandRanges(word: Word, reporter: Reporter): readonly string[] | undefined {
  if (!word.text.includes('[')) return [word.text];
  const parts: { before: string; pieces: Piece[] }[] = [];
  let end = 0;
  let count = 1;
  for (const match of word.text.matchAll(RANGE)) {
    const pieces = readPieces(partOf(word, match.index + 1, match[1] ?? ''), reporter);
    if (pieces === undefined) return undefined;
    parts.push({ before: word.text.slice(end, match.index), pieces });
    end = match.index + match[0].length;
    count *= pieces.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    if (count > LINE_HOSTS_MAX) {
      reporter.error(word, `${quote(word.text)} stands for more than ${LINE_HOSTS_MAX} hosts`);
      return undefined;
    }
  }
  let texts = [''];
  for (const { before, pieces } of parts) {
    const numbers = pieces.flatMap(numbersOf);
    texts = texts.flatMap((text) => numbers.map((number) => text + before + number));
  }
  const rest = word.text.slice(end);
  return rest === '' ? texts : texts.map((text) => text + rest);
}

function readPieces(inside: Word, reporter: Reporter): Piece[] | undefined {
  const pieces: Piece[] = [];
  let at = 0;
  for (const text of inside.text.split(',')) {
    const place = partOf(inside, at, text);
    at += text.length + 1;
    const piece = readPiece(text);
    if (typeof piece === 'string') {
      reporter.error(place, `${quote(text)} ${piece}`, EXPECTED);
      return undefined;
    }
    pieces.push(piece);
  }
  return pieces;
}

/** Or what is wrong with it. */
function readPiece(text: string): Piece | string {
  const match = /^([0-9]+)(?:-([0-9]+))?$/.exec(text);
  const [, first = '', last = first] = match ?? [];
  if (match === null) return 'is no range of numbers';
  if (first.length > DIGITS_MAX || last.length > DIGITS_MAX) return `has more than ${DIGITS_MAX} digits`;
  const padded = [first, last].some((number) => number.length > 1 && number.startsWith('0'));
  if (padded && first.length !== last.length)
    return 'begins with zeros, and its two numbers are not of the same length';
  if (Number(first) > Number(last)) return 'goes down';
  return { from: Number(first), to: Number(last), width: padded ? first.length : 0 };
}

function numbersOf({ from, to, width }: Piece): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index).padStart(width, '0'));
}
