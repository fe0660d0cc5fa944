/**
 * epoll(7) through koffi, side by side with Node's own event loop: that loop's descriptor is in the set, so that one wait ends
 * for either, and nothing is polled in vain.
 */
import { callError, openLibc, placeOf } from './libc.js';

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

/** struct epoll_event in words of 4 bytes: what happened, and the data's two at the end; packed on x86-64 alone. */
const WORDS = process.arch === 'x64' ? 3 : 4;
const EVENT_BYTES = 4 * WORDS;
const DATA_AT = WORDS - 2;
const EVENTS_MAX = 256;

export interface Epoll {
  /** Watches a descriptor; `slot` and `generation` come back with its events. Negative: it cannot be watched. */
  add(fd: number, events: number, slot: number, generation: number): number;
  /** Has events told once more that are told on their edges only. */
  again(fd: number, events: number, slot: number, generation: number): void;
  remove(fd: number): void;
  /** The last wait brought as many events as it can: there may be more. */
  readonly full: boolean;
  /** Waits and gives each event; true where Node's own loop has something to do. */
  wait(timeoutMs: number, each: (slot: number, generation: number, events: number) => void): boolean;
  close(): void;
}

/** Throws an Error where koffi or Node's loop cannot be had. */
export function openEpoll(): Epoll {
  const libc = openLibc();
  const create = libc.func<(flags: number) => number>('int epoll_create1(int flags)');
  const control = libc.func<(set: number, what: number, fd: number, event: number) => number>(
    'int epoll_ctl(int set, int what, int fd, uintptr_t event)',
  );
  const waitFor = libc.func<(set: number, events: number, most: number, timeoutMs: number) => number>(
    'int epoll_wait(int set, uintptr_t events, int most, int timeout)',
  );
  const closeFd = libc.func<(fd: number) => number>('int close(int fd)');
  // uv_loop(3): exported by node, or by the libuv it is linked with.
  const loop = libc.func<() => unknown>('void *uv_default_loop()')();
  const loopFd = libc.func<(loop: unknown) => number>('int uv_backend_fd(void *loop)')(loop);
  const set = create(EPOLL_CLOEXEC);
  if (set < 0) throw callError(libc, 'epoll_create1');
  // Events that come, and behind them the one that is told.
  const memory = new ArrayBuffer(EVENT_BYTES * (EVENTS_MAX + 1));
  const words = new Int32Array(memory);
  const events = placeOf(libc, memory);
  const event = events + EVENT_BYTES * EVENTS_MAX;
  const own = WORDS * EVENTS_MAX;

  function tell(what: number, fd: number, interest: number, slot: number, generation: number): number {
    words[own] = interest;
    words[own + DATA_AT] = slot;
    words[own + DATA_AT + 1] = generation;
    return control(set, what, fd, event);
  }

  const NODE = -1;
  let count = 0;
  if (tell(EPOLL_CTL_ADD, loopFd, EPOLLIN, NODE, 0) < 0) throw callError(libc, 'epoll_ctl');
  return {
    add: (fd, interest, slot, generation) => tell(EPOLL_CTL_ADD, fd, interest, slot, generation),
    again: (fd, interest, slot, generation) => void tell(EPOLL_CTL_MOD, fd, interest, slot, generation),
    remove: (fd) => void tell(EPOLL_CTL_DEL, fd, 0, 0, 0),
    get full() {
      return count === EVENTS_MAX;
    },
    wait(timeoutMs, each) {
      count = waitFor(set, events, EVENTS_MAX, timeoutMs);
      let node = false;
      for (let index = 0; index < count; index += 1) {
        const at = index * WORDS;
        const slot = words[at + DATA_AT] as number;
        if (slot === NODE) node = true;
        else each(slot, words[at + DATA_AT + 1] as number, words[at] as number);
      }
      return node;
    },
    close: () => void closeFd(set),
  };
}
