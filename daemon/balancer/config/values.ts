/** The values that only the balancer's file has: tags, hosts and ports, yes and no. */
import { isIP } from 'node:net';
import { parseAddress } from '../../config/address.js';
import { quote, type Reporter } from '../../config/diagnostic.js';
import type { Parsed } from '../../config/duration.js';
import type { Word } from '../../config/tree.js';
import type { Reader } from '../../config/values.js';
import { canonicalAddress } from '../../net/addresses.js';

export const PORT_MAX = 65_535;

const TAG = /^[A-Za-z0-9._/:@+~%-]{1,200}$/;
const YES = new Set(['1', 'true', 'yes', 'on']);
const NO = new Set(['0', 'false', 'no', 'off', '']);

/** True for what can be the tag of a service or a host: the console takes commas and blanks for something else. */
export function isTag(text: string): boolean {
  return TAG.test(text) && text !== '-';
}

/** Reports a word that can be no tag. */
export function checkTag(word: Word, what: string, reporter: Reporter, text = word.text): boolean {
  if (isTag(text)) return true;
  reporter.error(
    word,
    `${quote(text)} cannot be the tag of a ${what}`,
    'expected at most 200 letters, digits and ._/:@+~%-',
  );
  return false;
}

/** `1`, `true`, `yes`, `on`, and their opposites, in any case. */
export function yesNo(word: Word, reporter: Reporter): boolean | undefined {
  const text = word.text.toLowerCase();
  if (YES.has(text) || NO.has(text)) return YES.has(text);
  reporter.error(word, `${quote(word.text)} is neither yes nor no`, 'expected 1 or 0, true or false');
  return undefined;
}

/** A length of time in whole seconds. */
export function wholeSeconds(reader: Reader<number>): Reader<number> {
  return (word, reporter) => {
    const ms = reader(word, reporter);
    if (ms === undefined || ms % 1000 === 0) return ms;
    reporter.error(word, `${quote(word.text)} is not in whole seconds`, 'the kernel counts in seconds');
    return undefined;
  };
}

export interface Endpoint {
  /** A name or a numeric address without brackets. */
  host: string;
  /** The ports as they are written, '' for none. */
  ports: readonly string[];
}

/** Reads `host`, `host:port`, `host:port:port`, an IPv6 address in brackets. */
export function readEndpoint(text: string): Parsed<Endpoint> {
  const match = /^(\[[^[\]]*\]|[^:[\]]*)((?::[^:]*)*)$/.exec(text);
  if (match === null || /:.*:.*:/.test(match[2] ?? '')) {
    const bare = isIP(text.replace(/%.*/, '')) === 6 || text.includes('::');
    return {
      ok: false,
      reason: bare ? 'needs brackets around its IPv6 address' : 'is no host with a port',
    };
  }
  const host = readHost(match[1] ?? '');
  return host.ok
    ? { ok: true, value: { host: host.value, ports: (match[2] ?? '').split(':').slice(1) } }
    : host;
}

/** A name as it is written, a numeric address in its usual notation; IPv6 in brackets. */
export function readHost(text: string): Parsed<string> {
  // As in ipvs-weightman, 010.0.0.1 is 10.0.0.1.
  const plain = /^[0-9.]+$/.test(text) ? text.replace(/(^|\.)0+(?=[0-9])/g, '$1') : text;
  if (plain.includes('%'))
    return { ok: false, reason: 'names an interface, which the kernel has no place for' };
  const parsed = parseAddress(`tcp://${plain}`);
  if (!parsed.ok) return parsed;
  const host = parsed.value.scheme === 'unix' ? '' : parsed.value.host;
  return { ok: true, value: canonicalAddress(host) ?? host };
}

/** The port of a text; undefined for what is none. */
export function portOf(text: string): number | undefined {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= PORT_MAX ? port : undefined;
}

/** `10.0.0.1:80`, `[fd00::1]:80`; without the port where it is 0. */
export function endpointText(host: string, port: number): string {
  const bracketed = host.includes(':') ? `[${host}]` : host;
  return port === 0 ? bracketed : `${bracketed}:${port}`;
}

/** 4 or 6 for a numeric address, 0 for a name. */
export function familyOf(host: string): 0 | 4 | 6 {
  if (host.includes(':')) return 6;
  return /^[0-9.]+$/.test(host) ? 4 : 0;
}
