/** Clients that mean no good, against a real daemon: it answers others meanwhile or soon after, keeps its lease, and its service does not notice. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { createPrng } from '../sim/prng.js';
import { until } from '../system/cluster.js';
import { clusterProcesses } from '../system/processes.js';
import { patienceMs } from '../system/support.js';
import { get, type Served, servedFor } from './support.js';

interface Raw {
  socket: net.Socket;
  text(): string;
  closed(): boolean;
}

function connect(t: TestContext, port: number): Raw {
  const socket = net.connect(port, '127.0.0.1');
  let text = '';
  let closed = false;
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  t.after(() => socket.destroy());
  return { socket, text: () => text, closed: () => closed };
}

async function sent(t: TestContext, port: number, bytes: string | Buffer): Promise<string> {
  const raw = connect(t, port);
  raw.socket.write(bytes);
  await until(raw.closed, patienceMs, () => `the connection stays: ${raw.text().slice(0, 200)}`);
  return raw.text();
}

/** The same processes, the same lease, one life of the service. */
async function unharmed({ cluster, ports }: Served, pid: number): Promise<void> {
  const port = ports.nodeA ?? 0;
  await until(
    async () => (await get(port, '/resource/shared/primary').catch(() => null))?.status === 200,
    patienceMs,
    'the resource is not said to run',
  );
  assert.equal(httpPid(cluster.dir), pid);
  assert.equal(cluster.beats().length, 1);
  const status = await cluster.node('nodeA').status();
  assert.deepEqual([status?.state, status?.lease.held], ['run', true]);
  const log = cluster.node('nodeA').log();
  assert.doesNotMatch(log, /lease is over|internal error|hangs|has said nothing/);
}

function httpPid(dir: string): number {
  return clusterProcesses(dir).find(({ title }) => title === 'hastmon: api (http)')?.pid ?? 0;
}

const HEAD = 'GET /health HTTP/1.1\r\nHost: localhost\r\n';

test('what is no request is refused, and the connection closed', async (t) => {
  const served = await servedFor(t);
  const port = served.ports.nodeA ?? 0;
  const pid = httpPid(served.cluster.dir);
  const bad: [what: string, bytes: string | Buffer, answer: RegExp][] = [
    [
      'garbage',
      Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7919) % 256)),
      /^HTTP\/1\.1 400 /,
    ],
    ['TLS', Buffer.from('16030100f8010000f40303', 'hex'), /^HTTP\/1\.1 400 /],
    ['another version', 'GET / HTTP/9.9\r\n\r\n', /^HTTP\/1\.1 (400|505) /],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a long URL', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['long headers', `${HEAD}X: ${'a'.repeat(100_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['many headers', `${HEAD}${'X: y\r\n'.repeat(20_000)}\r\n`, /^HTTP\/1\.1 431 /],
    [
      'two lengths',
      `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 400 /,
    ],
    ['a header on two lines', `${HEAD}X: a\r\n b\r\nX\0: y\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['a method of its own', 'HELO / HTTP/1.1\r\nHost: localhost\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['CONNECT', 'CONNECT 10.0.0.1:22 HTTP/1.1\r\nHost: localhost\r\n\r\n', /^$/],
    [
      'a body with Expect',
      'GET / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
      /^HTTP\/1\.1 413 /,
    ],
    [
      'another server',
      'GET http://10.0.0.1/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    [
      'a path upwards',
      'GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 404 /,
    ],
  ];
  for (const [what, bytes, answer] of bad) assert.match(await sent(t, port, bytes), answer, what);
  await unharmed(served, pid);
});

test('who is slow is not waited for', async (t) => {
  const served = await servedFor(t);
  const port = served.ports.nodeA ?? 0;
  const pid = httpPid(served.cluster.dir);
  const slow = connect(t, port);
  slow.socket.write(HEAD);
  const drip = setInterval(() => slow.socket.write('X: y\r\n'), 200);
  t.after(() => clearInterval(drip));
  const silent = connect(t, port);
  const halfForm = connect(t, port);
  halfForm.socket.write(
    'POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\ntoken=',
  );
  for (const [what, raw] of Object.entries({ slow, silent, halfForm }))
    await until(raw.closed, 2 * patienceMs, `${what} is still connected`);
  assert.match(slow.text(), /^HTTP\/1\.1 408 /);
  await unharmed(served, pid);
});

test('many at once are dropped, and others are served when they are gone', async (t) => {
  const served = await servedFor(t);
  const port = served.ports.nodeA ?? 0;
  const pid = httpPid(served.cluster.dir);
  const crowd = Array.from({ length: 600 }, () => connect(t, port));
  for (const { socket } of crowd) socket.write(HEAD);
  await until(
    // Those that were let in are told that they are slow.
    () => crowd.filter(({ closed, text }) => closed() && text() === '').length >= 300,
    patienceMs,
    'connections without number are kept',
  );
  await until(() => crowd.every(({ closed }) => closed()), 2 * patienceMs, 'they are waited for');
  await unharmed(served, pid);
});

test('requests in a heap are answered one by one, or the connection ends', async (t) => {
  const served = await servedFor(t);
  const port = served.ports.nodeA ?? 0;
  const pid = httpPid(served.cluster.dir);
  const heap = connect(t, port);
  heap.socket.write(`${HEAD}\r\n`.repeat(2000));
  const count = (): number => heap.text().split('"healthy":true').length - 1;
  await until(
    () => count() === 2000 || heap.closed(),
    patienceMs,
    () => `${count()} answers`,
  );
  await unharmed(served, pid);
});

test('requests that were damaged by chance harm nobody', async (t) => {
  const served = await servedFor(t, { globals: 'check self tcp://127.0.0.1:1' });
  const port = served.ports.nodeA ?? 0;
  const pid = httpPid(served.cluster.dir);
  const paths = [
    '/',
    '/health',
    '/metrics',
    '/api/v1/checks?name=a*',
    '/api/v1/events?last=3',
    '/resource/shared/primary',
  ];
  const { below } = createPrng(12_345);
  for (let round = 0; round < 40; round += 1) {
    const damaged = Array.from({ length: 25 }, () => {
      const bytes = Buffer.from(
        `${['GET', 'HEAD', 'OPTIONS', 'POST'][below(4)]} ${paths[below(paths.length)]} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      for (let damage = below(4); damage > 0; damage -= 1) bytes[below(bytes.length)] = below(256);
      return bytes;
    });
    const raws = damaged.map((bytes) => {
      const raw = connect(t, port);
      raw.socket.end(bytes);
      return raw;
    });
    await until(() => raws.every(({ closed }) => closed()), patienceMs, 'a damaged request is kept');
  }
  await unharmed(served, pid);
});
