/**
 * A line of the console -> what it asks for. The grammar is ipvs-weightman's: keywords in any case, tags as they are written, lists with
 * commas, `*` for all. Pure.
 */
import { DEFAULT_REASON, WEIGHT_MAX } from '../types.js';

/** `null` for services: all of the host's. Lists are not empty; `*` in one of hosts is all hosts. */
export type ConsoleCommand =
  | { kind: 'nothing' | 'help' | 'history' | 'again' | 'quit' | 'reload' | 'diff' | 'unknown' }
  | { kind: 'list'; what: 'hosts' | 'services' }
  | { kind: 'hosts-of'; services: string[] }
  | { kind: 'show'; hosts: string[]; services: string[] | null }
  /** `name`: of one host or service; '' for all. */
  | { kind: 'dump'; what: 'status' | 'options' | 'checkers' | 'hosts' | 'services'; name: string }
  | SetCommand
  | { kind: 'level'; level: number }
  /** Understood, and wrong: why. */
  | { kind: 'wrong'; why: string };

export interface SetCommand {
  kind: 'set';
  hosts: string[];
  change: /** The host as a whole: `services` null. */
    | { kind: 'off'; services: string[] | null; reasons: string[] }
    | { kind: 'on'; services: string[] | null; reasons: string[]; rampMs: number | null }
    | { kind: 'weight'; services: string[]; weight: number | null };
}

const UNKNOWN: ConsoleCommand = { kind: 'unknown' };
/** A day. */
const RAMP_SECONDS_MAX = 86_400;

export function parseLine(line: string): ConsoleCommand {
  const words = line.split(/\s+/).filter((word) => word !== '');
  const [first, second] = words.map((word) => word.toLowerCase());
  switch (first) {
    case undefined:
      return { kind: 'nothing' };
    case 'show':
      return show(words.slice(1));
    case 'set':
      return second === 'host' || second === 'hosts' ? set(words.slice(2)) : UNKNOWN;
    case 'dump':
      return dump(words.slice(1));
    default: {
      const whole = words.join(' ').toLowerCase();
      const level = /^log level (\d{1,3})$/.exec(whole)?.[1];
      if (level !== undefined) return { kind: 'level', level: Number(level) };
      const kind = SIMPLE.get(whole);
      return kind === undefined ? UNKNOWN : { kind };
    }
  }
}

const SIMPLE: ReadonlyMap<string, 'help' | 'history' | 'again' | 'quit' | 'reload' | 'diff'> = new Map([
  ...['help', 'h', '?'].map((word) => [word, 'help'] as const),
  ...['quit', 'q', 'exit', '\x04'].map((word) => [word, 'quit'] as const),
  ['history', 'history'],
  ['!', 'again'],
  ['config reload', 'reload'],
  ['config diff', 'diff'],
]);

/** The names in these words: commas and blanks stand between them. */
function namesIn(words: readonly string[]): string[] {
  return [
    ...new Set(
      words
        .join(',')
        .split(',')
        .filter((name) => name !== ''),
    ),
  ];
}

/** The same, where all is null. */
function namesOrAll(words: readonly string[]): string[] | null {
  const names = namesIn(words);
  return names.includes('*') ? null : names;
}

function show(words: readonly string[]): ConsoleCommand {
  const [what = '', ...rest] = words;
  const kind = what.toLowerCase();
  if (kind === 'vs' || kind === 'vss')
    return rest.length === 0 ? { kind: 'list', what: 'services' } : UNKNOWN;
  if (kind !== 'host' && kind !== 'hosts') return UNKNOWN;
  if (rest.length === 0) return kind === 'hosts' ? { kind: 'list', what: 'hosts' } : UNKNOWN;
  const at = rest.findIndex((word) => /^(for|in)$/i.test(word));
  const hosts = namesIn(at < 0 ? rest : rest.slice(0, at));
  const services = at < 0 ? null : namesOrAll(rest.slice(at + 1));
  if (services?.length === 0) return UNKNOWN;
  if (hosts.length > 0) return { kind: 'show', hosts, services };
  if (at !== 0 || kind !== 'hosts') return UNKNOWN;
  return services === null ? { kind: 'list', what: 'hosts' } : { kind: 'hosts-of', services };
}

function dump(words: readonly string[]): ConsoleCommand {
  const [what = '', name = '', more] = words;
  const kind = what.toLowerCase();
  if (more !== undefined) return UNKNOWN;
  if (kind === 'config' && name.toLowerCase() === 'options')
    return { kind: 'dump', what: 'options', name: '' };
  if (/^(status|options|checkers)$/.test(kind))
    return name === '' ? { kind: 'dump', what: kind as 'status', name } : UNKNOWN;
  const all = name === '*' ? '' : name;
  if (/^hosts?$/.test(kind)) return { kind: 'dump', what: 'hosts', name: all };
  return /^vss?$/.test(kind) ? { kind: 'dump', what: 'services', name: all } : UNKNOWN;
}

/** Words that are taken one after the other. */
interface Words {
  /** Takes the next one, where it is such. */
  take(pattern: RegExp): string | null;
  ended(): boolean;
}

function wordsOf(list: readonly string[]): Words {
  let at = 0;
  return {
    take(pattern) {
      const word = list[at];
      if (word === undefined || !pattern.test(word)) return null;
      at += 1;
      return word;
    },
    ended: () => at >= list.length,
  };
}

function set(words: readonly string[]): ConsoleCommand {
  const [tags = '', action = '', ...rest] = words;
  const hosts = namesIn([tags]);
  if (hosts.length === 0) return UNKNOWN;
  const left = wordsOf(rest);
  switch (action.toLowerCase()) {
    case 'off': {
      const where = scope(left);
      if (where === null || !left.ended()) return UNKNOWN;
      return { kind: 'set', hosts, change: { kind: 'off', ...where } };
    }
    case 'on':
      return on(hosts, rest);
    case 'weight': {
      const value = left.take(/^(\d+|auto)$/i);
      const services = vs(left);
      if (value === null || services === null || !left.ended()) return UNKNOWN;
      const weight = /^auto$/i.test(value) ? null : Number(value);
      if (weight !== null && weight > WEIGHT_MAX)
        return { kind: 'wrong', why: `a weight is at most ${WEIGHT_MAX}` };
      return { kind: 'set', hosts, change: { kind: 'weight', services, weight } };
    }
    default:
      return UNKNOWN;
  }
}

/** `[[in] SECONDS]`, `[on|for|in] vs V1,V2 [for R1,R2] [[in] SECONDS]`. */
function on(hosts: string[], rest: readonly string[]): ConsoleCommand {
  const ofHost = wordsOf(rest);
  const whole = ramp(ofHost);
  const left = ofHost.ended() ? ofHost : wordsOf(rest);
  const where = ofHost.ended() ? { services: null, reasons: [] } : scope(left);
  if (where === null) return UNKNOWN;
  const seconds = ofHost.ended() ? whole : ramp(left);
  if (!left.ended() || Number.isNaN(seconds)) return UNKNOWN;
  if (seconds !== null && seconds > RAMP_SECONDS_MAX)
    return { kind: 'wrong', why: `weights come back within ${RAMP_SECONDS_MAX} seconds at most` };
  // As there: 0 asks for nothing.
  const rampMs = seconds === null || seconds === 0 ? null : seconds * 1000;
  return { kind: 'set', hosts, change: { kind: 'on', ...where, rampMs } };
}

/** `[[in] SECONDS]`; null where there is none, NaN where the number is missing. */
function ramp(left: Words): number | null {
  const asked = left.take(/^in$/i) !== null;
  const text = left.take(/^\d+s?$/i);
  if (text === null) return asked ? Number.NaN : null;
  return Number.parseInt(text, 10);
}

/** `[on|for|in] vs V1,V2 [[for] [reasons] R1,R2]`; nothing: the host as a whole. null where it is something else. */
function scope(left: Words): { services: string[] | null; reasons: string[] } | null {
  if (left.ended()) return { services: null, reasons: [] };
  const services = vs(left);
  if (services === null) return null;
  const named = [left.take(/^for$/i), left.take(/^reasons?$/i)].some((word) => word !== null);
  if (!named) return { services, reasons: [DEFAULT_REASON] };
  const reasons = namesOrAll([left.take(/./s) ?? '']) ?? ['*'];
  return reasons.length === 0 ? null : { services, reasons };
}

/** `[on|for|in] vs V1,V2`; null where it is something else. */
function vs(left: Words): string[] | null {
  left.take(/^(on|for|in)$/i);
  if (left.take(/^vss?$/i) === null) return null;
  const services = namesOrAll([left.take(/./s) ?? '']) ?? ['*'];
  return services.length === 0 ? null : services;
}
