/** Finding what somebody probably meant. It knows words only. */
import { quote } from './diagnostic.js';

/** Words longer than this are not compared: nobody mistypes that much. */
const LENGTH_MAX = 40;
/** Fewer letters in common at the beginning say nothing. */
const PREFIX_MIN = 3;
/** More names are not compared with a wrong one: it would take longer than anybody wants to wait. */
const COMPARED_MAX = 2000;
/** More names are not listed. */
const LISTED_MAX = 20;

/** What to say where nobody has a name: the nearest one, or all there are; '' where that would be of no use. */
export function suggestName(name: string, known: readonly string[]): string {
  if (known.length === 0 || known.length > COMPARED_MAX) return '';
  const closest = nearest(name, known);
  if (closest !== '') return `did you mean ${quote(closest)}?`;
  return known.length > LISTED_MAX ? '' : `known: ${known.join(' ')}`;
}

/**
 * The known word nearest to the one given, whatever its case: at most a third of the letters wrong (one letter in a
 * short word), or one of them the beginning of the other; '' where none is near.
 */
export function nearest(word: string, known: Iterable<string>): string {
  if (word.length > LENGTH_MAX) return '';
  const lower = word.toLowerCase();
  let best = '';
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = distanceTo(lower, candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** The distance for a suggestion, as long as it is below a limit: a word begun or drawn out is near. */
function distanceTo(word: string, candidate: string, limit: number): number {
  const [short, long] = word.length < candidate.length ? [word, candidate] : [candidate, word];
  if (short.length >= PREFIX_MIN && long.startsWith(short)) return 1;
  return long.length - short.length >= limit ? limit : editDistance(word, candidate);
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (last[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      let distance = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, replaced);
      const swapped =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) distance = Math.min(distance, (beforeLast[column - 2] ?? 0) + 1);
      current.push(distance);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}
