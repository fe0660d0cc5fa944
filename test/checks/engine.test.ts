/** The engine against real sockets, on epoll and on Node's sockets: every exit of a check has its nature. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { bannerDialogue } from '../../daemon/checks/banner.js';
import { exchangeDialogue } from '../../daemon/checks/exchange.js';
import { expectText } from '../../daemon/checks/expectation.js';
import { type HttpSpec, httpDialogue } from '../../daemon/checks/http.js';
import { pluginDialogue } from '../../daemon/checks/plugin.js';
import { until } from '../system/wait.js';
import { benchFor, serverFor, WAYS } from './engine-support.js';

const HTTP: HttpSpec = {
  ...{ method: 'GET', target: '/', host: 'x', version: '1.1', headers: [] },
  ...{ statuses: [[200, 399]], body: null, bodyMax: 65_536 },
};
const http = (change: Partial<HttpSpec> = {}) => httpDialogue({ ...HTTP, ...change });
const OK_ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A port of loopback where nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

for (const way of WAYS) {
  describe(`on ${way}`, () => {
    test('a port that is open, and one that is not', async (t) => {
      const bench = benchFor(t, way);
      const port = await serverFor(t, () => {});
      assert.equal((await bench.check({ port })).nature, 'ok');
      const refused = await bench.check({ port: await deadPort() });
      assert.deepEqual([refused.nature, refused.edge], ['refused', 'down']);
    });

    test('HTTP, by status and by body', async (t) => {
      const bench = benchFor(t, way);
      const port = await serverFor(t, (socket) => socket.once('data', () => socket.end(OK_ANSWER)));
      const ok = await bench.check({ port, dialogue: http() });
      assert.deepEqual([ok.nature, ok.detail], ['ok', 200]);
      assert.equal((await bench.check({ port, dialogue: http({ body: expectText('ok') }) })).nature, 'ok');
      const other = await bench.check({ port, dialogue: http({ body: expectText('no') }) });
      assert.equal(other.nature, 'body-mismatch');
      assert.equal(
        (await bench.check({ port, dialogue: http({ statuses: [[204, 204]] }) })).nature,
        'http-status',
      );
    });

    test('a server that accepts and never speaks', async (t) => {
      const bench = benchFor(t, way);
      const port = await serverFor(t, () => {});
      const result = await bench.check({ port, dialogue: http() });
      assert.equal(result.nature, 'timeout-receive');
      assert.ok(result.latencyMs >= 399, String(result.latencyMs));
    });

    test('a byte now and then: the whole has its time', async (t) => {
      const bench = benchFor(t, way);
      const port = await serverFor(t, (socket) => {
        let at = 0;
        const timer = setInterval(() => socket.write(OK_ANSWER[at++ % 10] ?? ''), 50);
        socket.on('close', () => clearInterval(timer));
      });
      const result = await bench.check({
        port,
        dialogue: bannerDialogue(expectText('HTTP, and on'), null),
      });
      assert.equal(result.nature, 'banner-mismatch');
      const slow = await bench.check({
        port,
        dialogue: exchangeDialogue([{ send: null, expect: expectText('#') }], null),
      });
      assert.equal(slow.nature, 'timeout');
      assert.ok(slow.latencyMs >= 799, String(slow.latencyMs));
    });

    test('an endless header section, an endless body', async (t) => {
      const bench = benchFor(t, way);
      const endless = (first: string, more: string) => (socket: import('node:net').Socket) => {
        socket.write(first);
        const pour = (): void => {
          while (!socket.destroyed && socket.write(more.repeat(1000)));
        };
        socket.on('drain', pour);
        pour();
      };
      const head = await serverFor(t, endless('HTTP/1.1 200 OK\r\n', 'X-A: b\r\n'));
      assert.equal((await bench.check({ port: head, dialogue: http() })).nature, 'too-long');
      const body = await serverFor(t, endless('HTTP/1.1 200 OK\r\n\r\n', 'zzzz'));
      const found = await bench.check({ port: body, dialogue: http({ body: expectText('ok') }) });
      assert.equal(found.nature, 'body-mismatch');
    });

    test('a reset in the middle, an early end, garbage, a half-close', async (t) => {
      const bench = benchFor(t, way);
      const reset = await serverFor(t, (socket) =>
        socket.once('data', () => {
          socket.write('HTTP/1.1 20');
          setTimeout(() => socket.resetAndDestroy(), 20);
        }),
      );
      assert.equal((await bench.check({ port: reset, dialogue: http() })).nature, 'reset');
      const early = await serverFor(t, (socket) => socket.end('HTTP/1.1 200 OK\r\n'));
      assert.equal((await bench.check({ port: early, dialogue: http() })).nature, 'closed-early');
      const garbage = await serverFor(t, (socket) => socket.write(Buffer.from([0, 255, 7, 13, 10])));
      assert.equal((await bench.check({ port: garbage, dialogue: http() })).nature, 'http-malformed');
      const half = await serverFor(t, (socket) => socket.end());
      assert.equal(
        (await bench.check({ port: half, dialogue: bannerDialogue(expectText('220'), null) })).nature,
        'closed-early',
      );
    });

    test('a transaction of several steps, and a goodbye that the server hears', async (t) => {
      const bench = benchFor(t, way);
      const heard: string[] = [];
      const port = await serverFor(t, (socket) => {
        socket.write('220 hello\r\n');
        socket.on('data', (bytes) => {
          heard.push(bytes.toString());
          if (bytes.toString().startsWith('HELO')) socket.write('250 welcome\r\n');
          if (bytes.toString().startsWith('QUIT')) socket.end('221 bye\r\n');
        });
      });
      const steps = [
        { send: null, expect: expectText('220') },
        { send: Buffer.from('HELO me\r\n'), expect: expectText('250') },
      ];
      const result = await bench.check({ port, dialogue: exchangeDialogue(steps, Buffer.from('QUIT\r\n')) });
      assert.equal(result.nature, 'ok');
      await until(() => heard.length === 2, 2000, 'the goodbye');
      assert.deepEqual(heard, ['HELO me\r\n', 'QUIT\r\n']);
      await until(() => bench.engine.underWay === 0, 2000, 'the flight lands');
    });

    test('UDP: an answer, none, and a port where nobody is', async (t) => {
      const bench = benchFor(t, way);
      const server = createSocket('udp4');
      server.on('message', (bytes, from) => {
        if (bytes.toString() === 'ping') server.send('pong', from.port, from.address);
      });
      await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
      t.after(() => server.close());
      const { port } = server.address();
      const ask = (text: string) =>
        exchangeDialogue([{ send: Buffer.from(text), expect: expectText('pong') }], null);
      assert.equal((await bench.check({ port, wire: 'udp', dialogue: ask('ping') })).nature, 'ok');
      assert.equal(
        (await bench.check({ port, wire: 'udp', dialogue: ask('what') })).nature,
        'timeout-receive',
      );
      const nobody = await bench.check({ port: await deadPort(), wire: 'udp', dialogue: ask('ping') });
      assert.equal(nobody.nature, 'refused');
    });

    test('plugins: their word, their exit, their time, their group', async (t) => {
      const bench = benchFor(t, way);
      const run = (script: string, words: string[] = []) =>
        bench.check({
          ...{ port: 0, host: '127.0.0.1', wire: 'exec', dialogue: pluginDialogue(false) },
          extra: { program: '/bin/sh', args: ['-c', script, 'sh', ...words] },
        });
      assert.equal((await run('echo OK')).nature, 'ok');
      assert.equal((await run('test "$1" = 127.0.0.1 && echo OK || echo FAIL', ['%h'])).nature, 'ok');
      const critical = await run('echo "LOAD CRITICAL | load=9"; exit 2');
      assert.deepEqual(
        [critical.nature, critical.detail, critical.text],
        ['plugin-fail', 2, 'LOAD CRITICAL | load=9'],
      );
      const killed = await run('kill -9 $$');
      assert.deepEqual([killed.nature, killed.detail], ['plugin-signal', 9]);
      assert.equal((await run('sleep 100 & wait')).nature, 'plugin-timeout');
      const missing = await bench.check({
        ...{
          port: 0,
          wire: 'exec',
          dialogue: pluginDialogue(false),
          extra: { program: '/no/such', args: [] },
        },
      });
      assert.equal(missing.nature, 'plugin-missing');
    });

    test('names: resolved once for all, all addresses where asked for, and a name that is none', async (t) => {
      let asked = 0;
      const bench = benchFor(t, way, 16, (name, done) => {
        asked += 1;
        setImmediate(() => (name === 'none' ? done([], 'ENOTFOUND') : done(['127.0.0.2', '127.0.0.1'], '')));
      });
      const port = await serverFor(t, () => {});
      // 127.0.0.1 listens, 127.0.0.2 does not.
      assert.equal((await bench.check({ port, host: 'two', addresses: 'first' })).nature, 'refused');
      assert.equal((await bench.check({ port, host: 'two', addresses: 'any' })).nature, 'ok');
      assert.equal((await bench.check({ port, host: 'two', addresses: 'all' })).nature, 'refused');
      assert.equal(asked, 1);
      const none = await bench.check({ port, host: 'none' });
      assert.deepEqual([none.nature, none.text], ['dns', 'ENOTFOUND']);
    });

    test('more checks than flights: all have their turn', async (t) => {
      const bench = benchFor(t, way, 3);
      const port = await serverFor(t, (socket) => socket.once('data', () => socket.end(OK_ANSWER)));
      const results = await Promise.all(
        Array.from({ length: 40 }, () => bench.check({ port, dialogue: http() })),
      );
      assert.deepEqual([...new Set(results.map(({ nature }) => nature))], ['ok']);
    });

    test('checks come at their interval, fail sooner again, and an edge is told once', async (t) => {
      const bench = benchFor(t, way);
      let good = true;
      const port = await serverFor(t, (socket) =>
        socket.once('data', () => (good ? socket.end(OK_ANSWER) : socket.resetAndDestroy())),
      );
      const timing = { intervalMs: 60, retryMs: 20, connectMs: 400, receiveMs: 400, totalMs: 800 };
      const row = bench.define({
        port,
        dialogue: http(),
        timing,
        judging: { rise: 2, fall: 3, downAfterMs: 0 },
      });
      await until(() => bench.results(row).length >= 5, 5000, 'five results');
      good = false;
      await until(() => bench.results(row).some(({ edge }) => edge === 'down'), 5000, 'down');
      good = true;
      await until(() => bench.results(row).some(({ edge }) => edge === 'up'), 5000, 'up');
      const edges = bench
        .results(row)
        .map(({ edge }) => edge)
        .filter((edge) => edge !== '');
      assert.deepEqual(edges, ['down', 'up']);
      // Another one may fail before the server is good again.
      const down = bench.results(row).findIndex(({ edge }) => edge === 'down');
      const failures = bench.results(row).filter(({ nature }, at) => at <= down && nature !== 'ok');
      assert.equal(failures.length, 3);
    });
  });
}
