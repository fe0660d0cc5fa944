/** The names of nodes in a file: which of them are one node, and which of them is this machine. */
import { isIPv4 } from 'node:net';
import { quote, type Reporter, whereIs } from './diagnostic.js';
import type { Word } from './tree.js';

/** True for names such as `constructor`, that stand for something in every record by name. */
export function isBuiltIn(name: string): boolean {
  return name in Object.prototype;
}

export interface NodeTable {
  /** The names, each node once, as the file writes it first. */
  names: string[];
  /** The name that the file writes first for the node of this name; itself where it is unknown. */
  nameOf(written: string): string;
  /** The node that a host name means, full or short, whatever its case; null where there is none. */
  find(hostname: string): string | null;
}

/**
 * Builds the table from every name behind `on`. As in the ancestor, `host1` means the host `host1.example.org`
 * too: written both ways in one file they are one node. `host1` beside two such full names could be either.
 */
export function createNodeTable(words: readonly Word[], reporter: Reporter): NodeTable {
  const firsts = new Map<string, Word>();
  for (const word of words) {
    const key = word.text.toLowerCase();
    if (!firsts.has(key)) firsts.set(key, word);
  }
  const fullNames = new Map<string, string[]>();
  for (const key of firsts.keys()) {
    const short = shortName(key);
    if (short !== key) fullNames.set(short, [...(fullNames.get(short) ?? []), key]);
  }
  const canonical = new Map<string, string>();
  for (const [key, word] of firsts) {
    const own = fullNames.get(key) ?? [];
    const short = shortName(key);
    const only = short !== key && firsts.has(short) && fullNames.get(short)?.length === 1;
    const twin = own.length === 1 ? own[0] : only ? short : undefined;
    if (own.length > 1) {
      reporter.error(
        word,
        `${quote(word.text)} could be ${own.join(' or ')}`,
        'write every node the same way everywhere',
      );
    }
    canonical.set(key, canonical.get(twin ?? '') ?? word.text);
  }
  const nameOf = (written: string) => canonical.get(written.toLowerCase()) ?? written;
  for (const word of words) {
    const name = nameOf(word.text);
    if (name === word.text) continue;
    const where = whereIs(firsts.get(name.toLowerCase()) ?? word, word);
    reporter.warning(
      word,
      `${quote(word.text)} is taken as the node ${quote(name)} of ${where}`,
      'write every node the same way everywhere',
    );
  }
  return {
    names: [...new Set(canonical.values())],
    nameOf,
    find(hostname) {
      const host = hostname.toLowerCase().replace(/\.$/, '');
      const short = shortName(host);
      const longer = fullNames.get(host) ?? [];
      return (
        canonical.get(host) ?? canonical.get(short) ?? (longer.length === 1 ? nameOf(longer[0] ?? '') : null)
      );
    },
  };
}

function shortName(name: string): string {
  // No name has a colon; asking Node for an IPv6 address compiles a huge expression, which start-up would feel.
  return isIPv4(name) || name.includes(':') ? name : name.replace(/(?<=.)\..*$/, '');
}
