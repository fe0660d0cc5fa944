/** UNIX sockets as files: a place for a new one, with the right mode from the first moment. */
import { existsSync, lstatSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';

/** The longest path of a socket (unix(7): 108 bytes with the final 0). libuv would cut a longer one off. */
const pathBytesMax = 107;
/** How long a process that holds the socket has to take our connection; it has only to be alive for that. */
const answerMs = 1000;

/** True where the path does not fit into a socket address. */
export function isSocketPathTooLong(file: string): boolean {
  return Buffer.byteLength(file) > pathBytesMax;
}

/**
 * Makes room for a socket file: removes one that nobody answers on. Rejects, with a message for people, where somebody
 * does, or where the file is something else.
 */
export async function clearSocketPath(file: string): Promise<void> {
  if (isSocketPathTooLong(file)) throw new Error(`${file} is too long for a socket (${pathBytesMax} bytes)`);
  const folder = path.dirname(file);
  // bind(2) would say so, too, but libuv calls it a lack of permission.
  if (!existsSync(folder)) throw new Error(`the directory ${folder} does not exist`);
  let isSocket: boolean;
  try {
    isSocket = lstatSync(file).isSocket();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (!isSocket) throw new Error(`${file} exists and is no socket; remove it or choose another path`);
  if (await answers(file)) throw new Error(`${file} is in use: another process answers there`);
  try {
    unlinkSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Listens on a UNIX path. The file is never more open than `mode`, not even for a moment. */
export function listenUnix(server: net.Server, file: string, mode: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // The socket file is made inside listen(), before it returns.
    const before = process.umask(~mode & 0o777);
    try {
      server.listen({ path: file }, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}

/** Only a refusal says that nobody is there; no answer at all means a process that is busy or stopped. */
function answers(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path: file });
    const done = (result: boolean) => {
      clearTimeout(limit);
      socket.destroy();
      resolve(result);
    };
    const limit = setTimeout(() => done(true), answerMs);
    socket.once('connect', () => done(true));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      done(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}
