/** What the tests of the console's servers share: a log that remembers, a client, a server that goes with the test. */
import net from 'node:net';
import type { TestContext } from 'node:test';
import {
  type ConsoleAddress,
  type ConsoleServer,
  serveConsole,
} from '../../../daemon/balancer/console/server.js';
import type { NetLog } from '../../../daemon/net/log.js';
import { until } from '../../system/wait.js';
import { type TestHost, testHost } from './host.js';

export interface Remembered extends NetLog {
  lines: string[];
}

/** `debug` is left out. */
export function remembering(): Remembered {
  const lines: string[] = [];
  const at = (level: string) => (_: object, text: string) => void lines.push(`${level}: ${text}`);
  return { lines, debug: () => {}, info: at('info'), warn: at('warn'), error: at('error') };
}

export interface Console {
  host: TestHost;
  log: Remembered;
  server: ConsoleServer;
  port: number;
}

export async function consoleFor(
  t: TestContext,
  at: ConsoleAddress = { address: '127.0.0.1', port: 0 },
  host = testHost(),
): Promise<Console> {
  const log = remembering();
  const server = serveConsole(at, host, log, 20);
  t.after(() => server.close());
  await until(
    () => server.listening() !== null,
    10_000,
    () => log.lines.join('\n'),
  );
  return { host, log, server, port: server.listening()?.port ?? 0 };
}

export interface Session {
  socket: net.Socket;
  /** All that has come. */
  heard(): string;
  /** Resolves with it once the other side has ended. */
  ended: Promise<string>;
  says(text: string): Promise<void>;
}

export async function connect(t: TestContext, port: number): Promise<Session> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => socket.destroy());
  let heard = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk) => {
    heard += chunk;
  });
  const ended = new Promise<string>((resolve, reject) => {
    socket.once('end', () => resolve(heard));
    socket.once('error', reject);
  });
  // One that breaks the connection off is looked at by those alone who wait for it.
  ended.catch(() => {});
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return {
    socket,
    ended,
    heard: () => heard,
    says: (text) =>
      until(
        () => heard.includes(text),
        10_000,
        () => heard,
      ),
  };
}
