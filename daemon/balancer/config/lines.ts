/**
 * The lines of the balancer's file as words with their places: comments cut off, secrets masked. It knows the three kinds of line, and
 * nothing of what they say.
 */
import { mask, type Place, type Reporter, type SourceFile } from '../../config/diagnostic.js';
import type { Word } from '../../config/tree.js';

export type Line =
  /** `key=value`; the value may be empty. */
  | { kind: 'option'; key: Word; value: Word }
  /** `! tag …`: the words after the exclamation mark, which is `mark`. */
  | { kind: 'service'; mark: Word; words: Word[]; comment: Place | null }
  | { kind: 'host'; words: Word[] };

/** As in ipvs-weightman: wherever they stand. */
const COMMENT = /[#;]/;
const OPTION = /^(\s*)([^=\s!]+)(\s*=\s*)(.*)$/;
/** Where a password may begin, also in what is no URL: behind a colon, with an `@` after it that no port explains. */
const PASSWORD = /:\/\/[^\s/?@:]*:(?![0-9]*(?:[/?\s]|$))(?=\S*@)/;

/** Every line that says something, in order. What is no text is reported. */
export function readLines(file: SourceFile, reporter: Reporter): Line[] {
  const lines: Line[] = [];
  for (const [index, raw] of file.text.split('\n').entries()) {
    if (reporter.full) break;
    const number = index + 1;
    const line = readLine(file, number, raw.replace(/\r$/, ''), reporter);
    if (line !== null) lines.push(line);
  }
  return lines;
}

function readLine(file: SourceFile, number: number, raw: string, reporter: Reporter): Line | null {
  const password = PASSWORD.exec(raw);
  if (password !== null) mask(file, number, password.index + password[0].length + 1);
  const cut = COMMENT.exec(raw)?.index ?? raw.length;
  const text = raw.slice(0, cut);
  const word = (start: number, said: string): Word => ({
    ...{ file, line: number, column: start + 1, length: Math.max(1, said.length) },
    ...{ text: said, quoted: false },
  });
  const control = /[^\P{Cc}\t]/u.exec(text);
  if (control !== null) {
    reporter.error(word(control.index, control[0]), 'a control character', 'a file of text has none');
    return null;
  }
  const option = OPTION.exec(text);
  if (option !== null) {
    const [, blank = '', key = '', equals = '', value = ''] = option;
    const start = blank.length + key.length + equals.length;
    return { kind: 'option', key: word(blank.length, key), value: word(start, value.trimEnd()) };
  }
  const words = [...text.matchAll(/\S+/g)].map((match) => word(match.index, match[0]));
  const [first, ...rest] = words;
  if (first === undefined) return null;
  if (!first.text.startsWith('!')) return { kind: 'host', words };
  const joined = cut > 0 && cut < raw.length && /\S/.test(raw[cut - 1] ?? '');
  return { kind: 'service', mark: first, words: rest, comment: joined ? word(cut, raw.slice(cut)) : null };
}

/** A part of a word, with its place. */
export function partOf(word: Word, start: number, text: string): Word {
  return { ...word, column: word.column + start, length: Math.max(1, text.length), text };
}
