/**
 * The console over TCP. Many sessions at once, each answered line by line: what a reader does not take holds up nobody but itself, and is
 * not more than one answer. It begins with the help, as ipvs-weightman's does, and `$ ` stands behind every answer.
 */
import { once } from 'node:events';
import net from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isLoopback } from '../../net/addresses.js';
import type { NetLog } from '../../net/log.js';
import { codeOf, reasonOf } from '../../sys/errors.js';
import { HELP } from './help.js';
import { interpret } from './interpret.js';
import { keepOpen, RETRY_MS, type Served } from './keep.js';
import { createLineReader, LINE_BYTES_MAX, type LineEvent } from './lines.js';
import { type ConsoleHost, newSession, PROMPT } from './types.js';

/** Sessions at a time; a further one is told to come again. */
export const SESSIONS_MAX = 64;
/** So long somebody who has ended his side may take to read the last answer. */
const LINGER_MS = 30_000;
/** After so long of silence the system asks whether the other side is still there. */
const KEEPALIVE_MS = 60_000;

export interface ConsoleAddress {
  /** A name or a numeric address without brackets. */
  address: string;
  /** 0: any free one. */
  port: number;
}

export interface ConsoleServer extends Served {
  /** Where it listens now; null: it does not. */
  listening(): ConsoleAddress | null;
}

/** Never throws: what cannot be opened is logged, and tried again. */
export function serveConsole(
  at: ConsoleAddress,
  host: ConsoleHost,
  log: NetLog,
  retryMs = RETRY_MS,
): ConsoleServer {
  const sockets = new Set<net.Socket>();
  const where = net.isIPv6(at.address) ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`;
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', (error) => log.debug({}, `console: ${error.message}`));
    socket.setKeepAlive(true, KEEPALIVE_MS);
    if (sockets.size > SESSIONS_MAX) finish(socket, `# more than ${SESSIONS_MAX} sessions; try again\n`);
    else converse(socket, host, log);
  });

  async function open(): Promise<string> {
    if (server.listening) return '';
    try {
      server.listen({ host: at.address, port: at.port });
      await once(server, 'listening');
    } catch (error) {
      return codeOf(error) === 'EADDRINUSE' ? 'somebody else listens there' : reasonOf(error);
    }
    const { address = '', port = 0 } = listening() ?? {};
    log.info({}, `the console listens on ${net.isIPv6(address) ? `[${address}]` : address}:${port}`);
    if (!isLoopback(address))
      log.warn({}, `the console on ${where} asks for no password: whoever reaches it can switch servers off`);
    return '';
  }

  function listening(): ConsoleAddress | null {
    const address = server.address();
    return address === null || typeof address === 'string' ? null : address;
  }

  server.on('error', (error) => log.debug({}, `console on ${where}: ${error.message}`));
  const stop = keepOpen(
    open,
    (problem) => log.error({}, `the console cannot listen on ${where}: ${problem}; it is tried again`),
    retryMs,
  );
  return {
    listening,
    async close() {
      await stop();
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One session. */
function converse(socket: net.Socket, host: ConsoleHost, log: NetLog): void {
  const by = `console ${socket.remoteAddress ?? '?'} ${socket.remotePort ?? ''}`.trim();
  const session = newSession(by);
  const reader = createLineReader();
  let over = false;
  socket.write(HELP);
  // What comes is not read on before it is answered.
  socket.on('data', (chunk: Buffer) => {
    if (over) return;
    socket.pause();
    void work(reader.push(chunk)).then(() => socket.resume());
  });
  socket.once('end', () => void work(reader.end()));

  async function work(events: readonly LineEvent[]): Promise<void> {
    for (const event of events) {
      if (over || socket.destroyed) return;
      if (!(await take(event))) {
        over = true;
        return finish(socket);
      }
      if (socket.writableNeedDrain) await drained(socket);
      // Nobody's many lines keep the balancer from its work.
      await nextTurn();
    }
  }

  /** False where the session is over. */
  async function take(event: LineEvent): Promise<boolean> {
    switch (event.kind) {
      case 'reply':
        socket.write(event.bytes);
        return true;
      case 'too-long':
        socket.write(`# a line has at most ${LINE_BYTES_MAX} bytes\n${PROMPT}`);
        return true;
      case 'end':
        return false;
      case 'line': {
        // A page in a browser of this machine could have it send a request here, with commands in it.
        if (/^[A-Z]+ \S+ HTTP\/\d/.test(event.text)) return false;
        log.debug({}, `${by}: ${JSON.stringify(event.text)}`);
        const { text, ended } = await interpret(event.text, session, host);
        socket.write(ended ? text : text + PROMPT);
        return !ended;
      }
    }
  }
}

/** Resolves when there is room again, or nobody to write to. */
function drained(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.once('drain', done);
    socket.once('close', done);
    if (socket.destroyed) done();
  });
}

/** Ends our side; what is written may still be read for a while. */
function finish(socket: net.Socket, text = ''): void {
  socket.end(text);
  // What still comes is not read, but taken, lest the system breaks the connection before the answer is read.
  socket.resume();
  const limit = setTimeout(() => socket.destroy(), LINGER_MS);
  limit.unref();
  socket.once('close', () => clearTimeout(limit));
}
