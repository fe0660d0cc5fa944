/** The console over TCP: real sockets, clients that behave and clients that do not. */
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { HELP } from '../../../daemon/balancer/console/help.js';
import { SESSIONS_MAX, serveConsole } from '../../../daemon/balancer/console/server.js';
import { freePorts } from '../../system/network.js';
import { until } from '../../system/wait.js';
import { testHost } from './host.js';
import { connect, consoleFor, remembering } from './served.js';

const SHOWN = 'srv1 in (www) Total.ActiveConn=3 Total.Weight=100 Combined.TStatus=0-DONE\n$ ';

test('a session begins with the help, and the prompt stands behind every answer', async (t) => {
  const { log, port } = await consoleFor(t);
  assert.deepEqual(log.lines, [`info: the console listens on 127.0.0.1:${port}`]);
  const session = await connect(t, port);
  await session.says(HELP);
  session.socket.write('show vs\r\n\nset host srv1 off\n');
  await session.says('srv www\n$ $ $ ');
  session.socket.write('quit\nshow hosts\n');
  assert.equal(await session.ended, `${HELP}srv www\n$ $ $ `);
});

test('what was said before the end is answered: quit, CTRL+D, a side that is closed', async (t) => {
  const { port } = await consoleFor(t);
  for (const last of [
    'show host srv1 for www\nquit\n',
    'show host srv1 for www\x04',
    'show host srv1 for www',
  ]) {
    const session = await connect(t, port);
    session.socket.end(`show vs\n${last}`);
    assert.ok((await session.ended).endsWith(SHOWN), last);
  }
});

test('many sessions are open at once, for as long as they like; one too many is told to come again', async (t) => {
  const { port } = await consoleFor(t);
  const sessions = await Promise.all(Array.from({ length: SESSIONS_MAX }, () => connect(t, port)));
  await Promise.all(sessions.map((session) => session.says(HELP)));
  const more = await connect(t, port);
  assert.equal(await more.ended, `# more than ${SESSIONS_MAX} sessions; try again\n`);
  more.socket.end();
  for (const { socket } of sessions) socket.write('show host srv1 for www\n');
  await Promise.all(sessions.map((session) => session.says(SHOWN)));
  sessions[0]?.socket.end();
  await sessions[0]?.ended;
  const again = async (): Promise<boolean> => {
    const session = await connect(t, port);
    await until(() => session.heard() !== '', 10_000, 'nothing is said');
    return session.heard() === HELP;
  };
  await until(again, 10_000, 'there is still no room');
});

test('who does not read holds up nobody else, and no more than an answer or two', async (t) => {
  const host = testHost();
  const big = 'x'.repeat(1024 * 1024);
  let asked = 0;
  host.diff = async () => {
    asked += 1;
    return big;
  };
  const { port } = await consoleFor(t, undefined, host);
  const slow = net.connect({ port, host: '127.0.0.1' });
  t.after(() => slow.destroy());
  slow.pause();
  slow.write('config diff\n'.repeat(200));
  await until(() => asked > 0, 10_000, 'nothing is asked');
  const quick = await connect(t, port);
  for (let n = 1; n <= 50; n += 1) {
    quick.socket.write('show vs\n');
    await quick.says(`${HELP}${'srv www\n$ '.repeat(n)}`);
  }
  // The system's own buffers hold some megabytes, too.
  assert.ok(asked < 30, `${asked} answers wait in memory`);
  let length = 0;
  slow.on('data', (chunk) => {
    length += chunk.length;
  });
  slow.resume();
  await until(
    () => asked === 200 && length > 200 * big.length,
    20_000,
    () => `${asked} ${length}`,
  );
});

test('telnet is told that nothing of it is wanted', async (t) => {
  const { port } = await consoleFor(t);
  const session = await connect(t, port);
  session.socket.write(Buffer.from('\xff\xfd\x03\xff\xfb\x1fshow\xff\xf1 vs\r\0', 'latin1'));
  await session.says(`${HELP}\xff\xfc\x03\xff\xfe\x1fsrv www\n$ `);
});

test('a request of HTTP, which a page in a browser could send here, is not read on', async (t) => {
  const { host, port } = await consoleFor(t);
  const session = await connect(t, port);
  session.socket.end('POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nset host srv1 off\n');
  assert.equal(await session.ended, HELP);
  assert.deepEqual(host.commands, []);
});

test('bytes of any kind, and clients that go in the middle of a line, leave it as it is', async (t) => {
  const { host, log, port } = await consoleFor(t);
  // Marsaglia's xorshift: the same bytes each time.
  let seed = 2_463_534_242;
  const byte = (): number => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return seed & 255;
  };
  const sessions = await Promise.all(Array.from({ length: 20 }, () => connect(t, port)));
  await Promise.all(
    sessions.map(async ({ ended, socket }, index) => {
      socket.write(Buffer.from(Array.from({ length: 20_000 }, byte)));
      if (index % 2 === 0) socket.resetAndDestroy();
      else {
        socket.end();
        await ended;
      }
    }),
  );
  const session = await connect(t, port);
  session.socket.end('show host srv1 for www\n');
  assert.ok((await session.ended).endsWith(SHOWN));
  assert.deepEqual(host.commands, []);
  assert.equal(log.lines.length, 1);
});

test('a port that is taken is told once, and tried again until it is free', async (t) => {
  const [port = 0] = await freePorts(1);
  const other = net.createServer().listen(port, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const log = remembering();
  let tries = 0;
  const server = serveConsole({ address: '127.0.0.1', port }, testHost(), log, 5);
  t.after(() => server.close());
  const refused = `error: the console cannot listen on 127.0.0.1:${port}: somebody else listens there; it is tried again`;
  await until(
    () => {
      tries += log.lines.length;
      return tries > 20;
    },
    10_000,
    'nothing is told',
  );
  assert.deepEqual(log.lines, [refused]);
  await new Promise((resolve) => other.close(resolve));
  await until(() => server.listening() !== null, 10_000, 'it does not listen');
  assert.deepEqual(log.lines, [refused, `info: the console listens on 127.0.0.1:${port}`]);
});

test('an address that others reach is served with a warning; closing it ends all sessions', async (t) => {
  const { log, port, server } = await consoleFor(t, { address: '0.0.0.0', port: 0 });
  assert.match(
    log.lines[1] ?? '',
    /^warn: .* asks for no password: whoever reaches it can switch servers off$/,
  );
  const session = await connect(t, port);
  await session.says(HELP);
  const closed = new Promise((resolve) => session.socket.once('close', resolve));
  await server.close();
  session.socket.end();
  await closed;
  assert.equal(server.listening(), null);
});
