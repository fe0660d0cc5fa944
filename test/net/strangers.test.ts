/** Whoever has no business here: from a wrong address, silent, babbling, in hundreds, or with yesterday's words. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { strangersPerAddressMax } from '../../daemon/net/acceptor.js';
import { encodeFrame } from '../../proto/frame.js';
import { encodeHandshake, type Hello } from '../../proto/handshake-codec.js';
import { cleanUp, key, patient, startNode, startProxy, state, type TestNode, tcp, until } from './cluster.js';

const guests = new Set<net.Socket>();

afterEach(async () => {
  for (const guest of guests) guest.destroy();
  guests.clear();
  await cleanUp();
});

interface Guest {
  socket: net.Socket;
  received: Buffer[];
  closed: boolean;
}

/** Connects to a node as somebody who is none. */
function visit(node: { address: { port: number; host: string } }, from = '127.0.0.1'): Guest {
  const socket = net.connect({ host: node.address.host, port: node.address.port, localAddress: from });
  const guest: Guest = { socket, received: [], closed: false };
  guests.add(socket);
  socket.on('error', () => {});
  socket.on('data', (chunk) => guest.received.push(chunk));
  socket.on('close', () => {
    guest.closed = true;
  });
  return guest;
}

function hello(changes: Partial<Hello> = {}): Buffer {
  const good: Hello = {
    ...{ kind: 'hello', version: 1, resource: 'shared', node: 'nodeA', incarnation: 1 },
    ...{ nonce: Buffer.alloc(32, 7), algorithm: 'sha256' },
  };
  return encodeFrame(encodeHandshake({ ...good, ...changes }));
}

async function startTarget(changes = {}): Promise<TestNode> {
  const b = await startNode('nodeB');
  b.network.configure([patient([], changes)]);
  return b;
}

/** An honest node gets through, and nobody else ever did. */
async function honestNodeIsLinked(b: TestNode): Promise<void> {
  assert.deepEqual(b.events, []);
  assert.equal(b.received.length, 0);
  const a = await startNode('nodeA');
  a.network.configure([patient([b.address])]);
  await until('the honest node is linked', () => b.events.join() === 'up nodeA');
}

describe('strangers', () => {
  test('[N5] from an address that is no friend: closed unread, and logged once', async () => {
    const b = await startTarget();
    const visits = Array.from({ length: 50 }, () => visit(b, '127.0.0.9'));
    for (const { socket } of visits) socket.write(hello());
    await until('all closed', () => visits.every(({ closed }) => closed));
    assert.ok(visits.every(({ received }) => received.length === 0));
    const lines = b.log.filter(({ level, text }) => level === 'warn' && text.includes('127.0.0.9'));
    assert.deepEqual(
      lines.map(({ text }) => text),
      ['connection from tcp4://127.0.0.9 not accepted: it is no friend of any resource'],
    );
    await honestNodeIsLinked(b);
  });

  test('[N5] a friend of one resource is nobody for another', async () => {
    const b = await startNode('nodeB');
    b.network.configure([
      patient([], { name: 'mail' }),
      patient([], { name: 'shared', friends: [tcp('127.0.0.7', 8458)] }),
    ]);
    const guest = visit(b);
    guest.socket.write(hello({ resource: 'shared' }));
    await until('refused', () => guest.closed);
    assert.deepEqual(
      Buffer.concat(guest.received),
      encodeFrame(encodeHandshake({ kind: 'refuse', reason: 'not-allowed', node: '' })),
    );
    await until('logged', () => b.log.some(({ text }) => /not allowed for the resource 'shared'/.test(text)));
  });

  test('[N9] one that stays silent is closed when the handshake is due', async () => {
    const b = await startTarget({ timeoutMs: 150 });
    const [silent, slow] = [visit(b), visit(b)];
    const drip = setInterval(() => slow.socket.write(Buffer.from([0])), 20);
    const at = performance.now();
    slow.socket.write(Buffer.from([0, 0, 1]));
    await until('closed', () => silent.closed && slow.closed);
    clearInterval(drip);
    assert.ok(performance.now() - at < 3000);
    await honestNodeIsLinked(b);
  });

  const garbage: [string, Buffer][] = [
    ['a web browser', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['zeros', Buffer.alloc(100)],
    ['a length of 4097', Buffer.from([0, 0, 16, 1])],
    ['a length of 4 GiB', Buffer.from([255, 255, 255, 255])],
    ['a frame that is no protobuf', encodeFrame(Buffer.from('ffffffff', 'hex'))],
    ['a frame that is no handshake', encodeFrame(Buffer.from('a2060161', 'hex'))],
    ['a hello without a random value', hello({ nonce: Buffer.alloc(0) })],
    ['a hello with a short random value', hello({ nonce: Buffer.alloc(31) })],
    ['a hello of incarnation 0', hello({ incarnation: 0 })],
    ['a hello of a node with line breaks', hello({ node: 'nodeA\nnodeC' })],
    ['two hellos', Buffer.concat([hello(), hello()])],
    [
      'a hello and a random proof',
      Buffer.concat([hello(), encodeFrame(encodeHandshake({ kind: 'proof', mac: Buffer.alloc(32) }))]),
    ],
    ['an accept', encodeFrame(encodeHandshake({ kind: 'accept', mac: Buffer.alloc(32) }))],
    ['a refusal', encodeFrame(encodeHandshake({ kind: 'refuse', reason: 'wrong-key', node: 'nodeA' }))],
  ];
  for (const [what, bytes] of garbage) {
    test(`[N1] [N20] ${what}: closed, and nothing changes`, async () => {
      const b = await startTarget();
      const whole = visit(b);
      const byteByByte = visit(b);
      whole.socket.write(bytes);
      for (const byte of bytes) byteByByte.socket.write(Buffer.from([byte]));
      await until('closed', () => whole.closed && byteByByte.closed);
      await honestNodeIsLinked(b);
    });
  }

  test('[N8] hundreds that hang: 16 of them stay, and honest nodes get through all the time', async () => {
    const b = await startTarget({ timeoutMs: 60_000 });
    const a = await startNode('nodeA');
    const visits: Guest[] = [];
    for (let count = 0; count < 400; count += 1) {
      visits.push(visit(b));
      if (count === 200) a.network.configure([patient([b.address])]);
      // So few at a time that the kernel's own queue does not drop any.
      if (count % 20 === 0) await until('connected', () => visits.every(({ socket }) => !socket.connecting));
    }
    await until('linked in the middle of it', () => b.events.join() === 'up nodeA');
    const open = () => visits.filter(({ socket, closed }) => !closed && !socket.connecting).length;
    await until(
      'most are closed',
      () => visits.every(({ socket }) => !socket.connecting) && open() <= strangersPerAddressMax,
    );
    // Nobody but those 16 can have been there for as long as a handshake may take.
    const late = b.log.filter(({ text }) => text.includes('no handshake in time')).length;
    assert.ok(late <= strangersPerAddressMax, `${late} were thrown out for being late`);
    a.network.send('shared', 'nodeB', state(1));
    await until('the link works', () => b.received.length === 1);
  });

  test('[N29] a recorded connection, played again, gets nowhere', async () => {
    const b = await startTarget();
    const proxy = await startProxy(b.address);
    const a = await startNode('nodeA');
    a.network.configure([patient([proxy.address])]);
    await until('linked', () => a.events.length === 1);
    a.network.send('shared', 'nodeB', state(1));
    await until('recorded', () => b.received.length === 1);
    const guest = visit(b);
    guest.socket.write(Buffer.concat(proxy.recorded));
    await until('closed', () => guest.closed);
    assert.equal(b.received.length, 1);
    assert.deepEqual(b.events, ['up nodeA']);
    await until('logged', () => b.log.some(({ text }) => /wrong proof/.test(text)));
  });

  test('[N32] who only says that it is nodeA does not push nodeA out', async () => {
    const b = await startTarget();
    const a = await startNode('nodeA');
    a.network.configure([patient([b.address])]);
    await until('linked', () => a.events.length === 1);
    const guest = visit(b);
    guest.socket.write(hello({ incarnation: 99 }));
    await until('asked to prove it', () => guest.received.length > 0);
    guest.socket.write(encodeFrame(encodeHandshake({ kind: 'proof', mac: Buffer.alloc(32) })));
    await until('closed', () => guest.closed);
    a.network.send('shared', 'nodeB', state(1));
    await until('nodeA is still heard', () => b.received.length === 1);
    assert.deepEqual(b.events, ['up nodeA']);
  });

  test('[N23] a wrong key is logged on both sides, once, and the secret nowhere', async () => {
    const b = await startTarget();
    const a = await startNode('nodeA');
    const wrong = { algorithm: 'sha256', secret: 'not the same at all' };
    const proxy = await startProxy(b.address);
    a.network.configure([patient([proxy.address], { key: wrong })]);
    await until('three attempts', () => proxy.accepted.length >= 3);
    const all = JSON.stringify([a.log, b.log]);
    assert.ok(!all.includes(key.secret) && !all.includes(wrong.secret));
    for (const node of [a, b]) {
      const loud = node.log.filter(({ level, text }) => level !== 'trace' && /secrets differ/.test(text));
      assert.equal(loud.length, 1, JSON.stringify(node.log));
    }
    assert.match(a.network.links('shared')[0]?.reason ?? '', /nodeB refuses us: the secrets differ/);
  });

  test('[N39] out of file descriptors a node goes on, and takes connections again afterwards', async (t) => {
    if (!existsSync('/proc/self/fd')) return t.skip('open files cannot be counted here');
    const script = fileURLToPath(new URL('./peer-process.js', import.meta.url));
    const child = spawn('/bin/sh', ['-c', `ulimit -n 32; exec "${process.execPath}" "${script}"`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      const port = await new Promise<number>((resolve, reject) => {
        child.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString())));
        child.once('exit', (code) => reject(new Error(`the process ended with ${code}`)));
      });
      const target = { address: tcp('127.0.0.1', port) };
      const a = await startNode('nodeA');
      a.network.configure([patient([target.address])]);
      a.beat(20);
      await until('linked', () => a.events.length === 1);
      const openFiles = () => readdirSync(`/proc/${child.pid}/fd`).length;
      const room = 32 - openFiles();
      if (room <= 0 || room > strangersPerAddressMax) return t.skip(`room for ${room} more files`);
      const visits = Array.from({ length: 300 }, () => visit(target));
      await until('all files are open', () => openFiles() >= 32);
      const heard = a.received.length;
      await until('it still beats', () => a.received.length > heard + 10);
      for (const { socket } of visits) socket.destroy();
      const c = await startNode('nodeC');
      c.network.configure([patient([target.address])]);
      await until('nodeC is linked', () => c.events.length === 1);
      assert.deepEqual(a.events, ['up nodeB']);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
