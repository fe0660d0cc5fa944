/** The console where the configuration wants it: over TCP, and on a fifo. */
import type { NetLog } from '../../net/log.js';
import { serveFifo } from '../console/fifo.js';
import type { Served } from '../console/keep.js';
import { serveConsole } from '../console/server.js';
import type { ConsoleHost } from '../console/types.js';

export interface Consoles {
  /** From now on there, and nowhere else; null and '': not at all. */
  serve(address: { address: string; port: number } | null, fifo: string): void;
  close(): Promise<void>;
}

export function createConsoles(host: ConsoleHost, log: NetLog): Consoles {
  let tcp: { key: string; served: Served } | null = null;
  let fifo: { key: string; served: Served } | null = null;
  /** What is being closed: its address may be needed by its successor. */
  let closing: Promise<unknown> = Promise.resolve();

  return {
    serve(address, path) {
      const key = address === null ? '' : `${address.address} ${address.port}`;
      if (key !== (tcp?.key ?? '')) {
        const before = tcp;
        tcp = null;
        closing = Promise.all([closing, before?.served.close()]);
        if (address !== null) tcp = { key, served: serveConsole(address, host, log) };
      }
      if (path !== (fifo?.key ?? '')) {
        const before = fifo;
        fifo = null;
        closing = Promise.all([closing, before?.served.close()]);
        if (path !== '') fifo = { key: path, served: serveFifo(path, host, log) };
      }
    },
    async close() {
      await Promise.all([closing, tcp?.served.close(), fifo?.served.close()]);
    },
  };
}
