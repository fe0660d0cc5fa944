/** The options of a virtual service, `key=value,key,key=value`: their names and values, each by itself. */
import type { StepOption } from '../../checks/spec.js';
import { quote, type Reporter, whereIs } from '../../config/diagnostic.js';
import type { MonitorSettings } from '../../config/monitor-settings.js';
import { readStatus, WORD_READERS } from '../../config/monitor-values.js';
import { nearest } from '../../config/suggest.js';
import type { Word } from '../../config/tree.js';
import { count, duration, oneOf, type Reader } from '../../config/values.js';
import type { Curve, Method, ServiceConfig } from '../types.js';
import { partOf } from './lines.js';
import { RAMP_MS_MAX, TRIGGER_MS_MAX } from './options.js';
import { PORT_MAX, wholeSeconds, yesNo } from './values.js';

/** Of Linux 6.x; which of them a kernel has is seen when it is asked. */
export const SCHEDULERS = [
  ...['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'twos'],
];
const METHODS: readonly Method[] = ['masq', 'gate', 'ipip'];
const PROTOCOLS: readonly Exclude<ServiceConfig['protocol'], 'fwmark'>[] = ['tcp', 'udp', 'sctp'];
const CURVES: readonly Curve[] = ['weightman', 'linear', 'slowstart'];

/** What ipvsadm takes where it is told of persistence without a time. */
export const PERSISTENCE_SECONDS = 300;
/** The limit of ipvsadm: 31 days. */
const PERSISTENCE_MS_MAX = 31 * 24 * 3_600_000;

export interface ServiceValues {
  email: boolean;
  sorry_server: string;
  scheduler: string;
  method: Method;
  protocol: Exclude<ServiceConfig['protocol'], 'fwmark'>;
  family: 'ipv4' | 'ipv6';
  /** Milliseconds, as the ramps. */
  persistence: number;
  quorum: number;
  hysteresis: number;
  ramp: number;
  ramp_trigger: number;
  curve: Curve;
  adopt: boolean;
  check_port: number;
}

type Name = keyof ServiceValues;

const READERS: { [Key in Name]: Reader<ServiceValues[Key]> } = {
  email: yesNo,
  sorry_server: (word) => word.text,
  scheduler: oneOf(SCHEDULERS, lower),
  method: oneOf(METHODS, lower),
  protocol: oneOf(PROTOCOLS, lower),
  family: oneOf(['ipv4', 'ipv6'], lower),
  persistence: wholeSeconds(duration(0, PERSISTENCE_MS_MAX)),
  quorum: count(1),
  hysteresis: count(0),
  ramp: duration(0, RAMP_MS_MAX),
  ramp_trigger: duration(0, TRIGGER_MS_MAX),
  curve: oneOf(CURVES, lower),
  adopt: yesNo,
  check_port: count(1, PORT_MAX),
};

/** Those of its check. */
const CHECK_READERS = {
  interval: WORD_READERS.interval,
  timeout: WORD_READERS.timeout,
  rise: WORD_READERS.rise,
  fall: WORD_READERS.fall,
  status: (word: Word, reporter: Reporter) => {
    const status = readStatus(word, reporter);
    return status === undefined ? undefined : [status];
  },
  verify: yesNo,
} satisfies { [Key in keyof MonitorSettings]?: Reader<NonNullable<MonitorSettings[Key]>['value']> };
const STEPS = ['send', 'expect'] as const;

/** What a name alone means: 1, in ipvs-weightman. */
const ALONE: ReadonlyMap<string, string> = new Map([
  ['email', '1'],
  ['adopt', '1'],
  ['verify', '1'],
  ['persistence', String(PERSISTENCE_SECONDS)],
]);

export const SERVICE_OPTIONS: readonly string[] = [
  ...Object.keys(READERS),
  ...Object.keys(CHECK_READERS),
  ...STEPS,
];

export interface ServiceOptions {
  values: Partial<ServiceValues>;
  /** Those of the check. */
  check: MonitorSettings;
  /** Where the value of each stands; its name, for one that is alone. */
  places: ReadonlyMap<string, Word>;
}

/** Reads the options of one service; `word` null: there are none. */
export function readServiceOptions(word: Word | null, reporter: Reporter): ServiceOptions {
  const places = new Map<string, Word>();
  const options: ServiceOptions = { values: {}, check: {}, places };
  const steps: StepOption[] = [];
  let at = 0;
  for (const text of word?.text.split(',') ?? []) {
    const start = at;
    at += text.length + 1;
    if (text === '' || word === null) continue;
    const equals = text.indexOf('=');
    const name = partOf(word, start, equals < 0 ? text : text.slice(0, equals));
    const key = name.text.toLowerCase();
    const alone = ALONE.get(key);
    if (!SERVICE_OPTIONS.includes(key)) reportUnknown(name, reporter);
    else if (places.has(key)) reportTwice(name, places.get(key) ?? name, reporter);
    else if (equals < 0 && alone === undefined)
      reporter.error(name, `${quote(name.text)} needs a value`, `${name.text}=VALUE`);
    else {
      const value =
        equals < 0
          ? { ...name, text: alone ?? '' }
          : partOf(word, start + equals + 1, text.slice(equals + 1));
      places.set(key, value);
      readValue(key, { name, value }, options, steps, reporter);
    }
  }
  const first = places.get('send') ?? places.get('expect');
  if (steps.length > 0 && first !== undefined)
    options.check.steps = {
      value: steps,
      name: { ...first, text: places.has('send') ? 'send' : 'expect' },
      place: first,
    };
  return options;
}

function readValue(
  key: string,
  { name, value }: { name: Word; value: Word },
  { values, check }: ServiceOptions,
  steps: StepOption[],
  reporter: Reporter,
): void {
  if (key === 'send' || key === 'expect') {
    const text = readBytes(value, reporter);
    if (text !== undefined) steps.push(key === 'send' ? { send: text } : { expect: { kind: 'text', text } });
  } else if (key in CHECK_READERS) {
    const read = CHECK_READERS[key as keyof typeof CHECK_READERS](value, reporter);
    if (read !== undefined) Object.assign(check, { [key]: { value: read, name, place: value } });
  } else set(values, key as Name, value, reporter);
}

function set<Key extends Name>(
  values: Partial<ServiceValues>,
  key: Key,
  word: Word,
  reporter: Reporter,
): void {
  const reader: Reader<ServiceValues[Key]> = READERS[key];
  const value = reader(word, reporter);
  if (value !== undefined) values[key] = value;
}

function reportUnknown(name: Word, reporter: Reporter): void {
  const closest = nearest(name.text, SERVICE_OPTIONS);
  const help = closest === '' ? `known: ${SERVICE_OPTIONS.join(' ')}` : `did you mean ${quote(closest)}?`;
  reporter.error(name, `unknown option ${quote(name.text)}`, help);
}

function reportTwice(name: Word, earlier: Word, reporter: Reporter): void {
  const help = earlier.line === name.line ? '' : `the first is in ${whereIs(earlier, name)}`;
  reporter.error(name, `${quote(name.text)} is there twice`, help);
}

/** Bytes as a URL writes them: `PING%0D%0A`. */
function readBytes(word: Word, reporter: Reporter): string | undefined {
  const help = 'blanks, commas, # and ; and all that is beyond ASCII are written as %XX';
  const wrong = /%(?![0-9A-Fa-f]{2})|[^\x21-\x7e]/.exec(word.text);
  if (wrong !== null || word.text === '') {
    const place = partOf(word, wrong?.index ?? 0, wrong?.[0] ?? '');
    reporter.error(place, word.text === '' ? 'the text is empty' : 'this is no text', help);
    return undefined;
  }
  return word.text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function lower(text: string): string {
  return text.toLowerCase();
}
