/**
 * The sections of monitoring as a file says them: checks, templates, groups and alerts, before anything is inherited
 * or looked up by its name. It checks what belongs to the names of sections.
 */
import { type Place, quote, type Reporter, whereIs } from './diagnostic.js';
import { createMonitorScope, hasLost, type MonitorScope, readMonitorSection } from './monitor-settings.js';
import { isBuiltIn } from './nodes.js';
import type { Section, Statement, Word } from './tree.js';

/** A section with a name. */
export interface NamedScope extends MonitorScope {
  word: Word;
}

/** A check as it is written: with `hosts`, several checks. */
export interface CheckDefinition extends NamedScope {
  url: Word;
  /** null for a check outside of groups. */
  group: NamedScope | null;
}

export interface MonitorModel {
  /** Where monitoring is spoken of first. */
  place: Word;
  /** The defaults of all checks, and what belongs to the `monitor` section alone. */
  defaults: MonitorScope;
  templates: Map<string, NamedScope>;
  groups: Map<string, NamedScope>;
  /** In the order of the file. */
  checks: CheckDefinition[];
  alerts: NamedScope[];
  /** True where a statement was lost to an error: what seems to be missing may be that one. */
  lost: boolean;
}

/** The names of checks, templates, groups and alerts: like those of resources, and fit for a file's name. */
const NAME = /^[A-Za-z0-9._/:@+~%-]{1,200}$/;
/** What a list of names takes for something else. */
const WORDS: ReadonlySet<string> = new Set(['all', 'none']);

/** Reads all that a file says of monitoring; null where it says nothing. */
export function readMonitorModel(root: Section, reporter: Reporter): MonitorModel | null {
  const statements = root.statements.filter(({ name }) => TOP.has(name.text));
  const [first] = statements;
  if (first === undefined) return null;
  const model: MonitorModel = {
    place: first.name,
    defaults: createMonitorScope(),
    templates: new Map(),
    groups: new Map(),
    checks: [],
    alerts: [],
    lost: hasLost(root),
  };
  const alerts = new Map<string, NamedScope>();
  readDefinitions(statements, model, alerts, reporter);
  for (const { name, block } of statements) {
    if (name.text !== 'monitor' || block === null) continue;
    model.lost ||= hasLost(block);
    readMonitorSection(block, model.defaults, reporter);
    readDefinitions(block.statements, model, alerts, reporter);
  }
  model.alerts = [...alerts.values()];
  return model;
}

const TOP: ReadonlySet<string> = new Set(['monitor', 'check', 'template', 'group', 'alert']);

/** What is defined at the top, or inside of `monitor`. */
function readDefinitions(
  statements: readonly Statement[],
  model: MonitorModel,
  alerts: Map<string, NamedScope>,
  reporter: Reporter,
): void {
  for (const statement of statements) {
    switch (statement.name.text) {
      case 'check':
        readCheck(statement, null, model, reporter);
        break;
      case 'template':
        readNamed(statement, model.templates, reporter);
        break;
      case 'alert':
        readNamed(statement, alerts, reporter);
        break;
      case 'group': {
        const group = readNamed(statement, model.groups, reporter);
        model.lost ||= statement.block !== null && hasLost(statement.block);
        for (const inner of statement.block?.statements ?? [])
          if (inner.name.text === 'check') readCheck(inner, group, model, reporter);
      }
    }
  }
}

function readNamed(
  { name, args, block }: Statement,
  known: Map<string, NamedScope>,
  reporter: Reporter,
): NamedScope {
  const [word = name] = args;
  const scope: NamedScope = { ...createMonitorScope(), word };
  if (block !== null) readMonitorSection(block, scope, reporter);
  const earlier = known.get(word.text);
  if (!isName(word, name.text, reporter)) return scope;
  if (earlier === undefined) known.set(word.text, scope);
  else reportTwice(`${name.text} ${quote(word.text)}`, word, earlier.word, reporter);
  return scope;
}

function readCheck(
  { name, args, block }: Statement,
  group: NamedScope | null,
  model: MonitorModel,
  reporter: Reporter,
): void {
  const [word = name, url = name] = args;
  if (args.length < 2 || !isName(word, 'check', reporter)) return;
  const check: CheckDefinition = { settings: {}, broken: false, word, url, group };
  if (block !== null) readMonitorSection(block, check, reporter);
  model.checks.push(check);
}

/** Reports a name that stands for two things. */
export function reportTwice(what: string, word: Word, earlier: Place, reporter: Reporter): void {
  reporter.error(word, `${what} is there twice`, `the first is in ${whereIs(earlier, word)}`);
}

/** Reports a word that cannot be the name of what is said. */
export function isName(word: Word, what: string, reporter: Reporter): boolean {
  if (NAME.test(word.text) && !WORDS.has(word.text) && !isBuiltIn(word.text) && !word.text.includes('://'))
    return true;
  // The name was forgotten: what stands in its place may hold a password.
  const shown = word.text.includes('://') ? 'a URL' : quote(word.text);
  reporter.error(
    word,
    `${shown} cannot be the name of ${what === 'alert' ? 'an' : 'a'} ${what}`,
    isBuiltIn(word.text)
      ? 'every object has something of that name'
      : WORDS.has(word.text)
        ? 'it means something else in a list of names'
        : 'expected at most 200 letters, digits and ._/:@+~%-',
  );
  return false;
}
