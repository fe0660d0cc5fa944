/**
 * Keeps trying to connect to one `remote` address, and rests while the node that answers there is linked, by this
 * connection or by any other. Rules N34… of docs/protocol-wire.md. Knows when to try; what is said after the connection
 * is made is the business of its owner.
 */
import net from 'node:net';
import type { Address } from '../config/types.js';
import { hostOf, isLoopback, isWildcard } from './addresses.js';
import { describeSocketError } from './connection.js';
import type { Resolver } from './resolver.js';

/** So many failures are followed by a new attempt after one heartbeat interval; then the pause grows. */
const quickAttempts = 5;
/** The pause does not grow beyond this many heartbeat intervals (nor beyond `timeout`). */
const pauseHeartbeatsMax = 10;
/** The shortest limit for connecting: one lost SYN is sent again after a second, but not waited for. */
const connectMsMin = 500;

export interface DialerTimes {
  heartbeatIntervalMs: number;
  timeoutMs: number;
}

export interface DialerOptions {
  address: Address;
  /** Spreads the attempts of several nodes and addresses: any number, the same at every start. */
  salt: number;
  times: () => DialerTimes;
  clock: () => number;
  resolver: Resolver;
  /** Where we listen: a node of a loopback cluster connects from the address that it listens on. */
  listening: () => readonly Address[];
  /** True where the node is linked. */
  isLinked: (node: string) => boolean;
  /** A socket is connected; the owner says by `closed` and `linked` how it went on. */
  onConnected: (socket: net.Socket) => void;
  /** An attempt failed before that: one phrase. */
  onFailed: (reason: string) => void;
}

export interface Dialer {
  readonly address: Address;
  /** Who answered there last; null until a handshake has succeeded. */
  readonly node: string | null;
  /** The handshake on the socket given to onConnected succeeded. */
  linked(node: string): void;
  /** The connection given to onConnected has ended; `wasLinked` tells whether it had ever been up. */
  closed(wasLinked: boolean): void;
  /** Something changed (a link is gone, a name was resolved): looks again whether to connect. */
  wake(): void;
  close(): void;
}

export function createDialer(options: DialerOptions): Dialer {
  const { address, clock } = options;
  let node: string | null = null;
  /** 'busy': an attempt or its connection is under way. */
  let state: 'waiting' | 'busy' | 'closed' = 'waiting';
  let failures = 0;
  let attempts = 0;
  let lastAttemptAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | null = null;
  let connecting: net.Socket | null = null;

  function wake(): void {
    if (state !== 'waiting') return;
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (node !== null && options.isLinked(node)) {
      failures = 0;
      return;
    }
    const dueAt = lastAttemptAt + pauseMs();
    timer = setTimeout(attempt, Math.max(0, dueAt - clock()));
  }

  function pauseMs(): number {
    const { heartbeatIntervalMs, timeoutMs } = options.times();
    const most = Math.max(heartbeatIntervalMs, Math.min(timeoutMs, pauseHeartbeatsMax * heartbeatIntervalMs));
    const grown = heartbeatIntervalMs * 2 ** Math.min(Math.max(0, failures - quickAttempts), 10);
    // Up to a quarter more, different for every address, node and attempt, so that nodes do not try in step.
    const spread = ((options.salt + attempts * 7) % 16) / 64;
    return Math.min(most, grown) * (1 + spread);
  }

  function attempt(): void {
    timer = null;
    if (state !== 'waiting' || (node !== null && options.isLinked(node))) return;
    lastAttemptAt = clock();
    attempts += 1;
    const target = targetOf();
    if (target === null) {
      failed('the host name is not resolved');
      return;
    }
    state = 'busy';
    const socket = net.connect(target);
    connecting = socket;
    const { heartbeatIntervalMs, timeoutMs } = options.times();
    const limitMs = Math.min(timeoutMs, Math.max(connectMsMin, 3 * heartbeatIntervalMs));
    const limit = setTimeout(() => fail('no answer'), limitMs);

    function fail(reason: string): void {
      if (connecting !== socket) return;
      connecting = null;
      clearTimeout(limit);
      socket.destroy();
      if (state === 'closed') return;
      state = 'waiting';
      const host = hostOf(address);
      if (host !== null) options.resolver.doubt(host);
      failed(reason);
    }

    socket.once('close', () => clearTimeout(limit));
    socket.on('error', (error) => fail(describeSocketError(error)));
    socket.once('connect', () => {
      if (connecting !== socket) return;
      connecting = null;
      clearTimeout(limit);
      socket.removeAllListeners('error');
      options.onConnected(socket);
    });
  }

  function failed(reason: string): void {
    failures += 1;
    options.onFailed(reason);
    wake();
  }

  function targetOf(): net.NetConnectOpts | null {
    if (address.scheme === 'unix') return { path: address.path };
    // An address is taken as it is written: without its zone (fe80::1%eth0) a link-local one leads nowhere.
    const host = hostOf(address) ?? { host: '', family: 0 };
    const known = net.isIP(host.host) ? [host.host] : options.resolver.addresses(host);
    const ip = known[attempts % Math.max(1, known.length)];
    if (ip === undefined) return null;
    const localAddress = sourceFor(ip, options.listening());
    return { host: ip, port: address.port, ...(localAddress === null ? {} : { localAddress }) };
  }

  return {
    address,
    get node() {
      return node;
    },
    linked(who) {
      node = who;
      failures = 0;
    },
    closed(wasLinked) {
      if (state === 'closed') return;
      state = 'waiting';
      failures = wasLinked ? 0 : failures + 1;
      wake();
    },
    wake,
    close() {
      state = 'closed';
      if (timer !== null) clearTimeout(timer);
      connecting?.destroy();
      connecting = null;
    },
  };
}

/**
 * The address to connect from, null for the system's choice. On the loopback network the system would choose 127.0.0.1
 * for all; there the address that we listen on tells the nodes of one machine apart.
 */
function sourceFor(ip: string, listening: readonly Address[]): string | null {
  if (!isLoopback(ip)) return null;
  const family = net.isIP(ip);
  const own = listening.flatMap((address) => (address.scheme === 'unix' ? [] : [address.host]));
  return own.find((host) => net.isIP(host) === family && isLoopback(host) && !isWildcard(host)) ?? null;
}
