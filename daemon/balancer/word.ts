/**
 * Whose word the views of the balancer are, where its table counts on one node only: what the director tells comes in order over a
 * connection on which it is heard with every heartbeat, so that what it has said is so as long as it is heard. Pure. Times are of
 * CLOCK_BOOTTIME, in milliseconds.
 */
import { lengthOf } from '../core/words.js';
import type { DirectorWord } from './types.js';

/** What is known here of the director now. */
export interface Hearing {
  /** The node that is the director as far as is known here, this one for itself; null: nobody is, or it cannot be heard. */
  director: string | null;
  /** When it was heard last. */
  heardAt: number;
  /** It has told all that it knows since the connection with it came up. */
  complete: boolean;
}

/** The last moment at which the director's word was known to be so. */
export interface LastWord {
  /** '' for none since hastmond began, at `at`. */
  node: string;
  at: number;
  fresh: boolean;
}

/** What follows from what is heard now. */
export function hear(last: LastWord, { complete, director, heardAt }: Hearing): LastWord {
  return director !== null && complete
    ? { node: director, at: heardAt, fresh: true }
    : { ...last, fresh: false };
}

/** As others are told of it. */
export function wordAt({ at, fresh, node }: LastWord, now: number): DirectorWord {
  return { node, ageMs: Math.max(0, Math.round(now - at)), fresh };
}

/** What a node that is not the director says of all that it shows. */
export function followerWords({ ageMs, fresh, node }: DirectorWord): string {
  const age = lengthOf(ageMs);
  if (fresh) return `this node is not the director: what is shown here is the word of ${node}, ${age} old`;
  const why =
    node === '' ? 'no director has been heard since hastmond began' : `the last word was that of ${node}`;
  return `this node is not the director, and what that knows is unknown since ${age}: ${why}`;
}
