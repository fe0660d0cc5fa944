/**
 * Listens, and turns strangers away before they cost anything. Rules N5… of docs/protocol-wire.md. Knows addresses and
 * how many connections have not yet proven who they are; the handshake is the business of its owner.
 *
 * Out of file descriptors, libuv accepts and closes what waits (so nothing spins), and 'error' is all we see of it.
 */
import dns from 'node:dns/promises';
import net from 'node:net';
import type { Address } from '../config/types.js';
import { addressText, canonicalAddress, familyOf, unixPeer } from './addresses.js';
import { clearSocketPath, listenUnix } from './unix-socket.js';

/** Connections that have not finished their handshake: altogether, and from one address. */
export const strangersMax = 128;
export const strangersPerAddressMax = 16;
/** Connections that the kernel keeps for us while we are busy. */
const backlog = 511;
/** Mode of a UNIX socket for peers: who may open it is a peer. */
const unixMode = 0o600;

/** A connection from an address that may be a friend's. */
export interface Guest {
  socket: net.Socket;
  /** The canonical address, or unixPeer. */
  from: string;
  /** For people. */
  text: string;
}

export interface AcceptorOptions {
  /** True where somebody may connect from this address (canonical form). */
  isAllowed: (from: string) => boolean;
  onGuest: (guest: Guest) => void;
  /** Somebody else connected: already closed. */
  onStranger: (text: string) => void;
  onError: (address: string, error: NodeJS.ErrnoException) => void;
}

export interface Acceptor {
  listen(addresses: readonly Address[]): Promise<void>;
  listening(): Address[];
  /** The guest has proven who it is, or is gone: it counts no longer. */
  settled(guest: Guest): void;
  close(): Promise<void>;
}

interface Listener {
  /** As it was asked for. */
  wanted: Address;
  /** As it is, with a real port. */
  actual: Address;
  server: net.Server;
}

export function createAcceptor(options: AcceptorOptions): Acceptor {
  let listeners: Listener[] = [];
  /** In the order of their arrival. */
  const strangers = new Set<Guest>();

  async function listen(addresses: readonly Address[]): Promise<void> {
    const wanted = [...new Map(addresses.map((address) => [address.text, address])).values()];
    const keep = listeners.filter((listener) => wanted.some(({ text }) => text === listener.wanted.text));
    const gone = listeners.filter((listener) => !keep.includes(listener));
    const fresh = wanted.filter(({ text }) => !keep.some((listener) => listener.wanted.text === text));
    // An old listener on 0.0.0.0 would be in the way of a new one on the same port.
    await Promise.all(gone.map(shut));
    const opened: Listener[] = [];
    try {
      for (const address of fresh) opened.push(await open(address));
    } catch (error) {
      await Promise.all(opened.map(shut));
      listeners = [...keep, ...(await reopen(gone))];
      throw error;
    }
    listeners = [...keep, ...opened];
  }

  async function reopen(gone: readonly Listener[]): Promise<Listener[]> {
    const again = await Promise.allSettled(gone.map(({ actual, wanted }) => open(actual, wanted)));
    return again.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  }

  async function open(address: Address, wanted = address): Promise<Listener> {
    const isUnix = address.scheme === 'unix';
    const server = net.createServer((socket) => accept(socket, isUnix));
    try {
      if (address.scheme === 'unix') {
        await clearSocketPath(address.path);
        await listenUnix(server, address.path, unixMode);
      } else {
        await listenTcp(server, address);
      }
    } catch (error) {
      server.close();
      throw new Error(`cannot listen on ${address.text}: ${listenProblem(error as NodeJS.ErrnoException)}`);
    }
    server.on('error', (error) => options.onError(address.text, error));
    return { wanted, actual: actualAddress(address, server), server };
  }

  function accept(socket: net.Socket, isUnix: boolean): void {
    const from = isUnix ? unixPeer : canonicalAddress(socket.remoteAddress ?? '');
    // The other side may be gone already, and then it has no address any more.
    if (from === null) return void socket.destroy();
    const text = isUnix ? 'a UNIX socket' : addressText(net.isIPv6(from) ? 'tcp6' : 'tcp4', from);
    if (!options.isAllowed(from)) {
      socket.on('error', () => {});
      socket.destroy();
      options.onStranger(text);
      return;
    }
    const guest = { socket, from, text };
    strangers.add(guest);
    makeRoom(from);
    options.onGuest(guest);
  }

  /** The oldest goes: an honest peer is done in a moment, and one that hangs must not keep others out. */
  function makeRoom(from: string): void {
    const sameAddress = [...strangers].filter((guest) => guest.from === from);
    const oldest = sameAddress.length > strangersPerAddressMax ? sameAddress[0] : undefined;
    const excess = oldest ?? (strangers.size > strangersMax ? [...strangers][0] : undefined);
    if (excess === undefined) return;
    strangers.delete(excess);
    excess.socket.destroy();
  }

  return {
    listen,
    listening: () => listeners.map(({ actual }) => actual),
    settled: (guest) => void strangers.delete(guest),
    async close() {
      const open = listeners;
      listeners = [];
      for (const guest of strangers) guest.socket.destroy();
      strangers.clear();
      await Promise.all(open.map(shut));
    },
  };
}

async function listenTcp(server: net.Server, address: Exclude<Address, { scheme: 'unix' }>): Promise<void> {
  const family = familyOf(address.scheme);
  const host = net.isIP(address.host) ? address.host : (await dns.lookup(address.host, { family })).address;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port: address.port, backlog, ipv6Only: address.scheme === 'tcp6' }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function actualAddress(address: Address, server: net.Server): Address {
  const bound = server.address();
  if (address.scheme === 'unix' || bound === null || typeof bound === 'string') return address;
  if (bound.port === address.port) return address;
  return { ...address, port: bound.port, text: address.text.replace(/:0$/, `:${bound.port}`) };
}

/** Closes the listening socket at once; connections that came through it live on. */
async function shut({ server }: Listener): Promise<void> {
  server.close();
  await new Promise((resolve) => setImmediate(resolve));
}

function listenProblem(error: NodeJS.ErrnoException): string {
  const words: Record<string, string> = {
    EADDRINUSE: 'the address is in use (EADDRINUSE); another daemon may be running there',
    EADDRNOTAVAIL: 'no interface of this machine has the address (EADDRNOTAVAIL)',
    EACCES: 'permission denied (EACCES)',
    ENOTFOUND: 'the host name cannot be resolved (ENOTFOUND)',
  };
  return words[error.code ?? ''] ?? error.message;
}
