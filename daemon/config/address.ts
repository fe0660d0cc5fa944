/**
 * Addresses as the configuration writes them. Names stay names: resolving them is the network's business.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Parsed } from './duration.js';
import type { Address } from './types.js';

/** The port of an address that names none. */
export const DEFAULT_PORT = 8458;

/** What bind(2) and connect(2) take as a UNIX socket's path on Linux: sun_path holds 108 bytes with the final NUL. */
export const UNIX_PATH_BYTES_MAX = 107;

/**
 * Reads an address in any of the ancestor's notations: `0.0.0.0`, `host`, `host:8458`, `tcp://…`, `tcp4://…`,
 * `uds:///path`, `unix:///path`, `/path`; and `tcp6://[::]:8458`, `[::1]:8458`, `::1`.
 *
 * As in the ancestor, an address without a scheme is IPv4; so is `tcp://` before an IPv4 address. `tcp://` before
 * a name means either family, whichever the name has.
 */
export function parseAddress(text: string): Parsed<Address> {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(text);
  const scheme = (match?.[1] ?? '').toLowerCase();
  const rest = match?.[2] ?? text;
  switch (scheme) {
    case 'uds':
    case 'unix':
      return unixAddress(rest);
    case '':
      return text.startsWith('/') ? unixAddress(text) : tcpAddress('', rest);
    case 'tcp':
    case 'tcp4':
    case 'tcp6':
      return tcpAddress(scheme, rest);
    default:
      return refused(`has an unknown scheme: ${scheme}:// is none of tcp, tcp4, tcp6, unix, uds`);
  }
}

/** The normal form: the scheme always, the port where it is not 8458. */
export function formatAddress(address: {
  scheme: 'tcp' | 'tcp4' | 'tcp6';
  host: string;
  port: number;
}): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${address.scheme}://${host}${address.port === DEFAULT_PORT ? '' : `:${address.port}`}`;
}

function unixAddress(path: string): Parsed<Address> {
  if (!path.startsWith('/')) return refused('is not an absolute path');
  if (path.endsWith('/')) return refused('is a directory, not a socket');
  if (Buffer.byteLength(path) > UNIX_PATH_BYTES_MAX) {
    return refused(
      `is too long for a UNIX socket: ${Buffer.byteLength(path)} bytes, at most ${UNIX_PATH_BYTES_MAX}`,
    );
  }
  return { ok: true, value: { scheme: 'unix', path, text: `unix://${path}` } };
}

function tcpAddress(scheme: '' | 'tcp' | 'tcp4' | 'tcp6', rest: string): Parsed<Address> {
  const parts = splitPort(rest);
  if (!parts.ok) return parts;
  const { host, port } = parts.value;
  const family = familyOf(host);
  if (!family.ok) return family;
  if (family.value === 'tcp4' && scheme === 'tcp6') return refused('is an IPv4 address behind tcp6://');
  if (family.value === 'tcp6' && scheme === 'tcp4') return refused('is an IPv6 address behind tcp4://');
  const name = scheme === '' ? 'tcp4' : scheme;
  const address = { scheme: family.value ?? name, host, port };
  return { ok: true, value: { ...address, text: formatAddress(address) } };
}

/** Node compiles a huge expression for isIPv6 when it is first asked: names never ask. */
function isAddress6(text: string): boolean {
  return text.includes(':') && isIPv6(text);
}

function splitPort(rest: string): Parsed<{ host: string; port: number }> {
  if (rest === '') return refused('names no host');
  // Without brackets only the whole of it can be an IPv6 address: its last group is no port.
  if (isAddress6(rest)) return { ok: true, value: { host: rest, port: DEFAULT_PORT } };
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/s.exec(rest);
  if (match === null)
    return refused(rest.includes('::') ? 'needs brackets: [address]:port' : 'is not host:port');
  const [, bracketed = '', portText] = match;
  const host = bracketed.startsWith('[') ? bracketed.slice(1, -1) : bracketed;
  if (bracketed.startsWith('[') && !isAddress6(host))
    return refused('has no IPv6 address between its brackets');
  if (host === '') return refused('names no host');
  if (portText === undefined) return { ok: true, value: { host, port: DEFAULT_PORT } };
  const port = /^[0-9]{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65535)
    return refused(`has no valid port: ${portText || 'nothing'} is not 1 to 65535`);
  return { ok: true, value: { host, port } };
}

/** The family that a literal address has; null for a name. */
function familyOf(host: string): Parsed<'tcp4' | 'tcp6' | null> {
  if (isIPv4(host)) return { ok: true, value: 'tcp4' };
  if (isAddress6(host)) return { ok: true, value: 'tcp6' };
  if (/^[0-9.]+$/.test(host)) return refused('is neither an IPv4 address nor a host name');
  // Underscores are not in RFC 1123, but machines and containers are named with them all the same.
  const labels = host.replace(/\.$/, '').split('.');
  const valid = host.length <= 253 && labels.every((label) => /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/.test(label));
  return valid ? { ok: true, value: null } : refused('has no valid host name');
}

function refused(reason: string): { ok: false; reason: string } {
  return { ok: false, reason };
}
