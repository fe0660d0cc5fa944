/** The server alone, with sockets: who reads slowly, and what a fault becomes. */
import assert from 'node:assert/strict';
import type { Server } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createAccess } from '../../daemon/http/access.js';
import { createAsker } from '../../daemon/http/asker.js';
import { policyOf } from '../../daemon/http/page.js';
import { COMMON, createHttpServer } from '../../daemon/http/server.js';
import { createEventStream } from '../../daemon/http/stream.js';
import type { HaEvent } from '../../proto/event-types.js';
import { until } from '../system/wait.js';
import { get } from './support.js';

const LIMIT_MS = 20_000;

/** Nothing has happened yet, whatever is asked. */
async function serverFor(t: TestContext, metrics?: () => Promise<never>) {
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
    token: null,
    tokenFile: '',
    users: [],
    health: 'token',
  } as const;
  const access = createAccess(settings, () => performance.now());
  const stream = createEventStream({ context: () => context, headers: COMMON });
  const faults: string[] = [];
  const page = { html: Buffer.from('<!doctype html>'), policy: policyOf('') };
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

test('a fault of the program is an answer, and is told', async (t) => {
  const { faults, port } = await serverFor(t, () => Promise.reject(new Error('broken')));
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
