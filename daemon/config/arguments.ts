/**
 * What follows a statement's name on its line: reading it, and saying what is wrong with it. Blocks are parser.ts.
 */
import { type Cursor, isArgument, next, peek, peekAt, skipLine, startsStatement } from './cursor.js';
import { mask, quote, type Reporter } from './diagnostic.js';
import {
  allowedIn,
  couldFollow,
  findRule,
  HINTS,
  holdsSecrets,
  isMonitoring,
  namesFor,
  type Rule,
  sectionTitle,
} from './grammar.js';
import { type Token, unknownEscape } from './lexer.js';
import { nearest } from './suggest.js';
import type { Section, Statement, Word } from './tree.js';

/** Tokens being read, and whom to tell. */
export interface Reading extends Cursor {
  reporter: Reporter;
}

/** Reads the one word that a statement takes; false where there is none. */
export function parseOneArgument(reading: Reading, section: Section, statement: Statement): boolean {
  if (isArgument(reading, false)) {
    return takeArgument(reading, section, statement);
  }
  const token = peek(reading);
  const { name } = statement;
  const reserved = token.kind === 'word' && token.line === name.line && startsStatement(reading);
  const help = `expected ${statement.rule.expected}${reserved ? `; ${quote(token.text)} is a statement, quote it if it is meant as a word` : ''}`;
  reading.reporter.error(name, `${quote(name.text)} is incomplete`, help);
  section.lost.add(name.text);
  const found = findRule(section.kind, token.text) ?? statement.rule;
  if (reserved && !couldFollow(found, peekAt(reading, 1), peekAt(reading, 2))) reading.index += 1;
  return false;
}

/** Takes the next token, which is an argument; false where it is of no use, which has been reported. */
export function takeArgument(reading: Reading, section: Section, statement: Statement): boolean {
  const token = next(reading);
  let useful = !token.flawed;
  if (token.bytesAt >= 0 && statement.rule.argument !== 'bytes') {
    unknownEscape(reading.reporter, { ...token, column: token.column + token.bytesAt, length: 2 });
    useful = false;
  }
  if (useful || statement.rule.argument === 'check') statement.args.push(toWord(token));
  if (!useful) section.broken = true;
  hideArgument(statement.rule, token);
  return useful;
}

/** The beginning of a header field whose value nobody may see; the colon may have been forgotten. */
export const SECRET_HEADER = /^[^:\s]*(?:auth|token|key|secret|cookie|pass)[^:\s]*[:\s]/i;

/** What statements of monitoring hold that nobody may see, where they are as they should be. */
const HIDDEN: Partial<Record<Rule['argument'], RegExp>> = {
  webhook: /^[a-z]+:\/\/[^/?#]*[/?]/i,
  header: SECRET_HEADER,
};

function hideArgument({ argument }: Rule, token: Token): void {
  const pattern = HIDDEN[argument];
  if (pattern === undefined) return;
  const shown = pattern.exec(token.text);
  const quoteMark = token.kind === 'string' ? 1 : 0;
  if (shown !== null) mask(token.file, token.line, token.column + quoteMark + shown[0].length);
}

/** Reads the words of a list, of which there is one at least. */
export function parseList(reading: Reading, section: Section, statement: Statement): boolean {
  if (!parseOneArgument(reading, section, statement)) return false;
  const { words } = statement.rule;
  while (isArgument(reading, true)) {
    const { kind, text } = peek(reading);
    if (kind === 'word' && words?.test(text) === false) break;
    takeArgument(reading, section, statement);
  }
  return true;
}

/** Reads a user and a password, and keeps the password out of every message. */
export function parseLogin(reading: Reading, section: Section, statement: Statement): boolean {
  const { name } = statement;
  mask(name.file, name.line, name.column + name.length);
  for (const what of ['user', 'password']) {
    if (!isArgument(reading, false)) {
      reading.reporter.error(name, `'login' names no ${what}`, 'expected login USER "PASSWORD"');
      section.broken = true;
      return false;
    }
    const { file, line, column } = peek(reading);
    if (line !== name.line) mask(file, line, column);
    if (!takeArgument(reading, section, statement)) return false;
  }
  rejectRest(reading, section, statement);
  return true;
}

/** Reads a node and its address. */
export function parseNodeAddress(reading: Reading, section: Section, statement: Statement): boolean {
  if (!parseOneArgument(reading, section, statement)) return false;
  const { name, args } = statement;
  if (!isArgument(reading, false) || peek(reading).line !== name.line) {
    const node = args[0]?.text ?? '';
    reading.reporter.error(
      name,
      `${quote(`address ${node}`)} is incomplete`,
      'expected address NODE ADDRESS',
    );
    section.lost.add(name.text);
    return false;
  }
  if (!takeArgument(reading, section, statement)) return false;
  rejectRest(reading, section, statement);
  return true;
}

/** Reads `primary` and the name of a resource. */
export function parseCondition(reading: Reading, section: Section, statement: Statement): boolean {
  const { name, args } = statement;
  if (!parseOneArgument(reading, section, statement)) return false;
  if (args[0]?.text !== 'primary' || !isArgument(reading, false) || peek(reading).line !== name.line) {
    reading.reporter.error(
      args[0] ?? name,
      `${quote(name.text)} is incomplete`,
      'expected while primary RESOURCE',
    );
    section.lost.add(name.text);
    skipLine(reading, name.line);
    return false;
  }
  if (!takeArgument(reading, section, statement)) return false;
  rejectRest(reading, section, statement);
  return true;
}

/** Reads `never`, or `after` and a duration. */
export function parseFailback(reading: Reading, section: Section, statement: Statement): boolean {
  const { name, args } = statement;
  if (!parseOneArgument(reading, section, statement)) return false;
  const [word = name] = args;
  const after = word.text === 'after';
  if (after && isArgument(reading, false) && peek(reading).line === name.line) {
    if (!takeArgument(reading, section, statement)) return false;
  } else if (word.text !== 'never') {
    const message = after ? "'failback after' is incomplete" : `${quote(word.text)} is not known here`;
    reading.reporter.error(word, message, `expected ${statement.rule.expected}`);
    section.lost.add(name.text);
    skipLine(reading, name.line);
    return false;
  }
  rejectRest(reading, section, statement);
  return true;
}

/** Reads a secret, and keeps it out of every message. */
export function parseSecret(reading: Reading, section: Section, statement: Statement): boolean {
  const { name } = statement;
  mask(name.file, name.line, name.column + name.length);
  if (!isArgument(reading, false)) {
    reading.reporter.error(name, `${quote(name.text)} is incomplete`, `expected ${statement.rule.expected}`);
    section.lost.add(name.text);
    return false;
  }
  const word = peek(reading);
  mask(word.file, word.line, word.column);
  const useful = takeArgument(reading, section, statement);
  const rest = peek(reading);
  if (
    (rest.kind === 'word' || rest.kind === 'string') &&
    rest.line === word.line &&
    !startsStatement(reading)
  ) {
    reading.reporter.error(rest, `the ${name.text} has several words`, 'a string with blanks must be quoted');
    skipLine(reading, word.line);
  }
  return useful;
}

/** Words left over on the line of a statement that has all it takes. */
export function rejectRest(reading: Reading, section: Section, statement: Statement): void {
  const token = peek(reading);
  const last = statement.args.at(-1) ?? statement.name;
  const extra =
    token.kind === 'string' || (token.kind === 'word' && findRule(section.kind, token.text) === undefined);
  if (!extra || token.startsLine || token.line !== last.line) return;
  const closest = token.kind === 'word' ? nearest(token.text, allowedIn(section.kind)) : '';
  if (closest !== '') return; // a mistyped statement on the same line: reported as one
  const message = `unexpected${shown(section, token)} after '${statement.name.text}'`;
  reading.reporter.error(token, message, `expected only ${statement.rule.expected}`);
  skipLine(reading, token.line);
}

/** Statements that secrets follow. */
const MASKED: ReadonlySet<string> = new Set(['login', 'webhook', 'header', 'token']);

/** Reports a word that is no statement, and skips what belongs to it. */
export function unknownStatement(reading: Reading, section: Section, name: Token): void {
  const closest = nearest(name.text, allowedIn(section.kind));
  const elsewhere = closest === '' ? nearest(name.text, namesFor(section.kind)) : '';
  if (
    MASKED.has(closest) ||
    closest === 'key' ||
    elsewhere === 'secret' ||
    (section.kind === 'key' && closest !== '')
  ) {
    mask(name.file, name.line, name.column + name.length);
  }
  const what = /^[A-Za-z]/.test(name.text) ? 'unknown statement' : 'expected a statement, found';
  const word = closest === '' ? shown(section, name) : ` ${quote(name.text)}`;
  reading.reporter.error(name, `${what}${word}`, suggestion(section, name.text, closest, elsewhere));
  const meant = HINTS.has(name.text) ? '' : closest || elsewhere;
  if (meant === '') section.broken = true;
  else section.lost.add(meant);
  reading.index += 1;
  skipLine(reading, name.line);
}

function suggestion(section: Section, name: string, closest: string, elsewhere: string): string {
  const hint = HINTS.get(name);
  if (hint !== undefined && !isMonitoring(section.kind)) return hint;
  if (closest !== '') return `did you mean ${quote(closest)}?`;
  if (elsewhere === '') return `known here: ${allowedIn(section.kind).join(' ')}`;
  const places = (findRule(section.kind, elsewhere)?.sections ?? []).map(sectionTitle).join(', ');
  return `did you mean ${quote(elsewhere)}, which is allowed in ${places}?`;
}

/** A stray word for a message, with the blank before it; it may be a part of a secret. */
function shown(section: Section, token: Token): string {
  if (!holdsSecrets(section.kind)) return ` ${quote(token.text)}`;
  mask(token.file, token.line, token.column);
  return ' word';
}

/** A token as a word of the tree. */
export function toWord(token: Token): Word {
  const { file, line, column, length, text } = token;
  return { file, line, column, length, text, quoted: token.kind === 'string' };
}
