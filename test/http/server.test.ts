/** The server alone, with sockets: who reads slowly, and what a fault becomes. */
import assert from 'node:assert/strict';
import type { Server } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createAccess } from '../../daemon/http/access.js';
import { createAsker } from '../../daemon/http/asker.js';
import { policyOf } from '../../daemon/http/page.js';
import { COMMON, createHttpServer } from '../../daemon/http/server.js';
import { createEventStream, VIEWERS_MAX } from '../../daemon/http/stream.js';
import type { HaEvent } from '../../proto/event-types.js';
import { until } from '../system/wait.js';
import { get, watch } from './support.js';

const LIMIT_MS = 20_000;

interface ServerGiven {
  metrics?: () => Promise<never>;
  html?: string;
  token?: string;
}

/** Nothing has happened yet, whatever is asked. */
async function serverFor(t: TestContext, { html, metrics, token }: ServerGiven = {}) {
  const asker = createAsker({
    send(question) {
      setImmediate(() => asker.heard({ kind: 'answer', question, final: true, reply: {}, figures: null }));
    },
    clock: () => performance.now(),
  });
  const context = { asker, facts: { node: 'a', checks: false, balancer: false } };
  const settings = {
    address: '127.0.0.1',
    port: 0,
    token: token ?? null,
    tokenFile: '',
    users: [],
    health: 'token',
  } as const;
  const access = createAccess(settings, () => performance.now());
  const stream = createEventStream({ context: () => context, headers: COMMON });
  const faults: string[] = [];
  const page = { html: Buffer.from(html ?? '<!doctype html>'), policy: policyOf('') };
  const server: Server = createHttpServer({
    routes: () => ({
      access,
      context,
      page,
      metrics: metrics ?? (() => Promise.reject(new Error('unused'))),
    }),
    stream,
    failed: (text) => void faults.push(text),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { faults, port: (server.address() as AddressInfo).port, stream };
}

test('a viewer that does not read is dropped, and the others are not', async (t) => {
  const { port, stream } = await serverFor(t);
  const viewers = [0, 1].map(() => net.connect(port, '127.0.0.1'));
  t.after(() => viewers.forEach((viewer) => void viewer.destroy()));
  const [idle, busy] = viewers;
  let read = 0;
  let closed = false;
  busy?.on('data', (chunk) => {
    read += chunk.length;
  });
  for (const viewer of viewers) {
    viewer.on('error', () => {});
    viewer.write('GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
  }
  busy?.on('close', () => {
    closed = true;
  });
  await until(() => read > 0, LIMIT_MS, 'the stream does not begin');
  const event: HaEvent = {
    ...{ number: 1, node: 'a', at: 1, boot: 'x', bootMs: 1, kind: 'command', data: {} },
    text: 'x'.repeat(200_000),
  };
  let gone = false;
  idle?.on('close', () => {
    gone = true;
  });
  // What is already there is read only when the other end has ended.
  await until(
    async () => {
      stream.event(event);
      await new Promise((resolve) => setImmediate(resolve));
      return read > 30_000_000;
    },
    LIMIT_MS,
    () => `the one that reads has had ${read} bytes`,
  );
  idle?.resume();
  await until(() => gone, LIMIT_MS, 'the one that does not read is still there');
  assert.equal(closed, false);
});

/** Sends that over a connection of its own, and ends it with a reset when something has come, or it was ended. */
async function sentAndReset(port: number, text: string): Promise<void> {
  const socket = net.connect(port, '127.0.0.1');
  await new Promise<void>((resolve) => {
    socket.on('error', () => {});
    socket.once('data', () => resolve());
    socket.once('close', () => resolve());
    socket.write(text);
  });
  socket.resetAndDestroy();
}

const requestOf = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

test('answers in a heap that nobody takes leave room for those of others', async (t) => {
  const { port } = await serverFor(t, { html: 'x'.repeat(2000) });
  // More than all that may wait, and then what little room would be left.
  for (const path of ['/', '/', '/', '/', '/nothing'])
    await Promise.all(Array.from({ length: 40 }, () => sentAndReset(port, requestOf(path).repeat(2000))));
  await until(
    async () => (await get(port, '/').catch(() => null))?.status === 200,
    LIMIT_MS,
    'nothing is answered any more',
  );
});

test('requests in a heap are not waited for: the connection ends', async (t) => {
  const { port } = await serverFor(t);
  const socket = net.connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  let closed = false;
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  socket.resume();
  socket.write(requestOf('/api/v1/stream').repeat(2));
  await until(() => closed, LIMIT_MS, 'the connection stays');
});

test('who asks for the stream twice over one connection and goes away is no viewer any more', async (t) => {
  const { port } = await serverFor(t);
  for (let round = 0; round < VIEWERS_MAX; round += 1)
    await sentAndReset(port, requestOf('/api/v1/stream').repeat(2));
  const other = watch(port);
  t.after(other.close);
  await other.opened;
  const opens = async (): Promise<boolean> => {
    const viewer = watch(port);
    const { statusCode } = await viewer.opened;
    viewer.close();
    return statusCode === 200;
  };
  await until(opens, LIMIT_MS, 'nobody else can watch');
});

test('the form is taken as browsers send it, and not from pages of elsewhere', async (t) => {
  const { port } = await serverFor(t, { token: '0123456789abcdef-token' });
  const form = await get(port, '/login');
  // With no-referrer browsers send `Origin: null`.
  assert.equal(form.headers['referrer-policy'], 'same-origin');
  const here = `http://localhost:${port}`;
  const cases: [what: string, headers: Record<string, string>, status: number][] = [
    ['of this machine', { 'Sec-Fetch-Site': 'same-origin', Origin: here }, 303],
    [
      'of this machine, who keeps its origin to itself',
      { 'Sec-Fetch-Site': 'same-origin', Origin: 'null' },
      303,
    ],
    [
      'behind a proxy',
      { 'Sec-Fetch-Site': 'same-origin', Origin: 'https://ha.example.com', Host: 'ha:1' },
      303,
    ],
    ['without TLS on another machine', { Origin: here }, 303],
    ['no browser', {}, 303],
    ['of another site', { 'Sec-Fetch-Site': 'cross-site', Origin: here }, 403],
    ['of another server of the site', { 'Sec-Fetch-Site': 'same-site', Origin: here }, 403],
    ['of another site, without TLS', { Origin: 'http://example.com' }, 403],
    ['of a page without a name', { Origin: 'null' }, 403],
  ];
  for (const [what, headers, status] of cases) {
    const body = 'token=0123456789abcdef-token';
    const type = { Host: `localhost:${port}`, 'Content-Type': 'application/x-www-form-urlencoded' };
    const got = await get(port, '/login', { method: 'POST', headers: { ...type, ...headers }, body });
    assert.equal(got.status, status, what);
  }
});

test('a form that is too long is refused, with an answer', async (t) => {
  const { port } = await serverFor(t, { token: '0123456789abcdef-token' });
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const body = `token=${'x'.repeat(5000)}`;
  assert.equal((await get(port, '/login', { method: 'POST', headers, body })).status, 413);
});

test('a fault of the program is an answer, and is told', async (t) => {
  const { faults, port } = await serverFor(t, { metrics: () => Promise.reject(new Error('broken')) });
  const got = await get(port, '/metrics');
  assert.equal(got.status, 500);
  assert.doesNotMatch(got.text, /broken/);
  assert.deepEqual(faults, ['GET /metrics: broken']);
});

test('the page may run its own scripts and nothing else', async (t) => {
  const { port } = await serverFor(t);
  const got = await get(port, '/');
  assert.equal(got.headers['content-type'], 'text/html; charset=utf-8');
  assert.match(String(got.headers['content-security-policy']), /script-src 'none'/);
  const policy = policyOf('<script type="module">alert(1)</script><script>2</script><style>3</style>');
  assert.match(policy, /style-src 'sha256-[^']{44}';/);
  assert.match(policy, /script-src 'sha256-[^']{44}' 'sha256-[^']{44}';/);
  // echo -n 2 | openssl dgst -sha256 -binary | base64
  assert.match(policy, /'sha256-1HNeOiZeFu7gP1lxi5tdAwGcB9i2xR\+Q2jpmbuwTqzU='/);
  assert.doesNotMatch(policy, /https?:|\*|unsafe/);
});
