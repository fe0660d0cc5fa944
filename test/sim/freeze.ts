/** Makes sure that the core does not change what it is given: a frozen state throws at the attempt. */

/** Freezes an object and everything in it; what is frozen already is taken to be frozen through and through. */
export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
}
