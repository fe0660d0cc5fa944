// Who is at the other end of a UNIX socket.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { peerCredentials } from '../../daemon/sys/peer-credentials.js';

const root = process.getuid?.() === 0;

/** A process of this user connects; `tell` gets the server's end of it. */
async function connected(t: { after(work: () => void): void }, uid: number) {
  const directory = mkdtempSync(path.join(tmpdir(), 'hastmon-peer-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const socketPath = path.join(directory, 's');
  const server = net.createServer();
  server.listen({ path: socketPath, writableAll: true });
  await once(server, 'listening');
  t.after(() => server.close());
  chmodSync(directory, 0o755);
  const program = `require('net').connect(${JSON.stringify(socketPath)}).resume()`;
  const child = spawn(process.execPath, ['-e', program], { uid, stdio: 'ignore' });
  t.after(() => void child.kill('SIGKILL'));
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  t.after(() => void socket.destroy());
  return { socket, pid: child.pid };
}

test('the kernel tells process and user of who has connected', async (t) => {
  const uid = process.getuid?.() ?? 0;
  const { pid, socket } = await connected(t, uid);
  assert.deepEqual(peerCredentials(socket), { pid, uid, gid: process.getgid?.() });
});

test('also of another user', { skip: root ? false : 'only root becomes another user' }, async (t) => {
  const { pid, socket } = await connected(t, 65534);
  const told = peerCredentials(socket);
  assert.equal(told?.pid, pid);
  assert.equal(told?.uid, 65534);
});

test('of a socket that is closed nothing is told', async (t) => {
  const { socket } = await connected(t, process.getuid?.() ?? 0);
  socket.destroy();
  await once(socket, 'close');
  assert.equal(peerCredentials(socket), null);
});
