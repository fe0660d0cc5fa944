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

/** Null: none. */
type Place = { key: string; served: Served } | null;

export function createConsoles(host: ConsoleHost, log: NetLog): Consoles {
  let tcp: Place = null;
  let fifo: Place = null;
  let closing: Promise<unknown> = Promise.resolve();

  function replace(before: Place, key: string, open: (() => Served) | null): Place {
    if (key === (before?.key ?? '')) return before;
    const gone = before?.served.close() ?? Promise.resolve();
    closing = Promise.all([closing, gone]);
    return open === null ? null : { key, served: serveAfter(gone, open) };
  }

  return {
    serve(address, path) {
      if (address === null) tcp = replace(tcp, '', null);
      else tcp = replace(tcp, `${address.address} ${address.port}`, () => serveConsole(address, host, log));
      fifo = replace(fifo, path, path === '' ? null : () => serveFifo(path, host, log));
    },
    async close() {
      await Promise.all([closing, tcp?.served.close(), fifo?.served.close()]);
    },
  };
}

/** The one before may have the same address. */
function serveAfter(gone: Promise<void>, open: () => Served): Served {
  let closed = false;
  const served = gone.then(() => (closed ? null : open()));
  return {
    async close() {
      closed = true;
      await (await served)?.close();
    },
  };
}
