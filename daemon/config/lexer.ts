/**
 * Characters to tokens. It knows the ancestor's words and comments, quoted strings and braces; it does not know
 * which words are statements.
 */
import { CHECK_KINDS } from '../checks/url.js';
import { type Place, quote, type Reporter, type SourceFile } from './diagnostic.js';

export interface Token extends Place {
  /** `word` is bare, `string` was quoted and is never a statement; `end` is the end of the file. */
  kind: 'word' | 'string' | 'open' | 'close' | 'separator' | 'end';
  /** What the word or string stands for, escapes resolved. */
  text: string;
  /** True for the first token of its line. */
  startsLine: boolean;
  /** True for a string that an error has been reported for: nothing more is to be said about it. */
  flawed: boolean;
  /** How far inside of a string its first `\r` or `\xHH` stands, which only some statements take; -1 for none. */
  bytesAt: number;
}

/** More than any cluster needs; it bounds the memory that a file can cost. */
export const TOKENS_MAX = 1_000_000;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['n', '\n'],
  ['t', '\t'],
]);
const BYTE = /[0-9A-Fa-f]{2}/y;

/** What may stand in a bare word: printable ASCII but for `"#',;={}`. */
const WORD = /[!$-&(-+\--:<>-z|~]+/y;
/**
 * A check's URL may have `,` and `=` in it. Not for `tcp://`: addresses of nodes begin so, whose lists may be
 * separated by commas, as ever.
 */
const URL_WORD = /(?:(?!tcp:)[a-z][a-z0-9]{1,9}:\/\/|exec:\/)[!$-:<-z|~]*/y;
const CHECK_SCHEMES: ReadonlySet<string> = new Set([...CHECK_KINDS, 'postgresql', 'mariadb', 'icmp']);
const BLANKS_AND_COMMENT = /(?:[ \t\r\f\v]+|#[^\n]*)+/y;
const IGNORED = /[,=]+/y;

const PUNCTUATION: ReadonlyMap<string, Token['kind']> = new Map([
  ['{', 'open'],
  ['}', 'close'],
  [';', 'separator'],
]);

interface Scanner {
  file: SourceFile;
  reporter: Reporter;
  line: number;
  lineStart: number;
}

/**
 * The tokens of a file, ending in one of kind `end`. Errors are reported and skipped.
 *
 * The ancestor's scanner passed over characters it had no rule for, so `a, b` and `timeout = 5` worked there: `,`
 * and `=` still mean nothing, with a warning. `;` may end a statement.
 */
export function tokenize(file: SourceFile, reporter: Reporter): Token[] {
  const { text } = file;
  const scanner: Scanner = { file, reporter, line: 1, lineStart: 0 };
  const tokens: Token[] = [];
  let startsLine = true;
  let index = text.startsWith('\ufeff') ? 1 : 0;

  const push = (kind: Token['kind'], value: string, to: number, flawed = false, bytesAt = -1): void => {
    const column = index - scanner.lineStart + 1;
    const length = Math.max(1, to - index);
    const { line } = scanner;
    tokens.push({ file, line, column, length, kind, text: value, startsLine, flawed, bytesAt });
    startsLine = false;
  };

  while (index < text.length && !reporter.full) {
    let end = index + 1;
    const character = text[index] ?? '';
    const kind = PUNCTUATION.get(character);
    if (character === '\n') {
      scanner.line += 1;
      scanner.lineStart = end;
      startsLine = true;
    } else if (kind !== undefined) {
      push(kind, character, end);
    } else if (character === '"') {
      const string = readString(scanner, index);
      end = string.end;
      push('string', string.value, end, string.flawed, string.bytesAt);
    } else if (matchesUrl(text, index)) {
      end = URL_WORD.lastIndex;
      push('word', text.slice(index, end), end);
    } else if (matches(WORD, text, index)) {
      end = WORD.lastIndex;
      push('word', text.slice(index, end), end);
    } else if (matches(BLANKS_AND_COMMENT, text, index)) {
      end = BLANKS_AND_COMMENT.lastIndex;
    } else if (matches(IGNORED, text, index)) {
      end = IGNORED.lastIndex;
      const message = `${quote(text.slice(index, end))} means nothing here and is ignored`;
      reporter.warning(place(scanner, index, end), message, 'a word that contains it must be quoted');
    } else {
      end = unexpected(scanner, index);
    }
    index = end;
    if (tokens.length >= TOKENS_MAX) {
      reporter.error(place(scanner, index, index), `the file is too large: more than ${TOKENS_MAX} words`);
      break;
    }
  }
  push('end', '', index);
  return tokens;
}

/** Tries a sticky pattern at an index; where it matches, its lastIndex is the end. */
function matches(pattern: RegExp, text: string, index: number): boolean {
  pattern.lastIndex = index;
  return pattern.test(text);
}

function matchesUrl(text: string, index: number): boolean {
  if (!matches(URL_WORD, text, index)) return false;
  return CHECK_SCHEMES.has(text.slice(index, text.indexOf(':', index)));
}

function place({ file, line, lineStart }: Scanner, from: number, to: number): Place {
  return { file, line, column: from - lineStart + 1, length: Math.max(1, to - from) };
}

interface ReadString {
  value: string;
  end: number;
  flawed: boolean;
  bytesAt: number;
}

/** Reads the string whose opening quotation mark is at start. */
function readString(scanner: Scanner, start: number): ReadString {
  const { reporter } = scanner;
  const { text } = scanner.file;
  const read: ReadString = { value: '', end: 0, flawed: false, bytesAt: -1 };
  let index = start + 1;
  for (; index < text.length && text[index] !== '\n'; index += 1) {
    const character = text[index] ?? '';
    if (character === '"') return { ...read, end: index + 1 };
    if (character === '\\' && (text[index + 1] ?? '\n') !== '\n') {
      index = readEscape(scanner, start, index + 1, read);
    } else if (character !== '\t' && /\p{Cc}/u.test(character)) {
      read.flawed = true;
      reporter.error(place(scanner, index, index + 1), 'control character in a quoted string');
    } else {
      read.value += character;
    }
  }
  const message = 'the quoted string does not end on its line';
  reporter.error(place(scanner, start, index), message, 'expected a closing "');
  return { ...read, end: index, flawed: true };
}

/** Reads what follows a backslash; returns where it ends: the index of its last character. */
function readEscape(scanner: Scanner, start: number, index: number, read: ReadString): number {
  const { text } = scanner.file;
  const character = text[index] ?? '';
  const byte = character === 'x' && matches(BYTE, text, index + 1);
  if (byte || character === 'r') {
    if (read.bytesAt < 0) read.bytesAt = index - 1 - start;
    read.value += byte ? String.fromCharCode(Number.parseInt(text.slice(index + 1, index + 3), 16)) : '\r';
    return byte ? index + 2 : index;
  }
  const meant = ESCAPES.get(character);
  if (meant === undefined) {
    read.flawed = true;
    unknownEscape(scanner.reporter, place(scanner, index - 1, index + 1));
  }
  read.value += meant ?? '';
  return index;
}

/** Reports an escape that means nothing where it stands. */
export function unknownEscape(reporter: Reporter, where: Place): void {
  reporter.error(where, 'unknown escape in a quoted string', 'known are \\" \\\\ \\n \\t');
}

/** Reports a run of characters that belong nowhere, and returns where it ends. */
function unexpected(scanner: Scanner, start: number): number {
  const { text } = scanner.file;
  const run = /[^\n\t -~]+|./uy;
  run.lastIndex = start;
  run.exec(text);
  const end = Math.max(run.lastIndex, start + 1);
  const code = text.codePointAt(start) ?? 0;
  const visible = code > 0x20 && code < 0x7f;
  const name = visible
    ? quote(text.slice(start, end))
    : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  scanner.reporter.error(place(scanner, start, end), `unexpected character ${name}`, characterHelp(code));
  return end;
}

function characterHelp(code: number): string {
  if (code === 0x27) return 'strings are quoted with "';
  if (code === 0xa0) return 'it is a no-break space';
  return code > 0x7f ? 'other than ASCII only in comments and quoted strings' : '';
}
