/**
 * Names and their addresses: resolved by the system's resolver, off the loop, and remembered for a stated time. An answer that has
 * become old serves until the new one is there; a name that was never resolved makes its checks wait.
 */
import { isIP } from 'node:net';
import { SOCKADDR_BYTES, writeSockaddr } from '../sys/sockets.js';

/** Gives numeric addresses, or the reason why there is none. */
export type Lookup = (name: string, done: (addresses: readonly string[], reason: string) => void) => void;

export interface Host {
  readonly name: string;
  addresses: readonly string[];
  /** Socket addresses, in the order of `addresses`; whoever uses one writes its port into it. */
  sockaddrs: readonly Buffer[];
  /** Why there is no address, '' where there is. */
  reason: string;
  /** On the engine's clock; Infinity for what needs no resolving. */
  expiresAt: number;
  asking: boolean;
  /** Told when the answer is there. */
  waiting: ((host: Host) => void)[];
}

export interface HostsOptions {
  lookup: Lookup;
  now: () => number;
  /** How long an answer serves, and how long a failure does. */
  keepMs: number;
  failureMs: number;
}

/** Names that redirects have led to: somebody else made them up, so their number has a bound. */
const PASSING_MAX = 256;

export class Hosts {
  private readonly options: HostsOptions;
  private readonly byName = new Map<string, number>();
  private readonly all: Host[] = [];
  private readonly passers = new Map<string, Host>();

  constructor(options: HostsOptions) {
    this.options = options;
  }

  /** The number of a host; a name is known once. */
  numberOf(name: string): number {
    const known = this.byName.get(name);
    if (known !== undefined) return known;
    this.all.push(newHost(name));
    this.byName.set(name, this.all.length - 1);
    return this.all.length - 1;
  }

  /** A host that no check is about, remembered for a while. */
  passing(name: string): Host {
    const known = this.byName.get(name);
    if (known !== undefined) return this.get(known);
    const host = this.passers.get(name) ?? newHost(name);
    this.passers.delete(name);
    this.passers.set(name, host);
    const [oldest = ''] = this.passers.size > PASSING_MAX ? this.passers.keys() : [];
    this.passers.delete(oldest);
    return host;
  }

  get(number: number): Host {
    return this.all[number] as Host;
  }

  /** Asks where the answer is missing or old; true where there is one to go on with. */
  ready(host: Host): boolean {
    if (host.expiresAt < Number.POSITIVE_INFINITY && host.expiresAt <= this.options.now()) this.ask(host);
    return host.addresses.length > 0 || (host.reason !== '' && !host.asking);
  }

  private ask(host: Host): void {
    if (host.asking) return;
    host.asking = true;
    const { lookup, now, keepMs, failureMs } = this.options;
    lookup(host.name, (addresses, reason) => {
      host.asking = false;
      host.expiresAt = now() + (addresses.length > 0 ? keepMs : failureMs);
      host.reason = addresses.length > 0 ? '' : reason;
      setAddresses(host, addresses);
      for (const tell of host.waiting.splice(0)) tell(host);
    });
  }
}

function newHost(name: string): Host {
  const numeric = isIP(name.replace(/%.*$/, '')) !== 0;
  const host: Host = {
    name,
    addresses: [],
    sockaddrs: [],
    reason: numeric ? '' : 'not resolved yet',
    expiresAt: numeric ? Number.POSITIVE_INFINITY : 0,
    asking: false,
    waiting: [],
  };
  if (numeric) setAddresses(host, [name]);
  return host;
}

function setAddresses(host: Host, addresses: readonly string[]): void {
  host.addresses = addresses;
  host.sockaddrs = addresses.map((address) => {
    const room = Buffer.alloc(SOCKADDR_BYTES);
    const [numeric = '', scope = ''] = address.split('%');
    const length = writeSockaddr(room, 0, numeric, 0, Number(scope) || 0);
    return room.subarray(0, length);
  });
}
