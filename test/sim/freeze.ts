/** Makes sure that the core does not change what it is given: a frozen state throws at the attempt. */

/** A state whose tables are changed in place, entry by entry: the entries and all else are frozen. */
export function freezeEntries<T extends object>(state: T, tables: readonly (keyof T)[]): void {
  for (const [key, value] of Object.entries(state)) {
    if (!tables.includes(key as keyof T)) deepFreeze(value);
    else for (const entry of Object.values(value as object)) deepFreeze(entry);
  }
}

/** Freezes an object and everything in it; what is frozen already is taken to be frozen through and through. */
export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
}
