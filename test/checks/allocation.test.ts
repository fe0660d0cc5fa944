/** The plain checks allocate nothing: what they leave on the heap is counted, not how long that takes. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { serverFor } from './engine-support.js';

const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'allocation-run.js');

/**
 * Bytes for a check. What there is are numbers of the clock, 16 bytes each, on their way through calls that are not inlined; a closure or
 * a view of a buffer for each check is 60 to 120 bytes more.
 */
const BYTES_MAX: Record<string, number> = { tcp: 150, http: 175, banner: 185 };

const SERVERS: Record<string, (socket: Socket) => void> = {
  tcp: () => {},
  http: (socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')),
  banner: (socket) => socket.write('220 ready\r\n'),
};

for (const [kind, serve] of Object.entries(SERVERS))
  test(`${kind}: no allocation for a check`, async (t) => {
    const port = await serverFor(t, serve);
    const child = fork(script);
    t.after(() => child.kill('SIGKILL'));
    child.send({ kind, port });
    const [{ bytes, where, failed }] = (await once(child, 'message')) as [
      { bytes: number; where: Record<string, number>; failed?: string },
    ];
    assert.equal(failed, undefined);
    const words = Object.entries(where)
      .sort((a, b) => b[1] - a[1])
      .map(([name, each]) => `${name}: ${each.toFixed(1)}`);
    t.diagnostic(`${bytes.toFixed(1)} bytes a check: ${words.join(', ')}`);
    assert.ok(
      bytes < (BYTES_MAX[kind] ?? 0),
      `${bytes.toFixed(1)} bytes for each check: ${words.join(', ')}`,
    );
  });
