/** The stream of server-sent events of a real daemon: what is told, what a browser that comes back gets, and who is dropped. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { VIEWERS_MAX } from '../../daemon/http/stream.js';
import { until } from '../system/cluster.js';
import { give, patienceMs, runsOn } from '../system/support.js';
import { get, servedFor, watch } from './support.js';

test('pictures come several times a second, and events as they happen', async (t) => {
  const { cluster, ports } = await servedFor(t, { globals: 'check self tcp://127.0.0.1:1' });
  const viewer = watch(ports.nodeA ?? 0, { path: '/api/v1/stream?last=3' });
  t.after(viewer.close);
  const response = await viewer.opened;
  assert.match(response.headers['content-type'] ?? '', /^text\/event-stream/);
  assert.equal(response.headers['cache-control'], 'no-store');
  const of = (event: string) => viewer.told.filter((told) => told.event === event);
  await until(() => of('cluster').length >= 4 && of('checks').length >= 2, patienceMs, 'no pictures');
  const times = of('cluster').map(({ data }) => Number(data.at));
  assert.ok(times.every((at, index) => index === 0 || at > (times[index - 1] ?? 0)));
  const numbers = of('event').map(({ data }) => Number(data.number));
  assert.ok(numbers.length >= 3);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => (numbers[0] ?? 0) + index),
  );
  await give(cluster, 'nodeA', {
    kind: 'role',
    role: 'secondary',
    resources: ['shared'],
    force: false,
    wait: true,
  });
  await until(
    () => of('event').some(({ data }) => data.kind === 'role-changed' && data.node === 'nodeA'),
    patienceMs,
    'the change is not told',
  );
  for (const { data, id } of of('event')) assert.equal(String(data.number), id);
  for (const { data } of viewer.told) assert.ok(data.node === 'nodeA' && typeof data.at === 'number');
});

test('a browser that comes back gets what it has missed, once and in order', async (t) => {
  const { cluster, ports } = await servedFor(t);
  const port = ports.nodeA ?? 0;
  const { events } = (await get(port, '/api/v1/events')).json() as { events: { number: number }[] };
  const last = events.at(-3)?.number ?? 0;
  const viewer = watch(port, { headers: { 'Last-Event-ID': String(last) } });
  t.after(viewer.close);
  await viewer.opened;
  await give(cluster, 'nodeA', {
    kind: 'role',
    role: 'secondary',
    resources: ['shared'],
    force: false,
    wait: true,
  });
  const numbers = (): number[] =>
    viewer.told.flatMap(({ data, event }) => (event === 'event' ? [Number(data.number)] : []));
  await until(() => numbers().length >= 4, patienceMs, 'nothing is told');
  assert.deepEqual(
    numbers(),
    numbers().map((_, index) => last + 1 + index),
  );
});

test('so many may watch at a time, and one that goes makes room', async (t) => {
  const { cluster, ports } = await servedFor(t);
  const port = ports.nodeA ?? 0;
  const viewers = Array.from({ length: VIEWERS_MAX }, () => watch(port));
  t.after(() => viewers.forEach((viewer) => void viewer.close()));
  for (const viewer of viewers) assert.equal((await viewer.opened).statusCode, 200);
  const refused = watch(port);
  t.after(refused.close);
  assert.equal((await refused.opened).statusCode, 503);
  viewers[0]?.close();
  const again = async (): Promise<boolean> => {
    const viewer = watch(port);
    const { statusCode } = await viewer.opened;
    viewer.close();
    return statusCode === 200;
  };
  await until(again, patienceMs, 'the place of one that has gone is not free');
  await runsOn(cluster, 'nodeA');
});

test('HEAD of the stream does not watch', async (t) => {
  const { ports } = await servedFor(t);
  const socket = net.connect(ports.nodeA ?? 0, '127.0.0.1');
  t.after(() => socket.destroy());
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.write('HEAD /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until(
    () => /text\/event-stream[\s\S]*\r\n\r\n/.test(text),
    patienceMs,
    () => `no answer: ${text}`,
  );
  socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until(
    () => /"healthy":true/.test(text),
    patienceMs,
    () => `the connection is not free: ${text}`,
  );
});
