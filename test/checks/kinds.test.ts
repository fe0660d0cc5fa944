/** Options that all kinds have, and what kinds say and leave behind: over real sockets, on both ways of waiting. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { until } from '../system/wait.js';
import { benchFor, serverFor, WAYS } from './engine-support.js';
import { planFrom } from './plan-support.js';

const PATIENCE_MS = 10_000;

/** Listens at an address; null where this machine does not have it. */
async function listenAt(
  t: TestContext,
  host: string,
  serve: (socket: Socket) => void,
): Promise<number | null> {
  const server = createServer(serve);
  const port = await new Promise<number | null>((resolve) => {
    server.once('error', () => resolve(null));
    server.listen(0, host, () => resolve((server.address() as AddressInfo).port));
  });
  t.after(() => server.close());
  return port;
}

for (const way of WAYS)
  describe(`kinds on ${way}`, () => {
    test('IPv6, over TCP, HTTP and UDP', async (t) => {
      const port = await listenAt(t, '::1', (socket) => {
        socket.on('error', () => {});
        socket.once('data', (bytes) =>
          socket.end(`HTTP/1.0 200 OK\r\n\r\n${/Host: (.*)\r/.exec(bytes.toString())?.[1]}`),
        );
      });
      if (port === null) return t.skip('there is no IPv6 here');
      const bench = benchFor(t, way);
      assert.equal((await bench.check(planFrom(`check c tcp://[::1]:${port}`))).nature, 'ok');
      const web = await bench.check(planFrom(`check c http://[::1]:${port}/ { body "[::1]:${port}" }`));
      assert.equal(web.nature, 'ok');
      const server = createSocket('udp6');
      server.on('message', (_, from) => server.send('pong', from.port, from.address));
      await new Promise<void>((resolve) => server.bind(0, '::1', resolve));
      t.after(() => server.close());
      const udp = `udp://[::1]:${server.address().port} { send "ping" expect "pong" }`;
      assert.equal((await bench.check(planFrom(`check c ${udp}`))).nature, 'ok');
    });

    test('the address to come from', async (t) => {
      const port = await serverFor(t, (socket) => socket.end(`220 ${socket.remoteAddress}\r\n`));
      const bench = benchFor(t, way);
      const from = (source: string, wanted: string) =>
        bench.check(planFrom(`check c tcp://127.0.0.1:${port} { source ${source} expect "220 ${wanted}" }`));
      assert.equal((await from('127.0.0.7', '127.0.0.7')).nature, 'ok');
      // Not an address of this machine: that says nothing of the service.
      assert.equal((await from('192.0.2.1', '')).nature, 'local');
      const server = createSocket('udp4');
      server.on('message', (_, peer) => server.send(peer.address, peer.port, peer.address));
      await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
      t.after(() => server.close());
      const udp = `udp://127.0.0.1:${server.address().port} { source 127.0.0.7 send "x" expect "127.0.0.7" }`;
      assert.equal((await bench.check(planFrom(`check c ${udp}`))).nature, 'ok');
    });

    test('two things expected one after the other may come in one piece', async (t) => {
      const port = await serverFor(t, (socket) => socket.write('220-one\r\n220 two\r\n'));
      const bench = benchFor(t, way);
      const expecting = (words: string) =>
        bench.check(planFrom(`check c tcp://127.0.0.1:${port} { ${words} receive_timeout 200ms }`));
      assert.equal((await expecting('expect "one" expect_match "^220 two$"')).nature, 'ok');
      assert.equal(
        (await expecting('expect "two" expect "one"')).nature,
        'timeout-receive',
        'not in that order',
      );
    });

    test('what each says when it leaves, and that it closes, and does not reset', async (t) => {
      const partings: [string, string, string, boolean][] = [
        ['smtp://%', '220 x\r\n', 'QUIT\r\n', true],
        ['imap://%', '* OK x\r\n', 'a LOGOUT\r\n', true],
        ['pop3://%', '+OK x\r\n', 'QUIT\r\n', true],
        ['ftp://%', '220 x\r\n', 'QUIT\r\n', true],
        ['ssh://%', 'SSH-2.0-x\r\n', 'SSH-2.0-hastmon\r\n', true],
        ['banner://%/220', '220 x\r\n', '', true],
        ['tcp://% { expect "220" }', '220 x\r\n', '', true],
        // Who is in says so; who is asked for a password has nothing to say that the server would not log.
        ['postgres://%', 'R\0\0\0\x08\0\0\0\0', 'X\0\0\0\x04', true],
        ['postgres://%', 'R\0\0\0\x08\0\0\0\x05', '', true],
        ['tcp://%', '', '', false],
      ];
      for (const [kind, greeting, goodbye, politely] of partings) {
        let heard = '';
        let how = '';
        const port = await serverFor(t, (socket) => {
          socket.setEncoding('latin1');
          if (greeting !== '') socket.write(greeting, 'latin1');
          socket.on('data', (text) => {
            heard += text;
            if (goodbye !== '' && heard.endsWith(goodbye)) socket.end();
          });
          socket.on('end', () => {
            how ||= 'closed';
          });
          socket.on('error', () => {
            how ||= 'reset';
          });
        });
        const bench = benchFor(t, way);
        const [, url = '', options = ''] = /^(\S+)(.*)$/.exec(kind) ?? [];
        const { nature } = await bench.check(
          planFrom(`check c ${url.replace('%', `127.0.0.1:${port}`)}${options}`),
        );
        assert.equal(nature, 'ok', kind);
        await until(() => how !== '' || !politely, PATIENCE_MS, `${kind} has not left`);
        if (politely) assert.equal(how, 'closed', `${kind} ${JSON.stringify(greeting)}`);
        assert.equal(
          heard.replace(/^\0\0\0[^X]*?\0\0(?=X|$)/s, ''),
          goodbye,
          `${kind} ${JSON.stringify(greeting)}`,
        );
        await until(() => bench.engine.underWay === 0, PATIENCE_MS, `${kind}: its place is not free`);
      }
    });

    test('a check that is to be run while it takes leave is run', async (t) => {
      let connections = 0;
      // It never closes: leaving takes its whole time.
      const port = await serverFor(t, (socket) => {
        connections += 1;
        socket.resume();
        socket.write('220 x\r\n');
      });
      const bench = benchFor(t, way);
      const row = bench.define(planFrom(`check c smtp://127.0.0.1:${port}`));
      bench.engine.runNow(row);
      await until(() => bench.results(row).length === 1, PATIENCE_MS, 'the first');
      assert.equal(bench.engine.underWay, 1);
      bench.engine.runNow(row);
      await until(() => bench.results(row).length === 2, PATIENCE_MS, 'the second');
      assert.equal(connections, 2);
    });
  });
