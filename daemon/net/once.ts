/** Keeps a log from being filled by what comes again and again: each thing once, and again after a while. */

/** How long the same thing is not said again. */
const quietMs = 60_000;
/** Things remembered; a stranger who thinks of ever new ones makes us forget, not grow. */
const keysMax = 256;

export interface Once {
  /** True where `key` was not seen for a while. */
  first(key: string): boolean;
  /** Forgets what begins with the prefix: the next time is a first time. */
  forget(prefix: string): void;
}

export function createOnce(clock: () => number): Once {
  const seen = new Map<string, number>();

  return {
    first(key) {
      const now = clock();
      const last = seen.get(key);
      if (last !== undefined && now - last < quietMs) return false;
      if (seen.size >= keysMax) seen.clear();
      seen.set(key, now);
      return true;
    },
    forget(prefix) {
      for (const key of seen.keys()) if (key.startsWith(prefix)) seen.delete(key);
    },
  };
}
