/**
 * Moving over the tokens of one file: looking ahead, telling arguments from statements, skipping what is unusable.
 * It builds nothing and reports nothing.
 */
import { couldFollow, findRule, isMonitoring, isOwn, opensElsewhere, type SectionKind } from './grammar.js';
import type { Token } from './lexer.js';

export interface Cursor {
  tokens: Token[];
  index: number;
  /** The section that is being read: it decides which words are statements. */
  kind: SectionKind;
}

/** Skips what an unusable statement left on its line, a block included. */
export function skipLine(cursor: Cursor, line: number): void {
  for (;;) {
    const token = peek(cursor);
    if (token.kind === 'open') {
      skipBlock(cursor);
      return;
    }
    if (token.kind !== 'word' && token.kind !== 'string') return;
    if (token.line !== line || startsStatement(cursor)) return;
    cursor.index += 1;
  }
}

export function skipBlock(cursor: Cursor): void {
  let depth = 0;
  for (;;) {
    const token = peek(cursor);
    if (token.kind === 'end') return;
    cursor.index += 1;
    if (token.kind === 'open') depth += 1;
    if (token.kind === 'close') {
      depth -= 1;
      if (depth === 0) return;
    }
  }
}

/** True where the next token is an argument: a further one of a list, or a single one. */
export function isArgument(cursor: Cursor, list: boolean): boolean {
  const token = peek(cursor);
  if (token.kind === 'string') return true;
  if (token.kind !== 'word') return false;
  if (list) return !startsStatement(cursor);
  if (isMonitoring(cursor.kind)) return !(token.startsLine && startsStatement(cursor));
  const found = findRule(cursor.kind, token.text);
  if (found === undefined) return true;
  const begins = token.startsLine && (!SHAPED.has(found.argument) || startsStatement(cursor));
  return !(found.ancestor || begins);
}

/**
 * True where the next token begins a statement. The ancestor's names are reserved everywhere, as they were there.
 * The newer names are not, so that a host may still be called `log`: they begin a statement at the start of a
 * line, or when followed by what they take. The names of monitoring are reserved in its own sections; elsewhere
 * those that open a section have to be followed by what they take.
 */
export function startsStatement(cursor: Cursor): boolean {
  const token = peek(cursor);
  if (token.kind !== 'word') return false;
  const { kind } = cursor;
  const found = findRule(kind, token.text);
  if (found === undefined || found.sections[0] === 'log') return false;
  const followed = () => couldFollow(found, peekAt(cursor, 1), peekAt(cursor, 2));
  // There is a user called dmonitor, and a statement; a path is what tells them apart.
  if (isMonitoring(kind) && isOwn(kind, token.text))
    return token.startsLine || found.argument !== 'path' || followed();
  if (isMonitoring(kind)) return token.startsLine && opensElsewhere(kind, token.text) && followed();
  if (found.ancestor) return true;
  if (SHAPED.has(found.argument)) return followed();
  return token.startsLine || followed();
}

/** Statements that are recognized by what follows them alone. */
const SHAPED: ReadonlySet<string> = new Set(['block', 'named-block', 'check']);

export function peek(cursor: Cursor): Token {
  return at(cursor, cursor.index);
}

/** The token so many places further on. */
export function peekAt(cursor: Cursor, offset: number): Token {
  return at(cursor, cursor.index + offset);
}

export function next(cursor: Cursor): Token {
  const token = peek(cursor);
  if (token.kind !== 'end') cursor.index += 1;
  return token;
}

function at(cursor: Cursor, index: number): Token {
  const token = cursor.tokens[Math.min(index, cursor.tokens.length - 1)];
  if (token === undefined) throw new Error('the list of tokens has no end');
  return token;
}
