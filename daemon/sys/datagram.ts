/** Sending on AF_UNIX datagram sockets, which Node's dgram does not have. It knows addresses, not what is said. */
import { callError, type Libc, tryLibc } from './libc.js';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

export interface DatagramSocket {
  /** Sends without ever waiting. null: sent; else what failed (EAGAIN: the receiver does not keep up). */
  send(text: string): string | null;
  close(): void;
}

/** A socket that sends to the address. Throws an Error where there is no koffi, no socket, or no such address form. */
export function openDatagram(address: string): DatagramSocket {
  const libc = tryLibc();
  if (libc === null) throw new Error('AF_UNIX datagrams need koffi');
  const target = socketAddress(address);
  const calls = declare(libc);
  const fd = calls.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw callError(libc, 'socket');
  return {
    send(text) {
      const bytes = Buffer.from(text);
      const sent = calls.sendto(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, target, target.length);
      return sent < 0 ? callError(libc, `sendto ${address}`).message : null;
    },
    close: () => void calls.close(fd),
  };
}

/** struct sockaddr_un of a path or, with a leading `@`, of an abstract name. Throws where it is none, or too long. */
export function socketAddress(address: string): Buffer {
  const abstract = address.startsWith('@');
  if (!abstract && !address.startsWith('/')) throw new Error(`no address of a socket: ${address}`);
  // An abstract name is as long as the address says; a path ends with a NUL.
  const name = Buffer.from(abstract ? `\0${address.slice(1)}` : `${address}\0`);
  if (name.length > 108) throw new Error(`address of a socket is longer than 107 bytes: ${address}`);
  const family = Buffer.alloc(2);
  new Uint16Array(family.buffer, family.byteOffset, 1)[0] = AF_UNIX;
  return Buffer.concat([family, name]);
}

function declare(libc: Libc) {
  return {
    socket: libc.func<(domain: number, type: number, protocol: number) => number>(
      'int socket(int domain, int type, int protocol)',
    ),
    sendto: libc.func<
      (fd: number, data: Buffer, length: number, flags: number, to: Buffer, toLength: number) => number
    >(
      'intptr_t sendto(int fd, const void *data, size_t length, int flags, const void *to, uint32_t to_length)',
    ),
    close: libc.func<(fd: number) => number>('int close(int fd)'),
  };
}
