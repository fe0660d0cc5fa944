/** The control socket from both ends: the file, requests and replies, clients that misbehave, and clear failures. */
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { ControlFailure, call } from '../../ctl/client.js';
import type { ControlConfig } from '../../daemon/config/types.js';
import { type ControlServer, clientsMax, createControlServer } from '../../daemon/control/server.js';
import { decodeReply, encodeRequest } from '../../proto/control-codec.js';
import type { ControlReply, ControlRequest, StatusEntry } from '../../proto/control-types.js';
import { controlFrameBytesMax, createFrameDecoder, encodeFrame } from '../../proto/frame.js';
import { until } from './cluster.js';

type Handle = Parameters<typeof createControlServer>[0]['handle'];

const folder = mkdtempSync(path.join(tmpdir(), 'hastmon-control-'));
const servers: { close(): Promise<void> }[] = [];
const sockets: net.Socket[] = [];
const log: string[] = [];
let names = 0;

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => server.close()));
  log.length = 0;
});
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

function freshPath(): string {
  return path.join(folder, `s${++names}`);
}

function serverFor(config: ControlConfig, handle: Handle = async () => ({})): ControlServer {
  const write = (_fields: unknown, text: string) => void log.push(text);
  const server = createControlServer({
    config,
    handle,
    log: { debug: write, info: write, warn: write, error: write },
  });
  servers.push(server);
  return server;
}

async function serve(handle: Handle = async () => ({})): Promise<string> {
  const file = freshPath();
  await serverFor({ path: file, mode: 0o600 }, handle).listen();
  return file;
}

function ask(file: string, request: ControlRequest, timeoutMs = 3000): Promise<ControlReply> {
  return call(file, request, () => {}, timeoutMs);
}

async function failure(promise: Promise<unknown>): Promise<ControlFailure> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ControlFailure, String(error));
  return error;
}

/** A client that says what it wants, with what came back, frame by frame. */
function visit(
  file: string,
  bytes: Uint8Array,
): { socket: net.Socket; replies: ControlReply[]; closed: boolean } {
  const socket = net.connect(file);
  const decoder = createFrameDecoder(controlFrameBytesMax);
  const visitor = { socket, replies: [] as ControlReply[], closed: false };
  sockets.push(socket);
  socket.on('error', () => {});
  socket.on('close', () => {
    visitor.closed = true;
  });
  socket.on('data', (chunk) => {
    for (const frame of decoder.push(chunk)) visitor.replies.push(decodeReply(frame) as ControlReply);
  });
  socket.write(bytes);
  return visitor;
}

function entry(resource: string, lastError = ''): StatusEntry {
  return {
    ...{ resource, role: 'primary', roleSet: 'primary', workerPid: 4711, exec: '/etc/daemon.sh' },
    remotes: [
      {
        address: 'tcp4://bolek',
        node: 'bolek',
        connected: true,
        role: 'secondary',
        state: 'stopped',
        ...{ reason: '', heardMs: 12.5 },
      },
      {
        address: 'tcp4://reksio',
        node: null,
        connected: false,
        role: null,
        state: null,
        ...{ reason: 'no answer', heardMs: null },
      },
    ],
    ...{ state: 'run', attempts: { now: 1, limit: 5 } },
    complaints: { now: 2, intervalMs: 60_000, threshold: 3 },
    heartbeatMs: 1000,
    lease: { held: true, epoch: 7, leftMs: 2999.5, leaseMs: 3000, grantMs: 8080, stopBudgetMs: 5000 },
    voters: [{ node: 'lolek', self: true, reachable: true, heardMs: 0, grantingTo: 'lolek', history: true }],
    ...{
      priority: -3,
      waiting: 'nothing',
      warnings: ['one', 'two'],
      forced: true,
      holder: 'lolek',
      lastError,
    },
    ...{ restartMarginMs: -12.5, backedBy: 'the watchdog device', reports: [], maintenance: null },
  };
}

describe('requests and replies', () => {
  const requests: ControlRequest[] = [
    { kind: 'role', role: 'primary', resources: 'all', force: true, wait: false },
    { kind: 'role', role: 'init', resources: ['a', 'b'], force: false, wait: true },
    { kind: 'status', resources: 'all' },
    { kind: 'status', resources: [] },
    { kind: 'dump', resources: ['a'] },
    { kind: 'reload' },
    { kind: 'switchover', resource: 'a', to: 'nodeB', wait: true },
    { kind: 'switchover', resource: 'a', to: '', wait: false },
    { kind: 'bootstrap', resource: 'a' },
    { kind: 'version' },
  ];
  for (const request of requests) {
    test(`[N42] ${JSON.stringify(request)} arrives as it was sent`, async () => {
      const seen: ControlRequest[] = [];
      const file = await serve(async (given) => {
        seen.push(given);
        return { text: 'done' };
      });
      const reply = await ask(file, request);
      assert.deepEqual(seen, [request]);
      assert.deepEqual([reply.final, reply.error, reply.status, reply.text], [true, null, [], 'done']);
    });
  }

  test('[N42] a status entry arrives with every field', async () => {
    const full = entry('daemon');
    const bare: StatusEntry = {
      ...full,
      ...{ restartMarginMs: null, forced: false, remotes: [], voters: [], warnings: [], workerPid: 0 },
    };
    const file = await serve(async () => ({ status: [full, bare] }));
    assert.deepEqual((await ask(file, { kind: 'status', resources: 'all' })).status, [full, bare]);
  });

  test('[N42] progress is shown as it comes; parts are joined; an error is in the final reply', async () => {
    const seen: string[] = [];
    const file = await serve(async (_request, reply) => {
      reply({ progress: 'stopping', status: [entry('a')] });
      reply({ text: 'one ' });
      reply({ progress: 'starting' });
      return { status: [entry('b')], text: 'two', error: { code: 75, message: 'later' } };
    });
    const reply = await call(file, { kind: 'version' }, ({ progress }) => seen.push(progress), 3000);
    assert.deepEqual(seen, ['stopping', 'starting']);
    assert.deepEqual(
      reply.status.map(({ resource }) => resource),
      ['a', 'b'],
    );
    assert.equal(reply.text, 'one two');
    assert.deepEqual(reply.error, { code: 75, message: 'later' });
  });

  test('[N42] answers larger than a frame come in pieces', async () => {
    const text = 'línea 😀\n'.repeat(300_000);
    const status = Array.from({ length: 400 }, (_, index) => entry(`r${index}`, 'x'.repeat(8000)));
    const file = await serve(async () => ({ text, status }));
    const reply = await ask(file, { kind: 'dump', resources: 'all' });
    assert.ok(reply.text === text, 'the text is whole');
    assert.deepEqual(reply.status, status);
  });

  test('[N46] when the client goes away, the handler is told', async () => {
    let told = false;
    const file = await serve(
      (_request, _reply, signal) =>
        new Promise((resolve) =>
          signal.addEventListener('abort', () => {
            told = true;
            resolve({});
          }),
        ),
    );
    const visitor = visit(file, encodeFrame(encodeRequest({ kind: 'version' })));
    visitor.socket.once('connect', () => setImmediate(() => visitor.socket.destroy()));
    await until('told', () => told);
  });

  test('a handler that fails is reported in one line, to the client and in the log', async () => {
    const file = await serve(() => Promise.reject(new Error('no such luck')));
    const reply = await ask(file, { kind: 'reload' });
    assert.deepEqual(reply.error, { code: 70, message: 'internal error: no such luck' });
    assert.deepEqual(log, ['the request reload failed: no such luck']);
  });
});

describe('clients that misbehave', () => {
  const garbage: [string, Uint8Array][] = [
    ['zeros', Buffer.alloc(8)],
    ['a length of 2 MiB', Buffer.from([0, 32, 0, 0])],
    ['text', Buffer.from('status all\n')],
    ['a frame that is no protobuf', encodeFrame(Buffer.from('ffffff', 'hex'))],
    ['a command of the future', encodeFrame(Buffer.from('0801a2060161', 'hex'))],
    ['no command', encodeFrame(Buffer.from('0801', 'hex'))],
    ['a role of the future', encodeFrame(Buffer.from('1206086312020801', 'hex'))],
    ['two requests', Buffer.concat([0, 1].map(() => encodeFrame(encodeRequest({ kind: 'version' }))))],
  ];
  for (const [what, bytes] of garbage) {
    test(`[N44] ${what}: told so, and closed`, async () => {
      const file = await serve(() => new Promise(() => {}));
      const visitor = visit(file, bytes);
      await until('closed', () => visitor.replies.length > 0);
      assert.equal(visitor.replies.at(-1)?.final, true);
      assert.equal(visitor.replies.at(-1)?.error?.code, 76, JSON.stringify(visitor.replies));
    });
  }

  test('[N43] more than 32 at a time are told to come again, and places come free', async () => {
    const file = await serve();
    const hanging = Array.from({ length: clientsMax }, () => visit(file, Buffer.from([0])));
    await until('connected', () => hanging.every(({ socket }) => !socket.connecting));
    assert.equal((await ask(file, { kind: 'version' })).error?.code, 75);
    for (const { socket } of hanging) socket.destroy();
    let answer: ControlReply | null = null;
    for (let tries = 0; answer?.error !== null && tries < 100; tries += 1)
      answer = await ask(file, { kind: 'version' });
    assert.equal(answer?.error, null);
  });

  test('[N43] one that does not read its answer loses it', async () => {
    let gone = false;
    const file = await serve(async (_request, reply, signal) => {
      const text = 'x'.repeat(500_000);
      for (let count = 0; count < 100 && !signal.aborted; count += 1) {
        reply({ text });
        await new Promise((resolve) => setImmediate(resolve));
      }
      gone = signal.aborted;
      return {};
    });
    const visitor = visit(file, encodeFrame(encodeRequest({ kind: 'version' })));
    visitor.socket.pause();
    await until('cut off', () => gone);
  });

  test('close() ends requests under way', async () => {
    let aborted: boolean | null = null;
    const file = await serve(
      (_request, _reply, signal) =>
        new Promise(() => {
          aborted = false;
          signal.addEventListener('abort', () => {
            aborted = true;
          });
        }),
    );
    const asked = failure(ask(file, { kind: 'version' }));
    await until('asked', () => aborted !== null);
    await Promise.all(servers.splice(0).map((server) => server.close()));
    assert.equal((await asked).code, 76);
    assert.equal(aborted, true);
    assert.equal(statSync(file, { throwIfNoEntry: false }), undefined, 'the file is gone');
  });
});

describe('the socket file', () => {
  test('[N40] has its mode, whatever the umask', async () => {
    for (const mode of [0o600, 0o660, 0o666]) {
      const file = freshPath();
      const before = process.umask(0o027);
      await serverFor({ path: file, mode }).listen();
      process.umask(before);
      assert.equal(statSync(file).mode & 0o777, mode);
    }
  });

  test('[N40] belongs to whom it shall, by name or number', async (t) => {
    const me = userInfo();
    const numbers = { path: freshPath(), mode: 0o600, owner: String(me.uid), group: String(me.gid) };
    await serverFor(numbers).listen();
    assert.equal(statSync(numbers.path).uid, me.uid);
    const unknown = serverFor({ path: freshPath(), mode: 0o600, owner: 'no-such-user-here' });
    await assert.rejects(
      unknown.listen(),
      /cannot open the control socket .*: control_owner: there is no user 'no-such-user-here'/,
    );
    if (me.uid !== 0) return t.skip('only root may give files away');
    const given = { path: freshPath(), mode: 0o660, owner: 'daemon', group: 'daemon' };
    await serverFor(given).listen();
    assert.deepEqual([statSync(given.path).uid, statSync(given.path).gid], [1, 1]);
  });

  test('[N41] one that nobody answers on is replaced', async () => {
    const file = freshPath();
    const dead = net.createServer().listen(file);
    await until('there', () => dead.listening);
    // As a killed process leaves it: closed, and not removed.
    renameSync(file, `${file}.kept`);
    dead.close();
    renameSync(`${file}.kept`, file);
    await serverFor({ path: file, mode: 0o600 }, async () => ({ text: 'new' })).listen();
    assert.equal((await ask(file, { kind: 'version' })).text, 'new');
  });

  test('[N41] one that somebody answers on is left alone', async () => {
    const file = await serve(async () => ({ text: 'first' }));
    await assert.rejects(
      serverFor({ path: file, mode: 0o600 }).listen(),
      /in use: another process answers there/,
    );
    assert.equal((await ask(file, { kind: 'version' })).text, 'first');
  });

  test('[N41] a file that is no socket is left alone', async () => {
    const file = freshPath();
    writeFileSync(file, 'precious');
    await assert.rejects(serverFor({ path: file, mode: 0o600 }).listen(), /exists and is no socket/);
    assert.equal(statSync(file).size, 8);
  });

  test('a place where nothing can be: clear words', async () => {
    const missing = serverFor({ path: path.join(folder, 'no', 'such', 'dir'), mode: 0o600 });
    await assert.rejects(
      missing.listen(),
      /cannot open the control socket .*: the directory .* does not exist/,
    );
    const long = serverFor({ path: path.join(folder, 'x'.repeat(120)), mode: 0o600 });
    await assert.rejects(long.listen(), /too long for a socket/);
  });
});

describe('what hastmonctl says when it gets no answer', () => {
  test('[N45] no daemon', async () => {
    const file = freshPath();
    const error = await failure(ask(file, { kind: 'version' }));
    assert.equal(error.code, 69);
    assert.equal(
      error.message,
      `cannot connect to hastmond at ${file}: no daemon is running (or the path differs); start it, or name its configuration with -c`,
    );
  });

  test('[N45] no permission', async (t) => {
    if (process.getuid?.() === 0) return t.skip('root may open everything');
    const file = freshPath();
    await serverFor({ path: file, mode: 0 }).listen();
    const error = await failure(ask(file, { kind: 'version' }));
    assert.equal(error.code, 77);
    assert.match(error.message, /permission denied/);
  });

  test('[N45] a daemon that does not answer', async () => {
    const file = await serve(() => new Promise(() => {}));
    const error = await failure(ask(file, { kind: 'version' }, 50));
    assert.equal(error.code, 69);
    assert.match(error.message, /has not answered for 0.05 s/);
  });

  test('[N45] progress keeps it waiting', async () => {
    const file = await serve(async (_request, reply) => {
      for (let count = 0; count < 8; count += 1) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        reply({ progress: `${count}` });
      }
      return { text: 'done' };
    });
    assert.equal((await ask(file, { kind: 'version' }, 1500)).text, 'done');
  });

  const answers: [string, Uint8Array, RegExp][] = [
    ['hangs up', Buffer.alloc(0), /no final answer came/],
    ['hangs up in the middle', Buffer.from([0, 0, 0, 9, 1]), /no final answer came/],
    ['talks nonsense', Buffer.from('HTTP/1.1 400 Bad Request'), /not understood/],
    ['sends no protobuf', encodeFrame(Buffer.from('ffffff', 'hex')), /not understood/],
  ];
  for (const [what, bytes, words] of answers) {
    test(`[N45] something that ${what}`, async () => {
      const file = freshPath();
      const other = net.createServer((socket) => socket.once('data', () => socket.end(bytes))).listen(file);
      servers.push({ close: () => new Promise((resolve) => other.close(() => resolve())) });
      await until('there', () => other.listening);
      const error = await failure(ask(file, { kind: 'version' }));
      assert.equal(error.code, 76, error.message);
      assert.match(error.message, words);
    });
  }
});
