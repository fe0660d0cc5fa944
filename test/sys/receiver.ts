/** An AF_UNIX datagram socket that receives, for tests of what is sent to one. */

import { socketAddress } from '../../daemon/sys/datagram.js';
import { openLibc } from '../../daemon/sys/libc.js';
import { until } from './support.js';

const MSG_DONTWAIT = 0x40;

export interface Receiver {
  /** The next datagram; waits for it. */
  receive(): Promise<string>;
  close(): void;
}

/** Binds the address: a path, or an abstract name after `@`. */
export function receiveAt(address: string): Receiver {
  const libc = openLibc();
  const socket = libc.func<(...words: number[]) => number>('int socket(int domain, int type, int protocol)');
  const bind = libc.func<(fd: number, to: Buffer, length: number) => number>(
    'int bind(int fd, const void *address, uint32_t length)',
  );
  const recv = libc.func<(fd: number, data: Buffer, length: number, flags: number) => number>(
    'intptr_t recv(int fd, void *data, size_t length, int flags)',
  );
  const close = libc.func<(fd: number) => number>('int close(int fd)');
  const fd = socket(1, 2, 0);
  const name = socketAddress(address);
  if (bind(fd, name, name.length) !== 0) throw new Error(`cannot bind ${address}`);
  const data = Buffer.alloc(65_536);
  return {
    async receive() {
      let length = -1;
      await until(`a datagram at ${address}`, () => {
        length = recv(fd, data, data.length, MSG_DONTWAIT);
        return length >= 0;
      });
      return data.toString('utf8', 0, length);
    },
    close: () => void close(fd),
  };
}
