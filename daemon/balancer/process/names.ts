/** Host names of the balancer's file to addresses, by the system's resolver, in the form in which the kernel's table writes them. */
import { lookup } from 'node:dns/promises';
import { isIPv4, isIPv6 } from 'node:net';
import type { Addresses, BalancerConfig } from '../types.js';

export interface Resolved {
  addresses: Addresses;
  /** Names that have none, and why, in order. */
  failed: { name: string; why: string }[];
}

export interface Names {
  /** Every host that the file names. A name that has both kinds of address stands for the IPv4 one. */
  resolve(config: BalancerConfig): Promise<Resolved>;
}

/** How many names are asked for at once: the resolver has few threads. */
const AT_ONCE = 16;
/** So long a file waits for its names: the table is to be kept, and what is known from before serves meanwhile. */
const LIMIT_MS = 5000;

type Answer = { address: string } | { why: string };

/** `ask` gives the addresses of a name, and rejects where it has none. */
export function createNames(ask = askSystem, limitMs = LIMIT_MS): Names {
  /** Under way: a resolver that does not answer is not asked again and again. */
  const pending = new Map<string, Promise<Answer>>();
  /** Those that there was no time for: they are first the next time. */
  let late = new Set<string>();

  function answerOf(name: string): Promise<Answer> {
    const before = pending.get(name);
    if (before !== undefined) return before;
    const answer = ask(name)
      .then(firstOf, (error: NodeJS.ErrnoException): Answer => ({ why: error.code ?? String(error) }))
      .finally(() => pending.delete(name));
    pending.set(name, answer);
    return answer;
  }

  async function answersOf(names: readonly string[]): Promise<Map<string, Answer>> {
    const answers = new Map<string, Answer>();
    const queue = [...names.filter((name) => late.has(name)), ...names.filter((name) => !late.has(name))];
    let over = false;
    const work = async (): Promise<void> => {
      for (let name = queue.shift(); name !== undefined && !over; name = queue.shift())
        answers.set(name, await answerOf(name));
    };
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    await Promise.race([limit, Promise.all(Array.from({ length: AT_ONCE }, work))]);
    clearTimeout(timer);
    over = true;
    late = new Set(names.filter((name) => !answers.has(name)));
    return new Map(answers);
  }

  return {
    async resolve(config) {
      const addresses = new Map<string, string>();
      const failed: Resolved['failed'] = [];
      const names: string[] = [];
      for (const host of hostsOf(config)) {
        const numeric = numericForm(host);
        if (numeric === null) names.push(host);
        else addresses.set(host, numeric);
      }
      const answers = await answersOf(names);
      for (const name of names) {
        const answer = answers.get(name) ?? { why: `no answer within ${limitMs / 1000} s` };
        if ('address' in answer) addresses.set(name, answer.address);
        else failed.push({ name, why: answer.why });
      }
      failed.sort((a, b) => (a.name < b.name ? -1 : 1));
      return { addresses, failed };
    },
  };
}

function hostsOf({ hosts, options, services }: BalancerConfig): Set<string> {
  return new Set([
    ...services.filter(({ protocol }) => protocol !== 'fwmark').map(({ host }) => host),
    ...hosts.map(({ host }) => host),
    ...(options.sorryFallback === null ? [] : [options.sorryFallback.address]),
  ]);
}

async function askSystem(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true, order: 'ipv4first' });
  return found.map(({ address }) => address);
}

function firstOf([first]: readonly string[]): Answer {
  const address = first === undefined ? null : numericForm(first);
  return address === null ? { why: 'it has no address' } : { address };
}

/** As inet_ntop(3) writes it; null for what is no numeric address. */
export function numericForm(host: string): string | null {
  if (isIPv4(host)) return host;
  if (!isIPv6(host)) return null;
  // A URL's host is serialized in the same form (RFC 5952), between brackets.
  return new URL(`http://[${host}]/`).hostname.slice(1, -1);
}
