/**
 * The control socket: a UNIX stream socket on which hastmonctl talks to the main process. Rules N40… of
 * docs/protocol-wire.md. Knows clients, limits and file permissions; does not know what a request means.
 */
import { chmodSync, lchownSync } from 'node:fs';
import net from 'node:net';
import type { ControlConfig } from '../config/types.js';
import type { NetLog } from '../net/log.js';
import { clearSocketPath, listenUnix } from '../net/unix-socket.js';
import { reasonOf } from '../sys/errors.js';
import { type Client, type Handle, serve } from './client.js';
import { ownerOf } from './owner.js';

/** Clients at a time; further ones are told to come again, and as many again not even that. */
export const clientsMax = 32;
/** How long the answers that are written may take to be read when the server closes. */
const lingerMs = 500;

export interface ControlServerOptions {
  config: ControlConfig;
  handle: Handle;
  log: NetLog;
}

export interface ControlServer {
  /** Opens the socket; rejects with a message for people where that is impossible (somebody answers there, …). */
  listen(): Promise<void>;
  /** Ends all clients and removes the socket file. */
  close(): Promise<void>;
}

export function createControlServer(options: ControlServerOptions): ControlServer {
  const { config, handle, log } = options;
  const clients = new Set<Client>();
  const server = net.createServer((socket) => {
    if (clients.size >= 2 * clientsMax) return void socket.destroy();
    const client = serve({
      ...{ socket, handle, log },
      refuse: clients.size >= clientsMax,
      onGone: () => void clients.delete(client),
    });
    clients.add(client);
  });

  async function listen(): Promise<void> {
    try {
      const { uid, gid } = await ownerOf(config);
      await clearSocketPath(config.path);
      // Closed to everybody else until it belongs to whom it shall belong to.
      await listenUnix(server, config.path, 0o600);
      if (uid !== -1 || gid !== -1) lchownSync(config.path, uid, gid);
      chmodSync(config.path, config.mode);
    } catch (error) {
      server.close();
      throw new Error(`cannot open the control socket ${config.path}: ${problem(error)}`);
    }
    server.on('error', (error) => {
      log.warn({ address: config.path }, `cannot accept on the control socket: ${error.message}`);
    });
  }

  async function close(): Promise<void> {
    if (server.listening) server.close();
    await Promise.all([...clients].map((client) => client.end(lingerMs)));
  }

  return { listen, close };
}

function problem(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  const words: Record<string, string> = {
    EACCES: 'permission denied; run as root, or choose another path with `control`',
    EPERM: 'not permitted; only root may give the socket away',
    ENOTDIR: 'the path leads through something that is no directory',
    EROFS: 'the file system is read-only',
    EADDRINUSE: 'the path is in use',
  };
  return words[code ?? ''] ?? reasonOf(error);
}
