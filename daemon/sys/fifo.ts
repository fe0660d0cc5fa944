/** Named pipes (fifo(7)): Node can use them, and cannot make them. */
import { spawnSync } from 'node:child_process';
import { callError, tryLibc } from './libc.js';

/** Makes a named pipe, readable and writable by its owner. Throws an Error with a clear message. */
export function makeFifo(path: string): void {
  const libc = tryLibc();
  if (libc !== null) {
    makeNode ??= libc.func('int mkfifo(const char *path, unsigned int mode)');
    if (makeNode(path, 0o600) !== 0) throw callError(libc, `mkfifo ${path}`);
    return;
  }
  const { status, stderr, error } = spawnSync('mkfifo', ['-m', '600', path], { encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(stderr.trim());
}

let makeNode: ((path: string, mode: number) => number) | undefined;
