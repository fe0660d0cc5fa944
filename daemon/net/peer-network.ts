/**
 * The network between the main processes of the nodes: one authenticated connection per resource and peer, made
 * by whichever side gets through, kept open, replaced when it falls silent. Rules N1… of docs/protocol-wire.md.
 *
 * Knows addresses, keys, frames and which node is at the other end. Does not know what a message means, who holds
 * a lease or which role anybody has.
 */
import type { Address, ResourceConfig } from '../config/types.js';
import type { NodeName, PeerMessage } from '../core/types.js';
import type { NetLog } from './log.js';

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
  onMessage: (resource: string, node: NodeName, message: PeerMessage) => void;
  /**
   * A peer became reachable (its first connection is up) or unreachable (its last one is gone). Strictly
   * alternating for a (resource, node): up, down, up, …; silent about one connection replacing another. `reason` is
   * one phrase for people. Called from inside configure() and close() for the links that these end.
   */
  onLink: (resource: string, node: NodeName, up: boolean, reason: string) => void;
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
   * Takes over a configuration (also the first). Only differences are touched: a resource whose key, remote or
   * friends changed gets its links made anew, all others keep theirs.
   */
  configure(resources: readonly ResourceConfig[]): void;
  /**
   * Sends to a peer over its connection; false where there is none (the message is lost, as on any network).
   * The message is taken to be immutable: the same object sent to several nodes is encoded once.
   */
  send(resource: string, node: NodeName, message: PeerMessage): boolean;
  links(resource: string): LinkInfo[];
  /** Ends all connections and listeners; nothing is called back once the promise is fulfilled. */
  close(): Promise<void>;
}
