/**
 * The values of single statements of monitoring: their types, notations and ranges. It does not know where a
 * statement stands, what others say, or which kind of check it is for.
 */
import { isIP } from 'node:net';
import type { CheckOptions, HttpOptions, MailSpec, PatternOption } from '../checks/spec.js';
import { quote, type Reporter } from './diagnostic.js';
import type { Parsed } from './duration.js';
import type { Word } from './tree.js';
import { absolutePath, count, duration, inRange, oneOf, pathOrNone, type Reader } from './values.js';

/** The values of statements of one word; durations in milliseconds. */
export interface WordValues {
  interval: number;
  retry_interval: number;
  timeout: number;
  connect_timeout: number;
  receive_timeout: number;
  rise: number;
  fall: number;
  down_after: number;
  confirm: number;
  addresses: CheckOptions['addresses'];
  source: string;
  method: string;
  version: HttpOptions['version'];
  host: string;
  size: number;
  redirects: number;
  verify: boolean;
  ca: string;
  servername: string;
  days: number;
  warning: 'ok' | 'fail';
  database: string;
  /** null: `chroot none`. */
  chroot: string | null;
  flights: number;
  plugins: number;
  resolve_time: number;
  dmonitor: string;
  from: string;
  server: string;
  tls: MailSpec['tls'];
  program: string;
  webhook: string;
  gather: number;
  recovery: boolean;
}

const SECOND = 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Host names and numeric addresses, as a URL has them. */
const HOST = /^[A-Za-z0-9._-]{1,253}$/;
const LABELS_AND_PORT = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?$/;
const MAIL_ADDRESS = /^[A-Za-z0-9.!$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}$/;
/** RFC 9110: a token. */
const HEADER = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([^\0\r\n]*)$/;
/** A body is kept while it is looked at, once for every check under way. */
const SIZE_MAX = 16 * 1024 * 1024;
const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['K', 1024],
  ['M', 1024 * 1024],
]);

export const WORD_READERS: { [Name in keyof WordValues]: Reader<WordValues[Name]> } = {
  interval: duration(10, DAY),
  retry_interval: duration(10, DAY),
  timeout: duration(10, HOUR),
  connect_timeout: duration(10, HOUR),
  receive_timeout: duration(10, HOUR),
  rise: count(1, 255),
  fall: count(1, 255),
  down_after: duration(0, DAY),
  confirm: count(1, 1000),
  addresses: oneOf(['first', 'any', 'all']),
  source: matching((text) => isIP(text) !== 0, 'is not a numeric address', 'expected an address as 10.0.0.1'),
  method: matching((text) => /^[A-Z]{1,20}$/.test(text), 'is no method', 'such as GET or HEAD'),
  version: oneOf(['1.0', '1.1']),
  host: matching(isHostPort, 'is no host', 'expected a host, or host:port'),
  size: inRange(parseSize, 1, SIZE_MAX, 'a number of bytes such as 500, 64KB or 1MB, from 1 to 16MB'),
  redirects: count(0, 20),
  verify: yesNo,
  ca: absolutePath,
  servername: matching((text) => HOST.test(text), "is no host's name"),
  days: count(0, 3650),
  warning: oneOf(['ok', 'fail']),
  database: matching((text) => text !== '' && !/\p{Cc}/u.test(text), "is no database's name"),
  chroot: pathOrNone,
  flights: count(1, 65_536),
  plugins: count(1, 4096),
  resolve_time: duration(SECOND, DAY),
  dmonitor: absolutePath,
  from: mailAddress,
  server: matching(isHostPort, 'is no mail server', 'expected a host, or host:port'),
  tls: oneOf(['none', 'starttls', 'tls']),
  program: absolutePath,
  webhook: readWebhook,
  gather: duration(0, HOUR),
  recovery: yesNo,
};

/** True for a name or a numeric address that can stand in a URL; IPv6 without brackets. */
export function isHost(text: string): boolean {
  return HOST.test(text) || (text.includes(':') && isIP(text) === 6);
}

/** An e-mail address. */
export function mailAddress(word: Word, reporter: Reporter): string | undefined {
  if (MAIL_ADDRESS.test(word.text)) return word.text;
  reporter.error(word, `${quote(word.text)} is no e-mail address`, 'such as ops@example.com');
  return undefined;
}

/** `200` or `200-299`. */
export function readStatus(word: Word, reporter: Reporter): readonly [number, number] | undefined {
  const match = /^([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?$/.exec(word.text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (match !== null && from <= to) return [from, to];
  reporter.error(word, `${quote(word.text)} is no status`, 'expected 200, or 200-299, from 100 to 599');
  return undefined;
}

/** `Name: value`. */
export function readHeader(word: Word, reporter: Reporter): readonly [string, string] | undefined {
  const match = HEADER.exec(word.text);
  if (match === null) {
    // Where there is no colon the text may all the same be a secret.
    reporter.error(word, 'this is no header field', 'expected "Name: value"');
    return undefined;
  }
  const [, name = '', value = ''] = match;
  if (name.toLowerCase() === 'host') {
    reporter.error(word, 'this header field has a statement of its own', 'host NAME');
    return undefined;
  }
  return [name, value.trim()];
}

/** A text that has to be in an answer. */
export function readText(word: Word, reporter: Reporter): PatternOption | undefined {
  if (word.text !== '') return { kind: 'text', text: word.text };
  reporter.error(word, 'an empty text is in every answer');
  return undefined;
}

/** A regular expression of JavaScript's notation. */
export function readPattern(word: Word, reporter: Reporter): PatternOption | undefined {
  const problem = patternProblem(word.text);
  if (problem === '') return { kind: 'pattern', text: word.text };
  reporter.error(word, `no regular expression: ${problem}`, 'in a quoted string a backslash is written \\\\');
  return undefined;
}

/** Why a text is no regular expression; '' where it is one. */
export function patternProblem(source: string, flags = ''): string {
  if (source === '') return 'it is empty, and so in every answer';
  try {
    new RegExp(source, flags);
    return '';
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return reason.replace(/^Invalid regular expression: \/[\s\S]*\/\w*: /, '');
  }
}

/** What is sent or expected byte by byte: no character stands for more than one. */
export function readBytes(word: Word, reporter: Reporter): string | undefined {
  const lines = /[^\0-\x7f]/.test(word.text) ? word.file.text.split('\n') : [];
  const written = (lines[word.line - 1] ?? '').slice(word.column - 1, word.column - 1 + word.length);
  // Written as \xHH they are bytes; written as letters nobody knows which bytes are meant.
  const beyond = /[^\0-\x7f]/u.exec(written);
  if (beyond !== null) {
    const bytes = [...Buffer.from(beyond[0])].map((byte) => `\\x${byte.toString(16).toUpperCase()}`).join('');
    const place = { ...word, column: word.column + beyond.index, length: beyond[0].length };
    reporter.error(place, 'a letter beyond ASCII', `it is written byte by byte: in UTF-8 ${bytes}`);
    return undefined;
  }
  if (word.text !== '') return word.text;
  reporter.error(word, 'the text is empty');
  return undefined;
}

function readWebhook(word: Word, reporter: Reporter): string | undefined {
  if (/^https?:\/\/[^\s/?#]+\S*$/.test(word.text) && URL.canParse(word.text)) return word.text;
  // Not quoted: such URLs are secrets.
  reporter.error(word, 'this is no URL of a webhook', 'expected "https://host/path"');
  return undefined;
}

function yesNo(word: Word, reporter: Reporter): boolean | undefined {
  const value = oneOf(['yes', 'no'])(word, reporter);
  return value === undefined ? undefined : value === 'yes';
}

function matching(test: (text: string) => boolean, problem: string, help = ''): Reader<string> {
  return (word, reporter) => {
    if (test(word.text)) return word.text;
    reporter.error(word, `${quote(word.text)} ${problem}`, help);
    return undefined;
  };
}

function isHostPort(text: string): boolean {
  const port = LABELS_AND_PORT.exec(text);
  if (port === null) return false;
  return port[1] === undefined || (Number(port[1]) >= 1 && Number(port[1]) <= 65_535);
}

function parseSize(text: string): Parsed<number> {
  const match = /^([0-9]{1,15})([KM]?)B?$/i.exec(text);
  const unit = UNITS.get((match?.[2] ?? '').toUpperCase());
  if (match === null || unit === undefined) return { ok: false, reason: 'is not a number of bytes' };
  return { ok: true, value: Number(match[1]) * unit };
}
