/** Servers that misbehave, on both ways of waiting: each comes to its nature, within its time, and takes no more memory than it may. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createConnection, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { until } from '../system/wait.js';
import { benchFor, type Result, serverFor, WAYS, type Way } from './engine-support.js';
import { planFrom } from './plan-support.js';

const TIMES = 'connect_timeout 300ms receive_timeout 300ms timeout 900ms';
/** What runs late on a busy machine. */
const SLACK_MS = 3000;

/** Runs a check whose options are `options`, of a server that does this with each connection. */
async function against(
  t: TestContext,
  way: Way,
  url: string,
  options: string,
  serve: (socket: Socket) => void,
): Promise<Result> {
  const port = await serverFor(t, serve);
  const bench = benchFor(t, way);
  const result = await bench.check(
    planFrom(`check c ${url.replace('%', `127.0.0.1:${port}`)} { ${TIMES} ${options} }`),
  );
  assert.ok(result.latencyMs < 900 + SLACK_MS, `${url} took ${result.latencyMs} ms`);
  await until(() => bench.engine.underWay === 0, SLACK_MS, 'its place is not free again');
  return result;
}

/** Writes this again and again, as fast as it is read, at most `bytes` in all. */
function pour(socket: Socket, piece: Buffer, bytes = Number.POSITIVE_INFINITY): void {
  let left = bytes;
  const go = (): void => {
    while (left > 0 && !socket.destroyed) {
      left -= piece.length;
      if (!socket.write(piece)) return;
    }
  };
  socket.on('drain', go);
  go();
}

/** A port that is listened at, where no more connections are taken. */
async function fullBacklog(t: TestContext): Promise<number> {
  const script = `require('net').createServer(() => {}).listen({ port: 0, host: '127.0.0.1', backlog: 1 },
    function () { console.log(this.address().port); })`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const sockets: Socket[] = [];
  t.after(() => {
    child.kill('SIGKILL');
    for (const socket of sockets) socket.destroy();
  });
  const port = await new Promise<number>((resolve) =>
    child.stdout.once('data', (text) => resolve(Number(text))),
  );
  child.kill('SIGSTOP');
  // The kernel takes connections for it until its queue is full.
  for (let full = false; !full; ) {
    const socket = createConnection(port, '127.0.0.1');
    socket.on('error', () => {});
    sockets.push(socket);
    full = await new Promise((resolve) => {
      const timer = setTimeout(resolve, 200, true);
      socket.once('connect', () => {
        clearTimeout(timer);
        resolve(false);
      });
    });
    assert.ok(sockets.length < 50, 'the queue does not fill up');
  }
  return port;
}

for (const way of WAYS)
  describe(`servers that misbehave, on ${way}`, () => {
    test('that accept and never speak, of every kind', async (t) => {
      const kinds = [
        'http://%/',
        'smtp://%',
        'ssh://%',
        'redis://%',
        'postgres://%',
        'mysql://%',
        'banner://%/x',
        'tcp://% { expect x }',
      ];
      const port = await serverFor(t, () => {});
      const bench = benchFor(t, way);
      await Promise.all(
        kinds.map(async (kind) => {
          const [, url = '', options = ''] = /^(\S+)(?: \{ (.*) \})?$/.exec(kind) ?? [];
          const text = `check c ${url.replace('%', `127.0.0.1:${port}`)} { ${TIMES} ${options} }`;
          const { nature, latencyMs } = await bench.check(planFrom(text));
          assert.equal(nature, 'timeout-receive', kind);
          assert.ok(latencyMs >= 299 && latencyMs < 900 + SLACK_MS, `${kind} took ${latencyMs} ms`);
        }),
      );
      const { nature, text } = await against(t, way, 'https://%/', '', () => {});
      assert.deepEqual(
        [nature, text],
        ['timeout-connect', 'connected, but the TLS handshake was not finished'],
      );
    });

    test('that accept nobody any more', async (t) => {
      const port = await fullBacklog(t);
      const bench = benchFor(t, way);
      const { nature, latencyMs } = await bench.check(
        planFrom(`check c tcp://127.0.0.1:${port} { ${TIMES} }`),
      );
      assert.equal(nature, 'timeout-connect');
      assert.ok(latencyMs >= 299 && latencyMs < 900 + SLACK_MS, String(latencyMs));
    });

    test('that say a byte now and then: the whole has its time', async (t) => {
      const slowly = (text: string) => (socket: Socket) => {
        let at = 0;
        const timer = setInterval(() => socket.write(text[at++ % text.length] ?? ''), 60);
        socket.once('data', (bytes) => bytes.toString().startsWith('QUIT') && socket.end());
        socket.on('close', () => clearInterval(timer));
      };
      const answer = `HTTP/1.1 200 OK\r\nX-A: ${'b'.repeat(100)}\r\n`;
      const { nature, latencyMs } = await against(t, way, 'http://%/', '', slowly(answer));
      assert.equal(nature, 'timeout');
      assert.ok(latencyMs >= 899, String(latencyMs));
      assert.equal((await against(t, way, 'smtp://%', '', slowly('220 hello'))).nature, 'ok');
    });

    test('that close or reset at once, or in the middle', async (t) => {
      const close = await against(t, way, 'http://%/', '', (socket) => socket.destroy());
      assert.match(close.nature, /^(closed-early|reset)$/);
      assert.equal((await against(t, way, 'smtp://%', '', (socket) => socket.end())).nature, 'closed-early');
      const reset = (socket: Socket): void => {
        socket.write('HTTP/1.1 20', () => socket.once('data', () => socket.resetAndDestroy()));
      };
      assert.equal((await against(t, way, 'http://%/', '', reset)).nature, 'reset');
      const half = (socket: Socket): void => {
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhel');
      };
      assert.equal((await against(t, way, 'http://%/', 'body hello', half)).nature, 'closed-early');
      // A half-close after all that is wanted takes nothing away.
      const whole = (socket: Socket): void => {
        socket.end('HTTP/1.1 200 OK\r\n\r\nhello');
      };
      assert.equal((await against(t, way, 'http://%/', 'body hello', whole)).nature, 'ok');
    });

    test('that say nonsense instead of TLS, or break it off', async (t) => {
      const garbage = (socket: Socket): void => {
        socket.write(Buffer.from('220 this is no TLS\r\n'));
      };
      const said = async (url: string, serve: (socket: Socket) => void): Promise<string> => {
        const { nature, text } = await against(t, way, url, '', serve);
        return `${nature}: ${text}`;
      };
      assert.equal(
        await said('https://%/', garbage),
        'tls-handshake: it does not speak TLS there (wrong version number)',
      );
      const early = (socket: Socket): void => {
        socket.once('data', () => socket.end());
      };
      assert.equal(
        await said('https://%/', early),
        'tls-handshake: the connection was closed in the handshake',
      );
      const alert = (socket: Socket): void => {
        socket.once('data', () => socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, 40])));
      };
      assert.match(await said('tls://%', alert), /^tls-handshake: it refuses the handshake: .*alert/);
      const reset = (socket: Socket): void => {
        socket.once('data', () => socket.resetAndDestroy());
      };
      assert.match((await against(t, way, 'tls://%', '', reset)).nature, /^(reset|tls-handshake)$/);
    });

    test('that say a banner in pieces, and one that is another', async (t) => {
      const pieces = (parts: readonly string[]) => (socket: Socket) => {
        socket.once('data', () => socket.end());
        const next = ([part, ...rest]: readonly string[]): void => {
          if (part === undefined || socket.destroyed) return;
          socket.write(part);
          setTimeout(next, 15, rest);
        };
        next(parts);
      };
      assert.equal(
        (await against(t, way, 'imap://%', '', pieces(['* ', 'O', 'K re', 'ady\r\n']))).nature,
        'ok',
      );
      assert.equal(
        (await against(t, way, 'ssh://%', '', pieces(['hello\r\n', 'SSH-', '2.0-x\r\n']))).nature,
        'ok',
      );
      const other = await against(t, way, 'imap://%', '', pieces(['* ', 'BYE', '\r\n']));
      assert.equal(other.nature, 'banner-mismatch');
      assert.equal(
        (await against(t, way, 'ssh://%', '', pieces(['220 mail\r\n']))).nature,
        'banner-mismatch',
      );
    });

    test('that never come to an end, fast: no more is kept than may be', async (t) => {
      const cases: [string, string, string, string, string][] = [
        ['http://%/', '', 'HTTP/1.1 200 OK\r\n', 'X-A: b\r\n', 'too-long'],
        ['http://%/', '', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 100 Continue\r\n\r\n', 'too-long'],
        ['http://%/', 'body "never"', 'HTTP/1.1 200 OK\r\n\r\n', 'zzzz', 'body-mismatch'],
        [
          'http://%/',
          'body "never"',
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
          '0',
          'http-malformed',
        ],
        [
          'http://%/',
          'body "never"',
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n',
          'A: b\r\n',
          'timeout',
        ],
        ['http://%/', '', '', '\0\x07nonsense', 'http-malformed'],
        ['smtp://%', '', '', 'nonsense', 'banner-mismatch'],
        ['imap://%', '', '* ', 'nonsense', 'too-long'],
        ['redis://%', '', '', 'nonsense', 'too-long'],
        ['tcp://%', 'expect "never"', '', 'nonsense', 'too-long'],
        ['postgres://%', '', 'N\0\0\0\x04', 'N\0\0\0\x04', 'too-long'],
        ['https://%/', '', '', 'nonsense', 'tls-handshake'],
      ];
      for (const [url, options, first, more, nature] of cases) {
        const piece = Buffer.from(more.repeat(Math.ceil(65_536 / more.length)), 'latin1');
        const before = process.memoryUsage();
        const result = await against(t, way, url, options, (socket) => {
          socket.write(Buffer.from(first, 'latin1'));
          pour(socket, piece, 100 * 2 ** 20);
        });
        assert.equal(result.nature, nature, `${url} ${options} ${JSON.stringify(first)}`);
        const after = process.memoryUsage();
        const grown = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
        assert.ok(grown < 64 * 2 ** 20, `${url} ${JSON.stringify(first)}: ${grown} bytes more`);
      }
    });

    test('that answer datagrams with rubbish, or with answers to other questions', async (t) => {
      const server = createSocket('udp4');
      server.on('message', (bytes, from) => {
        const send = (answer: Buffer): void => server.send(answer, from.port, from.address);
        send(Buffer.alloc(0));
        send(Buffer.from('rubbish'));
        const other = Buffer.from(bytes);
        other[0] = (other[0] ?? 0) ^ 0xff;
        send(other);
        if (!bytes.includes('silent')) {
          // Its own question, as an answer with nothing in it.
          const own = Buffer.from(bytes);
          own[2] = 0x81;
          own[3] = 0x83;
          send(own);
        }
      });
      await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
      t.after(() => server.close());
      const bench = benchFor(t, way);
      const ask = (name: string): Promise<Result> =>
        bench.check(planFrom(`check c dns://127.0.0.1:${server.address().port}/${name} { timeout 300ms }`));
      const none = await ask('www.example.com');
      assert.deepEqual([none.nature, none.text], ['answer-mismatch', 'NXDOMAIN']);
      assert.match((await ask('silent.example.com')).nature, /^timeout/);
    });
  });
