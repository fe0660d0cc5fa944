/** What may be typed next on the console of the balancer: completion. Pure. */

/** Tags that can be completed. */
export interface Tags {
  hosts: readonly string[];
  services: readonly string[];
}

/** The ways to go on from the word before: the first pattern that fits all before it says what may follow. */
const NEXT: readonly [RegExp, (tags: Tags) => readonly string[]][] = [
  [/^$/, () => ['show', 'set', 'dump', 'config', 'history', 'log', 'help', 'quit']],
  [/^show $/, () => ['vs', 'hosts', 'host']],
  [/^show hosts $/, ({ hosts }) => ['for', ...hosts]],
  [/^show host $/, ({ hosts }) => hosts],
  [/^show hosts? (\S+ )?(for|in) $/, ({ services }) => services],
  [/^show hosts? \S+ $/, () => ['for']],
  [/^set $/, () => ['host']],
  [/^set hosts? $/, ({ hosts }) => hosts],
  [/^set hosts? \S+ $/, () => ['off', 'on', 'weight']],
  [/^set hosts? \S+ off $/, () => ['for', 'vs']],
  [/^set hosts? \S+ on $/, () => ['for', 'vs', 'in']],
  [/^set hosts? \S+ weight $/, () => ['auto']],
  [/^set hosts? \S+ weight \S+ $/, () => ['for', 'vs']],
  [/ (on|for|in) $/, () => ['vs']],
  [/ vs $/, ({ services }) => services],
  [/^set .* vs \S+ $/, () => ['for', 'in']],
  [/^dump $/, () => ['status', 'options', 'checkers', 'hosts', 'host', 'vs']],
  [/^dump hosts? $/, ({ hosts }) => hosts],
  [/^dump vs $/, ({ services }) => services],
  [/^config $/, () => ['reload', 'diff']],
  [/^log $/, () => ['level']],
];

/**
 * As readline's completers: the words that go on, and what of the line they take the place of. A blank stands behind keywords; a name may
 * be followed by a comma and another one.
 */
export function complete(line: string, tags: Tags): [string[], string] {
  const cut = line.lastIndexOf(' ') + 1;
  const before = line.slice(0, cut).toLowerCase().replace(/ +/g, ' ').trimStart();
  // In a list it is about the name behind the last comma.
  const word = line.slice(Math.max(cut, line.lastIndexOf(',') + 1));
  const candidates = NEXT.find(([pattern]) => pattern.test(before))?.[1](tags) ?? [];
  const names = new Set([...tags.hosts, ...tags.services]);
  const fitting = candidates.filter((candidate) => candidate.startsWith(word));
  return [fitting.map((candidate) => (names.has(candidate) ? candidate : `${candidate} `)), word];
}
