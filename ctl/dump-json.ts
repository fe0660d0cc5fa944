/**
 * `hastmonctl dump --json`: the text of a dump as an object with the names of hastmon.conf(5). Knows the syntax tree;
 * what a statement means is nothing to it.
 */
import { createReporter } from '../daemon/config/diagnostic.js';
import { parseTree } from '../daemon/config/parser.js';
import type { Section, Statement } from '../daemon/config/tree.js';

export type Json = string | number | Json[] | { [name: string]: Json };

/**
 * Counts are numbers, lists of addresses are arrays, sections are objects (those with names by their names), all else
 * are strings as the configuration writes them. Throws where the text is not a configuration.
 */
export function dumpToJson(text: string): Json {
  const reporter = createReporter();
  const file = { name: 'dump', text, masks: new Map<number, number>() };
  const { root } = parseTree(file, () => ({ ok: false, reason: 'a dump includes nothing' }), reporter);
  if (reporter.failed) throw new Error(reporter.finish()[0]?.message ?? 'it is no configuration');
  return sectionToJson(root);
}

function sectionToJson(section: Section): { [name: string]: Json } {
  const object: { [name: string]: Json } = {};
  for (const statement of section.statements) add(object, statement);
  return object;
}

function add(object: { [name: string]: Json }, { args, block, name, rule }: Statement): void {
  const words = args.map((word) => word.text);
  const [first = ''] = words;
  if (block !== null && rule.argument === 'named-block') {
    const named = object[name.text];
    const group = typeof named === 'object' && !Array.isArray(named) ? named : {};
    object[name.text] = { ...group, [first]: sectionToJson(block) };
  } else if (block !== null) {
    object[name.text] = sectionToJson(block);
  } else if (rule.argument === 'addresses') {
    object[name.text] = first === 'none' ? [] : words;
  } else {
    object[name.text] = rule.argument === 'count' ? Number(first) : first;
  }
}
