/** Nodes for tests: peer networks on loopback, with what they reported, and a proxy that can fail in every way. */
import net from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Address, Key, ResourceConfig } from '../../daemon/config/types.js';
import type { StateMessage } from '../../daemon/core/types.js';
import {
  createPeerNetwork,
  type PeerNetwork,
  type PeerNetworkOptions,
} from '../../daemon/net/peer-network.js';
import type { LinkMessage } from '../../proto/codec.js';

export const key: Key = { algorithm: 'sha256', secret: 'the secret of the tests' };

export function tcp(host: string, port: number): Extract<Address, { host: string }> {
  return { scheme: 'tcp4', host, port, text: `tcp4://${host}:${port}` };
}

const open = new Set<{ close(): Promise<void> }>();

/** Closes everything that a test started, however it ended. */
export async function cleanUp(): Promise<void> {
  await Promise.all([...open].map((thing) => thing.close()));
  open.clear();
}

function closeLater<T extends { close(): Promise<void> }>(thing: T): T {
  open.add(thing);
  return thing;
}

/** Resolves as soon as the condition holds; fails with `what` after `limitMs`, which only a broken program needs. */
export async function until(what: string, condition: () => boolean, limitMs = 20_000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A process that stood still for so long cannot judge who was silent. */
const stallMsMax = 100;

/**
 * A test body that depends on leases of half a second: where it fails while this process itself stood still for want
 * of a processor, it says nothing and is run again.
 */
export function undisturbed(body: () => Promise<void>): () => Promise<void> {
  return async () => {
    for (let tries = 1; ; tries += 1) {
      const delay = monitorEventLoopDelay({ resolution: 5 });
      delay.enable();
      try {
        return await body();
      } catch (error) {
        if (delay.max / 1e6 < stallMsMax || tries === 8) throw error;
      } finally {
        delay.disable();
      }
      await cleanUp();
    }
  };
}

export interface LogLine {
  level: string;
  text: string;
  fields: Record<string, unknown>;
}

export interface TestNode {
  name: string;
  network: PeerNetwork;
  /** Where it listens. */
  address: Extract<Address, { host: string }>;
  received: { resource: string; from: string; message: LinkMessage }[];
  /** `up nodeB`, `down nodeB`, in their order; with the resource in front where it is not 'shared'. */
  events: string[];
  reasons: string[];
  log: LogLine[];
  /** Sends a state to everybody linked, every so many milliseconds, as the daemon does. */
  beat(everyMs: number, resource?: string): void;
  close(): Promise<void>;
}

export async function startNode(
  name: string,
  options: Partial<PeerNetworkOptions> & { host?: string } = {},
): Promise<TestNode> {
  const received: TestNode['received'] = [];
  const events: string[] = [];
  const reasons: string[] = [];
  const log: LogLine[] = [];
  const write = (level: string) => (fields: Record<string, unknown>, text: string) => {
    log.push({ level, text, fields });
  };
  const timers: NodeJS.Timeout[] = [];
  const network = createPeerNetwork({
    node: name,
    incarnation: 1 + Math.floor(Math.random() * 2 ** 40),
    clock: () => performance.now(),
    log: {
      trace: write('trace'),
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
    },
    onMessage: (resource, from, message) => received.push({ resource, from, message }),
    onLink: (resource, node, up, reason) => {
      events.push(`${resource === 'shared' ? '' : `${resource}: `}${up ? 'up' : 'down'} ${node}`);
      reasons.push(reason);
    },
    ...options,
  });
  const host = options.host ?? '127.0.0.1';
  await network.listen([tcp(host, 0)]);
  const address = network.listening()[0];
  if (address === undefined || address.scheme === 'unix') throw new Error('it does not listen');
  let sequence = 0;
  return closeLater({
    ...{ name, network, received, events, reasons, log },
    address: { ...address, scheme: 'tcp4' } as TestNode['address'],
    beat(everyMs, resource = 'shared') {
      const send = () => {
        const message = state(++sequence);
        for (const { node } of network.links(resource))
          if (node !== null) network.send(resource, node, message);
      };
      timers.push(setInterval(send, everyMs));
    },
    async close() {
      for (const timer of timers) clearInterval(timer);
      await network.close();
    },
  });
}

/** A resource of three voters, with times as short as a busy machine allows. */
export function resource(remote: readonly Address[], changes: Partial<ResourceConfig> = {}): ResourceConfig {
  return {
    ...{
      name: 'shared',
      exec: '/bin/true',
      actions: null,
      attempts: 5,
      complaintCount: 3,
      priority: 100,
      roleOnStart: 'init',
    },
    ...{ friends: [tcp('127.0.0.1', 8458)], remote: [...remote], key, fence: null },
    ...{ voters: ['nodeA', 'nodeB', 'nodeC'], checks: [], requires: [] },
    ...{ timeoutMs: 2000, heartbeatIntervalMs: 50, complaintIntervalMs: 60_000, leaseTimeoutMs: 500 },
    ...{ startTimeoutMs: 1000, stopTimeoutMs: 1000, statusTimeoutMs: 1000, statusIntervalMs: 50 },
    ...{ switchoverTimeoutMs: 1000, fenceTimeoutMs: 0, driftPpm: 10_000 },
    failbackMs: Number.POSITIVE_INFINITY,
    ...changes,
  };
}

/** The same with a lease so long that nobody is ever called silent. */
export function patient(remote: readonly Address[], changes: Partial<ResourceConfig> = {}): ResourceConfig {
  return resource(remote, { leaseTimeoutMs: 60_000, ...changes });
}

export function state(sequence: number): StateMessage {
  return {
    ...{ kind: 'state', incarnation: 1, sequence, role: 'secondary', roleSet: 'secondary', run: 'stopped' },
    ...{ priority: 100, able: true, holdingEpoch: 0, forced: false },
    readiness: null,
    memory: {
      history: true,
      epochMax: 0,
      sets: [['nodeA', 'nodeB', 'nodeC']],
      longestGrantMs: 0,
      grant: null,
    },
  };
}

export interface Proxy {
  address: Extract<Address, { host: string }>;
  /** Connections that came in so far, and when. */
  accepted: number[];
  /** Those that are open. */
  open(): number;
  /**
   * 'silent': takes everything and passes nothing on; 'deaf': only what the connecting side says; 'stuck': does not even
   * read; 'frozen': silent, and each side may go without the other being told.
   */
  mode: 'pass' | 'silent' | 'deaf' | 'stuck' | 'frozen';
  /** True: the last bit of everything that the connecting side says is changed. */
  flipBits: boolean;
  /** Everything the connecting side has said, for whoever wants to say it again. */
  recorded: Buffer[];
  cut(): void;
  close(): Promise<void>;
}

/** A TCP proxy in front of a node. */
export async function startProxy(target: { port: number; host: string }): Promise<Proxy> {
  const sockets = new Set<net.Socket>();
  const accepted: number[] = [];
  const recorded: Buffer[] = [];
  let mode: Proxy['mode'] = 'pass';
  const server = net.createServer({ allowHalfOpen: true }, (client) => {
    accepted.push(performance.now());
    const upstream = net.connect({ ...target, allowHalfOpen: true });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        if (mode !== 'frozen') to.destroy();
      });
      from.on('end', () => mode !== 'frozen' && to.end());
      from.on('data', (chunk) => {
        if (from === client) recorded.push(Buffer.from(chunk));
        if (from === client && proxy.flipBits) chunk[chunk.length - 1] = (chunk.at(-1) ?? 0) ^ 1;
        if (mode === 'stuck') from.pause();
        else if (mode === 'pass' || (mode === 'deaf' && from === client)) to.write(chunk);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const proxy: Proxy = closeLater({
    address: tcp('127.0.0.1', port),
    flipBits: false,
    accepted,
    recorded,
    open: () => sockets.size / 2,
    get mode() {
      return mode;
    },
    set mode(next) {
      mode = next;
      for (const socket of sockets) socket.resume();
    },
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => setImmediate(resolve));
    },
  });
  return proxy;
}
