/**
 * Host names of the configuration as IP addresses, kept up to date away from the hot path: nobody who connects or is
 * connected to ever waits for a name server. What was resolved once stays valid while a name server is out of reach.
 */
import dns from 'node:dns/promises';
import { canonicalAddress, type Host } from './addresses.js';
import type { NetLog } from './log.js';

/** How long an answer is believed, and how long to wait after the first and after many failures. */
const refreshMs = 60_000;
const retryMsMin = 1_000;
const retryMsMax = 60_000;
/** How soon an answer that did not work is asked for again. */
const doubtMs = 10_000;

/** Resolves a name; rejects where there is no such name. */
export type Lookup = (host: string, family: 0 | 4 | 6) => Promise<string[]>;

export interface Resolver {
  /** From now on, these hosts are kept resolved, and no others. */
  want(hosts: readonly Host[]): void;
  /** The addresses of a wanted host in canonical form; empty while none is known. */
  addresses(host: Host): readonly string[];
  /** Asks again soon: what we have did not work. */
  doubt(host: Host): void;
  close(): void;
}

interface Entry {
  host: Host;
  addresses: readonly string[];
  dueAt: number;
  failures: number;
}

export interface ResolverOptions {
  clock: () => number;
  log: NetLog;
  /** Called after a lookup that changed the addresses of a wanted host. */
  onChange: () => void;
  lookup?: Lookup;
}

/**
 * Lookups go one at a time: getaddrinfo occupies a thread of the pool that also does the fsyncs of the lease, and a
 * dead name server must not take all of them.
 */
export function createResolver(options: ResolverOptions): Resolver {
  const { clock, log } = options;
  const lookup = options.lookup ?? systemLookup;
  let entries = new Map<string, Entry>();
  let timer: NodeJS.Timeout | null = null;
  let busy = false;
  let closed = false;

  function want(hosts: readonly Host[]): void {
    const wanted = new Map<string, Entry>();
    for (const host of hosts) {
      if (canonicalAddress(host.host) !== null) continue;
      const key = keyOf(host);
      const fresh: Entry = { host, addresses: [], dueAt: clock(), failures: 0 };
      wanted.set(key, entries.get(key) ?? fresh);
    }
    entries = wanted;
    schedule();
  }

  function schedule(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (busy || closed || entries.size === 0) return;
    const dueAt = Math.min(...[...entries.values()].map((entry) => entry.dueAt));
    timer = setTimeout(() => void next(), Math.max(0, dueAt - clock()));
  }

  async function next(): Promise<void> {
    const now = clock();
    const due = [...entries.values()].filter((entry) => entry.dueAt <= now);
    const entry = due.sort((one, other) => one.dueAt - other.dueAt)[0];
    if (entry !== undefined) {
      busy = true;
      await resolve(entry);
      busy = false;
    }
    schedule();
  }

  async function resolve(entry: Entry): Promise<void> {
    const { host, family } = entry.host;
    let found: string[] = [];
    let problem = '';
    try {
      found = canonicalAll(await lookup(host, family));
    } catch (error) {
      problem = (error as NodeJS.ErrnoException).code ?? String(error);
    }
    if (closed || entries.get(keyOf(entry.host)) !== entry) return;
    if (found.length === 0) return failed(entry, problem);
    if (entry.failures > 0) log.info({ host }, `${host} can be resolved again: ${found.join(' ')}`);
    entry.failures = 0;
    entry.dueAt = clock() + refreshMs;
    if (found.join(' ') === entry.addresses.join(' ')) return;
    entry.addresses = found;
    options.onChange();
  }

  function failed(entry: Entry, problem: string): void {
    const { host } = entry.host;
    if (entry.failures === 0) {
      const stay = entry.addresses.length > 0 ? `, ${entry.addresses.join(' ')} stays in use` : '';
      log.warn({ host }, `${host} cannot be resolved (${problem})${stay}; trying again`);
    }
    entry.dueAt = clock() + Math.min(retryMsMax, retryMsMin * 2 ** Math.min(entry.failures, 10));
    entry.failures += 1;
  }

  return {
    want,
    addresses(host) {
      const literal = canonicalAddress(host.host);
      if (literal !== null) return [literal];
      return entries.get(keyOf(host))?.addresses ?? [];
    },
    doubt(host) {
      const entry = entries.get(keyOf(host));
      if (entry === undefined || entry.failures > 0) return;
      const soon = clock() + doubtMs;
      if (entry.dueAt <= soon) return;
      entry.dueAt = soon;
      schedule();
    },
    close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

function keyOf(host: Host): string {
  return `${host.family} ${host.host.toLowerCase()}`;
}

function canonicalAll(addresses: readonly string[]): string[] {
  const canonical = addresses.map(canonicalAddress).filter((address) => address !== null);
  // Sorted, because name servers turn the order round for every question.
  return [...new Set(canonical)].sort();
}

async function systemLookup(host: string, family: 0 | 4 | 6): Promise<string[]> {
  const found = await dns.lookup(host, { all: true, family });
  return found.map(({ address }) => address);
}
