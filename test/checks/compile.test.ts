/** From the configuration's words to what is sent, over real sockets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileCheck } from '../../daemon/checks/compile.js';
import { parseConfig } from '../../daemon/config/load.js';
import { benchFor, serverFor } from './engine-support.js';

/** The only check of a file. */
function planOf(text: string) {
  const { config, diagnostics } = parseConfig(text, '/c', () => ({ ok: false, reason: 'none' }) as never, {
    hostname: 'a',
  } as never);
  const [spec] = config?.monitor?.checks ?? [];
  assert.ok(spec, JSON.stringify(diagnostics));
  return { ...compileCheck(spec, () => ''), port: spec.url.port };
}

test('bytes that are no text are sent and expected as they stand', async (t) => {
  const port = await serverFor(t, (socket) =>
    socket.once('data', (bytes) =>
      socket.end(bytes.equals(Buffer.from([0xff, 0, 0x41])) ? Buffer.from([0xfe, 0xff]) : 'no'),
    ),
  );
  const bench = benchFor(t, 'epoll');
  const good = planOf(`check x tcp://127.0.0.1:${port} { send "\\xff\\x00A" expect "\\xfe\\xff" }`);
  assert.equal((await bench.check(good)).nature, 'ok');
  const pattern = planOf(`check x tcp://127.0.0.1:${port} { send "\\xff\\x00A" expect_match "^\\xfe.$" }`);
  assert.equal((await bench.check(pattern)).nature, 'ok');
});

test('what an HTTP check asks for is what the file says', async (t) => {
  let asked = '';
  const port = await serverFor(t, (socket) =>
    socket.once('data', (bytes) => {
      asked = bytes.toString();
      socket.end('HTTP/1.1 204 No Content\r\n\r\n');
    }),
  );
  const bench = benchFor(t, 'epoll');
  const plan = planOf(
    `check x http://u:p@127.0.0.1:${port}/a?b=c { method HEAD host www.example.com header "X-A: 1" status 204 }`,
  );
  const result = await bench.check(plan);
  assert.deepEqual([result.nature, result.detail], ['ok', 204]);
  assert.match(asked, /^HEAD \/a\?b=c HTTP\/1\.1\r\nHost: www\.example\.com\r\n/);
  assert.match(asked, /\r\nAuthorization: Basic dTpw\r\n/);
  assert.match(asked, /\r\nX-A: 1\r\n/);
});
