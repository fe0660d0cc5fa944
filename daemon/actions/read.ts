/** actions.conf and checks.conf as plans: what their sections and options mean. It looks at no executable and runs nothing. */
import path from 'node:path';
import { type Place, quote, type Reporter, type SourceFile, whereIs } from '../config/diagnostic.js';
import { formatDuration, parseDuration } from '../config/duration.js';
import { nearest } from '../config/suggest.js';
import type { ListLimit } from './limits.js';
import { type CommandLine, type LineWord, readSections } from './lines.js';
import { canHappen, normalState } from './states.js';
import type { ActionEvent, Check, Command, Occasion, Section } from './types.js';
import {
  CHECK_VARIABLES,
  expandWord,
  literalVariables,
  shellLine,
  VARIABLES,
  type Variable,
  variableProblems,
} from './variables.js';

/** What the lines of a file are read with. */
export interface ReadOptions {
  /** Absolute path of the directory of executables. */
  directory: string;
  /** The limit of a command whose line has none, in milliseconds. */
  timeoutMs: number;
  reporter: Reporter;
  /** Called for each program that a line names, with its absolute path. */
  program: (file: string, place: Place) => void;
}

const EVENTS: readonly ActionEvent[] = ['status', 'connect', 'disconnect', 'complain'];
const TIMEOUT_MS_MAX = 24 * 3_600_000;
const INTERVAL_MS_MIN = 100;
const CHECKS_MAX = 256;

/** What sections have beyond that. */
export interface ActionOptions extends ReadOptions {
  /** The time that the commands of a section have together; null: their own limits are all there is. */
  limitOf: (on: Occasion) => ListLimit | null;
}

/** The sections of actions.conf. */
export function readActions(file: SourceFile, options: ActionOptions): Section[] {
  const { reporter } = options;
  const seen = new Map<string, LineWord>();
  return readSections(file, reporter).flatMap(({ name, commands }) => {
    const on = occasionOf(name, reporter);
    const read = commands.flatMap((line) => {
      takeOptions(line, ['timeout'], reporter);
      checkLimit(line, on === null ? null : options.limitOf(on), reporter);
      return readCommand(line, VARIABLES, options) ?? [];
    });
    if (on === null) return [];
    const key = on.kind === 'event' ? on.event : `${on.from}_to_${on.to}`;
    const earlier = seen.get(key);
    if (earlier !== undefined) {
      const where = `the first is in ${whereIs(earlier, name)}; its commands come first`;
      reporter.warning(name, `a second section ${quote(name.text)}`, where);
    }
    seen.set(key, name);
    if (key === '*_to_*')
      reporter.warning(name, 'this section runs at every change', 'those of start and stop are among them');
    return [{ line: name.line, on, commands: read }];
  });
}

/** What a check has beyond that. */
export interface CheckOptions extends ReadOptions {
  intervalMs: number;
  /** What a status has that waits for checks. */
  statusLimit: ListLimit;
  /** The nodes that there are. */
  nodes: readonly string[];
}

/** The lines of checks.conf. */
export function readChecks(file: SourceFile, options: CheckOptions): Check[] {
  const { reporter } = options;
  const checks: Check[] = [];
  const seen = new Map<string, LineWord>();
  for (const { name: scope, commands } of readSections(file, reporter)) {
    const node = nodeOf(scope, options);
    for (const line of commands) {
      const check = readCheck(line, node ?? '', options);
      if (check === null || node === null) continue;
      const place = line.words[0] ?? line.shell ?? { ...line.place, text: '' };
      // A node must not have two of one name; those of different nodes are told apart by the node.
      const clashes = checks.some(
        (other) => other.name === check.name && (node === '' || other.node === '' || other.node === node),
      );
      const earlier = seen.get(check.name);
      if (clashes && earlier !== undefined) {
        const help = `the first is in ${whereIs(earlier, place)}; name=NAME before the command gives it another name`;
        reporter.error(place, `a second check ${quote(check.name)}`, help);
      } else if (checks.length === CHECKS_MAX) {
        reporter.error(place, `more than ${CHECKS_MAX} checks`);
        return checks;
      } else checks.push(check);
      seen.set(check.name, place);
    }
  }
  return checks;
}

function nodeOf({ text, ...place }: LineWord, { nodes, reporter }: CheckOptions): string | null {
  if (text.toLowerCase() === 'local') return '';
  const found = nodes.find((node) => node.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return found;
  const closest = nearest(text, nodes);
  const help =
    closest === '' ? `it has ${nodes.join(', ')}; [local] is every node` : `did you mean ${quote(closest)}?`;
  reporter.error(place, `${quote(text)} is no node of this resource`, help);
  return null;
}

function readCheck(line: CommandLine, node: string, options: CheckOptions): Check | null {
  const { reporter } = options;
  takeOptions(line, ['timeout', 'interval', 'name', 'status'], reporter);
  const command = readCommand(line, CHECK_VARIABLES, options);
  const given = optionOf(line, 'name');
  const name = given?.text ?? path.basename(line.words[0]?.text ?? '');
  const broken = line.shell === null && line.words.length === 0;
  const valid = broken || /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);
  if (!valid) {
    const what = given === undefined && line.shell !== null ? "a check of the shell's" : quote(name);
    const help = 'expected name=NAME before the command: letters, digits and ._-, 64 at most';
    reporter.error(given ?? line.place, `${what} has no name that it can be reported as`, help);
  }
  const status = optionOf(line, 'status');
  if (status !== undefined && !['yes', 'no'].includes(status.text))
    reporter.error(status, `${quote(status.text)} is not known here`, 'expected status=yes or status=no');
  checkLimit(line, status?.text === 'no' ? null : options.statusLimit, reporter);
  const intervalMs = durationOf(line, 'interval', INTERVAL_MS_MIN, reporter) ?? options.intervalMs;
  if (command === null || !valid) return null;
  return { name, node, command, intervalMs, status: status?.text !== 'no' };
}

function occasionOf({ text, ...place }: LineWord, reporter: Reporter): Occasion | null {
  const small = text.toLowerCase();
  const event = EVENTS.find((known) => known === small);
  if (event !== undefined) return { kind: 'event', event };
  const [from, to, ...more] = small.split('_to_').map((word) => (word === '*' ? word : normalState(word)));
  if (from != null && to != null && more.length === 0) {
    if (from === to && from !== '*') reporter.warning(place, `${quote(text)} is no change: both are ${from}`);
    else if (!canHappen(from, to)) {
      const help =
        "start is slave_to_master and stop master_to_slave; a check's word runs nothing that names a role";
      reporter.warning(place, `${quote(text)} never happens`, help);
    }
    return { kind: 'change', from, to };
  }
  const closest = nearest(small, EVENTS);
  const help =
    closest === ''
      ? 'expected OLD_to_NEW such as slave_to_master, or *_to_NEW, OLD_to_*, status, connect, disconnect, complain'
      : `did you mean ${quote(closest)}?`;
  reporter.error(place, `${quote(text)} is no section of this file`, help);
  return null;
}

function optionOf({ options }: CommandLine, key: string): LineWord | undefined {
  return options.find((option) => option.key.text === key)?.value;
}

/** Reports options that a line cannot have, or has twice. */
function takeOptions({ options }: CommandLine, known: readonly string[], reporter: Reporter): void {
  const seen = new Set<string>();
  for (const { key } of options) {
    const expected = `expected ${known.map((name) => `${name}=`).join(', ')}; a program with = in its name is quoted`;
    if (!known.includes(key.text))
      reporter.error(key, `${quote(`${key.text}=`)} is no option here`, expected);
    else if (seen.has(key.text)) reporter.error(key, `${quote(`${key.text}=`)} is there twice`);
    seen.add(key.text);
  }
}

function durationOf(line: CommandLine, key: string, leastMs: number, reporter: Reporter): number | undefined {
  const word = optionOf(line, key);
  if (word === undefined) return undefined;
  const parsed = parseDuration(word.text);
  const reason = !parsed.ok
    ? parsed.reason
    : parsed.value < leastMs
      ? 'is too small'
      : parsed.value > TIMEOUT_MS_MAX
        ? 'is too large'
        : '';
  if (reason === '') return parsed.ok ? parsed.value : undefined;
  const range = `${formatDuration(leastMs)} to ${formatDuration(TIMEOUT_MS_MAX)}`;
  reporter.error(
    word,
    `${quote(word.text)} ${reason}`,
    `expected a duration such as 500ms, 10s or 5m, from ${range}`,
  );
  return undefined;
}

/** A limit of a line that never counts, since that of the whole list is over before. */
function checkLimit(line: CommandLine, limit: ListLimit | null, reporter: Reporter): void {
  const word = optionOf(line, 'timeout');
  const parsed = word === undefined ? null : parseDuration(word.text);
  if (word === undefined || parsed === null || !parsed.ok || limit === null || parsed.value <= limit.ms)
    return;
  const whole = formatDuration(Math.floor(limit.ms));
  const help = `${limit.statement} of the resource says how long that is`;
  reporter.warning(word, `${quote(word.text)} is longer than the whole list has, which is ${whole}`, help);
}

function readCommand(line: CommandLine, known: readonly Variable[], options: ReadOptions): Command | null {
  const { reporter } = options;
  const timeoutMs = durationOf(line, 'timeout', 10, reporter) ?? options.timeoutMs;
  const { shell, words } = line;
  for (const word of shell === null ? words : [shell]) checkVariables(word, known, reporter);
  if (shell !== null) {
    for (const { index, length } of literalVariables(shell.text)) {
      const place = { ...shell, column: shell.column + index, length };
      reporter.error(place, "the shell expands nothing between '…'", 'expected "…" around it, or nothing');
    }
    return { line: shell.line, program: '', words: [shellLine(shell.text)], timeoutMs };
  }
  const [first] = words;
  if (first === undefined) return null;
  const program = path.resolve(options.directory, expandWord(first.text, {}));
  if (first.text === '' || first.text.includes('%')) {
    reporter.error(
      first,
      `${quote(first.text)} cannot be a program's name`,
      'expected the name of an executable, or its path',
    );
    return null;
  }
  options.program(program, first);
  return { line: first.line, program, words: words.map(({ text }) => text), timeoutMs };
}

function checkVariables(word: LineWord, known: readonly Variable[], reporter: Reporter): void {
  for (const { index, length, name } of variableProblems(word.text, known)) {
    // Where parts of it are quoted, its characters are not where the file has them.
    const place = word.length === word.text.length ? { ...word, column: word.column + index, length } : word;
    if (name === null) reporter.error(place, 'a percent sign alone', 'expected %% for a percent sign');
    else {
      const closest = nearest(name.toUpperCase(), known);
      const all = known.map((one) => `%${one}%`).join(' ');
      const help =
        closest === '' ? `known here are ${all}, and %% for a percent sign` : `did you mean '%${closest}%'?`;
      reporter.error(place, `the variable ${quote(`%${name}%`)} is not known here`, help);
    }
  }
}
