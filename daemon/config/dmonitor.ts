/**
 * A directory of dmonitor's as checks, nodes and recipients: what its files are called is what it says. Pure, over a
 * listing that somebody else has read; messages carry the path of the file that they are about.
 */
import path from 'node:path';
import type { Reporter, SourceFile } from './diagnostic.js';
import { quote } from './diagnostic.js';
import { DMONITOR_INTERVAL_MS, DMONITOR_TIMEOUT_MS } from './monitor-defaults.js';
import { type CheckDefinition, isName, type NamedScope } from './monitor-model.js';
import { createMonitorScope, type MonitorSettings, readMonitorSection } from './monitor-settings.js';
import { isHost, mailAddress } from './monitor-values.js';
import { parseTree } from './parser.js';
import { nearest } from './suggest.js';
import type { Word } from './tree.js';

/** The name of the group of its checks, and of the alert for its recipients. */
export const DMONITOR_NAME = 'dmonitor';

/** What is in the directory. */
export interface DmonitorListing {
  /** The text of nodes.txt, null where there is none. */
  nodes: string | null;
  /** hosts.d: a directory for a host, in it a file for a test; the text is usually empty. */
  hosts: readonly { name: string; tests: readonly { name: string; text: string }[] }[];
  /** plugins: the names of files, and whether they can be executed. */
  plugins: ReadonlyMap<string, boolean>;
  /** alert.d: the names of files. */
  alerts: readonly string[];
  /** What could not be read, and why. */
  problems: readonly { path: string; reason: string }[];
}

/** Reads the listing of a directory; throws nothing. */
export type ReadDmonitor = (directory: string) => DmonitorListing;

export interface Dmonitor {
  /** The names in nodes.txt; null where there is no such file. */
  nodes: Word[] | null;
  checks: CheckDefinition[];
  /** The alert for the addresses in alert.d; null where there are none. */
  alert: NamedScope | null;
}

/** Tests that need no plugin: each is the kind of check of that name. */
const BUILT_IN = [
  'ping',
  'ssh',
  'http',
  'https',
  'smtp',
  'imap',
  'pop3',
  'ftp',
  'redis',
  'mysql',
  'postgres',
];

/** Tests that there are, but that cannot be said by a file's name alone. */
const NEEDS_MORE: ReadonlyMap<string, string> = new Map([
  ['dns', 'dns://HOST/NAME'],
  ['tcp', 'tcp://HOST:PORT'],
  ['tls', 'tls://HOST:PORT'],
  ['banner', 'banner://HOST:PORT/TEXT'],
]);

/** Turns a listing into checks. `statement` is the word that names the directory. */
export function readDmonitorTree(
  listing: DmonitorListing,
  directory: string,
  statement: Word,
  reporter: Reporter,
): Dmonitor {
  for (const problem of listing.problems) {
    const message = `cannot be read: ${problem.reason}`;
    if (problem.path === directory) reporter.error(statement, `${quote(directory)} ${message}`);
    else reporter.error(fileWord(problem.path), message);
  }
  const group = dmonitorGroup(statement);
  const checks = listing.hosts.flatMap((host) => {
    const folder = path.join(directory, 'hosts.d', host.name);
    if (!isHost(host.name)) {
      const message = `${quote(host.name)} is neither a host's name nor its address`;
      reporter.error(fileWord(folder), message, 'the directories in hosts.d are called as the hosts are');
      return [];
    }
    return host.tests.map((test) => readTest(listing, directory, host.name, test, group, reporter));
  });
  return {
    nodes: listing.nodes === null ? null : readNodes(path.join(directory, 'nodes.txt'), listing.nodes),
    checks: checks.filter((check) => check !== null),
    alert: readAlerts(path.join(directory, 'alert.d'), listing.alerts, reporter),
  };
}

/** What dmonitor did: a test in a minute, and every result counts. */
function dmonitorGroup(word: Word): NamedScope {
  const setting = <T>(value: T) => ({ value, name: word, place: word });
  const settings: MonitorSettings = {
    interval: setting(DMONITOR_INTERVAL_MS),
    retry_interval: setting(DMONITOR_INTERVAL_MS),
    timeout: setting(DMONITOR_TIMEOUT_MS),
    rise: setting(1),
    fall: setting(1),
  };
  return { settings, broken: false, word: { ...word, text: DMONITOR_NAME } };
}

function readTest(
  listing: DmonitorListing,
  directory: string,
  host: string,
  test: { name: string; text: string },
  group: NamedScope,
  reporter: Reporter,
): CheckDefinition | null {
  const name = path.join(directory, 'hosts.d', host, test.name);
  const file: SourceFile = { name, text: test.text, masks: new Map() };
  const place = wordOf(file, test.name);
  const url = urlOf(listing, directory, host, test.name, place, reporter);
  const scope = createMonitorScope();
  if (test.text.trim() !== '') {
    const { root } = parseTree(file, () => ({ ok: false, reason: 'not from here' }), reporter, 'check');
    readMonitorSection(root, scope, reporter);
  }
  const word = wordOf(file, `${test.name}@${host}`);
  if (url === null || !isName(word, 'check', reporter)) return null;
  return { ...scope, word, url: wordOf(file, url), group };
}

/** What a test's name means: the plugin of that name, else the kind of check; null after an error. */
function urlOf(
  listing: DmonitorListing,
  directory: string,
  host: string,
  test: string,
  place: Word,
  reporter: Reporter,
): string | null {
  const plugin = `check_${test}`;
  const executable = listing.plugins.get(plugin);
  const file = path.join(directory, 'plugins', plugin);
  if (executable === true) {
    const encoded = file.split('/').map(encodeURIComponent).join('/');
    return `exec:${encoded}?arg=${encodeURIComponent(host)}`;
  }
  const builtIn = BUILT_IN.includes(test);
  if (executable === false) {
    const warning = `the plugin ${quote(plugin)} is not executable`;
    if (builtIn) reporter.warning(place, warning, 'the built-in check of that name is used');
    else reporter.error(place, warning, `chmod +x ${file}`);
  } else if (!builtIn) {
    reporter.error(place, `unknown test ${quote(test)}: there is no plugin ${quote(plugin)}`, testHelp(test));
  }
  return builtIn ? `${test}://${host.includes(':') ? `[${host}]` : host}` : null;
}

function testHelp(test: string): string {
  const notation = NEEDS_MORE.get(test);
  if (notation !== undefined)
    return `a file's name does not say enough: check NAME ${notation} in hastmon.conf does`;
  const closest = nearest(test, BUILT_IN);
  return closest === '' ? `without a plugin: ${BUILT_IN.join(' ')}` : `did you mean ${quote(closest)}?`;
}

/** The names in nodes.txt, with their places; `#` begins a comment. */
function readNodes(name: string, text: string): Word[] {
  const file: SourceFile = { name, text, masks: new Map() };
  return text.split('\n').flatMap((line, index) =>
    [...line.replace(/#.*$/, '').matchAll(/\S+/g)].map((match) => ({
      ...wordOf(file, match[0]),
      line: index + 1,
      column: match.index + 1,
      length: match[0].length,
    })),
  );
}

function readAlerts(directory: string, names: readonly string[], reporter: Reporter): NamedScope | null {
  const words = names.map((name) => ({ ...fileWord(path.join(directory, name)), text: name }));
  const mail = words.map((word) => mailAddress(word, reporter)).filter((address) => address !== undefined);
  const [first] = words;
  if (first === undefined || mail.length === 0) return null;
  const word = { ...first, text: DMONITOR_NAME };
  return { word, broken: false, settings: { mail: { value: mail, name: word, place: first } } };
}

/** A file as a whole, as something that messages can be about. */
function fileWord(name: string): Word {
  return wordOf({ name, text: '', masks: new Map() }, path.basename(name));
}

function wordOf(file: SourceFile, text: string): Word {
  return { file, line: 0, column: 1, length: 1, text, quoted: false };
}
