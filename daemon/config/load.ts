/**
 * The door into the configuration: a file, or a text, to the effective configuration of one node and everything
 * that is to be said about it. parseConfig is pure; loadConfig reads files and nothing else.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readBalancer } from './balancer.js';
import { checkModel } from './checks.js';
import { CONFIG_FILES } from './defaults.js';
import { createReporter, type Place, quote, type SourceFile } from './diagnostic.js';
import type { DmonitorListing, ReadDmonitor } from './dmonitor.js';
import { readDmonitorFiles } from './dmonitor-files.js';
import { checkHttp, inheritHttp } from './http.js';
import { inheritGlobals, inheritResource, scopesOf } from './inherit.js';
import { readModel } from './model.js';
import { readMonitoring, resolveMonitoring } from './monitor.js';
import { parseTree, type ReadInclude } from './parser.js';
import { readText } from './read-text.js';
import { mayHaveLost } from './settings.js';
import type { Config, Diagnostic } from './types.js';

export interface LoadOptions {
  /** The node's name in the file (`-n`); it overrides the host name. */
  node?: string;
  /** This machine's host name, full or short. */
  hostname: string;
  /** A file that does not know this node gives a configuration without resources, instead of an error. */
  ignoreUnknownNode?: boolean;
  /** Reads a directory of dmonitor's; absent: such a directory is taken as empty. */
  readDmonitor?: ReadDmonitor;
  /** Texts that were read before, by the names of their files: they are taken as they were. */
  texts?: ReadonlyMap<string, string>;
}

export interface LoadResult {
  /** null where there is an error. */
  config: Config | null;
  /** Errors and warnings, in the order of the file. */
  diagnostics: Diagnostic[];
  /** Why the file says nothing about this node, in words; '' where it does, or where that cannot be told. */
  stranger: string;
  /** Where the control socket of this node is, of a file with errors too; null where that cannot be told. */
  control: string | null;
}

export interface LoadFileResult extends LoadResult {
  /** The system's code (`ENOENT`, `EACCES`, …) where the file itself could not be read; null where it was. */
  unreadable: string | null;
  /** What was read, by the names of files. */
  texts: ReadonlyMap<string, string>;
}

/**
 * Reads a configuration file and what it includes. Throws nothing: what is wrong is in `diagnostics`, and a file
 * that cannot be read is named by `unreadable` as well, so that the caller can choose its exit code.
 */
export function loadConfig(file: string, options: LoadOptions): LoadFileResult {
  const texts = new Map<string, string>();
  const readOnce = (name: string): ReturnType<typeof readText> => {
    const known = options.texts?.get(name);
    const read = known === undefined ? readText(name) : { ok: true as const, value: known, code: '' };
    if (read.ok) texts.set(name, read.value);
    return read;
  };
  const read = readOnce(file);
  if (!read.ok) {
    const message = `cannot read the configuration: ${read.reason}`;
    const diagnostic: Diagnostic = {
      severity: 'error',
      file,
      line: 0,
      column: 1,
      length: 1,
      message,
      help: read.code === 'ENOENT' ? elsewhere(file) : '',
    };
    return {
      ...{ config: null, diagnostics: [diagnostic], stranger: '', control: null },
      ...{ unreadable: read.code, texts },
    };
  }
  const { readDmonitor = readDmonitorFiles } = options;
  const parsed = parseConfig(read.value, file, readOnce, { ...options, readDmonitor });
  return { ...parsed, unreadable: null, texts };
}

const NO_DMONITOR: DmonitorListing = { nodes: null, hosts: [], plugins: new Map(), alerts: [], problems: [] };

/**
 * Turns a text into a configuration. Pure but for `readInclude`, which gets resolved paths, and `readDmonitor`; a
 * file name that is not absolute is taken from the working directory.
 */
export function parseConfig(
  text: string,
  fileName: string,
  readInclude: ReadInclude,
  options: LoadOptions,
): LoadResult {
  const reporter = createReporter();
  const file: SourceFile = { name: fileName, text, masks: new Map() };
  const tree = parseTree(file, readInclude, reporter);
  if (reporter.full) return { config: null, diagnostics: reporter.finish(), stranger: '', control: null };

  const monitoring = readMonitoring(tree.root, options.readDmonitor ?? (() => NO_DMONITOR), reporter);
  const model = readModel(tree, monitoring?.nodes ?? [], reporter);
  const wanted = options.node ?? options.hostname;
  const node = model.table.find(wanted);
  // Where statements were lost, the node's section may be among them.
  const { names } = model.table;
  const lost = names.length === 0 && ['on', 'resource'].some((name) => mayHaveLost(model.global, name));
  // A balancer, or checks, on this machine alone need nobody else.
  const alone =
    names.length === 0 &&
    model.resources.length === 0 &&
    (monitoring !== null || tree.root.statements.some((statement) => statement.name.text === 'balancer'));
  const known =
    names.length === 0 ? 'the file names no node at all' : `the file names ${names.map(quote).join(', ')}`;
  const stranger =
    node === null && !lost && !alone ? `no 'on' section for this node, ${quote(wanted)}: ${known}` : '';
  if (options.ignoreUnknownNode !== true) {
    const place: Place = { file, line: 0, column: 1, length: 1 };
    if (stranger !== '') reporter.error(place, stranger, 'hastmond -n NAME says which one this is');
    else if (alone && monitoring !== null && node === null && !lost) {
      const message = 'the file names no node: this one monitors alone, and nobody confirms what it sees';
      reporter.warning(place, message, 'monitor { nodes NAME NAME } says which nodes do');
    }
  }
  checkModel(model, node, reporter);
  const own = node ?? wanted;
  const monitor = resolveMonitoring(monitoring, model, own, reporter);
  const balancer = readBalancer(tree.root, model, own, reporter);
  const scopes = scopesOf(model, own);
  checkHttp(scopes, reporter);
  const diagnostics = reporter.finish();
  const globals = inheritGlobals(model, own);
  if (reporter.failed) {
    const unknown = lost || scopes.some((scope) => mayHaveLost(scope, 'control'));
    return { config: null, diagnostics, stranger, control: unknown ? null : globals.control.path };
  }

  const mine = node === null ? [] : model.resources.filter(({ nodes }) => nodes.has(node));
  const config: Config = {
    ...globals,
    file: path.resolve(fileName),
    ...(tree.includes.length === 0 ? {} : { includes: tree.includes }),
    resources: mine.map((resource) => ({
      ...inheritResource(model, resource, own),
      ...monitor.resources.get(resource),
    })),
    monitor: monitor.config,
    balancer,
    http: inheritHttp(scopes),
  };
  return { config, diagnostics, stranger, control: globals.control.path };
}

/** Where else the file was looked for, if its name is that of the first default place. */
function elsewhere(file: string): string {
  const [first, ...others] = CONFIG_FILES;
  if (file !== first || others.some((other) => existsSync(other))) return '';
  return `nor is there ${others.join(', ')}; -c FILE names another place`;
}
