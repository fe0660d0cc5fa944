/** What checks have said, on this node and on the others, and which of it is a change. Pure but for the book, which is changed in place. */
import type { Instant, NodeName } from '../core/types.js';

export interface Seen {
  state: string;
  /** Of when it was first said of this state, and last. */
  since: Instant;
  at: Instant;
}

/** The states of one resource's checks: by node, then by check. */
export type ReportBook = Map<NodeName, Map<string, Seen>>;

/** A check said something else than before. */
export interface StateChange {
  node: NodeName;
  check: string;
  from: string;
  to: string;
}

/** Checks of a node that are remembered: anybody may report, under any name. */
export const NAMES_MAX = 512;

/**
 * Notes what a check said; `forMs` ago for the first time of this state, `ageMs` ago for the last time. The first word of a check is no
 * change: what it was before is not known. null: no change; 'full': there are too many names already.
 */
export function note(
  book: ReportBook,
  said: { node: NodeName; check: string; state: string; ageMs: number; forMs: number },
  now: Instant,
): StateChange | null | 'full' {
  const { node, check, state, ageMs, forMs } = said;
  const own = book.get(node) ?? new Map<string, Seen>();
  book.set(node, own);
  const before = own.get(check);
  if (before === undefined && own.size >= NAMES_MAX) return 'full';
  const at = now - ageMs;
  if (before?.state === state) {
    before.at = Math.max(before.at, at);
    return null;
  }
  own.set(check, { state, since: Math.min(at, now - forMs), at });
  return before === undefined ? null : { node, check, from: before.state, to: state };
}

/** Forgets what nobody reports any more: `gone` are checks of the file that are not in it now. */
export function forget(book: ReportBook, gone: (node: NodeName, check: string) => boolean): void {
  for (const [node, checks] of book)
    for (const check of checks.keys()) if (gone(node, check)) checks.delete(check);
}
