/** A line of a virtual service, `! tag host:port[:realport] check options`, by itself. */
import { quote, type Reporter } from '../../config/diagnostic.js';
import type { Word } from '../../config/tree.js';
import type { ServiceConfig } from '../types.js';
import { type ReadCheck, readCheck } from './check.js';
import type { Line } from './lines.js';
import { partOf } from './lines.js';
import { readServiceOptions, type ServiceOptions } from './service-options.js';
import { checkTag, portOf, readEndpoint } from './values.js';

/** A service as its line says it. */
export interface ServiceDraft {
  config: ServiceConfig;
  tag: Word;
  address: Word;
  options: ServiceOptions;
  check: { word: Word; read: ReadCheck } | null;
}

const EXPECTED = 'expected ! tag host:port[:realport] check options';
/** The range of ipvsadm. */
const MARK_MAX = 2 ** 32 - 1;

/** Reads a line; undefined after an error, which is reported. */
export function readService(
  { mark, words, comment }: Extract<Line, { kind: 'service' }>,
  reporter: Reporter,
): ServiceDraft | undefined {
  const [tag, address, check, options = null, ...more] = words;
  if (mark.text !== '!') {
    reporter.error(mark, "a blank is missing after '!'", EXPECTED);
    return undefined;
  }
  if (tag === undefined || address === undefined || check === undefined) {
    const missing = tag === undefined ? 'tag' : address === undefined ? 'address' : 'check';
    const help = missing === 'check' ? "'-' stands for none" : EXPECTED;
    reporter.error(words.at(-1) ?? mark, `the ${missing} of the service is missing`, help);
    return undefined;
  }
  const [extra] = more;
  if (extra !== undefined)
    reporter.error(
      extra,
      `unexpected ${quote(extra.text)}`,
      'options are separated by commas, without blanks',
    );
  if (comment !== null && words.at(-1)?.text.includes('://'))
    reporter.warning(
      comment,
      'the comment begins inside of a word',
      "in a check '#' is written %23, ';' %3B",
    );
  const tagged = checkTag(tag, 'service', reporter);
  const read = readServiceOptions(options, reporter);
  const place = readAddress(address, read, reporter);
  const checked = readItsCheck(check, read, reporter);
  if (!tagged || place === undefined || checked === undefined) return undefined;
  const { values } = read;
  return {
    config: {
      tag: tag.text,
      ...place,
      scheduler: values.scheduler ?? 'wrr',
      method: values.method ?? 'masq',
      persistenceSeconds: (values.persistence ?? 0) / 1000,
      check: checked?.check ?? null,
      email: values.email ?? false,
      sorry: values.sorry_server ?? '',
      quorum: values.quorum ?? 1,
      hysteresis: values.hysteresis ?? 0,
      curve: values.curve ?? 'weightman',
      rampTriggerMs: values.ramp_trigger ?? null,
      rampMs: values.ramp ?? null,
      adopt: values.adopt ?? false,
      line: tag.line,
    },
    ...{ tag, address, options: read },
    check: checked === null ? null : { word: check, read: checked },
  };
}

/** null: none is wanted. */
function readItsCheck(word: Word, options: ServiceOptions, reporter: Reporter): ReadCheck | null | undefined {
  if (word.text !== '-') return readCheck(word, options.check, options.values.check_port ?? 0, reporter);
  const [useless] = [
    ...Object.values(options.check).map(({ name }) => name),
    options.places.get('check_port'),
  ];
  if (useless !== undefined)
    reporter.warning(useless, 'this belongs to a check, and the service has none', "'-' stands for none");
  return null;
}

type Address = Pick<ServiceConfig, 'protocol' | 'host' | 'port' | 'realPort'>;

function readAddress(word: Word, options: ServiceOptions, reporter: Reporter): Address | undefined {
  if (/^fwmark:/i.test(word.text)) return readMark(word, options, reporter);
  const { values, places } = options;
  const family = places.get('family');
  if (family !== undefined)
    reporter.error(family, "'family' is for firewall marks", 'an address shows which it is');
  const parsed = readEndpoint(word.text);
  if (!parsed.ok) {
    reporter.error(word, `${quote(word.text)} ${parsed.reason}`, 'expected host:port or host:port:realport');
    return undefined;
  }
  const { host, ports } = parsed.value;
  const [text, second] = ports;
  if (text === undefined) {
    reporter.error(word, `${quote(word.text)} has no port`, 'expected host:port or host:port:realport');
    return undefined;
  }
  const port = readPort(text, word, word.text.length - ports.join(':').length, reporter);
  const realPort =
    second === undefined ? port : readPort(second, word, word.text.length - second.length, reporter);
  if (port === undefined || realPort === undefined) return undefined;
  return { protocol: values.protocol ?? 'tcp', host, port, realPort };
}

/** `fwmark:N`, or `fwmark:N:port` with the port of checks. */
function readMark(word: Word, { values, places }: ServiceOptions, reporter: Reporter): Address | undefined {
  const protocol = places.get('protocol');
  if (protocol !== undefined)
    reporter.error(protocol, "'protocol' beside a firewall mark", 'the mark says which packets are meant');
  const [, mark = '', real] = /^fwmark:([0-9]{1,10})(?::(.*))?$/i.exec(word.text) ?? [];
  const number = Number(mark);
  if (number < 1 || number > MARK_MAX) {
    reporter.error(
      word,
      `${quote(word.text)} is no firewall mark`,
      `expected fwmark:N or fwmark:N:realport, N from 1 to ${MARK_MAX}`,
    );
    return undefined;
  }
  const realPort = real === undefined ? 0 : readPort(real, word, word.text.length - real.length, reporter);
  if (realPort === undefined) return undefined;
  return { protocol: 'fwmark', host: values.family === 'ipv6' ? '::' : '', port: number, realPort };
}

/** Reads a port; undefined after an error, which is reported. */
export function readPort(text: string, word: Word, start: number, reporter: Reporter): number | undefined {
  const port = portOf(text);
  if (port === undefined)
    reporter.error(
      partOf(word, Math.min(start, word.text.length - 1), text),
      `${quote(text)} is no port`,
      'expected a number from 1 to 65535',
    );
  return port;
}
