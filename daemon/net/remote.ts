/**
 * One `remote` address of a resource: dials it, shakes hands as the side that connected, and remembers for the status
 * what came of it. Rules N34… of docs/protocol-wire.md. Which connection is used is the business of peer-links.ts.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { nonceBytes } from '../../proto/handshake-codec.js';
import type { Address } from '../config/types.js';
import type { NodeName } from '../core/types.js';
import type { Connection, ConnectionOptions } from './connection.js';
import { createDialer, type Dialer } from './dialer.js';
import type { LinkGroup } from './group.js';
import { createInitiator, type Identity } from './handshake.js';
import type { NetLog } from './log.js';
import type { Once } from './once.js';
import type { PeerLinks } from './peer-links.js';
import type { Resolver } from './resolver.js';

/** No handshake may take longer, whatever `timeout` says. */
const handshakeMsMax = 5000;

export function handshakeMs(timeoutMs: number): number {
  return Math.min(timeoutMs, handshakeMsMax);
}

/** What a resource gives to all connections of its own, whoever opened them. */
export interface ResourceContext {
  resource: string;
  config: () => LinkGroup;
  /** Who we are for this resource; null while it takes no part. */
  identity: () => Identity | null;
  peers: PeerLinks;
  clock: () => number;
  log: NetLog;
  once: Once;
  resolver: Resolver;
  listening: () => readonly Address[];
  /** Makes a connection that the network keeps account of. */
  connect: (options: ConnectionOptions) => Connection;
  handlers: Pick<ConnectionOptions, 'onHeard' | 'onMessage' | 'onInvalid'>;
}

export interface Remote {
  readonly address: Address;
  /** Who answered there last, null until a handshake has succeeded. */
  readonly node: NodeName | null;
  /** Why it is not connected and since when; without meaning while the node is linked. */
  readonly reason: string;
  readonly since: number;
  /** The node's last connection is gone. */
  lost(reason: string): void;
  wake(): void;
  close(reason: string): void;
}

export function createRemote(address: Address, context: ResourceContext): Remote {
  const { resource, config, clock, log, once, peers } = context;
  let reason = 'not tried yet';
  let since = clock();
  let pending: Connection | null = null;
  const dialer: Dialer = createDialer({
    address,
    salt: saltOf(`${context.identity()?.node} ${resource} ${address.text}`),
    times: config,
    clock,
    resolver: context.resolver,
    listening: context.listening,
    isLinked: (node) => peers.isUp(node),
    onConnected: dialed,
    onFailed: failed,
  });

  function failed(why: string): void {
    reason = why;
    const fields = { resource, address: address.text };
    const text = `cannot connect to ${address.text}: ${why}`;
    if (once.first(why, `${resource} ${address.text}`)) log.info(fields, text);
    else log.trace?.(fields, text);
  }

  function dialed(socket: Socket): void {
    const me = context.identity();
    if (me === null) return void socket.destroy();
    const machine = createInitiator(me, randomBytes(nonceBytes));
    let wasUp = false;
    pending = context.connect({
      socket,
      direction: 'out',
      address: address.text,
      machine,
      greeting: machine.hello,
      handshakeMs: handshakeMs(config().timeoutMs),
      clock,
      ...context.handlers,
      onUp: (connection, session) => {
        pending = null;
        const objection = peers.admit(session.peer);
        if (objection !== null) return connection.destroy(objection.text);
        wasUp = true;
        dialer.linked(session.peer.node);
        peers.add(connection, session.peer);
      },
      onDown: (connection, why, peer) => {
        pending = null;
        if (wasUp && peer !== null) peers.remove(connection, peer, why);
        else failed(why);
        dialer.closed(wasUp);
      },
    });
  }

  return {
    address,
    get node() {
      return dialer.node;
    },
    get reason() {
      return reason;
    },
    get since() {
      return since;
    },
    lost(why) {
      reason = why;
      since = clock();
    },
    wake: dialer.wake,
    close(why) {
      dialer.close();
      pending?.destroy(why);
    },
  };
}

/** FNV-1a: a number that differs between names and is the same at every start. */
function saltOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash;
}
