/**
 * The values of single statements: their types, notations and ranges. It does not know where a statement stands
 * or what it means beside others.
 */
import path from 'node:path';
import type { Role } from '../core/types.js';
import type { HttpSettings } from '../http/settings.js';
import { parseAddress } from './address.js';
import { quote, type Reporter } from './diagnostic.js';
import { formatDuration, formatPercent, type Parsed, parseDuration, parsePercent } from './duration.js';
import { httpListen, httpToken } from './http-values.js';
import { nearest } from './suggest.js';
import type { Word } from './tree.js';
import type { Address, Key, LogConfig } from './types.js';

/** The values of the statements that a section may say once; durations in milliseconds, the drift in ppm. */
export interface Values {
  timeout: number;
  attempts: number;
  heartbeat_interval: number;
  complaint_count: number;
  complaint_interval: number;
  lease_timeout: number;
  start_timeout: number;
  stop_timeout: number;
  status_timeout: number;
  status_interval: number;
  switchover_timeout: number;
  fence_timeout: number;
  /** Infinity: `failback never`. */
  failback: number;
  drift: number;
  priority: number;
  exec: string;
  actions: string;
  /** null: `action_checks none`. */
  action_checks: string | null;
  action_directory: string;
  action_timeout: number;
  action_interval: number;
  /** null: `fence none`. */
  fence: string | null;
  role_on_start: Role;
  control: string;
  control_mode: number;
  control_owner: string;
  control_group: string;
  listen: Address[];
  state_dir: string;
  /** null: `watchdog_device none`. */
  watchdog_device: string | null;
  watchdog_timeout: number;
  log_file: string;
  log_level: LogConfig['level'];
  log_facility: string;
  key: Key;
  /** null: `http none`. */
  http_listen: Pick<HttpSettings, 'address' | 'port'> | null;
  http_token: string;
  http_token_file: string;
  http_user: string[];
  http_health: HttpSettings['health'];
}

/** Reads one word; undefined after an error, which it has reported. */
export type Reader<T> = (word: Word, reporter: Reporter) => T | undefined;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The ancestor's numbers are C ints. */
const COUNT_MAX = 2 ** 31 - 1;
const PATH_BYTES_MAX = 4095;

export const ROLES: readonly Role[] = ['init', 'primary', 'secondary', 'watchdog'];
export const LOG_LEVELS: readonly LogConfig['level'][] = ['error', 'warn', 'info', 'debug', 'trace'];
export const FACILITIES: readonly string[] = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp'],
  ...Array.from({ length: 8 }, (_, index) => `local${index}`),
];

/** How each statement of one word is read; the `log_` names are those of a log section. */
export const READERS: {
  [Name in keyof Omit<Values, 'listen' | 'key' | 'http_user' | 'failback'>]: Reader<Values[Name]>;
} = {
  timeout: duration(10, HOUR),
  attempts: count(1),
  heartbeat_interval: duration(10, HOUR),
  complaint_count: count(0),
  complaint_interval: duration(10, 24 * HOUR),
  lease_timeout: duration(20, HOUR),
  start_timeout: duration(100, 24 * HOUR),
  stop_timeout: duration(100, HOUR),
  status_timeout: duration(10, HOUR),
  status_interval: duration(10, HOUR),
  switchover_timeout: duration(100, 24 * HOUR),
  fence_timeout: duration(100, HOUR),
  drift: percent(100, 100_000),
  priority: count(0),
  exec: absolutePath,
  actions: absolutePath,
  action_checks: pathOrNone,
  action_directory: absolutePath,
  action_timeout: duration(10, HOUR),
  action_interval: duration(100, 24 * HOUR),
  fence: pathOrNone,
  role_on_start: oneOf(ROLES),
  control: controlPath,
  control_mode: fileMode,
  control_owner: account,
  control_group: account,
  state_dir: absolutePath,
  watchdog_device: pathOrNone,
  watchdog_timeout: wholeSeconds(duration(1000, HOUR)),
  log_file: absolutePath,
  log_level: oneOf(LOG_LEVELS),
  log_facility: oneOf(FACILITIES, (word) => word.toLowerCase().replace(/^log_/, '')),
  http_listen: httpListen,
  http_token: httpToken,
  http_token_file: absolutePath,
  http_health: oneOf(['open', 'token']),
};

/** The time of `failback after`. */
export const FAILBACK_AFTER = duration(1000, 168 * HOUR);

/** A duration within limits. */
export function duration(minMs: number, maxMs: number): Reader<number> {
  const range = `${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
  return inRange(parseDuration, minMs, maxMs, `a duration such as 500ms, 10s or 5m, from ${range}`);
}

function percent(minPpm: number, maxPpm: number): Reader<number> {
  const range = `${formatPercent(minPpm)} to ${formatPercent(maxPpm)}`;
  return inRange(parsePercent, minPpm, maxPpm, `a percentage from ${range}`);
}

/** A whole number within limits. */
export function count(min: number, max = COUNT_MAX): Reader<number> {
  const parse = (text: string): Parsed<number> =>
    /^[0-9]{1,40}$/.test(text)
      ? { ok: true, value: Number(text) }
      : { ok: false, reason: 'is not a whole number' };
  return inRange(parse, min, max, `a whole number from ${min} to ${max}`);
}

/** A notation whose values have limits. */
export function inRange(
  parse: (text: string) => Parsed<number>,
  min: number,
  max: number,
  expected: string,
): Reader<number> {
  return (word, reporter) => {
    const parsed = parse(word.text);
    if (parsed.ok && parsed.value >= min && parsed.value <= max) return parsed.value;
    const reason = !parsed.ok ? parsed.reason : parsed.value < min ? 'is too small' : 'is too large';
    reporter.error(word, `${quote(word.text)} ${reason}`, `expected ${expected}`);
    return undefined;
  };
}

function wholeSeconds(reader: Reader<number>): Reader<number> {
  return (word, reporter) => {
    const ms = reader(word, reporter);
    if (ms === undefined || ms % 1000 === 0) return ms;
    reporter.error(
      word,
      `${quote(word.text)} is not in whole seconds`,
      'a watchdog device counts in seconds',
    );
    return undefined;
  };
}

export function absolutePath(word: Word, reporter: Reporter): string | undefined {
  const problem = !path.isAbsolute(word.text)
    ? 'is not an absolute path'
    : Buffer.byteLength(word.text) > PATH_BYTES_MAX
      ? `is longer than ${PATH_BYTES_MAX} bytes`
      : '';
  if (problem === '') return word.text;
  reporter.error(word, `${quote(word.text)} ${problem}`, 'expected a path that begins with /');
  return undefined;
}

export function pathOrNone(word: Word, reporter: Reporter): string | null | undefined {
  return word.text === 'none' && !word.quoted ? null : absolutePath(word, reporter);
}

function controlPath(word: Word, reporter: Reporter): string | undefined {
  const parsed = parseAddress(word.text);
  if (parsed.ok && parsed.value.scheme === 'unix') return parsed.value.path;
  const reason = parsed.ok ? 'is not a UNIX socket: roles are not set over a network' : parsed.reason;
  reporter.error(word, `${quote(word.text)} ${reason}`, 'expected /path, unix:///path or uds:///path');
  return undefined;
}

function fileMode(word: Word, reporter: Reporter): number | undefined {
  const mode = /^[0-7]{3,4}$/.test(word.text) ? Number.parseInt(word.text, 8) : -1;
  if (mode < 0 || mode > 0o777 || (mode & 0o600) !== 0o600) {
    reporter.error(
      word,
      `${quote(word.text)} is not the mode of a socket`,
      'expected 0600, 0660 or alike, in octal',
    );
    return undefined;
  }
  if ((mode & 0o002) !== 0)
    reporter.warning(
      word,
      'every user of this machine may set roles',
      'better 0600, or 0660 with control_group',
    );
  return mode;
}

export function account(word: Word, reporter: Reporter): string | undefined {
  if (/^[A-Za-z0-9._][A-Za-z0-9._-]{0,63}\$?$/.test(word.text)) return word.text;
  reporter.error(word, `${quote(word.text)} is neither a name nor a number of an account`);
  return undefined;
}

export function oneOf<T extends string>(known: readonly T[], normal = (word: string) => word): Reader<T> {
  return (word, reporter) => {
    const value = known.find((candidate) => candidate === normal(word.text));
    if (value !== undefined) return value;
    const closest = nearest(word.text, known);
    const help = closest === '' ? `expected one of ${known.join(' ')}` : `did you mean ${quote(closest)}?`;
    reporter.error(word, `${quote(word.text)} is not known here`, help);
    return undefined;
  };
}
