/** Keeps a log from being filled by what comes again and again: each thing once, and again after a while. */

/** How long the same thing is not said again. */
const quietMs = 60_000;
/** Different things that one source may say in that time. */
const perSourceMax = 8;
/** Things and sources remembered; who thinks of ever new ones makes us forget, not grow. */
const keysMax = 256;

export interface Once {
  /**
   * True where `what` was not seen for a while, and `source` has not said too many different things lately. What a
   * stranger may word himself needs a source that he cannot word himself.
   */
  first(what: string, source: string): boolean;
  /** Forgets what came from sources with this prefix: the next time is a first time. */
  forget(prefix: string): void;
}

export function createOnce(clock: () => number): Once {
  const sources = new Map<string, { since: number; seen: Set<string> }>();

  return {
    first(what, source) {
      const now = clock();
      const known = sources.get(source);
      if (known === undefined || now - known.since >= quietMs) {
        if (sources.size >= keysMax) sources.clear();
        sources.set(source, { since: now, seen: new Set([what]) });
        return true;
      }
      if (known.seen.has(what) || known.seen.size >= perSourceMax) return false;
      known.seen.add(what);
      return true;
    },
    forget(prefix) {
      for (const source of sources.keys()) if (source.startsWith(prefix)) sources.delete(source);
    },
  };
}
