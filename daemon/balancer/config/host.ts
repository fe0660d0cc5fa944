/** A line of a host, or of a range of hosts, `tag host[:port] service=weight …`, by itself. */
import { quote, type Reporter } from '../../config/diagnostic.js';
import type { Word } from '../../config/tree.js';
import { type HostConfig, WEIGHT_MAX } from '../types.js';
import { partOf } from './lines.js';
import { expandRanges } from './ranges.js';
import { readPort } from './service.js';
import { checkTag, readEndpoint } from './values.js';

/** The hosts of one line, in their order. */
export interface HostLine {
  tag: Word;
  address: Word;
  /** By tags of services, as they are written. */
  weights: ReadonlyMap<string, Word>;
  hosts: readonly HostConfig[];
}

const EXPECTED = 'expected tag host[:port] service=weight service=weight …';

/** Reads a line; undefined after an error, which is reported. */
export function readHostLine(words: readonly Word[], reporter: Reporter): HostLine | undefined {
  const [tag, address, ...rest] = words;
  if (tag === undefined) return undefined;
  if (address === undefined) {
    reporter.error(tag, `${quote(tag.text)} has no host`, `${EXPECTED}; an option is key=value`);
    return undefined;
  }
  const { weights, places } = readWeights(rest, reporter);
  const tags = expandRanges(tag, reporter);
  const addresses = expandRanges(address, reporter);
  if (tags === undefined || addresses === undefined) return undefined;
  if (!checkTag(tag, 'host', reporter, tags[0])) return undefined;
  if (tags.length !== addresses.length) {
    const said = `${several(tags.length, 'tag')} for ${several(addresses.length, 'host')}`;
    reporter.error(address, said, 'as many tags as hosts, as in web[1-20] 10.0.0.[1-20]');
    return undefined;
  }
  const hosts: HostConfig[] = [];
  for (const [index, text] of addresses.entries()) {
    const name = tags[index] ?? '';
    const place = checkTag(tag, 'host', reporter, name) ? readPlace(text, address, reporter) : undefined;
    // What is wrong with one is wrong with all of them.
    if (place === undefined) return undefined;
    hosts.push({ tag: name, ...place, weights, line: tag.line });
  }
  return { tag, address, weights: places, hosts };
}

function several(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function readPlace(text: string, word: Word, reporter: Reporter): { host: string; port: number } | undefined {
  const parsed = readEndpoint(text);
  if (!parsed.ok) {
    reporter.error(word, `${quote(text)} ${parsed.reason}`, 'expected host or host:port');
    return undefined;
  }
  const { host, ports } = parsed.value;
  const [said, more] = ports;
  if (more !== undefined) {
    reporter.error(word, `${quote(text)} has two ports`, 'expected host or host:port');
    return undefined;
  }
  if (said === undefined) return { host, port: 0 };
  const port = readPort(said, word, word.text.lastIndexOf(':') + 1, reporter);
  return port === undefined ? undefined : { host, port };
}

/** All hosts of a line have one map of weights. */
function readWeights(
  words: readonly Word[],
  reporter: Reporter,
): { weights: ReadonlyMap<string, number>; places: ReadonlyMap<string, Word> } {
  const weights = new Map<string, number>();
  const places = new Map<string, Word>();
  for (const word of words) {
    const equals = word.text.indexOf('=');
    if (equals < 1) {
      reporter.error(word, `${quote(word.text)} is no weight`, 'expected service=weight, without blanks');
      continue;
    }
    const service = word.text.slice(0, equals);
    if (places.has(service)) {
      reporter.error(serviceIn(word), `${quote(service)} is there twice`, 'one weight for each service');
      continue;
    }
    places.set(service, word);
    const text = word.text.slice(equals + 1);
    const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (value <= WEIGHT_MAX) weights.set(service, value);
    else {
      const help = `expected a whole number from 0 to ${WEIGHT_MAX}`;
      reporter.error(weightIn(word), `${quote(text)} is no weight`, help);
    }
  }
  return { weights, places };
}

/** The tag in `service=weight`. */
export function serviceIn(word: Word): Word {
  return partOf(word, 0, word.text.slice(0, word.text.indexOf('=')));
}

/** The weight in it. */
export function weightIn(word: Word): Word {
  const start = word.text.indexOf('=') + 1;
  return partOf(word, Math.min(start, word.text.length - 1), word.text.slice(start));
}
