/** The monitor process as a whole, against servers that answer anything, in any pieces, at any time, and break off anyhow. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { NATURES } from '../../daemon/checks/natures.js';
import { formatDiagnostics } from '../../daemon/config/diagnostic.js';
import { parseConfig } from '../../daemon/config/load.js';
import { createMonitorHost } from '../../daemon/runtime/monitor-host.js';
import { createPrng, type Prng } from '../sim/prng.js';
import { hastmond } from '../system/paths.js';
import { until } from '../system/wait.js';
import { unheard } from './monitor-support.js';

const WORDS = [
  ...[
    'HTTP/1.1 200 OK\r\n',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    '5\r\nhello\r\n',
    '\r\n',
    '220 x\r\n',
  ],
  ...[
    'HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n',
    'SSH-2.0-x\r\n',
    '+PONG\r\n',
    '-ERR\r\n',
    '* OK\r\n',
    '\x05\0\0\0\x0a5.5\0',
  ],
  ...['R\0\0\0\x08\0\0\0\0', '\x16\x03\x03\0\x05hello', '\0'.repeat(5000), 'x'.repeat(100_000)],
];
const CHECKS = [
  ...[
    'tcp://%',
    'http://%/',
    'http://%/ { body hello redirects 3 }',
    'https://%/ { verify no }',
    'tls://% { expect x }',
    'smtp://%',
  ],
  ...[
    'ssh://%',
    'imap://%',
    'redis://:p@%',
    'postgres://%',
    'mysql://%',
    'banner://%/22',
    'tcp://% { send "x" expect "220" expect_match "^x" }',
  ],
];
const RSS_GROWTH_MAX_MB = 150;

/** Runs for so long; gives a line of what came of it, throws what does not hold. */
export async function fuzzProcess(seed: number, seconds: number): Promise<string> {
  const prng = createPrng(seed);
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.resume();
    answer(prng, socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const pids: number[] = [];
  const lines: string[] = [];
  const note = (_: object, text: string): void => void lines.push(text);
  const host = createMonitorHost({
    script: hastmond,
    records: { record: (pid) => pids.push(pid), forget: () => {} },
    log: { debug: note, info: note, warn: note, error: note },
    events: unheard,
    wall: () => Date.now() / 1000,
  });
  const rss = (): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pids[0]}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  try {
    host.apply(configOf(port), () => false);
    await until(
      () => lines.some((line) => line.includes('is ready')),
      20_000,
      () => lines.join('\n'),
    );
    const before = rss();
    const end = performance.now() + seconds * 1000;
    let looks = 0;
    await until(
      async () => {
        for (const { nature, name } of await host.look(null))
          assert.ok((NATURES as readonly string[]).includes(nature), `${name}: ${nature}`);
        looks += 1;
        return performance.now() > end;
      },
      seconds * 1000 + 30_000,
      'it does not answer',
    );
    const grown = rss() - before;
    assert.equal(pids.length, 1, `it died: ${lines.join('\n')}`);
    assert.ok(grown < RSS_GROWTH_MAX_MB, `it grew by ${grown} MB`);
    assert.ok(connections > seconds * 20, `${connections} connections`);
    return `the monitor process: ${connections} connections, asked ${looks} times, grew by ${Math.round(grown)} MB`;
  } finally {
    await host.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

function configOf(port: number) {
  const times =
    'interval 100ms retry_interval 100ms timeout 300ms connect_timeout 300ms receive_timeout 100ms';
  const checks = Array.from({ length: 4 }, (_, round) =>
    CHECKS.map((text, index) => `check c${index}-${round} ${text.replace('%', `127.0.0.1:${port}`)}\n`),
  );
  const text = `monitor { ${times} user nobody }\n${checks.flat().join('')}`;
  const { config, diagnostics } = parseConfig(text, '/c', () => ({ ok: false, reason: 'none' }), {
    hostname: 'a',
  });
  if (config?.monitor == null) throw new Error(formatDiagnostics(diagnostics));
  return config.monitor;
}

/** A few pieces with pauses between, and an end of one kind or another. */
function answer(prng: Prng, socket: Socket): void {
  let left = prng.below(6);
  const next = (): void => {
    if (socket.destroyed) return;
    if (left > 0) {
      left -= 1;
      const word = Buffer.from(prng.pick(WORDS), 'latin1');
      const from = prng.chance(800) ? 0 : prng.below(word.length);
      socket.write(
        prng.chance(850)
          ? word.subarray(from)
          : Buffer.from(Array.from({ length: 30 }, () => prng.below(256))),
      );
      setTimeout(next, prng.pick([0, 0, 1, 5, 30]));
      return;
    }
    const kind = prng.below(4);
    if (kind === 0) socket.end();
    else if (kind === 1) socket.resetAndDestroy();
    else if (kind === 2) socket.destroy();
  };
  next();
}
