/**
 * Shakes hands with whoever has connected from a friend's address, and hands the connection over to the resource that
 * it turns out to be for. Rules N20… of docs/protocol-wire.md.
 */
import { randomBytes } from 'node:crypto';
import { nonceBytes } from '../../proto/handshake-codec.js';
import type { Acceptor, Guest } from './acceptor.js';
import type { Connection, ConnectionOptions } from './connection.js';
import { type Admit, createResponder, type FindIdentity } from './handshake.js';
import { handshakeMs } from './remote.js';
import type { ResourceNet } from './resource-net.js';

export interface GreeterOptions {
  resources: ReadonlyMap<string, ResourceNet>;
  clock: () => number;
  connect: (options: ConnectionOptions) => Connection;
  settled: Acceptor['settled'];
  /** A guest was sent away, or went; fields for the log and one phrase. */
  onRefused: (fields: { address: string; resource?: string; peer?: string }, text: string) => void;
}

export function greet(guest: Guest, options: GreeterOptions): void {
  const { resources, clock } = options;
  let resource: ResourceNet | null = null;
  let wasUp = false;

  const find: FindIdentity = (name) => {
    const asked = resources.get(name);
    resource = asked?.allows(guest.from) ? asked : null;
    return resource?.identity() ?? null;
  };
  const admit: Admit = (name, peer) => {
    // A reload in the middle of the handshake: what was said before was said under another configuration.
    if (resource === null || resources.get(name) !== resource) {
      return { reason: 'not-allowed', text: 'the configuration has just changed' };
    }
    return resource.peers.admit(peer);
  };

  options.connect({
    socket: guest.socket,
    direction: 'in',
    address: guest.text,
    machine: createResponder(find, admit, () => randomBytes(nonceBytes)),
    greeting: null,
    handshakeMs: handshakeMs(patienceMs(guest, resources)),
    clock,
    onHeard: (connection, peer) => resource?.handlers.onHeard(connection, peer),
    onMessage: (peer, message) => resource?.handlers.onMessage(peer, message),
    onInvalid: (connection, peer, reason) => resource?.handlers.onInvalid(connection, peer, reason),
    onUp: (connection, session) => {
      wasUp = true;
      options.settled(guest);
      resource?.peers.add(connection, session.peer);
    },
    onDown: (connection, reason, peer) => {
      options.settled(guest);
      if (wasUp && peer !== null) return resource?.peers.remove(connection, peer, reason);
      const name = resource?.config.name;
      options.onRefused(
        { address: guest.text, ...(name && { resource: name }), ...(peer && { peer: peer.node }) },
        `connection from ${guest.text} not accepted: ${reason}`,
      );
    },
  });
}

/** Until it has said what it wants, a guest has the longest `timeout` of the resources it may want. */
function patienceMs(guest: Guest, resources: ReadonlyMap<string, ResourceNet>): number {
  const allowed = [...resources.values()].filter((resource) => resource.allows(guest.from));
  return Math.max(0, ...allowed.map(({ config }) => config.timeoutMs));
}
