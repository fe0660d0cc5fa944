/** TCP and UDP by Node's own sockets: where koffi cannot load. Behind the same interface as epoll, and judged by the same tests. */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { connect, isIPv6, type Socket } from 'node:net';
import { messageOf } from '../sys/errors.js';
import type { Wire, WireEvents } from './wire.js';

export function createNodeTcpWire(events: WireEvents, most: number): Wire {
  return {
    name: 'tcp',
    most,
    open(flight) {
      const { generation } = flight;
      const socket = connect({
        host: flight.host,
        port: flight.port,
        ...(flight.plan?.source ? { localAddress: flight.plan.source } : {}),
      });
      flight.handle = socket;
      const mine = (): boolean => flight.generation === generation && flight.handle === socket;
      socket.on('connect', () => {
        if (mine()) events.connected(flight);
      });
      socket.on('data', (bytes) => {
        if (mine()) events.received(flight, bytes, bytes.length);
      });
      socket.on('end', () => {
        if (mine()) events.ended(flight);
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (mine()) events.failed(flight, error.code ?? '', messageOf(error));
      });
      return '';
    },
    // A copy: what is sent may lie in a buffer that is used for others.
    send: (flight, bytes) => void (flight.handle as Socket).write(Buffer.from(bytes)),
    close(flight, politely) {
      const socket = flight.handle as Socket | null;
      flight.handle = null;
      if (socket === null) return;
      socket.on('error', () => {});
      if (politely) socket.end(() => socket.destroy());
      // A reset leaves nothing behind in the kernel; Node has none for a connection that does not stand yet.
      else if (socket.connecting) socket.destroy();
      else socket.resetAndDestroy();
    },
  };
}

export function createNodeUdpWire(events: WireEvents, most: number): Wire {
  return {
    name: 'udp',
    most,
    open(flight) {
      const { generation } = flight;
      const socket = createSocket(isIPv6(flight.host.replace(/%.*$/, '')) ? 'udp6' : 'udp4');
      flight.handle = socket;
      const mine = (): boolean => flight.generation === generation && flight.handle === socket;
      socket.on('message', (bytes) => {
        if (mine()) events.received(flight, bytes, bytes.length);
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (mine()) events.failed(flight, error.code ?? '', messageOf(error));
      });
      const go = (): void =>
        socket.connect(flight.port, flight.host, () => {
          if (mine()) events.connected(flight);
        });
      if (flight.plan?.source) socket.bind({ address: flight.plan.source }, go);
      else go();
      return '';
    },
    send: (flight, bytes) => void (flight.handle as DatagramSocket).send(bytes),
    close(flight) {
      const socket = flight.handle as DatagramSocket | null;
      flight.handle = null;
      if (socket === null) return;
      socket.on('error', () => {});
      socket.close();
    },
  };
}
