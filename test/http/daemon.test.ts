/** A real daemon, asked over HTTP: what it says, of what it says nothing, and what becomes of it when its main process is in trouble. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { describe, test } from 'node:test';
import { until } from '../system/cluster.js';
import { freePorts } from '../system/network.js';
import { clusterProcesses, signalProcess } from '../system/processes.js';
import { patienceMs, runsOn } from '../system/support.js';
import { createServed, type Got, get, servedFor, watch } from './support.js';

const CHECKS = 'check self tcp://127.0.0.1:1 { interval 1 ; fall 1 }';

function problemOf(got: Got): { status: number; detail: string } {
  assert.match(got.headers['content-type'] ?? '', /^application\/problem\+json/);
  const { detail, status, title } = got.json();
  assert.equal(status, got.status);
  assert.equal(typeof title, 'string');
  return { status: got.status, detail: String(detail) };
}

test('what is asked is answered, with who says so and when', async (t) => {
  const { cluster, ports } = await servedFor(t, { globals: CHECKS });
  const port = ports.nodeA ?? 0;
  await until(
    async () => /"state":"down"/.test((await get(port, '/api/v1/checks')).text),
    patienceMs,
    'the check is not down',
  );
  const answers: [path: string, status: number, has: RegExp][] = [
    ['/api/v1/cluster', 200, /"nodes":\[\{"node":"nodeA","self":true/],
    ['/api/v1/status', 200, /"status":\[\{"resource":"shared","role":"primary"/],
    ['/api/v1/status?name=shared', 200, /"resource":"shared"/],
    ['/api/v1/events?last=3', 200, /"events":\[\{"number":/],
    ['/api/v1/events?name=self&since=1h', 200, /"kind":"check-edge"/],
    ['/api/v1/timeline/shared?last=2', 200, /"resource":"shared","failovers":\[/],
    ['/api/v1/checks', 200, /"entries":\[\{"name":"self"/],
    ['/api/v1/checks?down=1&name=se*', 200, /"down":1/],
    ['/api/v1/checks/self', 200, /"results":\[\{/],
    ['/api/v1/explain/shared', 200, /"explanations":\[\{"subject":"resource"/],
    ['/health', 200, /"healthy":true/],
    ['/ready', 200, /"ready":true/],
    ['/resource/shared/primary', 200, /"primary":true/],
    ['/resource/shared/secondary', 503, /"secondary":false/],
  ];
  for (const [path, status, has] of answers) {
    const got = await get(port, path);
    assert.equal(got.status, status, `${path}: ${got.text}`);
    assert.match(got.text, has, path);
    assert.equal(got.json().node, 'nodeA', path);
    const { at } = got.json();
    assert.ok(Number.isInteger(at) && Math.abs(Number(at) - Date.now()) < 60_000, path);
    const head = await get(port, path, { method: 'HEAD' });
    assert.deepEqual([head.status, head.text], [status, ''], path);
    const options = await get(port, path, { method: 'OPTIONS' });
    assert.deepEqual([options.status, options.headers.allow], [204, 'GET, HEAD, OPTIONS'], path);
  }
  assert.equal(cluster.node('nodeA').running(), true);
});

test('what is wrong with a request is said as a problem', async (t) => {
  const { ports } = await servedFor(t);
  const port = ports.nodeA ?? 0;
  const refused: [path: string, options: Parameters<typeof get>[2], status: number, detail: RegExp][] = [
    ['/nothing', {}, 404, /nothing at \/nothing/],
    ['/api/v2/status', {}, 404, /nothing at/],
    ['/api/v1/', {}, 404, /nothing at/],
    ['/api/v1/constructor', {}, 404, /nothing at/],
    ['/resource/other/primary', {}, 404, /no resource other/],
    ['/resource/shared/watchdog', {}, 404, /nothing at/],
    ['/api/v1/status?name=other', {}, 404, /no resource other/],
    ['/api/v1/explain/other', {}, 404, /other/],
    ['/api/v1/timeline/other', {}, 404, /no resource/],
    ['/api/v1/checks/%E0%A4%A', {}, 400, /not well encoded/],
    ['/resource/%/primary', {}, 400, /not well encoded/],
    ['/api/v1/status?nam=shared', {}, 400, /'nam' is not known here; known: name/],
    ['/api/v1/events?last=x', {}, 400, /'last' has to be a whole number/],
    ['/api/v1/events?since=yesterday', {}, 400, /'since' has to be a duration/],
    [`/api/v1/checks?${'name=a&'.repeat(11)}`, {}, 400, /'name' is given too often: 10 at most/],
    ['/api/v1/events?last=1&last=2', {}, 400, /'last' is given too often/],
    ['/api/v1/balancer/hosts', {}, 503, /no balancer is configured/],
    ['/api/v1/status', { method: 'POST' }, 405, /POST is not for/],
    ['/api/v1/status', { method: 'DELETE' }, 405, /DELETE is not for/],
    ['/', { method: 'PUT', body: 'x' }, 405, /PUT is not for/],
    ['/health', { body: 'x', headers: { 'Content-Length': 1 } }, 413, /no body/],
    ['/health', { headers: { Host: 'evil.example.com' } }, 421, /is not 'evil.example.com'/],
    ['/health', { headers: { Host: 'localhost.evil.example.com:80' } }, 421, /use the address/],
  ];
  for (const [path, options, status, detail] of refused) {
    const problem = problemOf(await get(port, path, options));
    assert.equal(problem.status, status, `${path}: ${problem.detail}`);
    assert.match(problem.detail, detail, path);
  }
  for (const Host of [`localhost:${port}`, '127.0.0.1', '[::1]:99', 'LOCALHOST'])
    assert.equal((await get(port, '/health', { headers: { Host } })).status, 200, Host);
});

test('every answer forbids a browser to do anything with it', async (t) => {
  const { ports } = await servedFor(t);
  for (const path of ['/health', '/nothing', '/metrics', '/api/v1/status']) {
    const { headers } = await get(ports.nodeA ?? 0, path);
    assert.match(
      headers['content-security-policy']?.toString() ?? '',
      /default-src 'none'.*frame-ancestors 'none'/,
    );
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['access-control-allow-origin'], undefined);
    assert.equal(headers['x-powered-by'], undefined);
  }
});

describe('a token', () => {
  const token = '0123456789abcdef-token';
  const bearer = { Authorization: `Bearer ${token}` };

  test('is asked for everywhere, and in a browser once', async (t) => {
    const { ports } = await servedFor(t, { http: `token "${token}"` });
    const port = ports.nodeA ?? 0;
    for (const path of ['/metrics', '/api/v1/status', '/api/v1/stream', '/health', '/nothing']) {
      const without = await get(port, path);
      assert.equal(without.status, 401, path);
      assert.equal(without.headers['www-authenticate'], 'Bearer');
      const wrong = await get(port, path, { headers: { Authorization: 'Bearer other' } });
      assert.equal(wrong.status, 401, path);
    }
    for (const path of ['/metrics', '/api/v1/status', '/health'])
      assert.equal((await get(port, path, { headers: bearer })).status, 200, path);
    // With it, a page of another name cannot be meant.
    const named = { ...bearer, Host: 'hastmon.example.com' };
    assert.equal((await get(port, '/health', { headers: named })).status, 200);

    const door = await get(port, '/');
    assert.deepEqual([door.status, door.headers.location], [303, '/login']);
    assert.match((await get(port, '/login')).text, /<form method="post" action="\/login">/);
    const login = (body: string, headers = {}): Promise<Got> =>
      get(port, '/login', {
        ...{ method: 'POST', body },
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
      });
    assert.equal((await login('token=wrong')).status, 401);
    assert.equal((await login(`token=${token}`, { Origin: 'http://evil.example.com' })).status, 403);
    assert.equal((await login(`token=${'x'.repeat(5000)}`)).status, 413);
    const inside = await login(`token=${token}`);
    assert.deepEqual([inside.status, inside.headers.location], [303, '/']);
    const [cookie = ''] = inside.headers['set-cookie'] ?? [];
    assert.match(cookie, /; HttpOnly; SameSite=Strict$/);
    assert.doesNotMatch(cookie, new RegExp(token));
    const session = { Cookie: `other=1; ${cookie.split(';')[0]}` };
    assert.equal((await get(port, '/api/v1/status', { headers: session })).status, 200);
    const forged = { Cookie: 'hastmon-session=AAAA' };
    assert.equal((await get(port, '/api/v1/status', { headers: forged })).status, 401);
  });

  test('that is too often wrong is refused for a while, and the right one is not', async (t) => {
    const { ports } = await servedFor(t, { http: `token "${token}"` });
    const login = async (body: string): Promise<number> => {
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      return (await get(ports.nodeA ?? 0, '/login', { method: 'POST', body, headers })).status;
    };
    const statuses = new Set<number>();
    for (let attempt = 0; attempt < 30; attempt += 1) statuses.add(await login('token=no'));
    assert.deepEqual([...statuses], [401, 429]);
    assert.equal(await login(`token=${token}`), 303);
    assert.equal((await get(ports.nodeA ?? 0, '/health', { headers: bearer })).status, 200);
  });

  test('is not needed by load balancers where the file says so', async (t) => {
    const { ports } = await servedFor(t, { http: `token "${token}" ; health open` });
    for (const path of ['/health', '/ready', '/resource/shared/primary'])
      assert.equal((await get(ports.nodeA ?? 0, path)).status, 200, path);
    assert.equal((await get(ports.nodeA ?? 0, '/metrics')).status, 401);
  });
});

test('a reload applies another token, another port and none at all', async (t) => {
  const token = '0123456789abcdef-token';
  const { cluster, ports } = await servedFor(t, { http: `token "${token}"` });
  const port = ports.nodeA ?? 0;
  const pidOf = (): number =>
    clusterProcesses(cluster.dir).find(({ title }) => title === 'hastmon: api (http)')?.pid ?? 0;
  const before = pidOf();
  const viewer = watch(port, { headers: { Authorization: `Bearer ${token}` } });
  await viewer.opened;
  const change = async (from: RegExp, to: string): Promise<string> => {
    writeFileSync(cluster.configFile, readFileSync(cluster.configFile, 'utf8').replace(from, to));
    const { code, stderr, stdout } = await cluster.node('nodeA').ctl('reload');
    assert.equal(code, 0, stderr);
    return stdout;
  };
  await change(/token "[^"]*"/, 'token "another-token-of-enough"');
  const status = async (at: number, given: string): Promise<number> =>
    (await get(at, '/health', { headers: { Authorization: `Bearer ${given}` } }).catch(() => ({ status: 0 })))
      .status;
  await until(async () => (await status(port, token)) === 401, patienceMs, 'the old token still opens');
  assert.equal(await status(port, 'another-token-of-enough'), 200);
  assert.equal(pidOf(), before);
  await until(viewer.ended, patienceMs, 'who watched with the old token still does');

  const [other = 0] = await freePorts(1);
  await change(/(http \{ listen 127.0.0.1):[0-9]+/, `$1:${other}`);
  assert.equal(await status(other, 'another-token-of-enough'), 200, 'reload was done before it had the port');
  assert.equal(await status(port, 'another-token-of-enough'), 0);
  await change(/(http \{ listen 127.0.0.1):[0-9]+/, `$1:${port}`);

  const taker = net.createServer().listen(other, '127.0.0.1');
  await once(taker, 'listening');
  const told = await change(/(http \{ listen 127.0.0.1):[0-9]+/, `$1:${other}`);
  taker.close();
  assert.match(told, /HTTP: cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE.*; trying again every second\n$/);
  await until(
    async () => (await status(other, 'another-token-of-enough')) === 200,
    patienceMs,
    'the port is not taken when it is free again',
  );
  await change(/listen 127.0.0.1:[0-9]+ ;/, 'listen none ;');
  await until(() => pidOf() === 0, patienceMs, 'the process is still there');
  assert.match(cluster.node('nodeA').log(), /reloaded: http changed/);
});

describe('when the main process hangs', () => {
  test('nothing says what it said before: health is 503, and who watches is told', async (t) => {
    const { cluster, ports } = await servedFor(t);
    const port = ports.nodeA ?? 0;
    const viewer = watch(port);
    t.after(viewer.close);
    await until(() => viewer.told.some(({ event }) => event === 'cluster'), patienceMs, 'no picture');
    cluster.node('nodeA').signal('SIGSTOP');
    t.after(() => cluster.node('nodeA').signal('SIGCONT'));
    await until(async () => (await get(port, '/health')).status === 503, patienceMs, 'health is not 503');
    for (const path of ['/ready', '/resource/shared/primary', '/api/v1/status', '/api/v1/cluster']) {
      const got = await get(port, path);
      assert.match(problemOf(got).detail, /hastmond does not answer: it last did [0-9.]+ s ago/, path);
      assert.equal(got.status, 503, path);
      assert.ok(Number(got.json().ageMs) > 0, path);
      assert.equal(got.headers['retry-after'], '1');
    }
    const metrics = (await get(port, '/metrics')).text;
    assert.match(metrics, /^hastmon_up 0$/m);
    assert.doesNotMatch(metrics, /hastmon_resource_role/);
    await until(() => viewer.told.at(-1)?.event === 'silent', patienceMs, 'who watches is not told');
    cluster.node('nodeA').signal('SIGCONT');
    await until(
      async () => (await get(port, '/health')).status === 200,
      patienceMs,
      'health does not come back',
    );
    await until(() => viewer.told.at(-1)?.event === 'cluster', patienceMs, 'no picture any more');
  });
});

test('killed, it is started again, and the service does not notice', async (t) => {
  const { cluster, ports } = await servedFor(t);
  const port = ports.nodeA ?? 0;
  const lives = cluster.beats().length;
  const found = clusterProcesses(cluster.dir).find(({ title }) => title === 'hastmon: api (http)');
  signalProcess(found?.pid ?? 0, 'SIGKILL');
  await until(
    () => /the process for HTTP has ended/.test(cluster.node('nodeA').log()),
    patienceMs,
    'its end is not noticed',
  );
  await until(
    async () => (await get(port, '/health').catch(() => null))?.status === 200,
    patienceMs,
    'it is not started again',
  );
  assert.match((await get(port, '/metrics')).text, /^hastmon_process_restarts_total\{process="http"\} 1$/m);
  assert.match((await get(port, '/api/v1/events')).text, /"kind":"process-ended".*"process":"http"/);
  await runsOn(cluster, 'nodeA');
  assert.equal(cluster.beats().length, lives);
});

test('a port that is taken is waited for', async (t) => {
  const { cluster, ports } = await createServed();
  t.after(() => cluster.close());
  const port = ports.nodeA ?? 0;
  const other = net.createServer((socket) => void socket.destroy());
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  t.after(() => other.close());
  await cluster.up();
  const node = cluster.node('nodeA');
  await until(
    () => /HTTP: cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE.*; trying again/.test(node.log()),
    patienceMs,
    () => `it is not told\n${node.log()}`,
  );
  other.close();
  await until(
    async () => (await get(port, '/health').catch(() => null))?.status === 200,
    patienceMs,
    () => `nothing is served\n${node.log()}`,
  );
});

test('every address takes a token, and is one of IPv4 too', async (t) => {
  if (!existsSync('/proc/net/if_inet6')) return t.skip('there is no IPv6 here');
  const { ports } = await servedFor(t, { address: '[::]', http: 'token "0123456789abcdef-token"' });
  assert.equal(
    (await get(ports.nodeA ?? 0, '/health', { headers: { Host: 'any.example.com' } })).status,
    401,
  );
});
