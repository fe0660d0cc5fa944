/**
 * Tokens to a syntax tree, with every error of the file in one run. It knows the statements' shapes and places from
 * grammar.ts; it does not know what their values mean.
 */
import path from 'node:path';
import {
  parseCondition,
  parseFailback,
  parseList,
  parseLogin,
  parseNodeAddress,
  parseOneArgument,
  parseSecret,
  type Reading,
  rejectRest,
  takeArgument,
  toWord,
  unknownStatement,
} from './arguments.js';
import { isArgument, peek, skipBlock, skipLine } from './cursor.js';
import { mask, type Place, quote, type Reporter, type SourceFile } from './diagnostic.js';
import type { Parsed } from './duration.js';
import { findRule, holdsSecrets, opensElsewhere, RULES, type SectionKind, sectionTitle } from './grammar.js';
import { type Token, tokenize } from './lexer.js';
import type { Section, Statement } from './tree.js';

/** How to read an included file, by its resolved path: its text, or why not. */
export type ReadInclude = (file: string) => Parsed<string>;

export interface Tree {
  root: Section;
  /** The included files by their resolved paths, each once. */
  includes: string[];
}

export const INCLUDE_DEPTH_MAX = 10;
export const INCLUDES_MAX = 200;
/** Longer files are refused unread. */
export const FILE_CHARACTERS_MAX = 16 * 1024 * 1024;

interface Parser extends Reading {
  readInclude: ReadInclude;
  /** The files being read, outermost first. */
  open: string[];
  includes: string[];
  inclusions: number;
  /** Closing braces that will turn up although their sections were closed by a guess. */
  forgiven: number;
}

/** Parses a file and what it includes, as a section of this kind. Throws nothing; errors are in the reporter. */
export function parseTree(
  file: SourceFile,
  readInclude: ReadInclude,
  reporter: Reporter,
  kind: SectionKind = 'global',
): Tree {
  const root = createSection(kind);
  const parser: Parser = {
    reporter,
    readInclude,
    tokens: [],
    index: 0,
    kind,
    open: [path.resolve(file.name)],
    includes: [],
    inclusions: 0,
    forgiven: 0,
  };
  parseFile(parser, file, root);
  return { root, includes: parser.includes };
}

function parseFile(parser: Parser, file: SourceFile, section: Section): void {
  const { tokens, index, forgiven, reporter } = parser;
  if (file.text.length > FILE_CHARACTERS_MAX) {
    reporter.error(wholeFile(file), `the file is too large: more than ${FILE_CHARACTERS_MAX} characters`);
    return;
  }
  parser.tokens = tokenize(file, reporter);
  parser.index = 0;
  parser.forgiven = 0;
  while (!reporter.full && peek(parser).kind !== 'end') {
    parseSection(parser, section);
    const token = peek(parser);
    if (token.kind === 'close') {
      if (parser.forgiven > 0) parser.forgiven -= 1;
      else reporter.error(token, "'}' without a section to close");
      parser.index += 1;
    } else if (token.kind === 'word') {
      // An included file cannot close the section that includes it.
      reporter.error(token, `${quote(token.text)} is not allowed in ${sectionTitle(section.kind)}`);
      section.broken = true;
      parser.index += 1;
      skipLine(parser, token.line);
    }
  }
  Object.assign(parser, { tokens, index, forgiven });
}

/** Reads statements until the section's closing brace (not consumed), the end, or a sign that the brace is missing. */
function parseSection(parser: Parser, section: Section): void {
  const outer = parser.kind;
  parser.kind = section.kind;
  parseStatements(parser, section);
  parser.kind = outer;
}

function parseStatements(parser: Parser, section: Section): void {
  const { reporter } = parser;
  while (!reporter.full) {
    const token = peek(parser);
    if (token.kind === 'end' || token.kind === 'close') return;
    if (token.kind === 'separator') {
      parser.index += 1;
    } else if (token.kind === 'word' && closesByGuess(section.kind, token.text)) {
      return;
    } else if (token.kind === 'word') {
      parseStatement(parser, section, token);
    } else {
      const found = token.kind === 'open' ? "'{'" : 'quoted string';
      if (holdsSecrets(section.kind)) mask(token.file, token.line, token.column);
      reporter.error(token, `unexpected ${found}`, `expected a statement or '}'`);
      section.broken = true;
      if (token.kind === 'open') skipBlock(parser);
      else parser.index += 1;
    }
  }
}

/** True for a statement that cannot stand in this section but begins one outside of it: a '}' was forgotten. */
function closesByGuess(kind: SectionKind, name: string): boolean {
  if (kind === 'global') return false;
  if (name === 'resource') return true;
  if (kind === 'key' || kind === 'log') return RULES.get(name)?.sections.includes(kind) === false;
  return opensElsewhere(kind, name);
}

function parseStatement(parser: Parser, section: Section, name: Token): void {
  const found = findRule(section.kind, name.text);
  if (found === undefined) {
    unknownStatement(parser, section, name);
    return;
  }
  parser.index += 1;
  const statement: Statement = { rule: found, name: toWord(name), args: [], block: null };
  const allowed = found.sections.includes(section.kind);
  if (!allowed) {
    const places = found.sections.map(sectionTitle).join(', ');
    parser.reporter.error(
      name,
      `${quote(name.text)} is not allowed in ${sectionTitle(section.kind)}`,
      `allowed in ${places}`,
    );
    section.lost.add(found.name);
  }
  if (!parseArguments(parser, section, statement) || !allowed) return;
  if (found.name === 'include') parseInclude(parser, section, statement);
  else section.statements.push(statement);
}

/** Reads what follows the name; false where the statement is of no use. */
function parseArguments(parser: Parser, section: Section, statement: Statement): boolean {
  const { rule } = statement;
  switch (rule.argument) {
    case 'addresses':
      while (isArgument(parser, true)) takeArgument(parser, section, statement);
      return true;
    case 'list':
      if (!parseList(parser, section, statement)) return false;
      rejectBlock(parser, section, statement);
      return true;
    case 'flag':
      rejectRest(parser, section, statement);
      return true;
    case 'login':
      return parseLogin(parser, section, statement);
    case 'node-address':
      return parseNodeAddress(parser, section, statement);
    case 'condition':
      return parseCondition(parser, section, statement);
    case 'failback':
      return parseFailback(parser, section, statement);
    case 'check':
      return parseCheck(parser, section, statement);
    case 'block':
      return parseBlock(parser, section, statement);
    case 'named-block': {
      if (!parseOneArgument(parser, section, statement)) {
        if (peek(parser).kind === 'open') skipBlock(parser);
        return false;
      }
      return parseBlock(parser, section, statement);
    }
    case 'secret':
      return parseSecret(parser, section, statement);
    default:
      if (rule.argument.endsWith('-or-block') && peek(parser).kind === 'open') {
        return parseBlock(parser, section, statement);
      }
      if (!parseOneArgument(parser, section, statement)) return false;
      rejectRest(parser, section, statement);
      return true;
  }
}

/** `check NAME URL`, and a block of options where one follows. */
function parseCheck(parser: Parser, section: Section, statement: Statement): boolean {
  const { args } = statement;
  let complete = parseOneArgument(parser, section, statement);
  const [word] = args;
  if (complete && word !== undefined && !urlFollows(parser)) {
    const bare = word.text.includes('://') || word.text.startsWith('exec:');
    // Not quoted: a URL may hold a password.
    const message = bare ? 'the check has a URL, but no name' : `check ${quote(word.text)} has no URL`;
    parser.reporter.error(
      word,
      message,
      'expected check NAME URL, with a URL such as http://www.example.com/',
    );
    section.broken = true;
    complete = false;
  }
  complete = complete && takeArgument(parser, section, statement);
  if (peek(parser).kind === 'open') return parseBlock(parser, section, statement) && complete;
  if (complete) rejectRest(parser, section, statement);
  return complete;
}

/** True where the next token is meant as a URL: a word at the start of a line is the next statement. */
function urlFollows(parser: Parser): boolean {
  const token = peek(parser);
  return isArgument(parser, false) && (!token.startsLine || token.text.includes(':'));
}

/** Checks are named in a resource, and defined outside of it. */
function rejectBlock(parser: Parser, section: Section, { name }: Statement): void {
  const token = peek(parser);
  if (token.kind !== 'open') return;
  const help =
    section.kind === 'resource' ? 'a check is defined outside of the resource, and named here' : '';
  parser.reporter.error(token, `unexpected '{' after '${name.text}'`, help);
  section.broken = true;
  skipBlock(parser);
}

function parseBlock(parser: Parser, section: Section, statement: Statement): boolean {
  const { reporter } = parser;
  const { name, args } = statement;
  const opening = peek(parser);
  const title = args[0] === undefined ? name.text : `${name.text} ${args[0].text}`;
  const kind = blockKind(name.text, section.kind);
  if (opening.kind !== 'open') {
    if (kind === 'key') mask(name.file, name.line, name.column + name.length);
    const shown = opening.kind === 'word' && kind !== 'key' ? `, found ${quote(opening.text)}` : '';
    reporter.error(opening.kind === 'end' ? name : opening, `expected '{' after ${quote(title)}${shown}`);
    section.broken = true;
    const inside = opening.kind === 'word' && findRule(kind, opening.text)?.sections.includes(kind) === true;
    if (!inside) {
      skipLine(parser, opening.line);
      return false;
    }
  } else {
    parser.index += 1;
  }
  const block = createSection(kind);
  parseSection(parser, block);
  statement.block = block;
  const closing = peek(parser);
  if (closing.kind === 'close') {
    parser.index += 1;
    return true;
  }
  if (!reporter.full) {
    block.broken = true;
    if (closing.kind !== 'end') parser.forgiven += 1;
    const where =
      closing.kind === 'end'
        ? 'at the end of the file'
        : `before ${quote(closing.text)} in line ${closing.line}`;
    reporter.error(name, `${quote(title)} is never closed`, `expected '}' ${where}`);
  }
  return true;
}

function blockKind(name: string, outer: SectionKind): SectionKind {
  if (name === 'on') return outer === 'resource' ? 'resource-node' : 'node';
  if (name === 'resource') return name;
  // The other words that open a section are the names of its kind.
  return name as SectionKind;
}

function parseInclude(parser: Parser, section: Section, statement: Statement): void {
  const { reporter, open } = parser;
  const [word] = statement.args;
  if (word === undefined) return;
  const file = path.resolve(path.dirname(open.at(-1) ?? ''), word.text);
  if (open.includes(file)) {
    reporter.error(
      word,
      `${quote(word.text)} includes itself`,
      [...open, file].slice(open.indexOf(file)).join(' -> '),
    );
    return;
  }
  if (open.length > INCLUDE_DEPTH_MAX || parser.inclusions >= INCLUDES_MAX) {
    const limit = open.length > INCLUDE_DEPTH_MAX ? `${INCLUDE_DEPTH_MAX} deep` : `${INCLUDES_MAX} in all`;
    reporter.error(word, 'too many includes', `at most ${limit}`);
    return;
  }
  parser.inclusions += 1;
  const read = parser.readInclude(file);
  if (!read.ok) {
    reporter.error(word, `cannot read ${quote(file)}: ${read.reason}`);
    section.broken = true;
    return;
  }
  if (!parser.includes.includes(file)) parser.includes.push(file);
  open.push(file);
  parseFile(parser, { name: file, text: read.value, masks: new Map() }, section);
  open.pop();
}

function createSection(kind: SectionKind): Section {
  return { kind, statements: [], lost: new Set(), broken: false };
}

function wholeFile(file: SourceFile): Place {
  return { file, line: 0, column: 1, length: 1 };
}
