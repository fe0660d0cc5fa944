/**
 * Which nodes are reachable for one resource, and by which of their connections we speak to them. Rules N30… of
 * docs/protocol-wire.md: a connection replaces another, two that cross each other, processes that were succeeded.
 * Knows established connections only; how they come about is the business of dialer.ts and acceptor.ts.
 */
import { encodeProbe } from '../../proto/codec.js';
import type { RefuseReason } from '../../proto/words.js';
import type { NodeName } from '../core/types.js';
import type { Connection, SharedPayload } from './connection.js';
import type { Peer } from './handshake.js';

/** Connections of one peer at a time; more than two meet only where something is wrong. */
const connectionsMax = 4;
/** Incarnations of a peer that are remembered as succeeded by another one. */
const succeededMax = 8;

export interface PeerLinksOptions {
  /** Our own name. */
  node: NodeName;
  /** The order that decides which of two crossing connections stays. */
  voters: () => readonly NodeName[];
  /** How long a replaced connection may take to end, in milliseconds. */
  lingerMs: () => number;
  onLink: (node: NodeName, up: boolean, reason: string) => void;
}

export interface PeerLinks {
  /** Why this proven peer must not be accepted, null where it may. */
  admit(peer: Peer): { reason: RefuseReason; text: string } | null;
  add(connection: Connection, peer: Peer): void;
  /** Something arrived on the connection. */
  heard(connection: Connection, peer: Peer): void;
  remove(connection: Connection, peer: Peer, reason: string): void;
  /** True where the peer is linked and this is its present incarnation. */
  believes(peer: Peer): boolean;
  send(node: NodeName, payload: SharedPayload): boolean;
  /** Bytes that wait on the connection we send on; infinite where there is none. */
  waiting(node: NodeName): number;
  nodes(): NodeName[];
  isUp(node: NodeName): boolean;
  connections(node: NodeName): readonly Connection[];
  /** Ends the connections for which the function gives a reason. */
  end(why: (connection: Connection, node: NodeName) => string | null): void;
}

interface PeerState {
  node: NodeName;
  incarnation: number;
  /** Usable ones, in the order in which they came up. */
  connections: Connection[];
  /** The one we send on. */
  current: Connection | null;
  /** Those on which something arrived since the last one came up. */
  heard: Set<Connection>;
  /** Earlier processes of that node, so that a stray one does not come back and throw out the present one. */
  succeeded: number[];
}

const probe: SharedPayload = { payload: encodeProbe(), frame: null };

export function createPeerLinks(options: PeerLinksOptions): PeerLinks {
  const peers = new Map<NodeName, PeerState>();

  function stateOf(peer: Peer): PeerState {
    let state = peers.get(peer.node);
    if (state === undefined) {
      state = { ...peer, connections: [], current: null, heard: new Set(), succeeded: [] };
      peers.set(peer.node, state);
    }
    return state;
  }

  function admit(peer: Peer): { reason: RefuseReason; text: string } | null {
    const state = peers.get(peer.node);
    if (state === undefined || state.connections.length === 0) return null;
    if (!state.succeeded.includes(peer.incarnation)) return null;
    return { reason: 'superseded', text: `an earlier process of ${peer.node}, or two nodes have this name` };
  }

  function add(connection: Connection, peer: Peer): void {
    const state = stateOf(peer);
    const wasUp = state.connections.length > 0;
    if (state.incarnation !== peer.incarnation) succeed(state, peer);
    for (const other of state.connections) other.send(probe);
    state.connections.push(connection);
    if (state.connections.length > connectionsMax) state.connections.shift()?.destroy('too many connections');
    // The newest works for certain in both directions: its handshake has just said so.
    state.current = connection;
    state.heard.clear();
    settle(state);
    if (!wasUp) options.onLink(peer.node, true, describe(connection));
  }

  /** Another process of the node has come: what the earlier one said and says is over. */
  function succeed(state: PeerState, peer: Peer): void {
    state.succeeded = [...state.succeeded, state.incarnation]
      .filter((incarnation) => incarnation !== peer.incarnation)
      .slice(-succeededMax);
    state.incarnation = peer.incarnation;
    for (const old of state.connections) old.destroy(`${peer.node} was started anew`);
    state.connections = [];
  }

  /**
   * Where several connections lead to a peer, one stays: among those that the earlier of the two voters opened, the
   * newest. The side that opened it ends the others, and only once it has heard on it since the last of them came
   * up: until then the newest is used, so that at no moment neither is.
   */
  function settle(state: PeerState): void {
    if (state.connections.length < 2) return;
    const direction = comesFirst(options.node, state.node, options.voters()) ? 'out' : 'in';
    const newest = state.connections.at(-1);
    const winner = state.connections.findLast((connection) => connection.direction === direction) ?? newest;
    if (winner === undefined || winner.direction !== 'out') return;
    if (winner !== newest && !state.heard.has(winner)) return;
    const others = state.connections.filter((connection) => connection !== winner);
    state.connections = [winner];
    state.current = winner;
    for (const other of others) other.retire('another connection to the same node stays', options.lingerMs());
  }

  function heard(connection: Connection, peer: Peer): void {
    const state = peers.get(peer.node);
    if (state === undefined || state.connections.length < 2) return;
    state.heard.add(connection);
    settle(state);
  }

  function remove(connection: Connection, peer: Peer, reason: string): void {
    const state = peers.get(peer.node);
    if (!state?.connections.includes(connection)) return;
    state.connections = state.connections.filter((other) => other !== connection);
    state.heard.delete(connection);
    if (state.current === connection) state.current = state.connections.at(-1) ?? null;
    if (state.connections.length === 0) options.onLink(peer.node, false, reason);
  }

  function send(node: NodeName, payload: SharedPayload): boolean {
    const state = peers.get(node);
    if (state === undefined) return false;
    if (state.current?.usable) return state.current.send(payload);
    const other = state.connections.findLast((connection) => connection.usable);
    return other?.send(payload) ?? false;
  }

  return {
    admit,
    add,
    heard,
    remove,
    send,
    waiting: (node) => peers.get(node)?.current?.waiting ?? Number.POSITIVE_INFINITY,
    believes: (peer) => {
      const state = peers.get(peer.node);
      return state !== undefined && state.incarnation === peer.incarnation && state.connections.length > 0;
    },
    nodes: () => [...peers.values()].filter((state) => state.connections.length > 0).map(({ node }) => node),
    isUp: (node) => peers.get(node)?.connections.some((connection) => connection.usable) ?? false,
    connections: (node) => peers.get(node)?.connections ?? [],
    end(why) {
      for (const state of peers.values()) {
        for (const connection of state.connections) {
          const reason = why(connection, state.node);
          if (reason !== null) connection.destroy(reason);
        }
      }
    },
  };
}

/** Which of two nodes comes first among the voters; by name where the list does not say. */
function comesFirst(one: NodeName, other: NodeName, voters: readonly NodeName[]): boolean {
  const [first, second] = [voters.indexOf(one), voters.indexOf(other)];
  return first >= 0 && second >= 0 ? first < second : one < other;
}

function describe(connection: Connection): string {
  return `connected ${connection.direction === 'out' ? 'to' : 'from'} ${connection.address}`;
}
