/**
 * The syntax tree as sections with settings: what a file says, before anything is inherited. It checks what
 * belongs to one section or to the names of sections.
 */
import { quote, type Reporter, whereIs } from './diagnostic.js';
import { createNodeTable, isBuiltIn, type NodeTable } from './nodes.js';
import type { Tree } from './parser.js';
import { createScope, readSection, type Scope } from './settings.js';
import type { Section, Statement, Word } from './tree.js';

export interface NodeScope extends Scope {
  /** The name behind `on`. */
  word: Word;
}

export interface ResourceScope extends Scope {
  word: Word;
  /** By node, in the order of the file. */
  nodes: Map<string, NodeScope>;
  /** The names behind `check` and `require`. */
  checks: Word[];
  requires: Word[];
}

export interface Model {
  global: Scope;
  /** The global `on` sections by node. */
  nodes: Map<string, NodeScope>;
  resources: ResourceScope[];
  table: NodeTable;
}

/** The ancestor's words, and what else a file name and a process title can carry. */
const RESOURCE_NAME = /^[A-Za-z0-9._/:@+~%-]{1,200}$/;
const NODE_NAME = /^[A-Za-z0-9._/:-]{1,253}$/;

/**
 * Reads every section of a file, but for those of monitoring. Errors are reported; what is wrong is left out.
 * `monitors` are nodes that monitor: where a file has no `on` section, they are the nodes that there are.
 */
export function readModel(tree: Tree, monitors: readonly Word[], reporter: Reporter): Model {
  const { root } = tree;
  const words = nodeWords(root, reporter);
  const others = monitors.filter((word) => isNodeName(word, reporter));
  const table = createNodeTable(words.length > 0 ? words : others, reporter);
  const model: Model = { global: createScope(), nodes: new Map(), resources: [], table };
  readSection(root, model.global, reporter);
  readNodes(root, model.nodes, table, reporter);

  const seen = new Map<string, Word>();
  for (const { name, args, block } of root.statements) {
    const [word] = args;
    if (name.text !== 'resource' || word === undefined || block === null) continue;
    if (!validResourceName(word, reporter)) continue;
    const earlier = seen.get(word.text);
    if (earlier !== undefined) {
      reporter.error(
        word,
        `resource ${quote(word.text)} is there twice`,
        `the first is in ${whereIs(earlier, word)}`,
      );
    }
    seen.set(word.text, word);
    const named = (name: string) => wordsOf(block, name);
    const judged = { checks: named('check'), requires: named('require') };
    const resource: ResourceScope = { ...createScope(), word, nodes: new Map(), ...judged };
    readSection(block, resource, reporter);
    readNodes(block, resource.nodes, table, reporter);
    model.resources.push(resource);
  }
  return model;
}

/** The words behind every statement of a name. */
function wordsOf({ statements }: Section, name: string): Word[] {
  return statements.flatMap((statement) => (statement.name.text === name ? statement.args : []));
}

function readNodes(
  section: Section,
  nodes: Map<string, NodeScope>,
  table: NodeTable,
  reporter: Reporter,
): void {
  for (const { name, args, block } of section.statements) {
    const [word] = args;
    if (name.text !== 'on' || word === undefined || block === null || !NODE_NAME.test(word.text)) continue;
    const node = table.nameOf(word.text);
    const earlier = nodes.get(node);
    if (earlier !== undefined) {
      const help = `they are taken together; the first is in ${whereIs(earlier.word, word)}`;
      reporter.warning(word, `a second section on ${quote(word.text)}`, help);
    }
    const scope = earlier ?? { ...createScope(), word };
    nodes.set(node, scope);
    readSection(block, scope, reporter);
  }
}

function nodeWords(root: Section, reporter: Reporter): Word[] {
  const blocks = root.statements.map(({ name, block }) => (name.text === 'resource' ? block : null));
  const sections = [root, ...blocks.filter((block) => block !== null)];
  const words: Word[] = [];
  for (const statement of sections.flatMap(({ statements }) => statements)) {
    const word = nodeWord(statement);
    if (word !== null && isNodeName(word, reporter)) words.push(word);
  }
  return words;
}

function isNodeName(word: Word, reporter: Reporter): boolean {
  if (NODE_NAME.test(word.text) && !isBuiltIn(word.text)) return true;
  reporter.error(word, `${quote(word.text)} cannot be a node's name`, 'expected a host name, full or short');
  return false;
}

function nodeWord({ name, args }: Statement): Word | null {
  return name.text === 'on' ? (args[0] ?? null) : null;
}

function validResourceName(word: Word, reporter: Reporter): boolean {
  if (!RESOURCE_NAME.test(word.text) || word.text === '.' || word.text === '..') {
    const help = 'expected at most 200 letters, digits and ._/:@+~%-';
    reporter.error(word, `${quote(word.text)} cannot be a resource's name`, help);
    return false;
  }
  if (word.text === 'all') {
    reporter.warning(word, "hastmonctl takes 'all' as every resource", 'give the resource another name');
  }
  return true;
}
