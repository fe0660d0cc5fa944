/**
 * epoll(7) through koffi, side by side with Node's own event loop: that loop's descriptor is in the set, so that one wait ends
 * for either, and nothing is polled in vain.
 */
import { callError, openLibc } from './libc.js';

export const EPOLLIN = 0x1;
export const EPOLLOUT = 0x4;
export const EPOLLERR = 0x8;
export const EPOLLHUP = 0x10;
export const EPOLLRDHUP = 0x2000;
export const EPOLLET = 0x8000_0000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const EPOLL_CLOEXEC = 0o2000000;

/** struct epoll_event: packed on x86-64 alone. */
const EVENT_BYTES = process.arch === 'x64' ? 12 : 16;
const DATA_AT = EVENT_BYTES - 8;
const EVENTS_MAX = 256;

export interface Epoll {
  /** Watches a descriptor; `slot` and `generation` come back with its events. Negative: it cannot be watched. */
  add(fd: number, events: number, slot: number, generation: number): number;
  /** Has events told once more that are told on their edges only. */
  again(fd: number, events: number, slot: number, generation: number): void;
  remove(fd: number): void;
  /** Waits and gives each event; true where Node's own loop has something to do. */
  wait(timeoutMs: number, each: (slot: number, generation: number, events: number) => void): boolean;
  close(): void;
}

/** Throws an Error where koffi or Node's loop cannot be had. */
export function openEpoll(): Epoll {
  const libc = openLibc();
  const create = libc.func<(flags: number) => number>('int epoll_create1(int flags)');
  const control = libc.func<(set: number, what: number, fd: number, event: Uint8Array) => number>(
    'int epoll_ctl(int set, int what, int fd, void *event)',
  );
  const waitFor = libc.func<(set: number, events: Uint8Array, most: number, timeoutMs: number) => number>(
    'int epoll_wait(int set, void *events, int most, int timeout)',
  );
  const closeFd = libc.func<(fd: number) => number>('int close(int fd)');
  // uv_loop(3): exported by node, or by the libuv it is linked with.
  const loop = libc.func<() => unknown>('void *uv_default_loop()')();
  const loopFd = libc.func<(loop: unknown) => number>('int uv_backend_fd(void *loop)')(loop);
  const set = create(EPOLL_CLOEXEC);
  if (set < 0) throw callError(libc, 'epoll_create1');
  const event = Buffer.alloc(EVENT_BYTES);
  const events = Buffer.alloc(EVENT_BYTES * EVENTS_MAX);
  const view = new DataView(events.buffer, events.byteOffset, events.length);

  function tell(what: number, fd: number, interest: number, slot: number, generation: number): number {
    event.writeUInt32LE(interest, 0);
    event.writeInt32LE(slot, DATA_AT);
    event.writeInt32LE(generation, DATA_AT + 4);
    return control(set, what, fd, event);
  }

  const NODE = -1;
  if (tell(EPOLL_CTL_ADD, loopFd, EPOLLIN, NODE, 0) < 0) throw callError(libc, 'epoll_ctl');
  return {
    add: (fd, interest, slot, generation) => tell(EPOLL_CTL_ADD, fd, interest, slot, generation),
    again: (fd, interest, slot, generation) => void tell(EPOLL_CTL_MOD, fd, interest, slot, generation),
    remove: (fd) => void tell(EPOLL_CTL_DEL, fd, 0, 0, 0),
    wait(timeoutMs, each) {
      const count = waitFor(set, events, EVENTS_MAX, timeoutMs);
      let node = false;
      for (let index = 0; index < count; index += 1) {
        const at = index * EVENT_BYTES;
        const slot = view.getInt32(at + DATA_AT, true);
        if (slot === NODE) node = true;
        else each(slot, view.getInt32(at + DATA_AT + 4, true), view.getUint32(at, true));
      }
      return node;
    },
    close: () => void closeFd(set),
  };
}
