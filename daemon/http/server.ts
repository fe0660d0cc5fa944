/**
 * The server: sockets, their bounds, and what every answer carries. Whoever is slow, silent, too many or too long is refused or
 * dropped; nothing of a client reaches the main process but a question from a list.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { messageOf } from '../sys/errors.js';
import { type HttpAnswered, problem, text } from './answers.js';
import { whenOver } from './over.js';
import { type Routed, type RouteOptions, route } from './routes.js';
import type { EventStream } from './stream.js';

export interface HttpServerOptions {
  routes: () => RouteOptions;
  stream: EventStream;
  /** A fault of this program. */
  failed: (text: string) => void;
}

/** Headers and the first line, in bytes. */
const HEADER_BYTES_MAX = 8 * 1024;
export const CONNECTIONS_MAX = 256;
/** Of a client that is slow to send its headers, or the rest; checked every CHECK_MS. */
const HEADERS_MS = 5000;
const REQUEST_MS = 10_000;
const CHECK_MS = 1000;
/** Between one request of a connection and the next. */
const IDLE_MS = 5000;
/** Nothing moves on a connection. */
const SOCKET_MS = 30_000;
/** Bytes of answers that have not been taken yet, of all clients together. */
const UNSENT_MAX = 64 * 1024 * 1024;

/** What every answer says: it is nobody else's, it is not kept, and it may do nothing. */
export const COMMON: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/** A server that does not listen yet. */
export function createHttpServer({ failed, routes, stream }: HttpServerOptions): Server {
  let unsent = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // What a client does to its connection is its own business.
    request.on('error', () => {});
    response.on('error', () => {});
    // A request forgets its connection when its body was not read to the end.
    const { socket } = request;
    // Sent before the one before it was answered. Clients that mean well do not, and what waits in a heap has no bound.
    if (response.socket === null) return void socket.destroy();
    const found = await routed(request);
    if (response.destroyed || socket.destroyed) return;
    if ('stream' in found) return open(request, response, socket, found.stream);
    send(request, response, socket, found);
  }

  async function routed(request: IncomingMessage): Promise<Routed> {
    try {
      return await route(routes(), request);
    } catch (error) {
      failed(`${request.method} ${(request.url ?? '').slice(0, 100)}: ${messageOf(error)}`);
      return problem(500, 'this is a fault of hastmond: see its log');
    }
  }

  function open(request: IncomingMessage, response: ServerResponse, socket: Socket, last: number): void {
    if (request.method === 'HEAD') return send(request, response, socket, text('', 'text/event-stream'));
    // It is silent for as long as nothing happens.
    socket.setTimeout(0);
    if (!stream.open(request, response, last))
      send(request, response, socket, problem(503, 'too many watch already', {}, { 'Retry-After': '10' }));
  }

  function send(
    { method }: IncomingMessage,
    response: ServerResponse,
    socket: Socket,
    answered: HttpAnswered,
  ): void {
    const bytes = Buffer.byteLength(answered.body);
    if (unsent + bytes > UNSENT_MAX) return void socket.destroy();
    const { body, headers, status, type } = answered;
    unsent += bytes;
    whenOver(socket, response, () => {
      unsent -= bytes;
    });
    response.writeHead(status, {
      ...COMMON,
      ...(type === '' ? {} : { 'Content-Type': type }),
      ...(status === 204 ? {} : { 'Content-Length': bytes }),
      ...headers,
    });
    response.end(method === 'HEAD' || status === 204 ? undefined : body);
  }

  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: IDLE_MS,
      connectionsCheckingInterval: CHECK_MS,
    },
    (request, response) => void answer(request, response),
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.timeout = SOCKET_MS;
  // Nothing is sent here that one would have to ask for leave to send.
  server.on('checkContinue', (request, response) => void answer(request, response));
  server.on('clientError', refuse);
  return server;
}

/** What is no request of HTTP, is too long, or too slow. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, detail] = REFUSALS[error.code ?? ''] ?? [400, 'this is no request of HTTP/1.1'];
  const { body, type } = problem(status, detail);
  const head = [
    `HTTP/1.1 ${status} `,
    ...Object.entries(COMMON).map(([name, value]) => `${name}: ${value}`),
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

const REFUSALS: Readonly<Record<string, [status: number, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, `the headers have more than ${HEADER_BYTES_MAX} bytes`],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not come in time'],
};
