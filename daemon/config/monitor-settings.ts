/**
 * Statements to what one section of monitoring says, each checked by itself. It does not know how sections inherit,
 * nor what is meant by the names of other checks, templates and alerts.
 */
import type { PatternOption, StepOption } from '../checks/spec.js';
import { parseAddress } from './address.js';
import { quote, type Reporter, whereIs } from './diagnostic.js';
import { readKey } from './key.js';
import {
  mailAddress,
  readBytes,
  readHeader,
  readPattern,
  readStatus,
  readText,
  WORD_READERS,
  type WordValues,
} from './monitor-values.js';
import type { Section, Statement, Word } from './tree.js';
import type { Address, Key } from './types.js';
import { account, type Reader } from './values.js';

/** What sections of monitoring say; lists add up inside of a section. */
export interface MonitorValues extends WordValues {
  alerts: Word[];
  depends: Word[];
  template: Word[];
  hosts: Word[];
  nodes: Word[];
  address: NodeAddress[];
  key: Key;
  user: string[];
  mail: string[];
  header: (readonly [string, string])[];
  status: (readonly [number, number])[];
  /** `body` or `match`. */
  body: PatternOption;
  /** `send`, `expect` and `expect_match`, in their order. */
  steps: StepOption[];
  login: readonly [user: string, password: string];
  syslog: true;
}

/** Where a node is reached, as the file says it. */
export interface NodeAddress {
  node: Word;
  address: Address;
  place: Word;
}

export interface MonitorSetting<T> {
  value: T;
  /** The statement's name where it was first set, and the word that says what. */
  name: Word;
  place: Word;
}

export type MonitorSettings = { [Name in keyof MonitorValues]?: MonitorSetting<MonitorValues[Name]> };

export interface MonitorScope {
  settings: MonitorSettings;
  /** True where a statement was lost to an error. */
  broken: boolean;
}

/** True where a statement of the section was lost to an error: what seems to be missing may be there. */
export function hasLost({ broken, lost }: Section): boolean {
  return broken || lost.size > 0;
}

/** An empty section. */
export function createMonitorScope(): MonitorScope {
  return { settings: {}, broken: false };
}

/** Adds what a section's statements say to a scope; sections inside of it are the caller's. */
export function readMonitorSection(section: Section, scope: MonitorScope, reporter: Reporter): void {
  scope.broken ||= hasLost(section);
  for (const statement of section.statements) {
    const own = statement.block === null || statement.name.text === 'key';
    if (own && statement.rule.argument !== 'check') readMonitorStatement(statement, scope, reporter);
  }
}

function readMonitorStatement(statement: Statement, scope: MonitorScope, reporter: Reporter): void {
  const { name, args, block } = statement;
  const [word = name] = args;
  switch (name.text) {
    case 'key':
      return set(
        scope,
        'key',
        block === null ? undefined : readKey(block, name, reporter),
        name,
        name,
        reporter,
      );
    case 'address':
      return add(scope, 'address', name, word, readNodeAddress(args, scope, reporter));
    case 'alerts':
    case 'depends':
    case 'template':
    case 'hosts':
    case 'nodes':
      return add(scope, name.text, name, word, args);
    case 'user':
      return add(scope, 'user', name, word, readAll(args, account, scope, reporter));
    case 'mail':
      return add(scope, 'mail', name, word, readAll(args, mailAddress, scope, reporter));
    case 'status':
      return add(scope, 'status', name, word, readAll(args, readStatus, scope, reporter));
    case 'header':
      return add(scope, 'header', name, word, readAll(args, readHeader, scope, reporter));
    case 'body':
      return set(scope, 'body', readText(word, reporter), name, word, reporter);
    case 'match':
      return set(scope, 'body', readPattern(word, reporter), name, word, reporter);
    case 'send':
    case 'expect':
    case 'expect_match':
      return add(scope, 'steps', name, word, readStep(name.text, word, scope, reporter));
    case 'login':
      return set(scope, 'login', [word.text, args[1]?.text ?? ''], name, word, reporter);
    case 'syslog':
      return set(scope, 'syslog', true, name, name, reporter);
    default:
      if (hasReader(name.text)) readWord(scope, name.text, name, word, reporter);
  }
}

const READERS: { [Name in keyof WordValues]: Reader<MonitorValues[Name]> } = WORD_READERS;

function hasReader(name: string): name is keyof WordValues {
  return Object.hasOwn(READERS, name);
}

function readWord<Name extends keyof WordValues>(
  scope: MonitorScope,
  key: Name,
  name: Word,
  word: Word,
  reporter: Reporter,
): void {
  const reader: Reader<MonitorValues[Name]> = READERS[key];
  const value = reader(word, reporter);
  set(scope, key, value, name, word, reporter);
}

function readAll<T>(
  words: readonly Word[],
  reader: (word: Word, reporter: Reporter) => T | undefined,
  scope: MonitorScope,
  reporter: Reporter,
): T[] {
  const values = words.map((word) => reader(word, reporter)).filter((value) => value !== undefined);
  if (values.length < words.length) scope.broken = true;
  return values;
}

function readStep(
  kind: 'send' | 'expect' | 'expect_match',
  word: Word,
  scope: MonitorScope,
  reporter: Reporter,
): StepOption[] {
  const text = readBytes(word, reporter);
  const pattern = text !== undefined && kind === 'expect_match' ? readPattern(word, reporter) : undefined;
  if (text === undefined || (kind === 'expect_match' && pattern === undefined)) {
    scope.broken = true;
    return [];
  }
  if (kind === 'send') return [{ send: text }];
  return [{ expect: pattern ?? { kind: 'text', text } }];
}

function readNodeAddress(args: readonly Word[], scope: MonitorScope, reporter: Reporter): NodeAddress[] {
  const [node, place] = args;
  if (node === undefined || place === undefined) return [];
  const parsed = parseAddress(place.text);
  if (parsed.ok) return [{ node, address: parsed.value, place }];
  reporter.error(
    place,
    `${quote(place.text)} ${parsed.reason}`,
    'expected an address such as tcp4://10.0.0.4',
  );
  scope.broken = true;
  return [];
}

/** Names of the lists among the values. */
type ListName =
  | 'address'
  | 'alerts'
  | 'depends'
  | 'template'
  | 'hosts'
  | 'nodes'
  | 'user'
  | 'mail'
  | 'header'
  | 'status'
  | 'steps';

function add<Name extends ListName>(
  scope: MonitorScope,
  key: Name,
  name: Word,
  place: Word,
  values: MonitorValues[Name],
): void {
  const earlier = scope.settings[key];
  if (earlier === undefined) put(scope.settings, key, { value: [...values], name, place });
  else (earlier.value as unknown[]).push(...values);
}

function set<Name extends keyof MonitorValues>(
  scope: MonitorScope,
  key: Name,
  value: MonitorValues[Name] | undefined,
  name: Word,
  place: Word,
  reporter: Reporter,
): void {
  if (value === undefined) {
    scope.broken = true;
    return;
  }
  const earlier = scope.settings[key];
  if (earlier !== undefined) {
    const where = whereIs(earlier.place, place);
    if (earlier.name.text === name.text) {
      const message = `${quote(name.text)} is set twice in this section; this one replaces that of ${where}`;
      reporter.warning(name, message);
    } else {
      reporter.error(
        name,
        `${quote(name.text)} beside ${quote(earlier.name.text)} of ${where}`,
        'one of them',
      );
    }
  }
  put(scope.settings, key, { value, name, place });
}

/** The compiler does not see that the setting is of the key's type: `set` and `add` have made sure of it. */
function put(settings: Record<string, unknown>, key: string, setting: MonitorSetting<unknown>): void {
  settings[key] = setting;
}
