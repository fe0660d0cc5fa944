/** How services and servers are named in the kernel's table, and where the file says they are. */
import type { Addresses, HostConfig, ServerKey, ServiceConfig, ServiceKey } from '../types.js';
import type { BalancerState } from './state.js';

const FLAGS = { tcp: '-t', udp: '-u', sctp: '--sctp-service' } as const;

/** As ipvsadm(8) is told of it; '' for an address that is not known. */
export function serviceKey(service: ServiceConfig, address: string): ServiceKey {
  if (service.protocol === 'fwmark') return `-f ${service.port}${service.host === '' ? '' : ' -6'}`;
  return address === '' ? '' : `${FLAGS[service.protocol]} ${endpoint(address, service.port)}`;
}

/** `1.2.3.4:80`, `fwmark 5`; for people. */
export function shownService(service: ServiceConfig, address: string): string {
  if (service.protocol === 'fwmark') return `fwmark ${service.port}${service.host === '' ? '' : ' (IPv6)'}`;
  return address === '' ? '' : endpoint(address, service.port);
}

/**
 * A server's entry in the table of a service. Only NAT can change a port: ipvsadm(8) writes the service's otherwise, and none for a
 * firewall mark.
 */
export function serverKey(service: ServiceConfig, address: string, port: number): ServerKey {
  if (address === '') return '';
  if (service.protocol === 'fwmark') return endpoint(address, 0);
  return endpoint(address, service.method === 'masq' ? port : service.port);
}

/** Where a host is checked and served, in a service that says a port for those that do not. */
export function portOf(host: HostConfig, service: ServiceConfig): number {
  return host.port === 0 ? service.realPort : host.port;
}

function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Where a name of the file is; '' where nobody knows. */
export function addressOf(state: Pick<BalancerState, 'addresses'>, name: string): string {
  return state.addresses.get(name) ?? '';
}

/** What is known of the file's names now: those that do not resolve at present keep their last known address. */
export function knownAddresses(
  names: ReadonlySet<string>,
  fresh: Addresses,
  before: Addresses,
): Map<string, string> {
  const known = new Map<string, string>();
  for (const name of names) {
    const address = fresh.get(name) ?? before.get(name) ?? (isNumeric(name) ? name : undefined);
    if (address !== undefined) known.set(name, address);
  }
  return known;
}

function isNumeric(name: string): boolean {
  return name.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(name);
}
