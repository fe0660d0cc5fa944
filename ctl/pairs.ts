/** Servers in their services as the commands that wait look at them: which ones are meant, and whether they are as wanted. Pure. */
import type { PairView } from '../daemon/balancer/types.js';
import { pairWords } from './balancer-words.js';

/** What is waited for: weight 0 in the kernel, no active connections besides, or neither a pass nor a ramp to come. */
export type Aim = 'off' | 'quiet' | 'done';

/** Those of these hosts, in these services; null and `*`: all. */
export function meantBy(
  pairs: readonly PairView[],
  hosts: readonly string[],
  services: readonly string[] | null,
): PairView[] {
  const inAll = services === null || services.includes('*');
  return pairs.filter(({ host, service }) => hosts.includes(host) && (inAll || services.includes(service)));
}

/** What of these pairs is not as wanted yet, in words; empty: all is. */
export function missing(pairs: readonly PairView[], aim: Aim): string[] {
  return pairs.flatMap((pair) => {
    const where = `${pair.host} in ${pair.service}`;
    if (aim === 'done') return pair.status.startsWith('0-') ? [] : [`${where}: ${pairWords(pair)}`];
    if (pair.connections === null)
      return [`${where}: the kernel's table cannot be read, nobody knows what it has`];
    if ((pair.procWeight ?? 0) > 0) return [`${where}: the kernel still has weight ${pair.procWeight}`];
    const { active } = pair.connections;
    if (aim === 'off' || active === 0) return [];
    return [`${where}: ${active} active connection${active === 1 ? '' : 's'}`];
  });
}

/** Services that would have no server with weight any more, were this host off in those that are meant. */
export function leftWithout(
  pairs: readonly PairView[],
  host: string,
  services: readonly string[] | null,
): string[] {
  return meantBy(pairs, [host], services)
    .filter(({ sorry, stateWeight }) => stateWeight > 0 && !sorry)
    .map(({ service }) => service)
    .filter(
      (service) =>
        !pairs.some(
          (other) =>
            other.service === service && other.host !== host && other.stateWeight > 0 && !other.sorry,
        ),
    );
}

/** The numeric address of a host, without its port; '' where it is not known. */
export function addressOf(pairs: readonly PairView[], host: string): string {
  const real = pairs.find((pair) => pair.host === host && pair.real !== '')?.real ?? '';
  return real.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}
