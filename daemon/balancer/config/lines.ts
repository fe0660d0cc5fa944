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
const CONTROL = /[^\P{Cc}\t]/u;
const WORD = /\S+/g;
/** Where a password may begin if there is an `@` after it, also in what is no URL: behind a colon that no port explains. */
const PASSWORD = /:\/\/[^\s/?@:]*:(?![0-9]{0,5}(?:[/?\s]|$))/;

/** Every line that says something, in order. What is no text is reported. */
export function* readLines(file: SourceFile, reporter: Reporter): Generator<Line> {
  let number = 0;
  for (const raw of file.text.split('\n')) {
    number += 1;
    if (reporter.full) return;
    const line = readLine(file, number, raw.endsWith('\r') ? raw.slice(0, -1) : raw, reporter);
    if (line !== null) yield line;
  }
}

function readLine(file: SourceFile, line: number, raw: string, reporter: Reporter): Line | null {
  const at = raw.lastIndexOf('@');
  const password = at < 0 ? null : PASSWORD.exec(raw);
  if (password !== null && password.index < at) mask(file, line, password.index + password[0].length + 1);
  const comment = raw.search(COMMENT);
  const cut = comment < 0 ? raw.length : comment;
  const text = raw.slice(0, cut);
  const control = text.search(CONTROL);
  if (control >= 0) {
    const place = wordAt(file, line, control, text.slice(control, control + 1));
    reporter.error(place, 'a control character', 'a file of text has none');
    return null;
  }
  const option = OPTION.exec(text);
  if (option !== null) {
    const [, blank = '', key = '', equals = '', value = ''] = option;
    const start = blank.length + key.length + equals.length;
    return {
      kind: 'option',
      key: wordAt(file, line, blank.length, key),
      value: wordAt(file, line, start, value.trimEnd()),
    };
  }
  const words: Word[] = [];
  for (const match of text.matchAll(WORD)) words.push(wordAt(file, line, match.index, match[0]));
  const [first] = words;
  if (first === undefined) return null;
  if (!first.text.startsWith('!')) return { kind: 'host', words };
  const joined = comment > 0 && /\S/.test(raw[cut - 1] ?? '');
  return {
    ...{ kind: 'service', mark: first, words: words.slice(1) },
    comment: joined ? wordAt(file, line, cut, raw.slice(cut)) : null,
  };
}

function wordAt(file: SourceFile, line: number, start: number, text: string): Word {
  return { file, line, column: start + 1, length: Math.max(1, text.length), text, quoted: false };
}

/** A part of a word, with its place. */
export function partOf(word: Word, start: number, text: string): Word {
  return wordAt(word.file, word.line, word.column - 1 + start, text);
}
