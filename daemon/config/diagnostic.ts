/**
 * Messages about places in a configuration file: collecting them, and showing them to a person.
 * It owns the rule that a secret is never shown; it does not know what the statements mean.
 */
import { RULES } from './grammar.js';
import type { Diagnostic } from './types.js';

/** One file that is being read. */
export interface SourceFile {
  /** As it is shown in messages. */
  name: string;
  text: string;
  /** Line -> column from which the line holds what nobody may see. */
  masks: Map<number, number>;
}

/** A stretch of one line of a file; line 0 stands for the file as a whole. Columns count UTF-16 units, from 1. */
export interface Place {
  file: SourceFile;
  line: number;
  column: number;
  length: number;
}

export interface Reporter {
  error(place: Place, message: string, help?: string): void;
  warning(place: Place, message: string, help?: string): void;
  /** True once so many errors are known that reading on helps nobody. */
  readonly full: boolean;
  /** True once there is an error. */
  readonly failed: boolean;
  /** Everything reported, in the order of the files and lines, each thing once. */
  finish(): Diagnostic[];
}

/** Errors, and warnings, that one run shows at most: bounds time and memory on a file that is no configuration. */
export const DIAGNOSTICS_MAX = 100;

const SHOWN_COLUMNS_MAX = 110;

/** Begins an empty collection of messages. */
export function createReporter(): Reporter {
  const found = new Map<string, { place: Place; diagnostic: Diagnostic }>();
  const files = new Map<SourceFile, number>();
  const count = { error: 0, warning: 0 };

  function add(severity: 'error' | 'warning', place: Place, message: string, help: string): void {
    const { file, line, column, length } = place;
    if (!files.has(file)) files.set(file, files.size);
    const key = `${files.get(file)}:${line}:${column}:${severity}:${message}`;
    if (found.has(key)) return;
    if (count[severity] >= DIAGNOSTICS_MAX) return;
    count[severity] += 1;
    const diagnostic: Diagnostic = { severity, file: file.name, line, column, length, message, help };
    if (count[severity] === DIAGNOSTICS_MAX) {
      diagnostic.message = `too many ${severity}s; the rest is not shown`;
      diagnostic.help = '';
    }
    found.set(key, { place, diagnostic });
  }

  return {
    error: (place, message, help = '') => add('error', place, message, help),
    warning: (place, message, help = '') => add('warning', place, message, help),
    get full() {
      return count.error >= DIAGNOSTICS_MAX;
    },
    get failed() {
      return count.error > 0;
    },
    finish() {
      const order = (place: Place) => (place.line === 0 ? Number.MAX_SAFE_INTEGER : place.line);
      const sorted = [...found.values()].sort(
        (a, b) =>
          (files.get(a.place.file) ?? 0) - (files.get(b.place.file) ?? 0) ||
          order(a.place) - order(b.place) ||
          a.place.column - b.place.column,
      );
      const shown = new Map<SourceFile, LineViewer>();
      for (const { place, diagnostic } of sorted) {
        if (place.line === 0) continue;
        const viewer = shown.get(place.file) ?? createLineViewer(place.file);
        shown.set(place.file, viewer);
        const { source, hidden } = viewer(place.line);
        diagnostic.source = source;
        diagnostic.message = hideQuoted(diagnostic.message, hidden);
      }
      return sorted.map(({ diagnostic }) => diagnostic);
    },
  };
}

/**
 * A message as a terminal or a log shows it: `file:line:column: error: message`, the line, a caret line under the
 * place, and the help. Without a final newline.
 */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { line, column, length, severity, source } = diagnostic;
  const [file, message, help] = [diagnostic.file, diagnostic.message, diagnostic.help].map(printable);
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  const shown = [`${place}: ${severity}: ${message}`];
  if (line > 0 && source !== undefined) {
    // What is hidden may have been longer than what is shown for it.
    const index = Math.min(column - 1, Math.max(0, source.length - 1));
    // A line of thousands of characters is cut to a window around the place.
    const start = index + Math.min(length, 40) > SHOWN_COLUMNS_MAX ? Math.max(0, index - 40) : 0;
    const window = source.slice(start, start + SHOWN_COLUMNS_MAX);
    const before = source.slice(start, index).replace(/[^\t]/g, ' ');
    const marked = Math.max(1, Math.min(length, window.length - before.length));
    shown.push(window, `${before}^${'~'.repeat(marked - 1)}`);
  }
  if (help !== '') shown.push(`  ${help}`);
  return shown.join('\n');
}

/** Several messages, one after the other, each with its newline; '' for none. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map((diagnostic) => `${formatDiagnostic(diagnostic)}\n`).join('');
}

/** What stands in a file, quoted for a message: shortened, and free of passwords and of what would upset a terminal. */
export function quote(text: string): string {
  const free = withoutPassword(text);
  const short = free.length > 60 ? `${free.slice(0, 57)}...` : free;
  return `'${printable(short)}'`;
}

/** Of what may be a URL: all between the name of a user and the last `@` is taken for the password. */
function withoutPassword(text: string): string {
  const end = text.lastIndexOf('@');
  const user = end < 0 ? null : /:\/\/[^\s/?@:]*:/.exec(text);
  const start = user === null ? end : user.index + user[0].length;
  return start < end ? `${text.slice(0, start)}***${text.slice(end)}` : text;
}

/** Where something stands, seen from another place: the line, and the file where it is another one. */
export function whereIs(place: Place, from: Place): string {
  if (place.line === 0) return place.file.name;
  return place.file === from.file ? `line ${place.line}` : `${place.file.name}:${place.line}`;
}

/** Keeps a line from column on out of every message. */
export function mask(file: SourceFile, line: number, column: number): void {
  const present = file.masks.get(line);
  if (present === undefined || column < present) file.masks.set(line, column);
}

/** The lines of a file as they may be shown, and what is hidden of each. */
type LineViewer = (line: number) => { source: string; hidden: string };

function createLineViewer(file: SourceFile): LineViewer {
  const lines = file.text.split('\n');
  const views = new Map<number, ReturnType<LineViewer>>();
  return (line) => {
    const view =
      views.get(line) ?? viewLine((lines[line - 1] ?? '').replace(/\r$/, ''), file.masks.get(line));
    views.set(line, view);
    return view;
  };
}

/** Up to the password of a URL. */
const URL_PASSWORD = /:\/\/[^\s"/?#@:]*:(?=[^\s"/?#]*@)/;

function viewLine(line: string, masked = Number.POSITIVE_INFINITY): ReturnType<LineViewer> {
  // Where the syntax is broken the parser may not have recognised the statement: its word gives it away.
  const word = /(?:^|[\s{;"'])secret(?=[^\w./-]|$)/.exec(line);
  const password = URL_PASSWORD.exec(line);
  const hiddenFrom = Math.min(
    masked,
    word === null ? masked : word.index + word[0].length + 1,
    password === null ? masked : password.index + password[0].length + 1,
  );
  if (hiddenFrom > line.length) return { source: printable(line), hidden: '' };
  // Not even its length is shown.
  const source = `${printable(line.slice(0, hiddenFrom - 1)).trimEnd()} ***`;
  return { source, hidden: printable(line.slice(hiddenFrom - 1)) };
}

/** A message without the words that its line hides; `=`, `,` and the names of statements tell nothing. */
function hideQuoted(message: string, hidden: string): string {
  if (hidden === '') return message;
  return message.replace(/'([^']*)'/g, (quoted, text: string) => {
    const secret = hidden.includes(text.replace(/\.\.\.$/, '')) && !/^[,=]*$/.test(text) && !RULES.has(text);
    return secret ? "'***'" : quoted;
  });
}

function printable(text: string): string {
  // Control characters could move the cursor or colour the terminal; a tab only indents.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to be found
  return text.replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028-\u202e\ufeff]/g, '?');
}
