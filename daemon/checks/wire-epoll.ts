/**
 * TCP and UDP over epoll: what a check costs beside the kernel's own work is a handful of calls. Edge-triggered, so that the
 * interest in a connection is told once.
 */
import { EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP, type Epoll } from '../sys/epoll.js';
import { AF_INET, AF_INET6, openSockets, SOCKADDR_BYTES, writeSockaddr } from '../sys/sockets.js';
import type { Flight } from './flight.js';
import type { Wire, WireEvents } from './wire.js';

const INTEREST = (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) >>> 0;
/** Shared by all connections: an answer is judged before the next one is read. */
const BUFFER_BYTES = 65_536;
/** Reads from one connection before the others have their turn. */
const READS_MAX = 16;

const CONNECTING = 1;
const OPEN = 2;

export interface EpollWire extends Wire {
  /** An event of the set, for a flight of this wire. */
  event(flight: Flight, events: number): void;
}

/** `kind`: what is opened. `most`: flights at once. */
export function createEpollWire(
  kind: 'stream' | 'datagram',
  epoll: Epoll,
  events: WireEvents,
  most: number,
): EpollWire {
  const sockets = openSockets();
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  const receive = sockets.receiver(buffer);
  const source = Buffer.alloc(SOCKADDR_BYTES);

  function open(flight: Flight): string {
    const address = flight.address as Buffer;
    const family = address.length === SOCKADDR_BYTES ? AF_INET6 : AF_INET;
    const fd = sockets.open(family, kind);
    if (fd < 0) return sockets.errnoName();
    const reason = prepare(flight, fd, address);
    if (reason !== '') {
      sockets.close(fd);
      return reason;
    }
    flight.fd = fd;
    flight.handle = CONNECTING;
    return '';
  }

  function prepare(flight: Flight, fd: number, address: Buffer): string {
    const from = flight.plan?.source ?? '';
    if (from !== '') {
      const length = writeSockaddr(source, 0, from, 0);
      if (length !== address.length) return 'EADDRNOTAVAIL';
      if (sockets.bind(fd, source, length) < 0) return sockets.errnoName();
    }
    // The handshake's last packet is spared: where nothing will be said, the reset comes in its place, else the request.
    const dialogue = flight.plan?.dialogue;
    if (kind === 'stream' && (dialogue === null || dialogue?.speaksFirst === true))
      sockets.delayAcknowledgement(fd);
    if (connect(flight, fd, address) < 0 && !sockets.underWay()) return sockets.errnoName();
    if (epoll.add(fd, INTEREST, flight.slot, flight.generation) < 0) return sockets.errnoName();
    return '';
  }

  function connect(flight: Flight, fd: number, address: Buffer): number {
    if (!flight.isNumeric) return sockets.connect(fd, address, flight.addressLength);
    // The flight's own room, which stays where it is.
    if (flight.place === 0) flight.place = sockets.placeOf(address);
    return sockets.connectAt(fd, flight.place, flight.addressLength);
  }

  function event(flight: Flight, what: number): void {
    const { generation } = flight;
    if (flight.handle === CONNECTING) {
      if ((what & (EPOLLERR | EPOLLHUP)) !== 0) {
        const errno = sockets.error(flight.fd);
        if (errno !== '') return events.failed(flight, errno, '');
      }
      if ((what & EPOLLOUT) === 0) return;
      flight.handle = OPEN;
      events.connected(flight);
      if (flight.generation !== generation) return;
    } else if (flight.unsent !== null && (what & EPOLLOUT) !== 0) {
      const rest = flight.unsent;
      flight.unsent = null;
      send(flight, rest);
      if (flight.generation !== generation) return;
    }
    if ((what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) !== 0) read(flight, generation);
  }

  function read(flight: Flight, generation: number): void {
    for (let reads = 0; reads < READS_MAX; reads += 1) {
      const length = receive(flight.fd);
      if (length < 0) {
        if (sockets.underWay()) return;
        const errno = sockets.errnoName();
        if (errno !== 'EINTR') events.failed(flight, errno, '');
        return;
      }
      if (length === 0 && kind === 'stream') return events.ended(flight);
      events.received(flight, buffer, length);
      if (flight.generation !== generation || flight.fd < 0) return;
    }
    epoll.again(flight.fd, INTEREST, flight.slot, flight.generation);
  }

  function send(flight: Flight, bytes: Uint8Array): void {
    if (flight.unsent !== null) {
      flight.unsent = Buffer.concat([flight.unsent, bytes]);
      return;
    }
    const sent = sockets.send(flight.fd, bytes, bytes.length);
    if (sent === bytes.length) return;
    const errno = sent < 0 ? sockets.errnoName() : '';
    if (sent < 0 && errno !== 'EAGAIN') events.failed(flight, errno, '');
    // A copy: what is sent may lie in a buffer that is used for others.
    else flight.unsent = Buffer.from(bytes.subarray(Math.max(0, sent)));
  }

  function close(flight: Flight, politely: boolean): void {
    if (flight.fd < 0) return;
    if (politely || kind === 'datagram') sockets.close(flight.fd);
    else sockets.reset(flight.fd);
    flight.fd = -1;
  }

  return { name: kind === 'stream' ? 'tcp' : 'udp', most, open, send, close, event };
}
