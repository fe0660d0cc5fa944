/** Host names of the balancer's file to addresses, by the system's resolver, in the form in which the kernel's table writes them. */
import { lookup } from 'node:dns/promises';
import { isIPv4, isIPv6 } from 'node:net';
import type { Addresses, BalancerConfig } from '../types.js';

export interface Resolved {
  addresses: Addresses;
  /** Names that have none, and why, in order. */
  failed: { name: string; why: string }[];
}

/** How many names are asked for at once: the resolver has four threads. */
const AT_ONCE = 16;

/** Every host that the file names. A name that has both kinds of address stands for the IPv4 one. */
export async function resolveNames(config: BalancerConfig): Promise<Resolved> {
  const hosts = new Set([
    ...config.services.filter(({ protocol }) => protocol !== 'fwmark').map(({ host }) => host),
    ...config.hosts.map(({ host }) => host),
    ...(config.options.sorryFallback === null ? [] : [config.options.sorryFallback.address]),
  ]);
  const addresses = new Map<string, string>();
  const failed: Resolved['failed'] = [];
  const names: string[] = [];
  for (const host of hosts) {
    const numeric = numericForm(host);
    if (numeric === null) names.push(host);
    else addresses.set(host, numeric);
  }
  for (let at = 0; at < names.length; at += AT_ONCE)
    await Promise.all(
      names.slice(at, at + AT_ONCE).map(async (name) => {
        try {
          const found = await lookup(name, { all: true, order: 'ipv4first' });
          const first = found[0] === undefined ? null : numericForm(found[0].address);
          if (first === null) failed.push({ name, why: 'it has no address' });
          else addresses.set(name, first);
        } catch (error) {
          failed.push({ name, why: (error as NodeJS.ErrnoException).code ?? String(error) });
        }
      }),
    );
  failed.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { addresses, failed };
}

/** As inet_ntop(3) writes it; null for what is no numeric address. */
export function numericForm(host: string): string | null {
  if (isIPv4(host)) return host;
  if (!isIPv6(host)) return null;
  // A URL's host is serialized in the same form (RFC 5952), between brackets.
  return new URL(`http://[${host}]/`).hostname.slice(1, -1);
}
