/**
 * What follows a statement's name on its line: reading it, and saying what is wrong with it. Blocks are parser.ts.
 */
import { type Cursor, isArgument, next, peek, peekSecond, skipLine, startsStatement } from './cursor.js';
import { mask, quote, type Reporter } from './diagnostic.js';
import { allowedIn, couldFollow, HINTS, RULES, sectionTitle } from './grammar.js';
import type { Token } from './lexer.js';
import { nearest } from './suggest.js';
import type { Section, Statement, Word } from './tree.js';

/** Tokens being read, and whom to tell. */
export interface Reading extends Cursor {
  reporter: Reporter;
}

/** Reads the one word that a statement takes; false where there is none. */
export function parseOneArgument(reading: Reading, section: Section, statement: Statement): boolean {
  if (isArgument(reading, false)) {
    const argument = next(reading);
    statement.args.push(toWord(argument));
    if (argument.flawed) section.broken = true;
    return !argument.flawed;
  }
  const token = peek(reading);
  const { name } = statement;
  const reserved = token.kind === 'word' && token.line === name.line;
  const help = `expected ${statement.rule.expected}${reserved ? `; ${quote(token.text)} is a statement, quote it if it is meant as a word` : ''}`;
  reading.reporter.error(name, `${quote(name.text)} is incomplete`, help);
  section.lost.add(name.text);
  if (reserved && !couldFollow(RULES.get(token.text) ?? statement.rule, peekSecond(reading)))
    reading.index += 1;
  return false;
}

/** Reads a secret, and keeps it out of every message. */
export function parseSecret(reading: Reading, section: Section, statement: Statement): boolean {
  const { name } = statement;
  mask(name.file, name.line, name.column + name.length);
  if (!isArgument(reading, false)) {
    reading.reporter.error(name, "'secret' is incomplete", `expected ${statement.rule.expected}`);
    section.lost.add('secret');
    return false;
  }
  const word = next(reading);
  mask(word.file, word.line, word.column);
  statement.args.push(toWord(word));
  if (word.flawed) section.broken = true;
  const rest = peek(reading);
  if (
    (rest.kind === 'word' || rest.kind === 'string') &&
    rest.line === word.line &&
    !startsStatement(reading)
  ) {
    reading.reporter.error(rest, 'the secret has several words', 'a string with blanks must be quoted');
    skipLine(reading, word.line);
  }
  return !word.flawed;
}

/** Words left over on the line of a statement that has all it takes. */
export function rejectRest(reading: Reading, section: Section, statement: Statement): void {
  const token = peek(reading);
  const last = statement.args.at(-1) ?? statement.name;
  const extra = token.kind === 'string' || (token.kind === 'word' && !RULES.has(token.text));
  if (!extra || token.startsLine || token.line !== last.line) return;
  const closest = token.kind === 'word' ? nearest(token.text, allowedIn(section.kind)) : '';
  if (closest !== '') return; // a mistyped statement on the same line: reported as one
  const message = `unexpected${shown(section, token)} after '${statement.name.text}'`;
  reading.reporter.error(token, message, `expected only ${statement.rule.expected}`);
  skipLine(reading, token.line);
}

/** Reports a word that is no statement, and skips what belongs to it. */
export function unknownStatement(reading: Reading, section: Section, name: Token): void {
  const closest = nearest(name.text, allowedIn(section.kind));
  const elsewhere = closest === '' ? nearest(name.text, RULES.keys()) : '';
  if (closest === 'key' || elsewhere === 'secret' || (section.kind === 'key' && closest !== '')) {
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
  if (hint !== undefined) return hint;
  if (closest !== '') return `did you mean ${quote(closest)}?`;
  if (elsewhere === '') return `known here: ${allowedIn(section.kind).join(' ')}`;
  const places = (RULES.get(elsewhere)?.sections ?? []).map(sectionTitle).join(', ');
  return `did you mean ${quote(elsewhere)}, which is allowed in ${places}?`;
}

/** A stray word for a message, with the blank before it; in a key it may be a part of the secret. */
function shown(section: Section, token: Token): string {
  if (section.kind !== 'key') return ` ${quote(token.text)}`;
  mask(token.file, token.line, token.column);
  return ' word';
}

/** A token as a word of the tree. */
export function toWord(token: Token): Word {
  const { file, line, column, length, text } = token;
  return { file, line, column, length, text, quoted: token.kind === 'string' };
}
