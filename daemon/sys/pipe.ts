/** pipe(2), which Node lacks: what it calls a pipe is a socket, and no program can open its /dev/stderr on a socket. */
import { callError, type Libc, tryLibc } from './libc.js';

const O_CLOEXEC = 0o2000000;

let pipe2: ((fds: Int32Array, flags: number) => number) | undefined;

/** A pipe whose ends no child inherits by accident; null where there is no koffi. Throws an Error (EMFILE). */
export function makePipe(): { readFd: number; writeFd: number } | null {
  const libc = tryLibc();
  if (libc === null) return null;
  pipe2 ??= declare(libc);
  const fds = new Int32Array(2);
  if (pipe2(fds, O_CLOEXEC) !== 0) throw callError(libc, 'pipe2');
  const [readFd = -1, writeFd = -1] = fds;
  return { readFd, writeFd };
}

function declare(libc: Libc): (fds: Int32Array, flags: number) => number {
  return libc.func('int pipe2(void *fds, int flags)');
}
