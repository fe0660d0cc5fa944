/** Why a node cannot take a resource over, by what hastmond says of a switchover to it: one phrase for each condition that does not hold. Pure. */
import type { Explanation } from '../proto/explain-types.js';

/** A sentence for each node that says itself that it could not take it over, in the words of `switchover`; none where hastmond has said nothing. */
export function unableOf(plan: Explanation | null): string[] {
  const phrases = new Map<string, string[]>();
  for (const { change, holds, source, topic, value } of plan?.conditions ?? []) {
    // That another one is not connected is this node's word.
    if (topic !== 'successor' || holds === true || source === plan?.node) continue;
    phrases.set(source, [...(phrases.get(source) ?? []), change || value]);
  }
  return [...phrases].map(([node, changes]) => `${node} cannot take over now: ${changes.join('; ')}`);
}
