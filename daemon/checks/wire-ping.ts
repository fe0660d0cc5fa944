/**
 * Ping over two sockets for all checks, one for each family, which are opened while there are still privileges for it. An echo
 * carries the check's place in it, so that no answer is taken for another's.
 */
import { randomBytes } from 'node:crypto';
import { EPOLLIN, type Epoll } from '../sys/epoll.js';
import { AF_INET, AF_INET6, openSockets, SOCKADDR_BYTES } from '../sys/sockets.js';
import type { Flight } from './flight.js';
import { ECHO_BYTES, readEcho, writeEcho } from './icmp.js';
import { OK } from './natures.js';
import type { Dialogue } from './plan.js';
import type { Wire, WireEvents } from './wire.js';

/** Places in the epoll set that are no flight's. */
export const PING_V4 = -2;
export const PING_V6 = -3;

export interface PingSocket {
  fd: number;
  raw: boolean;
}

/** The sockets of both families; fd negative: that one cannot be had. As root, or where the kernel lets this group ping. */
export function openPingSockets(): { v4: PingSocket; v6: PingSocket } {
  const sockets = openSockets();
  return { v4: sockets.openIcmp(AF_INET), v6: sockets.openIcmp(AF_INET6) };
}

/** An echo that comes back is all that is asked for. */
export const pingDialogue: Dialogue = {
  opening: () => null,
  receive: () => OK,
  end: () => OK,
  goodbye: null,
};

export interface PingWire extends Wire {
  /** One of the sockets has something. */
  readable(place: typeof PING_V4 | typeof PING_V6): void;
}

const READS_MAX = 64;

/** `flight`: the one of a slot. */
export function createPingWire(
  opened: { v4: PingSocket; v6: PingSocket },
  epoll: Epoll,
  events: WireEvents,
  most: number,
  flightOf: (slot: number) => Flight | undefined,
): PingWire {
  const sockets = openSockets();
  const secret = randomBytes(8);
  const packet = Buffer.alloc(ECHO_BYTES);
  const buffer = Buffer.alloc(2048);
  if (opened.v4.fd >= 0) epoll.add(opened.v4.fd, EPOLLIN, PING_V4, 0);
  if (opened.v6.fd >= 0) epoll.add(opened.v6.fd, EPOLLIN, PING_V6, 0);
  return {
    name: 'ping',
    most,
    open(flight) {
      const address = flight.address as Buffer;
      const v6 = address.length === SOCKADDR_BYTES;
      const { fd } = v6 ? opened.v6 : opened.v4;
      if (fd < 0) {
        flight.text = 'no ICMP socket: neither root nor in net.ipv4.ping_group_range';
        return 'local';
      }
      writeEcho(packet, v6, process.pid, secret, flight);
      // A raw ICMPv6 socket refuses a port that is not 0.
      address.writeUInt16BE(0, 2);
      if (sockets.sendTo(fd, packet, ECHO_BYTES, address, flight.addressLength) < 0)
        return sockets.errnoName();
      flight.handle = this;
      events.connected(flight);
      return '';
    },
    send: () => {},
    close: (flight) => {
      flight.handle = null;
    },
    readable(place) {
      const v6 = place === PING_V6;
      const { fd, raw } = v6 ? opened.v6 : opened.v4;
      for (let reads = 0; reads < READS_MAX; reads += 1) {
        const length = sockets.receive(fd, buffer, buffer.length);
        if (length <= 0) return;
        const answer = readEcho(buffer.subarray(0, length), v6, raw && !v6, secret);
        if (answer === null) continue;
        const flight = flightOf(answer.echo.slot);
        if (flight?.generation !== answer.echo.generation || flight.handle === null) continue;
        if (answer.kind === 'reply') events.received(flight, buffer, length);
        else events.failed(flight, 'EHOSTUNREACH', '');
      }
    },
  };
}
