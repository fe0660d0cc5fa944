/**
 * The lines of actions.conf and checks.conf as sections and words, each with its place. It does not know what a section is for, nor
 * which options there are.
 */
import type { Place, Reporter, SourceFile } from '../config/diagnostic.js';

export interface LineWord extends Place {
  text: string;
}

export interface CommandLine {
  /** The whole command, from its program on. */
  place: Place;
  /** `key=value` before the program, in their order. */
  options: { key: LineWord; value: LineWord }[];
  /** The program and its arguments; empty where the line is the shell's, and after an error in it. */
  words: LineWord[];
  /** What follows `sh:`; null for a line that needs no shell. */
  shell: LineWord | null;
}

export interface SectionLines {
  /** What stands between the brackets. */
  name: LineWord;
  commands: CommandLine[];
}

/** More than anybody writes by hand; it bounds what a file that is none of these can cost. */
const LINES_MAX = 10_000;

const OPTION = /^([a-z_]+)=(\S*)(?=\s|$)/;

/** The sections of a file. Errors are reported, and such lines left out. */
export function readSections(file: SourceFile, reporter: Reporter): SectionLines[] {
  const sections: SectionLines[] = [];
  const lines = file.text.replace(/^\ufeff/, '').split('\n');
  let lost = false;
  for (const [index, raw] of lines.entries()) {
    const line = raw.replace(/\r$/, '');
    const start = line.search(/\S/);
    if (start < 0 || line[start] === '#') continue;
    if (index >= LINES_MAX) {
      reporter.error(
        at(file, index, start, line.length),
        `the file is too long: more than ${LINES_MAX} lines`,
      );
      break;
    }
    const nul = line.indexOf('\0');
    if (nul >= 0) {
      reporter.error(at(file, index, nul, nul + 1), 'a null character, which no command can have');
      continue;
    }
    if (line[start] === '[') {
      const section = readHeader(file, index, start, line, reporter);
      lost = section === null;
      if (section !== null) sections.push(section);
      continue;
    }
    const command = readCommand(file, index, start, line, reporter);
    const section = sections.at(-1);
    if (section === undefined && !lost)
      reporter.error(
        at(file, index, start, line.length),
        'a command outside of every section',
        'expected [NAME] above it',
      );
    else if (command !== null && !lost) section?.commands.push(command);
  }
  return sections;
}

function readHeader(
  file: SourceFile,
  index: number,
  start: number,
  line: string,
  reporter: Reporter,
): SectionLines | null {
  const end = line.indexOf(']', start);
  if (end < 0) {
    reporter.error(
      at(file, index, start, line.length),
      "the section's name has no end",
      'expected a closing ]',
    );
    return null;
  }
  const after = line.slice(end + 1).search(/\S/);
  if (after >= 0 && line[end + 1 + after] !== '#') {
    const place = at(file, index, end + 1 + after, line.length);
    reporter.error(place, 'a command on the line of the section', 'expected it on a line of its own');
  }
  const inside = line.slice(start + 1, end);
  const text = inside.trim();
  const from = start + 1 + Math.max(0, inside.indexOf(text));
  return { name: { ...at(file, index, from, from + text.length), text }, commands: [] };
}

function readCommand(
  file: SourceFile,
  index: number,
  start: number,
  line: string,
  reporter: Reporter,
): CommandLine | null {
  const options: CommandLine['options'] = [];
  let from = start;
  for (;;) {
    const [whole, key, value] = OPTION.exec(line.slice(from)) ?? [];
    if (whole === undefined || key === undefined || value === undefined) break;
    const middle = from + key.length;
    options.push({
      key: { ...at(file, index, from, middle), text: key },
      value: { ...at(file, index, middle + 1, from + whole.length), text: value },
    });
    const next = line.slice(from + whole.length).search(/\S/);
    if (next < 0 || line[from + whole.length + next] === '#') {
      reporter.error(at(file, index, from, line.length), 'an option without a command behind it');
      return null;
    }
    from += whole.length + next;
  }
  const place = at(file, index, from, line.trimEnd().length);
  if (/^sh:(\s|$)/.test(line.slice(from))) {
    const text = line.slice(from + 3).trim();
    const begin = line.indexOf(text, from + 3);
    if (text === '') {
      reporter.error(place, 'nothing for the shell to run', 'expected sh: COMMAND');
      return null;
    }
    return { place, options, words: [], shell: { ...at(file, index, begin, begin + text.length), text } };
  }
  return { place, options, words: splitWords(file, index, from, line, reporter), shell: null };
}

/** The words of a line from `from` on, up to a comment; none after an error. */
function splitWords(
  file: SourceFile,
  index: number,
  from: number,
  line: string,
  reporter: Reporter,
): LineWord[] {
  const words: LineWord[] = [];
  for (let at0 = from; at0 < line.length; ) {
    if (/\s/.test(line[at0] ?? '')) {
      at0 += 1;
      continue;
    }
    if (line[at0] === '#') break;
    const word = readWord(line, at0);
    if ('problem' in word) {
      reporter.error(at(file, index, word.index, word.index + 1), word.problem, word.help);
      return [];
    }
    words.push({ ...at(file, index, at0, word.end), text: word.text });
    at0 = word.end;
  }
  return words;
}

type ReadWord = { text: string; end: number } | { problem: string; help: string; index: number };

/** One word: as in the shell, quoted parts and bare ones together; `\"` and `\\` between quotation marks. */
function readWord(line: string, start: number): ReadWord {
  let text = '';
  let quote = '';
  let opened = start;
  let index = start;
  for (; index < line.length; index += 1) {
    const character = line[index] ?? '';
    if (quote === '' && /\s/.test(character)) break;
    if (character === '\\' && quote === '"' && /["\\]/.test(line[index + 1] ?? '')) {
      index += 1;
      text += line[index];
    } else if (character === '\\' && quote === '' && /["'\s]/.test(line[index + 1] ?? ' ')) {
      const help = 'a word with blanks or quotation marks is quoted as a whole: "a b"';
      return { problem: 'a backslash quotes nothing here', help, index };
    } else if (quote === '' && (character === '"' || character === "'")) {
      quote = character;
      opened = index;
    } else if (character === quote) quote = '';
    else text += character;
  }
  if (quote === '') return { text, end: index };
  return {
    problem: 'the quoted word does not end on its line',
    help: `expected a closing ${quote}`,
    index: opened,
  };
}

function at(file: SourceFile, index: number, from: number, to: number): Place {
  return { file, line: index + 1, column: from + 1, length: Math.max(1, to - from) };
}
