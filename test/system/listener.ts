/** What answers for a service, or for a gateway. */
import { createServer, type Server } from 'node:net';
import type { TestContext } from 'node:test';

/** On a port of loopback, until it is closed: then it refuses. */
export async function listener(
  t: TestContext,
  port: number,
): Promise<{ open(): Promise<void>; close(): void }> {
  let server: Server | null = null;
  const close = (): void => {
    server?.close();
    server = null;
  };
  t.after(close);
  const open = (): Promise<void> =>
    new Promise((resolve) => {
      server = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1', resolve);
    });
  await open();
  return { open, close };
}
