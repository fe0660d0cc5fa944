/** The balancer's section: what it says for this node. The balancer's own file is read elsewhere. */
import { isIP } from 'node:net';
import type { BalancerSettings } from '../balancer/settings.js';
import { quote, type Reporter, whereIs } from './diagnostic.js';
import type { Model } from './model.js';
import { nearest } from './suggest.js';
import type { Section, Statement, Word } from './tree.js';
import { absolutePath, count, oneOf, type Reader } from './values.js';

/** The statements of the section by their names, and where it stands. Of several with one name the last counts. */
interface BalancerSection {
  name: Word;
  statements: Map<string, Statement[]>;
  /** A statement was lost to an error: what seems to be missing may be there. */
  lost: boolean;
}

const YES = oneOf(['yes', 'no']);
const FOREIGN = oneOf(['restore', 'leave']);
const SYNC_ID = count(0, 255);

/**
 * What the file says of the balancer on `node`; null where it says nothing, or has it elsewhere only. It runs on the nodes that are named,
 * else on those of the resource that it is bound to, else on all.
 */
export function readBalancer(
  root: Section,
  model: Model,
  node: string,
  reporter: Reporter,
): BalancerSettings | null {
  const section = findSection(root, reporter);
  if (section === null) return null;
  const { statements } = section;
  const last = (name: string): readonly Word[] => statements.get(name)?.at(-1)?.args ?? [];
  const word = (name: string): Word | undefined => last(name)[0];
  const read = <T>(name: string, reader: Reader<T>): T | undefined => {
    const values = (statements.get(name) ?? []).flatMap(({ args }) => args.slice(0, 1));
    return values.map((value) => reader(value, reporter)).at(-1);
  };
  const file = read('config', absolutePath);
  if (word('config') === undefined && !section.lost)
    reporter.error(section.name, "'balancer' names no file", 'expected config FILE in it');
  const bound = last('while')[1];
  const nodes = nodesOf(last('nodes'), bound, model, reporter);
  const settings = {
    file: file ?? '',
    whilePrimary: bound?.text ?? '',
    adopt: read('adopt', YES) === 'yes',
    foreign: read('foreign', FOREIGN) ?? 'restore',
    sync: syncOf(read('sync_interface', interfaceName), read('sync_id', SYNC_ID) ?? 0),
    console: read('console', consoleAddress) ?? ('file' as const),
  };
  const syncId = word('sync_id');
  if (syncId !== undefined && settings.sync === null)
    reporter.warning(syncId, "'sync_id' without 'sync_interface' means nothing");
  return nodes === null || nodes.includes(node)
    ? { ...settings, console: settings.console === 'none' ? null : settings.console }
    : null;
}

function findSection(root: Section, reporter: Reporter): BalancerSection | null {
  let found: BalancerSection | null = null;
  for (const { name, block } of root.statements) {
    if (name.text !== 'balancer' || block === null) continue;
    if (found !== null) {
      const help = `the first is in ${whereIs(found.name, name)}`;
      reporter.error(name, "there is one 'balancer' section at most", help);
      continue;
    }
    found = { name, statements: new Map(), lost: block.broken || block.lost.size > 0 };
    for (const statement of block.statements) {
      const same = found.statements.get(statement.name.text) ?? [];
      const earlier = same.at(-1);
      if (earlier !== undefined) {
        const where = whereIs(earlier.name, statement.name);
        const message = `${quote(statement.name.text)} is set twice in this section; this one replaces that of ${where}`;
        reporter.warning(statement.name, message);
      }
      found.statements.set(statement.name.text, [...same, statement]);
    }
  }
  return found;
}

/** null: all. */
function nodesOf(
  words: readonly Word[],
  bound: Word | undefined,
  model: Model,
  reporter: Reporter,
): string[] | null {
  const resource = model.resources.find(({ word }) => word.text === bound?.text);
  if (bound !== undefined && resource === undefined) {
    const names = model.resources.map(({ word }) => word.text);
    unknown(bound, 'resource', names, reporter);
  }
  const voters = resource === undefined ? null : [...resource.nodes.keys()];
  const named: string[] = [];
  for (const word of words) {
    const node = model.table.find(word.text);
    if (node === null) unknown(word, 'node', model.table.names, reporter);
    else if (voters !== null && !voters.includes(node))
      reporter.error(word, `resource ${quote(bound?.text ?? '')} is never on ${quote(word.text)}`);
    else named.push(node);
  }
  return words.length > 0 ? named : voters;
}

function unknown(word: Word, what: string, known: readonly string[], reporter: Reporter): void {
  const closest = nearest(word.text, known);
  const have = known.length === 0 ? `the file has no ${what}` : `known: ${known.join(' ')}`;
  const help = closest === '' ? have : `did you mean ${quote(closest)}?`;
  reporter.error(word, `there is no ${what} ${quote(word.text)}`, help);
}

function syncOf(name: string | undefined, id: number): BalancerSettings['sync'] {
  return name === undefined || name === 'none' ? null : { interface: name, id };
}

/** What the kernel takes: IFNAMSIZ is 16 with the final NUL (if.h). */
function interfaceName(word: Word, reporter: Reporter): string | undefined {
  if (/^[^\s/:]{1,15}$/.test(word.text)) return word.text;
  reporter.error(
    word,
    `${quote(word.text)} is no name of a network interface`,
    'such as eth1, at most 15 characters',
  );
  return undefined;
}

function consoleAddress(
  word: Word,
  reporter: Reporter,
): 'none' | { address: string; port: number } | undefined {
  if (word.text === 'none' && !word.quoted) return 'none';
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]*)\]|([^:]*)):([0-9]{1,5})$/.exec(word.text) ?? [];
  const address = bracketed ?? plain ?? '';
  if (isIP(address) !== 0 && Number(port) >= 1 && Number(port) <= 65_535)
    return { address, port: Number(port) };
  reporter.error(
    word,
    `${quote(word.text)} is not a numeric address with a port`,
    'expected 127.0.0.1:9000, [::1]:9000 or none',
  );
  return undefined;
}
