/**
 * Statements to what one section says: its settings, friends and remotes, each checked by itself.
 * It does not know how sections inherit or what settings mean beside each other.
 */
import { parseAddress } from './address.js';
import { type Place, quote, type Reporter, whereIs } from './diagnostic.js';
import { RULES } from './grammar.js';
import { readKey } from './key.js';
import type { Section, Statement, Word } from './tree.js';
import type { Address } from './types.js';
import { account, FAILBACK_AFTER, READERS, type Reader, type Values } from './values.js';

export interface Setting<T> {
  value: T;
  place: Place;
}

export type Settings = { [Name in keyof Values]?: Setting<Values[Name]> };

/** What one section says. */
export interface Scope {
  settings: Settings;
  /** The ancestor adds lists of friends up, over all sections. */
  friends: Setting<Address>[];
  remote: Setting<Address>[];
  /** Where `remote` stands, null where it does not. */
  remotePlace: Place | null;
  /** The statements lost to an error of their own. */
  lost: Set<string>;
  /** True where nobody knows what was lost to an error. */
  broken: boolean;
  /** True where the section says nothing. */
  empty: boolean;
}

const LISTEN_HELP = 'without peers, listen tcp4://127.0.0.1 is heard on this machine only';

/** An empty section. */
export function createScope(): Scope {
  return {
    settings: {},
    friends: [],
    remote: [],
    remotePlace: null,
    lost: new Set(),
    broken: false,
    empty: true,
  };
}

/** True where this statement may be in the section although nothing is known of it. */
export function mayHaveLost(scope: Scope, name: string): boolean {
  return scope.broken || scope.lost.has(name);
}

/** Adds what a section's statements say to a scope; `on` and `resource` are the caller's. */
export function readSection(section: Section, scope: Scope, reporter: Reporter): void {
  takeLosses(section, scope);
  let before: Statement | null = null;
  for (const statement of section.statements) {
    const { name } = statement;
    if (
      name.text === 'timeout' &&
      before?.name.text === 'watchdog_device' &&
      before.name.line === name.line
    ) {
      reporter.warning(
        name,
        'this is the timeout of connections',
        'that of the device is set by watchdog_timeout',
      );
    }
    readStatement(statement, scope, reporter);
    before = statement;
  }
}

function readStatement(statement: Statement, scope: Scope, reporter: Reporter): void {
  const { args, name, block } = statement;
  const [word = name] = args;
  scope.empty = false;
  switch (name.text) {
    case 'on':
    case 'resource':
      return;
    case 'friends':
      scope.friends.push(...readAddresses(statement, reporter));
      if (args.length === 0 && !scope.broken)
        reporter.warning(
          name,
          "'friends' names nobody",
          "expected an address; 'friends none' where nobody is meant",
        );
      return;
    case 'remote':
      scope.remotePlace ??= name;
      scope.remote.push(...readAddresses(statement, reporter));
      if (args.length === 0)
        reporter.error(name, "'remote' is incomplete", `expected ${statement.rule.expected}`);
      return;
    case 'listen': {
      const addresses = readAddresses(statement, reporter).map(({ value }) => value);
      if (args.length === 0)
        reporter.error(name, "'listen' is incomplete", `expected ${statement.rule.expected}`);
      else if (addresses.length > 0) assign(scope, 'listen', addresses, word, reporter);
      return;
    }
    case 'failback': {
      const after = args[1];
      const ms = after === undefined ? Number.POSITIVE_INFINITY : FAILBACK_AFTER(after, reporter);
      if (ms === undefined) scope.lost.add('failback');
      else assign(scope, 'failback', ms, word, reporter);
      return;
    }
    case 'key': {
      const key = block === null ? undefined : readKey(block, name, reporter);
      if (key !== undefined) assign(scope, 'key', key, name, reporter);
      else scope.lost.add('key');
      return;
    }
    case 'log':
      if (block === null) readValue(scope, 'log_file', word, reporter);
      else readLogBlock(block, scope, reporter);
      return;
    case 'http':
      if (block === null) readValue(scope, 'http_listen', word, reporter);
      else readHttpBlock(block, scope, reporter);
      return;
    default:
      if (hasReader(name.text)) readValue(scope, name.text, word, reporter);
  }
}

function takeLosses(section: Section, scope: Scope): void {
  scope.broken ||= section.broken;
  for (const name of section.lost) scope.lost.add(name);
}

function readLogBlock(block: Section, scope: Scope, reporter: Reporter): void {
  takeLosses(block, scope);
  for (const { name, args } of block.statements) {
    const key = `log_${name.text}`;
    if (hasReader(key)) readValue(scope, key, args[0] ?? name, reporter);
  }
}

/** Names in it are those of other statements elsewhere: what was lost is known by the names of the values. */
function readHttpBlock(block: Section, scope: Scope, reporter: Reporter): void {
  scope.broken ||= block.broken;
  for (const name of block.lost) scope.lost.add(`http_${name}`);
  for (const { name, args } of block.statements) {
    const key = `http_${name.text}`;
    if (key === 'http_user') {
      const users = args.map((word) => account(word, reporter)).filter((user) => user !== undefined);
      if (users.length < args.length) scope.lost.add(key);
      else assign(scope, key, users, args[0] ?? name, reporter);
    } else if (hasReader(key)) readValue(scope, key, args[0] ?? name, reporter);
  }
}

function hasReader(name: string): name is keyof typeof READERS {
  return Object.hasOwn(READERS, name);
}

function readValue<Name extends keyof typeof READERS>(
  scope: Scope,
  name: Name,
  word: Word,
  reporter: Reporter,
): void {
  const reader: Reader<Values[Name]> = READERS[name];
  const value = reader(word, reporter);
  if (value === undefined) scope.lost.add(name);
  else assign(scope, name, value, word, reporter);
}

function assign<Name extends keyof Values>(
  scope: Scope,
  name: Name,
  value: Values[Name],
  place: Place,
  reporter: Reporter,
): void {
  const { settings } = scope;
  const earlier = settings[name];
  if (earlier !== undefined) {
    const where = whereIs(earlier.place, place);
    const shown = name.replace(/^(log|http)_/, '$1 ');
    const help = name === 'listen' ? 'several addresses go into one statement: listen ADDRESS ADDRESS' : '';
    reporter.warning(
      place,
      `${quote(shown)} is set twice in this section; this one replaces that of ${where}`,
      help,
    );
  }
  Object.assign(settings, { [name]: { value, place } satisfies Setting<Values[Name]> });
}

/** The addresses of `friends`, `remote` or `listen`; `none` is nobody. */
function readAddresses(statement: Statement, reporter: Reporter): Setting<Address>[] {
  const { name, args } = statement;
  const found: Setting<Address>[] = [];
  const seen = new Map<string, Word>();
  for (const word of args) {
    const none = word.text === 'none' && !word.quoted;
    if (none && name.text === 'listen') {
      reporter.error(word, "'listen' needs an address: 'none' is for friends and remote", LISTEN_HELP);
      continue;
    }
    if (none) {
      if (args.length > 1) reporter.warning(word, "'none' beside addresses means nothing");
      continue;
    }
    if (!word.quoted && RULES.has(word.text)) {
      reporter.warning(
        word,
        `${quote(word.text)} is taken as a host's name here`,
        'begin a line with it if the statement is meant',
      );
    }
    const parsed = parseAddress(word.text);
    if (!parsed.ok) {
      reporter.error(word, `${quote(word.text)} ${parsed.reason}`, `expected ${statement.rule.expected}`);
    } else if (seen.has(parsed.value.text)) {
      reporter.warning(word, `${quote(word.text)} is named twice`);
    } else {
      seen.set(parsed.value.text, word);
      found.push({ value: parsed.value, place: word });
    }
  }
  return found;
}
