/**
 * A network on loopback that anybody may have: between each two nodes a small TCP proxy in this process, which can hold back
 * what one side sends. As with a lost link nothing is refused or reset, and what was sent meanwhile comes late, when the
 * link is back. It does not know what the bytes mean.
 */
import net from 'node:net';
import { freePorts, type Network } from './network.js';

interface Channel {
  from: string;
  to: string;
  source: net.Socket;
  /** Stops or goes on with passing on what `source` says. */
  update(): void;
}

/** Opens a proxy for each ordered pair of nodes. */
export async function createProxies(nodes: readonly string[]): Promise<Network> {
  const ports = await freePorts(nodes.length);
  const cuts = new Set<string>();
  const channels = new Set<Channel>();
  const servers = new Map<string, net.Server>();
  const portOf = (node: string): number => ports[nodes.indexOf(node)] ?? 0;

  for (const from of nodes) {
    for (const to of nodes) {
      if (from === to) continue;
      const server = net.createServer({ allowHalfOpen: true }, (near) => connect(near, from, to));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      servers.set(`${from} ${to}`, server);
    }
  }

  function connect(near: net.Socket, from: string, to: string): void {
    const far = net.connect({ host: '127.0.0.1', port: portOf(to), allowHalfOpen: true });
    pass(near, far, from, to);
    pass(far, near, to, from);
  }

  function pass(source: net.Socket, sink: net.Socket, from: string, to: string): void {
    let ended = false;
    let failed = false;
    const isCut = (): boolean => cuts.has(`${from} ${to}`);
    const channel: Channel = {
      from,
      to,
      source,
      update() {
        if (isCut()) source.pause();
        else if (failed) sink.destroy();
        else if (ended) sink.end();
        else source.resume();
      },
    };
    channels.add(channel);
    source.setNoDelay(true);
    source.on('data', (chunk) => sink.write(chunk));
    source.on('end', () => {
      ended = true;
      if (!isCut()) sink.end();
    });
    // The end of a process is news as well, and does not get through a cut either.
    source.on('error', () => {
      failed = true;
      if (!isCut()) sink.destroy();
    });
    sink.on('close', () => {
      channels.delete(channel);
      if (!isCut()) source.destroy();
    });
    channel.update();
  }

  return {
    kind: 'loopback',
    listen: (node) => `tcp4://127.0.0.1:${portOf(node)}`,
    remote(from, to) {
      const address = servers.get(`${from} ${to}`)?.address() as net.AddressInfo;
      return `tcp4://127.0.0.1:${address.port}`;
    },
    place: () => [],
    async cut(from, to) {
      cuts.add(`${from} ${to}`);
      for (const channel of channels) channel.update();
    },
    async heal() {
      cuts.clear();
      for (const channel of channels) channel.update();
    },
    async close() {
      cuts.clear();
      for (const { source } of channels) source.destroy();
      await Promise.all(
        [...servers.values()].map((server) => new Promise((resolve) => server.close(resolve))),
      );
    },
  };
}
