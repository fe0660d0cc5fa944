/** The global options of the balancer's file, `key=value`: their names, values and defaults. */
import path from 'node:path';
import { quote, type Reporter, whereIs } from '../../config/diagnostic.js';
import { mailAddress, WORD_READERS } from '../../config/monitor-values.js';
import { nearest } from '../../config/suggest.js';
import type { Word } from '../../config/tree.js';
import { absolutePath, count, duration, type Reader } from '../../config/values.js';
import { canonicalAddress, isLoopback } from '../../net/addresses.js';
import type { BalancerOptions } from '../types.js';
import { partOf } from './lines.js';
import { checkTag, PORT_MAX, yesNo } from './values.js';

const HOUR = 3_600_000;
export const RAMP_MS_MAX = 24 * HOUR;
export const TRIGGER_MS_MAX = 8760 * HOUR;

/** What the options are where the file does not say; as in ipvs-weightman, but for what its manual page tells. */
export const OPTION_DEFAULTS = {
  'Email.SMTP': '127.0.0.1',
  'Email.Headers.From': 'ipvs@localhost',
  'Email.Headers.Reply-To': '',
  'Email.Headers.To': ['webmaster@localhost'] as readonly string[],
  'Ramping.TriggerTime': 120_000,
  'Ramping.Duration': 10_000,
  'Config.AutoCheck': true,
  'Config.CheckPeriod': 3000,
  'Config.Path': '',
  'Log.Path': '',
  'Log.SysLog': false,
  'Log.StdErr': false,
  'Log.Level': 1,
  DB: '/var/run/ipvs-weightman.db',
  IPVSADM: '/sbin/ipvsadm',
  'Management.Socket.IP': '127.0.0.1',
  'Management.Socket.Port': 9000,
  // ipvs-weightman's was /tmp/fifo: there any user may put one in its place, and command the balancer.
  'Management.Fifo.Path': '',
  'SorryServer.Default': '',
  'SorryServer.Fallback.Host': '',
  'SorryServer.Fallback.Title': '',
  'SorryServer.Fallback.IP': '',
};

type Values = typeof OPTION_DEFAULTS;
type Key = keyof Values;

const READERS: { [Name in Key]: Reader<Values[Name]> } = {
  'Email.SMTP': WORD_READERS.server,
  'Email.Headers.From': mailbox,
  'Email.Headers.Reply-To': orNone(mailbox),
  'Email.Headers.To': mailboxes,
  'Ramping.TriggerTime': duration(0, TRIGGER_MS_MAX),
  'Ramping.Duration': duration(0, RAMP_MS_MAX),
  'Config.AutoCheck': yesNo,
  'Config.CheckPeriod': duration(100, 24 * HOUR),
  'Config.Path': absolutePath,
  'Log.Path': orNone(absolutePath),
  'Log.SysLog': yesNo,
  'Log.StdErr': yesNo,
  'Log.Level': count(0, 100),
  DB: absolutePath,
  IPVSADM: absolutePath,
  'Management.Socket.IP': consoleAddress,
  'Management.Socket.Port': count(0, PORT_MAX),
  'Management.Fifo.Path': orNone(fifoPath),
  'SorryServer.Default': orNone((word, reporter) =>
    checkTag(word, 'host', reporter) ? word.text : undefined,
  ),
  'SorryServer.Fallback.Host': (word) => word.text,
  'SorryServer.Fallback.Title': (word) => word.text,
  'SorryServer.Fallback.IP': orNone(address),
};

export const OPTION_KEYS = Object.keys(READERS) as readonly Key[];
const BY_LOWER: ReadonlyMap<string, Key> = new Map(OPTION_KEYS.map((key) => [key.toLowerCase(), key]));
/** Folders in which anybody may make a file. */
const SHARED = /^\/(?:tmp|var\/tmp|dev\/shm)\//;

/** The options of a file so far: values by their names, and where they stand. */
export interface OptionsDraft {
  values: Partial<Values>;
  places: Map<Key, { key: Word; value: Word }>;
}

export function createOptions(): OptionsDraft {
  return { values: {}, places: new Map() };
}

/** Reads one option. Case does not matter in its name. */
export function readOption(key: Word, value: Word, draft: OptionsDraft, reporter: Reporter): void {
  const name = BY_LOWER.get(key.text.toLowerCase());
  if (name === undefined) {
    const closest = nearest(key.text, OPTION_KEYS);
    const help = closest === '' ? 'ipvs-weightman.conf(5) lists them' : `did you mean ${quote(closest)}?`;
    reporter.error(key, `unknown option ${quote(key.text)}`, help);
    return;
  }
  const earlier = draft.places.get(name);
  if (earlier !== undefined) {
    reporter.error(key, `${quote(name)} is there twice`, `the first is in ${whereIs(earlier.key, key)}`);
    return;
  }
  draft.places.set(name, { key, value });
  set(draft.values, name, value, reporter);
}

function set<Name extends Key>(values: Partial<Values>, name: Name, word: Word, reporter: Reporter): void {
  const reader: Reader<Values[Name]> = READERS[name];
  const value = reader(word, reporter);
  if (value !== undefined) values[name] = value;
}

/**
 * The options with their defaults. `mailed`: a service wants e-mail, so that somebody has to be told. `fileName`: what is being read.
 */
export function finishOptions(
  { values, places }: OptionsDraft,
  { mailed, fileName }: { mailed: Word | null; fileName: string },
  reporter: Reporter,
): BalancerOptions {
  const get = <Name extends Key>(name: Name): Values[Name] => values[name] ?? OPTION_DEFAULTS[name];
  const moved = places.get('Config.Path');
  const said = path.normalize(get('Config.Path'));
  if (
    moved !== undefined &&
    path.isAbsolute(said) &&
    path.isAbsolute(fileName) &&
    said !== path.normalize(fileName)
  )
    reporter.warning(
      moved.value,
      `the file that is read is ${quote(fileName)}`,
      "hastmon.conf says which: balancer { config … }; 'Config.Path' means nothing here",
    );
  if (mailed !== null && !places.has('Email.Headers.To'))
    reporter.warning(
      mailed,
      `nobody is named who gets the mail: it goes to ${OPTION_DEFAULTS['Email.Headers.To'].join(', ')}`,
      'Email.Headers.To=ADDRESS',
    );
  const port = get('Management.Socket.Port');
  return {
    email:
      mailed === null && !places.has('Email.Headers.To')
        ? null
        : {
            server: get('Email.SMTP'),
            from: get('Email.Headers.From'),
            replyTo: get('Email.Headers.Reply-To'),
            to: get('Email.Headers.To'),
          },
    rampTriggerMs: get('Ramping.TriggerTime'),
    rampMs: get('Ramping.Duration'),
    autoCheck: get('Config.AutoCheck'),
    checkPeriodMs: get('Config.CheckPeriod'),
    log: {
      path: get('Log.Path'),
      syslog: get('Log.SysLog'),
      stderr: get('Log.StdErr'),
      level: get('Log.Level'),
    },
    database: get('DB'),
    ipvsadm: get('IPVSADM'),
    console: port === 0 ? null : { address: get('Management.Socket.IP'), port },
    fifo: get('Management.Fifo.Path'),
    sorryDefault: get('SorryServer.Default'),
    sorryFallback: fallback({ values, places }, get, reporter),
  };
}

/** ipvs-weightman has 127.0.0.1 for a fallback that is not there; here there is none. */
function fallback(
  { places }: OptionsDraft,
  get: <Name extends Key>(name: Name) => Values[Name],
  reporter: Reporter,
): BalancerOptions['sorryFallback'] {
  const ip = get('SorryServer.Fallback.IP');
  const host = get('SorryServer.Fallback.Host') || ip;
  if (ip !== '') return { host, title: get('SorryServer.Fallback.Title') || host, address: ip };
  const given = places.get('SorryServer.Fallback.Host') ?? places.get('SorryServer.Fallback.Title');
  if (given !== undefined && !places.has('SorryServer.Fallback.IP'))
    reporter.warning(
      given.key,
      'the fallback has no address: there is no such sorry server',
      'SorryServer.Fallback.IP=ADDRESS',
    );
  return null;
}

function orNone(reader: Reader<string>): Reader<string> {
  return (word, reporter) => (word.text === '' ? '' : reader(word, reporter));
}

/** `user@host`, or `Name <user@host>`: the address of it. */
function mailbox(word: Word, reporter: Reporter): string | undefined {
  const named = /^[^<>]*<([^<>]*)>$/.exec(word.text);
  if (named === null) return mailAddress(word, reporter);
  return mailAddress(partOf(word, word.text.indexOf('<') + 1, (named[1] ?? '').trim()), reporter);
}

function mailboxes(word: Word, reporter: Reporter): readonly string[] | undefined {
  let at = 0;
  const found = word.text.split(',').map((text) => {
    const start = at + text.length - text.trimStart().length;
    at += text.length + 1;
    return mailbox(partOf(word, start, text.trim()), reporter);
  });
  const good = found.filter((one) => one !== undefined);
  return good.length === found.length ? [...new Set(good)] : undefined;
}

function address(word: Word, reporter: Reporter): string | undefined {
  const known = canonicalAddress(word.text.replace(/^\[(.*)\]$/, '$1'));
  if (known === null)
    reporter.error(word, `${quote(word.text)} is not a numeric address`, 'such as 10.0.0.1 or fd00::1');
  return known ?? undefined;
}

function consoleAddress(word: Word, reporter: Reporter): string | undefined {
  const known = address(word, reporter);
  if (known !== undefined && !isLoopback(known))
    reporter.warning(
      word,
      'the console asks nobody who they are: whoever reaches this address may take servers out',
      'better 127.0.0.1',
    );
  return known;
}

function fifoPath(word: Word, reporter: Reporter): string | undefined {
  const file = absolutePath(word, reporter);
  if (file !== undefined && SHARED.test(file))
    reporter.warning(
      word,
      'every user of this machine may put a fifo of his own there',
      'better a folder of root alone, such as /run/ipvs-weightman.fifo',
    );
  return file;
}
