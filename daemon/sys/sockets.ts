/**
 * Non-blocking internet sockets by their system calls, for who opens thousands a second. Calls return what the kernel returns:
 * a number, negative where it failed; errnoName() then says why. Source: socket(7), tcp(7), connect(2).
 */
import { constants } from 'node:os';
import { type Libc, openLibc, placeOf } from './libc.js';

export const AF_INET = 2;
export const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const SOCK_FLAGS = 0o2004000; // SOCK_CLOEXEC | SOCK_NONBLOCK
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_LINGER = 13;
const IPPROTO_TCP = 6;
const TCP_QUICKACK = 12;
const MSG_NOSIGNAL = 0x4000;
const SHUT_WR = 1;

/** Room for a sockaddr of either family. */
export const SOCKADDR_BYTES = 28;

export interface Sockets {
  /** A socket that does not block; `kind`: TCP or UDP. */
  open(family: number, kind: 'stream' | 'datagram'): number;
  /** -1 with EINPROGRESS: under way. */
  connect(fd: number, address: Uint8Array, length: number): number;
  /** As connect(), to a sockaddr that lies at a place of placeOf(). */
  connectAt(fd: number, place: number, length: number): number;
  /** Where these bytes lie in memory, as long as they are referred to; of a part of a larger buffer. */
  placeOf(bytes: Uint8Array): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  send(fd: number, bytes: Uint8Array, length: number): number;
  sendTo(fd: number, bytes: Uint8Array, length: number, address: Uint8Array, addressLength: number): number;
  /**
   * A socket for ICMP echo: of the kind that needs no privileges where the kernel lets this group have it
   * (net.ipv4.ping_group_range, icmp(7)), else a raw one. `raw`: what it receives begins with the IP header, where that is IPv4.
   */
  openIcmp(family: number): { fd: number; raw: boolean };
  receive(fd: number, into: Uint8Array, length: number): number;
  /** Receives into one buffer again and again; that has to be one with memory of its own (Buffer.allocUnsafeSlow). */
  receiver(into: Buffer): (fd: number) => number;
  /** The error that a connection attempt ended with; '' for none. */
  error(fd: number): string;
  /** The handshake's last acknowledgement waits for data: where the connection is reset at once, it is never sent. */
  delayAcknowledgement(fd: number): void;
  /** Closes; a connection is reset, and leaves nothing behind in the kernel. */
  reset(fd: number): void;
  close(fd: number): void;
  /** No more is sent. */
  finish(fd: number): void;
  /** Why the last call on this thread failed. */
  errnoName(): string;
  /** It failed because the answer is not there yet (EINPROGRESS, EAGAIN). */
  underWay(): boolean;
}

let opened: Sockets | undefined;

/** Throws an Error that says why, where koffi cannot be loaded. */
export function openSockets(): Sockets {
  opened ??= declare(openLibc());
  return opened;
}

/**
 * Writes struct sockaddr_in or sockaddr_in6 of a numeric address, and gives its length. Throws where the text is no address.
 * `scope`: the interface index of a link-local address.
 */
export function writeSockaddr(into: Buffer, at: number, host: string, port: number, scope = 0): number {
  into.fill(0, at, at + SOCKADDR_BYTES);
  const v6 = host.includes(':');
  new DataView(into.buffer, into.byteOffset).setUint16(at, v6 ? AF_INET6 : AF_INET, true);
  into.writeUInt16BE(port, at + 2);
  if (!v6) {
    writeV4(into, at + 4, host);
    return 16;
  }
  writeV6(into, at + 8, host);
  into.writeUInt32LE(scope, at + 24);
  return SOCKADDR_BYTES;
}

function writeV4(into: Buffer, at: number, host: string): void {
  const parts = host.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255)))
    throw new Error(`no IPv4 address: ${host}`);
  into.set(parts, at);
}

function writeV6(into: Buffer, at: number, host: string): void {
  // An IPv4 address at the end stands for two groups.
  const text = host.replace(/([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)$/, (_, a, b, c, d) => {
    const group = (high: string, low: string): string => (Number(high) * 256 + Number(low)).toString(16);
    return `${group(a, b)}:${group(c, d)}`;
  });
  const [head = '', tail] = text.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) throw new Error(`no IPv6 address: ${host}`);
  const all = [...before, ...Array<string>(missing).fill('0'), ...after].map((part) =>
    Number.parseInt(part, 16),
  );
  for (const [index, group] of all.entries()) {
    if (!(group >= 0 && group <= 0xffff)) throw new Error(`no IPv6 address: ${host}`);
    into.writeUInt16BE(group, at + 2 * index);
  }
}

function declare(libc: Libc): Sockets {
  const calls = prototypes(libc);
  const memory = new ArrayBuffer(20);
  const values = new Int32Array(memory);
  values.set([0, 1, 0, 0, 4]);
  const place = placeOf(libc, memory);
  const [zero, lingerNot, error, four] = [place, place + 4, place + 12, place + 16];
  // Where a number has two names (EAGAIN, EWOULDBLOCK), the first one stays.
  const names = new Map(
    Object.entries(constants.errno)
      .reverse()
      .map(([name, errno]) => [errno, name]),
  );
  const { EAGAIN, EINPROGRESS } = constants.errno;
  const nameOf = (errno: number): string => names.get(errno) ?? `E${errno}`;
  return {
    open: (family, kind) =>
      calls.socket(family, (kind === 'stream' ? SOCK_STREAM : SOCK_DGRAM) | SOCK_FLAGS, 0),
    connect: calls.connect,
    connectAt: calls.connectAt,
    placeOf: (bytes) => placeOf(libc, bytes.buffer) + bytes.byteOffset,
    bind: calls.bind,
    send: (fd, bytes, length) => calls.send(fd, bytes, length, MSG_NOSIGNAL),
    sendTo: (fd, bytes, length, address, addressLength) =>
      calls.sendto(fd, bytes, length, MSG_NOSIGNAL, address, addressLength),
    openIcmp(family) {
      const protocol = family === AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
      const fd = calls.socket(family, SOCK_DGRAM | SOCK_FLAGS, protocol);
      if (fd >= 0) return { fd, raw: false };
      return { fd: calls.socket(family, SOCK_RAW | SOCK_FLAGS, protocol), raw: true };
    },
    receive: (fd, into, length) => calls.recv(fd, into, length, 0),
    receiver(into) {
      const at = placeOf(libc, into.buffer) + into.byteOffset;
      const { length } = into;
      // The closure holds the buffer, whose memory stays while it lives.
      return (fd) => (into.length === length ? calls.recvAt(fd, at, length, 0) : -1);
    },
    error(fd) {
      values[3] = 0;
      values[4] = 4;
      calls.getsockopt(fd, SOL_SOCKET, SO_ERROR, error, four);
      return values[3] === 0 ? '' : nameOf(values[3] as number);
    },
    delayAcknowledgement: (fd) => void calls.setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, zero, 4),
    reset(fd) {
      calls.setsockopt(fd, SOL_SOCKET, SO_LINGER, lingerNot, 8);
      calls.close(fd);
    },
    close: (fd) => void calls.close(fd),
    finish: (fd) => void calls.shutdown(fd, SHUT_WR),
    errnoName: () => nameOf(libc.koffi.errno()),
    underWay() {
      const errno = libc.koffi.errno();
      return errno === EINPROGRESS || errno === EAGAIN;
    },
  };
}

type Bytes = Uint8Array | Int32Array;

function prototypes(libc: Libc) {
  return {
    socket: libc.func<(family: number, type: number, protocol: number) => number>(
      'int socket(int family, int type, int protocol)',
    ),
    connect: libc.func<(fd: number, address: Bytes, length: number) => number>(
      'int connect(int fd, const void *address, uint32_t length)',
    ),
    connectAt: libc.func<(fd: number, address: number, length: number) => number>(
      'int connect(int fd, uintptr_t address, uint32_t length)',
    ),
    bind: libc.func<(fd: number, address: Bytes, length: number) => number>(
      'int bind(int fd, const void *address, uint32_t length)',
    ),
    send: libc.func<(fd: number, bytes: Bytes, length: number, flags: number) => number>(
      'intptr_t send(int fd, const void *bytes, size_t length, int flags)',
    ),
    sendto: libc.func<
      (fd: number, bytes: Bytes, length: number, flags: number, to: Bytes, toLength: number) => number
    >(
      'intptr_t sendto(int fd, const void *bytes, size_t length, int flags, const void *to, uint32_t to_length)',
    ),
    recv: libc.func<(fd: number, into: Bytes, length: number, flags: number) => number>(
      'intptr_t recv(int fd, void *into, size_t length, int flags)',
    ),
    recvAt: libc.func<(fd: number, into: number, length: number, flags: number) => number>(
      'intptr_t recv(int fd, uintptr_t into, size_t length, int flags)',
    ),
    getsockopt: libc.func<(fd: number, level: number, name: number, value: number, length: number) => number>(
      'int getsockopt(int fd, int level, int name, uintptr_t value, uintptr_t length)',
    ),
    setsockopt: libc.func<(fd: number, level: number, name: number, value: number, length: number) => number>(
      'int setsockopt(int fd, int level, int name, uintptr_t value, uint32_t length)',
    ),
    shutdown: libc.func<(fd: number, how: number) => number>('int shutdown(int fd, int how)'),
    close: libc.func<(fd: number) => number>('int close(int fd)'),
  };
}
