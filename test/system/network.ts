/**
 * The network between the nodes of a test's cluster, as its tests see it: where a node listens, by which address another
 * one reaches it, and cutting that in either direction. Two implementations: netns.ts (root) and proxy.ts (anybody).
 */
import net from 'node:net';

export interface Network {
  /** What kind it is, for reports. */
  readonly kind: 'namespaces' | 'loopback';
  /** Where the node itself listens. */
  listen(node: string): string;
  /** The address by which `from` reaches `to`. */
  remote(from: string, to: string): string;
  /** The words before a command that shall run on the node. */
  place(node: string): string[];
  /** Drops silently what `from` sends to `to`, from now on. */
  cut(from: string, to: string): Promise<void>;
  /** Lets everything through again. */
  heal(): Promise<void>;
  close(): Promise<void>;
}

/** Loopback as it is, for tests that cut nothing. */
export async function createLoopback(nodes: readonly string[]): Promise<Network> {
  const ports = await freePorts(nodes.length);
  const address = (node: string): string => `tcp4://127.0.0.1:${ports[nodes.indexOf(node)]}`;
  const refuse = async (): Promise<void> => {
    throw new Error('this network cannot be cut: use createProxies or createNamespaces');
  };
  return {
    kind: 'loopback',
    listen: address,
    remote: (_from, to) => address(to),
    place: () => [],
    cut: refuse,
    heal: async () => {},
    close: async () => {},
  };
}

/** Below those that the kernel hands out (net.ipv4.ip_local_port_range), so that nobody gets one by chance meanwhile. */
const PORTS_FROM = 10_000;
const PORTS_EACH = 200;
/** Each process of a test run has a range of its own. */
let nextPort = PORTS_FROM + (process.pid % 100) * PORTS_EACH;

/** Ports of loopback that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = nextPort;
    nextPort = nextPort + 1 < PORTS_FROM + 100 * PORTS_EACH ? nextPort + 1 : PORTS_FROM;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Drops both directions between two nodes. */
export async function cutBoth(network: Network, one: string, other: string): Promise<void> {
  await Promise.all([network.cut(one, other), network.cut(other, one)]);
}
