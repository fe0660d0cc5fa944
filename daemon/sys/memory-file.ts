/** memfd_create(2), which Node lacks: a file in memory that has no name, to be handed to a child whole. */
import { writeSync } from 'node:fs';
import { callError, type Libc, tryLibc } from './libc.js';

const MFD_CLOEXEC = 1;

let create: ((name: string, flags: number) => number) | undefined;

/**
 * A file with this content, to be read from its begin; the caller closes it. Null where there is no koffi. Throws an Error (EMFILE, ENOMEM).
 */
export function makeMemoryFile(content: string): number | null {
  const libc = tryLibc();
  if (libc === null) return null;
  create ??= declare(libc);
  const fd = create('hastmon', MFD_CLOEXEC);
  if (fd < 0) throw callError(libc, 'memfd_create');
  const bytes = Buffer.from(content);
  // By its place in the file, which leaves the offset that the child inherits at 0.
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at);
  return fd;
}

function declare(libc: Libc): (name: string, flags: number) => number {
  return libc.func('int memfd_create(const char *name, unsigned int flags)');
}
