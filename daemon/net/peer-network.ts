/**
 * The network between the main processes of the nodes: one authenticated connection per group (a resource, or monitoring) and
 * peer, made by whichever side gets through, kept open, replaced when it falls silent. Rules N1… of docs/protocol-wire.md.
 *
 * Knows addresses, keys, frames and which node is at the other end. Does not know what a message means, who holds
 * a lease or which role anybody has.
 */
import { isDeepStrictEqual } from 'node:util';
import { encodePeerMessage, type LinkMessage } from '../../proto/codec.js';
import type { Address } from '../config/types.js';
import type { NodeName } from '../core/types.js';
import { createAcceptor } from './acceptor.js';
import { hostOf } from './addresses.js';
import {
  type Connection,
  type ConnectionOptions,
  createConnection,
  type SharedPayload,
} from './connection.js';
import { greet } from './greeter.js';
import type { LinkGroup } from './group.js';
import type { NetLog } from './log.js';
import { createOnce } from './once.js';
import { createResolver, type Lookup } from './resolver.js';
import { createResourceNet, type ResourceNet } from './resource-net.js';

export interface PeerNetworkOptions {
  /** Our own name, as in the voters' lists. */
  node: NodeName;
  /** Drawn anew at every start of the main process; an integer from 1 to 2^53-1. */
  incarnation: number;
  /** Milliseconds that never go back (CLOCK_BOOTTIME). */
  clock: () => number;
  log: NetLog;
  /**
   * A message from an authenticated peer, in the order of its connection. Like onLink never called from inside a call
   * to this object.
   */
  onMessage: (resource: string, node: NodeName, message: LinkMessage) => void;
  /**
   * A peer became reachable (its first connection is up) or unreachable (its last one is gone). Strictly
   * alternating for a (resource, node): up, down, up, …; silent about one connection replacing another. `reason` is
   * one phrase for people. Called from inside configure() and close() for the links that these end.
   */
  onLink: (resource: string, node: NodeName, up: boolean, reason: string) => void;
  /** Resolves host names; absent: the system's resolver. */
  lookup?: Lookup;
}

/** One line of `remote:` in the status, or a peer that only connects to us. */
export interface LinkInfo {
  /** The normal form of the configured address; for a peer without one, the address it came from. */
  address: string;
  /** True where `address` is one of the resource's `remote` addresses. */
  remote: boolean;
  /** Who answers there; null until a handshake has succeeded once. */
  node: NodeName | null;
  connected: boolean;
  /** Since when it has been connected or not; reading of `clock`. */
  since: number;
  /** When something last arrived; reading of `clock`, 0 for never. */
  lastHeard: number;
  /** Why it is not connected ('' where it is), as one phrase for people. */
  reason: string;
}

export interface PeerNetwork {
  /**
   * Listens on exactly these addresses: opens what is new, keeps what is there, closes what is no longer named.
   * All or nothing: on failure nothing has changed and the error names address and reason.
   */
  listen(addresses: readonly Address[]): Promise<void>;
  /** Where it listens now, with the ports that port 0 became. */
  listening(): Address[];
  /**
   * Takes over a configuration (also the first). Only differences are touched: a group whose key, remote or friends changed
   * gets its links made anew, all others keep theirs.
   */
  configure(groups: readonly LinkGroup[]): void;
  /**
   * Sends to a peer over its connection; false where there is none (the message is lost, as on any network).
   * The message is taken to be immutable: the same object sent to several nodes is encoded once.
   */
  send(resource: string, node: NodeName, message: LinkMessage): boolean;
  /** Bytes that wait for a peer to read them; infinite where it is not connected. */
  waiting(resource: string, node: NodeName): number;
  links(resource: string): LinkInfo[];
  /** When something last came from the node, on any of its connections; reading of `clock`, 0 for never. */
  lastHeard(node: NodeName): number;
  /** Ends all connections and listeners; nothing is called back once the promise is fulfilled. */
  close(): Promise<void>;
}

export function createPeerNetwork(options: PeerNetworkOptions): PeerNetwork {
  const { clock, log, lookup } = options;
  const once = createOnce(clock);
  const resources = new Map<string, ResourceNet>();
  const connections = new Set<Connection>();
  let onLastGone: (() => void) | null = null;
  const encoder = createEncoder();
  const resolver = createResolver({ clock, log, onChange: refresh, ...(lookup && { lookup }) });
  const acceptor = createAcceptor({
    isAllowed: (from) => [...resources.values()].some((resource) => resource.allows(from)),
    onGuest: (guest) => greet(guest, { resources, clock, connect, settled: acceptor.settled, onRefused }),
    onStranger: (text) =>
      onRefused({ address: text }, `connection from ${text} not accepted: it is no friend of any resource`),
    onError: (address, error) => {
      if (!once.first('accept', address)) return;
      log.warn({ address }, `cannot accept connections on ${address}: ${error.message}`);
    },
  });

  function refresh(): void {
    for (const resource of resources.values()) resource.refresh();
  }

  function onRefused(fields: { address: string }, text: string): void {
    if (once.first(text, fields.address)) log.warn(fields, text);
    else log.trace?.(fields, text);
  }

  /** Makes a connection and keeps account of it, so that close() knows when the last one is gone. */
  function connect(wanted: ConnectionOptions): Connection {
    const connection = createConnection({
      ...wanted,
      onDown: (gone, reason, peer) => {
        connections.delete(gone);
        const who = peer === null ? '' : ` (${peer.node})`;
        log.trace?.({ address: gone.address }, `ended ${gone.address}${who}: ${reason}`);
        wanted.onDown(gone, reason, peer);
        if (connections.size === 0) onLastGone?.();
      },
    });
    connections.add(connection);
    return connection;
  }

  function configure(configs: readonly LinkGroup[]): void {
    resolver.want(
      configs.flatMap(({ friends, remote }) =>
        [...friends, ...remote].map(hostOf).filter((host) => host !== null),
      ),
    );
    for (const [name, resource] of resources) {
      const next = configs.find((config) => config.name === name);
      if (next !== undefined && sameLinks(resource.config, next)) continue;
      resource.close(next === undefined ? 'it is no longer configured' : 'the configuration has changed');
      resources.delete(name);
    }
    for (const config of configs) {
      const known = resources.get(config.name);
      if (known === undefined) resources.set(config.name, add(config));
      else known.update(config);
    }
  }

  function add(config: LinkGroup): ResourceNet {
    return createResourceNet({
      ...{ config, clock, log, once, resolver, connect },
      node: options.node,
      incarnation: options.incarnation,
      listening: acceptor.listening,
      onMessage: (node, message) => {
        trace('received', config.name, node, message);
        options.onMessage(config.name, node, message);
      },
      onLink: (node, up, reason) => options.onLink(config.name, node, up, reason),
    });
  }

  function send(resource: string, node: NodeName, message: LinkMessage): boolean {
    const peers = resources.get(resource)?.peers;
    if (!peers?.isUp(node)) return false;
    trace('sent', resource, node, message);
    return peers.send(node, encoder(message));
  }

  function trace(what: string, resource: string, node: NodeName, message: LinkMessage): void {
    if (log.isLevelEnabled?.('trace'))
      log.trace?.({ resource, peer: node, message: shown(message) }, `${what} ${message.kind}`);
  }

  async function close(): Promise<void> {
    resolver.close();
    const gone = new Promise<void>((resolve) => {
      onLastGone = resolve;
    });
    for (const resource of resources.values()) resource.close('this daemon ends');
    for (const connection of connections) connection.destroy('this daemon ends');
    await acceptor.close();
    if (connections.size > 0) await gone;
    resources.clear();
  }

  return {
    listen: acceptor.listen,
    listening: acceptor.listening,
    configure,
    send,
    waiting: (resource, node) => resources.get(resource)?.peers.waiting(node) ?? Number.POSITIVE_INFINITY,
    links: (resource) => resources.get(resource)?.links() ?? [],
    lastHeard: (node) => Math.max(0, ...[...resources.values()].map((resource) => resource.lastHeard(node))),
    close,
  };
}

/** The message, but for bytes that nobody could read. */
function shown(message: LinkMessage): object {
  if (message.kind === 'inquiry') return { ...message, request: message.request.length };
  return message.kind === 'reply' ? { ...message, bytes: message.bytes.length } : message;
}

/** Encodes a message once for all the nodes it goes to, one after the other. */
function createEncoder(): (message: LinkMessage) => SharedPayload {
  let last: LinkMessage | null = null;
  let shared: SharedPayload = { payload: new Uint8Array(0), frame: null };
  return (message) => {
    if (message !== last) {
      shared = { payload: encodePeerMessage(message), frame: null };
      last = message;
    }
    return shared;
  };
}

/** True where the connections of a resource need not be made anew. */
function sameLinks(one: LinkGroup, other: LinkGroup): boolean {
  const texts = (addresses: readonly Address[]) => addresses.map(({ text }) => text);
  return (
    isDeepStrictEqual(one.key, other.key) &&
    isDeepStrictEqual(texts(one.remote), texts(other.remote)) &&
    isDeepStrictEqual(texts(one.friends), texts(other.friends))
  );
}
