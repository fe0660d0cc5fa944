/**
 * Fuzzing of everything that reads what others send: frames, codecs, the TCP socket with a key and without, and the
 * control socket. `node dist/test/net/fuzz.js SECONDS [SEED]` runs for that long, and prints the seed with which a
 * failure comes again. Any exception, a wrong reading, a node that honest peers cannot reach, or memory that grows
 * without end is a failure.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { call } from '../../ctl/client.js';
import { createControlServer } from '../../daemon/control/server.js';
import { createInitiator } from '../../daemon/net/handshake.js';
import { decodePeerMessage, encodePeerMessage, type LinkMessage } from '../../proto/codec.js';
import { decodeReply, decodeRequest, encodeRequest } from '../../proto/control-codec.js';
import { createFrameDecoder, encodeFrame, FrameError, frameHeaderBytes } from '../../proto/frame.js';
import { decodeHandshake, encodeHandshake, type HandshakeMessage } from '../../proto/handshake-codec.js';
import {
  type Random,
  random,
  randomConfirm,
  randomInquiry,
  randomMessage,
  randomShare,
} from '../proto/random.js';
import { cleanUp, patient, startNode, type TestNode, until } from './cluster.js';

/** Growth of the resident set that no run may exceed, in bytes: garbage collection is lazy, leaks are not. */
const growthBytesMax = 200 * 1024 * 1024;
/** Connections that a round opens to each socket. */
const visitorsPerRound = 10;

export interface FuzzCounts {
  chunks: number;
  decoded: number;
  connections: number;
}

/** Runs for so long; rejects with what went wrong. */
export async function fuzz(seconds: number, seed: number): Promise<FuzzCounts> {
  const r = random(seed);
  const counts: FuzzCounts = { chunks: 0, decoded: 0, connections: 0 };
  const targets = await startTargets();
  const end = performance.now() + seconds * 1000;
  const before = process.memoryUsage().rss;
  try {
    do {
      for (let count = 0; count < 50; count += 1) fuzzFrames(r, counts);
      for (let count = 0; count < 300; count += 1) fuzzCodecs(r, counts);
      await Promise.all(targets.sockets.flatMap((target) => visits(r, target, counts)));
      await targets.check();
    } while (performance.now() < end);
    await targets.finish();
    const growth = process.memoryUsage().rss - before;
    assert.ok(growth < growthBytesMax, `memory has grown by ${growth} bytes`);
  } finally {
    await targets.close();
  }
  return counts;
}

function fuzzFrames(r: Random, counts: FuzzCounts): void {
  const limit = 1 + r.below(300);
  const decoder = createFrameDecoder(limit);
  const frames = Array.from({ length: r.below(6) }, () => r.bytes(1 + r.below(limit)));
  const good = Buffer.concat(frames.map(encodeFrame));
  const stream = r.chance(50) ? good : mutate(r, good);
  const seen: Buffer[] = [];
  try {
    for (let at = 0; at < stream.length; ) {
      const size = 1 + r.below(r.chance(50) ? 5 : 200);
      for (const frame of decoder.push(stream.subarray(at, at + size))) seen.push(Buffer.from(frame));
      at += size;
      counts.chunks += 1;
      assert.ok(decoder.pending() <= limit + frameHeaderBytes);
    }
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
  }
  for (const frame of seen) assert.ok(frame.length > 0 && frame.length <= limit);
  if (stream === good) assert.deepEqual(seen, frames);
}

function fuzzCodecs(r: Random, counts: FuzzCounts): void {
  const bytes = mutate(r, encodePeerMessage(randomLink(r)));
  const decoded = decodePeerMessage(bytes);
  // What is taken for a message is one: it reads the same after having been written again.
  if (decoded.kind === 'message') {
    assert.deepEqual(decodePeerMessage(encodePeerMessage(decoded.message)), decoded);
    counts.decoded += 1;
  }
  decodeHandshake(mutate(r, encodeHandshake(randomHandshake(r))));
  decodeRequest(mutate(r, randomRequest(r)));
  decodeReply(mutate(r, bytes));
}

function randomLink(r: Random): LinkMessage {
  if (r.chance(40)) return randomMessage(r);
  if (r.chance(20)) return randomInquiry(r);
  if (r.chance(50)) return { kind: 'share', message: randomShare(r) };
  return { kind: 'confirm', message: randomConfirm(r) };
}

interface Target {
  connect: () => net.Socket;
  /** What a visitor says. */
  words: (r: Random) => Buffer;
  /** Shakes hands as nodeA first, and says it then. */
  asNode: boolean;
}

interface Targets {
  sockets: Target[];
  check(): Promise<void>;
  finish(): Promise<void>;
  close(): Promise<void>;
}

async function startTargets(): Promise<Targets> {
  const [locked, open] = [await startNode('nodeB'), await startNode('nodeC')];
  const honest = [await startNode('nodeA'), await startNode('nodeB')] as const;
  const configs = [
    patient([locked.address]),
    patient([open.address], { key: null, timeoutMs: 300 }),
  ] as const;
  locked.network.configure([patient([], { timeoutMs: 300 })]);
  open.network.configure([patient([], { key: null, timeoutMs: 300 })]);
  const folder = mkdtempSync(path.join(tmpdir(), 'hastmon-fuzz-'));
  const file = path.join(folder, 'control');
  const control = createControlServer({
    config: { path: file, mode: 0o600 },
    handle: async (request) => ({ text: request.kind }),
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  await control.listen();
  const tcpTo = (node: TestNode) => () => net.connect(node.address.port, node.address.host);
  const peerWords = (r: Random) => {
    const frame = () =>
      encodeFrame(r.chance(50) ? mutate(r, encodePeerMessage(randomLink(r))) : r.bytes(1 + r.below(300)));
    return Buffer.concat(Array.from({ length: 1 + r.below(8) }, frame));
  };
  return {
    sockets: [
      { connect: tcpTo(locked), words: handshakeWords, asNode: false },
      { connect: tcpTo(open), words: handshakeWords, asNode: false },
      { connect: tcpTo(open), words: peerWords, asNode: true },
      {
        connect: () => net.connect(file),
        words: (r) => mutate(r, encodeFrame(randomRequest(r))),
        asNode: false,
      },
    ],
    async check() {
      assert.equal(locked.received.length, 0, 'somebody without the key was heard');
      assert.deepEqual(locked.events, [], 'somebody without the key was believed');
      for (const { message } of open.received) {
        assert.deepEqual(decodePeerMessage(encodePeerMessage(message)), { kind: 'message', message });
      }
      for (const node of [locked, open]) {
        node.received.length = 0;
        node.log.length = 0;
      }
      const answer = await call(file, { kind: 'version' }, () => {}, 3000);
      assert.ok(answer.text === 'version' || answer.error?.code === 75, JSON.stringify(answer));
    },
    async finish() {
      honest[0].network.configure([configs[0]]);
      honest[1].network.configure([configs[1]]);
      await until('honest nodes are linked', () => honest.every((node) => node.events.length > 0));
    },
    async close() {
      await Promise.all([control.close(), cleanUp()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function visits(r: Random, target: Target, counts: FuzzCounts): Promise<void>[] {
  return Array.from({ length: visitorsPerRound }, () => {
    counts.connections += 1;
    return visit(r, target);
  });
}

/** Connects, talks in pieces, and goes: sometimes before it is thrown out. */
function visit(r: Random, { connect, words, asNode }: Target): Promise<void> {
  const bytes = words(r);
  const cut = r.below(bytes.length + 1);
  const leavesEarly = r.chance(30);
  const hello = helloOf(r);
  return new Promise((resolve) => {
    const socket = connect();
    const limit = setTimeout(() => socket.destroy(), 30);
    const talk = () => {
      socket.write(bytes.subarray(0, cut));
      setImmediate(() => socket.write(bytes.subarray(cut), () => leavesEarly && socket.destroy()));
    };
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(limit);
      resolve();
    });
    if (!asNode) {
      socket.resume();
      socket.once('connect', talk);
      return;
    }
    socket.write(encodeFrame(encodeHandshake(hello)));
    socket.once('data', () => {
      socket.write(encodeFrame(encodeHandshake({ kind: 'proof', mac: Buffer.alloc(0) })));
      socket.once('data', talk);
    });
  });
}

function helloOf(r: Random): HandshakeMessage {
  const me = { resource: 'shared', node: 'nodeA', incarnation: 1 + r.below(3), key: null, voters: [] };
  return createInitiator(me, r.bytes(32)).hello;
}

function handshakeWords(r: Random): Buffer {
  const frames = Array.from({ length: 1 + r.below(4) }, () =>
    encodeFrame(encodeHandshake(randomHandshake(r))),
  );
  return r.chance(30) ? Buffer.concat(frames) : mutate(r, Buffer.concat(frames));
}

function randomHandshake(r: Random): HandshakeMessage {
  const common = {
    ...{ version: r.below(3), node: r.pick(['nodeA', 'nodeB', 'nodeX', '']), incarnation: r.below(3) },
    ...{
      nonce: r.bytes(r.pick([32, 32, 32, 0, 31, 300])),
      algorithm: r.pick(['', 'sha256', 'sha256', 'md5']),
    },
  };
  switch (r.below(5)) {
    case 0:
    case 1:
      return { kind: 'hello', resource: r.pick(['shared', 'other', '']), ...common };
    case 2:
      return { kind: 'challenge', ...common };
    case 3:
      return { kind: r.pick(['proof', 'accept'] as const), mac: r.bytes(r.pick([0, 32, 64, 65])) };
    default:
      return {
        kind: 'refuse',
        reason: r.pick(['version', 'wrong-key', 'unknown'] as const),
        node: common.node,
      };
  }
}

function randomRequest(r: Random): Uint8Array {
  const resources = r.chance(30)
    ? 'all'
    : Array.from({ length: r.below(5) }, () => r.pick(['a', 'b', 'x'.repeat(99)]));
  return encodeRequest(
    r.pick([
      { kind: 'role', role: 'primary', resources, force: r.chance(50), wait: r.chance(50) },
      { kind: 'status', resources },
      { kind: 'switchover', resource: 'a', to: '', wait: true },
      { kind: 'bootstrap', resource: 'b' },
      { kind: 'version' },
    ] as const),
  );
}

/** Some bits turned, bytes taken out, put in, doubled, or the end cut off. */
function mutate(r: Random, given: Uint8Array): Buffer {
  let bytes = Buffer.from(given);
  for (let count = r.chance(60) ? 1 : 2 + r.below(4); count > 0; count -= 1) {
    const at = r.below(bytes.length + 1);
    const until = Math.min(bytes.length, at + 1 + r.below(8));
    switch (r.below(5)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << r.below(8));
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(until)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), r.bytes(1 + r.below(8)), bytes.subarray(at)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, until), bytes.subarray(at)]);
        break;
      default:
        bytes = Buffer.from(bytes.subarray(0, at));
    }
  }
  return bytes;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [seconds = '10', seed = String(Date.now() >>> 0)] = process.argv.slice(2);
  process.on('exit', (code) => {
    if (code !== 0) console.error(`failed with seed ${seed}`);
  });
  const counts = await fuzz(Number(seconds), Number(seed));
  console.log(`seed ${seed}: ${JSON.stringify(counts)}, no failure`);
}
