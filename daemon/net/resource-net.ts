/**
 * The connections of one resource, or of monitoring: its remote addresses, its friends, its linked peers, and the watch over silence.
 * Rules N30… of docs/protocol-wire.md. Listening, and who a guest is, is the business of acceptor.ts and greeter.ts.
 */
import { encodeProbe, type LinkMessage } from '../../proto/codec.js';
import type { Address } from '../config/types.js';
import type { NodeName } from '../core/types.js';
import { hostOf, unixPeer } from './addresses.js';
import { keyProblem } from './auth.js';
import type { Connection, ConnectionOptions, SharedPayload } from './connection.js';
import type { LinkGroup } from './group.js';
import type { Identity, Peer } from './handshake.js';
import type { NetLog } from './log.js';
import type { Once } from './once.js';
import { createPeerLinks, type PeerLinks } from './peer-links.js';
import type { LinkInfo } from './peer-network.js';
import { createRemote, type Remote, type ResourceContext } from './remote.js';
import type { Resolver } from './resolver.js';

export interface ResourceNetOptions {
  config: LinkGroup;
  node: NodeName;
  incarnation: number;
  clock: () => number;
  log: NetLog;
  once: Once;
  resolver: Resolver;
  listening: () => readonly Address[];
  connect: (options: ConnectionOptions) => Connection;
  onMessage: (node: NodeName, message: LinkMessage) => void;
  onLink: (node: NodeName, up: boolean, reason: string) => void;
}

export interface ResourceNet {
  readonly config: LinkGroup;
  readonly peers: PeerLinks;
  /** What a connection of this resource does with what it receives. */
  readonly handlers: ResourceContext['handlers'];
  /** Who we are for this resource; null where its key cannot be used on this machine. */
  identity(): Identity | null;
  /** True where this address may connect for this resource. */
  allows(from: string): boolean;
  /** Names were resolved: the friends' addresses may be others now. */
  refresh(): void;
  /** Takes over other times and voters; key, remote and friends must be as they were. */
  update(config: LinkGroup): void;
  links(): LinkInfo[];
  /** When something last came from the node; 0 for never. */
  lastHeard(node: NodeName): number;
  close(reason: string): void;
}

/** The watch looks at least this rarely and at most this often, whatever the heartbeat is. */
const watchMsMin = 25;
const watchMsMax = 1000;
const probe: SharedPayload = { payload: encodeProbe(), frame: null };

export function createResourceNet(options: ResourceNetOptions): ResourceNet {
  const { clock, log, once, resolver } = options;
  let { config } = options;
  const resource = config.name;
  const problem = config.key === null ? null : keyProblem(config.key);
  if (problem !== null) log.error({ resource }, `the resource takes no part in the network: ${problem}`);
  /** Since when a peer is linked or not, and when something last came from it. */
  const times = new Map<NodeName, { since: number; lastHeard: number }>();
  const peers = createPeerLinks({
    node: options.node,
    voters: () => config.voters,
    lingerMs: () => config.timeoutMs,
    onLink,
  });
  const handlers: ResourceContext['handlers'] = { onHeard, onMessage, onInvalid };
  const context: ResourceContext = { ...options, resource, config: () => config, identity, peers, handlers };
  const remotes: Remote[] =
    problem === null ? config.remote.map((address) => createRemote(address, context)) : [];
  let friends: ReadonlySet<string> = new Set();
  let watch = startWatch();
  let probing = startProbing();
  refresh();

  function onLink(node: NodeName, up: boolean, reason: string): void {
    const now = clock();
    times.set(node, { since: now, lastHeard: up ? now : (times.get(node)?.lastHeard ?? 0) });
    if (up) {
      once.forget(`${resource} `);
      log.info({ resource, peer: node }, reason);
    } else {
      log.warn({ resource, peer: node }, `no connection to ${node} any more: ${reason}`);
      for (const remote of remotes) if (remote.node === node) remote.lost(reason);
    }
    options.onLink(node, up, reason);
    for (const remote of remotes) remote.wake();
  }

  function onHeard(connection: Connection, peer: Peer): void {
    if (!peers.believes(peer)) return;
    const time = times.get(peer.node);
    if (time !== undefined) time.lastHeard = connection.lastHeard;
    peers.heard(connection, peer);
  }

  function onMessage(peer: Peer, message: LinkMessage): void {
    if (peers.believes(peer)) options.onMessage(peer.node, message);
  }

  function onInvalid(connection: Connection, peer: Peer, reason: string): void {
    const text = `a message from ${peer.node} is ignored: ${reason}`;
    const fields = { resource, peer: peer.node, address: connection.address };
    if (once.first(reason, `${resource} ${peer.node}`)) log.warn(fields, text);
    else log.trace?.(fields, text);
  }

  function identity(): Identity | null {
    if (problem !== null) return null;
    const { node, incarnation } = options;
    return { resource, node, incarnation, key: config.key, voters: config.voters };
  }

  function refresh(): void {
    const hosts = [...config.friends, ...config.remote].map(hostOf).filter((host) => host !== null);
    friends = new Set(hosts.flatMap((host) => resolver.addresses(host)));
    for (const remote of remotes) remote.wake();
  }

  function startWatch(): NodeJS.Timeout {
    const everyMs = Math.min(watchMsMax, Math.max(watchMsMin, config.heartbeatIntervalMs / 2));
    // After a pause of this process the timer comes first: what has arrived meanwhile is read before anybody is
    // called silent.
    return setInterval(() => setImmediate(endSilent), everyMs);
  }

  function startProbing(): NodeJS.Timeout | undefined {
    if (config.probes !== true) return undefined;
    return setInterval(() => {
      for (const node of peers.nodes()) peers.send(node, probe);
    }, config.heartbeatIntervalMs);
  }

  function endSilent(): void {
    const limitMs = Math.max(config.leaseTimeoutMs, 3 * config.heartbeatIntervalMs);
    const now = clock();
    peers.end((connection) =>
      now - connection.lastHeard > limitMs ? `nothing heard for ${Math.round(limitMs)} ms` : null,
    );
  }

  function update(next: LinkGroup): void {
    const otherPace = next.heartbeatIntervalMs !== config.heartbeatIntervalMs;
    config = next;
    peers.end((_connection, node) => (next.voters.includes(node) ? null : 'it is no voter any more'));
    if (!otherPace) return;
    clearInterval(watch);
    clearInterval(probing);
    watch = startWatch();
    probing = startProbing();
  }

  function links(): LinkInfo[] {
    const configured = remotes.map(configuredLink);
    const shown = new Set(configured.map(({ node }) => node));
    return [
      ...configured,
      ...peers
        .nodes()
        .filter((node) => !shown.has(node))
        .map(unaskedLink),
    ];
  }

  function configuredLink({ address, node, reason, since }: Remote): LinkInfo {
    const time = node === null ? undefined : times.get(node);
    const connected = node !== null && peers.isUp(node);
    return {
      address: address.text,
      remote: true,
      node,
      connected,
      since: connected && time !== undefined ? time.since : since,
      lastHeard: time?.lastHeard ?? 0,
      reason: connected ? '' : reason,
    };
  }

  /** A peer that connects to us, and whom we do not connect to. */
  function unaskedLink(node: NodeName): LinkInfo {
    const address = peers.connections(node)[0]?.address ?? '';
    const { since, lastHeard } = times.get(node) ?? { since: 0, lastHeard: 0 };
    return { address, remote: false, node, connected: peers.isUp(node), since, lastHeard, reason: '' };
  }

  function close(reason: string): void {
    clearInterval(watch);
    clearInterval(probing);
    for (const remote of remotes) remote.close(reason);
    peers.end(() => reason);
  }

  return {
    get config() {
      return config;
    },
    peers,
    handlers,
    identity,
    allows: (from) => problem === null && (from === unixPeer || friends.has(from)),
    refresh,
    update,
    links,
    lastHeard: (node) => times.get(node)?.lastHeard ?? 0,
    close,
  };
}
