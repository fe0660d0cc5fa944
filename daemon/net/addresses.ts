/** Hosts and addresses as the network compares them. Pure text; resolves nothing. */
import net from 'node:net';
import type { Address } from '../config/types.js';

/** A host of the configuration and the family its scheme asks for; 0 is any. */
export interface Host {
  host: string;
  family: 0 | 4 | 6;
}

/** What a UNIX peer is called among the addresses: file permissions have already judged it. */
export const unixPeer = 'unix';

export function hostOf(address: Address): Host | null {
  if (address.scheme === 'unix') return null;
  return { host: address.host, family: familyOf(address.scheme) };
}

export function familyOf(scheme: 'tcp' | 'tcp4' | 'tcp6'): 0 | 4 | 6 {
  return scheme === 'tcp4' ? 4 : scheme === 'tcp6' ? 6 : 0;
}

/**
 * The one spelling of an IP address: IPv6 shortened and in lower case (RFC 5952), without a zone; an IPv4 address that
 * came in over an IPv6 socket (::ffff:a.b.c.d) is that IPv4 address. Null where the text is no IP address.
 */
export function canonicalAddress(text: string): string | null {
  if (net.isIPv4(text)) return text;
  const plain = text.split('%')[0] ?? '';
  if (!net.isIPv6(plain)) return null;
  const short = new URL(`http://[${plain}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short);
  if (mapped === null) return short;
  const [high, low] = [mapped[1], mapped[2]].map((part) => Number.parseInt(part ?? '', 16));
  return [(high ?? 0) >> 8, (high ?? 0) & 255, (low ?? 0) >> 8, (low ?? 0) & 255].join('.');
}

/** True for 127.0.0.0/8 and ::1. */
export function isLoopback(ip: string): boolean {
  const address = canonicalAddress(ip);
  return address === '::1' || (address?.startsWith('127.') ?? false);
}

/** True where a listener takes connections for every address of the machine. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || canonicalAddress(host) === '::' || host === '*';
}

/** An address for people. */
export function addressText(scheme: 'tcp4' | 'tcp6', ip: string): string {
  return scheme === 'tcp6' ? `tcp6://[${ip}]` : `tcp4://${ip}`;
}
