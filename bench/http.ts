/**
 * What watching costs a daemon with 10,000 checks: `npm run bench:http`. A real hastmond that holds a lease, a target on loopback that takes all
 * connections (gcc), and readers of the stream and of /metrics. Each row is a window of its own, and is compared with the first one, in which nobody
 * asks for anything. Exit status 1 where the lease is lost or somebody is not answered.
 */
import http from 'node:http';
import os from 'node:os';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import { VIEWERS_MAX } from '../daemon/http/stream.js';
import { findBrowser } from '../test/http/scene.js';
import { createServed, get, type Served } from '../test/http/support.js';
import { clusterProcesses } from '../test/system/processes.js';
import { until } from '../test/system/wait.js';
import {
  accountOf,
  addressOf,
  compileProgram,
  end,
  OTHER_CPU,
  pause,
  residentBytes,
  spawnPinned,
} from './checks/tools.js';
import { median } from './row.js';
import { openStage, type Stage } from './stage.js';

const CHECKS = 10_000;
const INTERVAL_MS = 10_000;
const WARM_MS = 3000;
const WINDOW_MS = 12_000;
const SCRAPE_MS = 1000;
const ASK_MS = 50;
const PATIENCE_MS = 120_000;

interface Window {
  name: string;
  /** Of a processor, of 1. */
  main: number;
  http: number;
  /** MiB that are the process's own. */
  mainMiB: number;
  httpMiB: number;
  /** Of a small question over the control socket: all that keeps the main process from its work is in it. */
  askedMs: number[];
  /** The least that was left of the lease, of 1. */
  leaseLeft: number;
  /** Bytes a second to each viewer. */
  rate: number;
  scrapedMs: number[];
  scrapedBytes: number;
}

interface Reader {
  bytes(): number;
  opened: Promise<number>;
  close(): void;
}

/** Takes what comes, as fast as it comes. */
function read(port: number): Reader {
  let bytes = 0;
  const request = http.get({ host: '127.0.0.1', port, path: '/api/v1/stream', agent: false });
  const opened = new Promise<number>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.on('error', () => {});
      resolve(response.statusCode ?? 0);
    });
  });
  return { bytes: () => bytes, opened, close: () => request.destroy() };
}

async function every(ms: number, until_: number, work: () => Promise<void>): Promise<void> {
  while (performance.now() < until_) {
    const next = performance.now() + ms;
    await work();
    await pause(Math.max(0, next - performance.now()));
  }
}

async function measure(served: Served, name: string, viewers: number, scraped: boolean): Promise<Window> {
  const { cluster, ports } = served;
  const port = ports.nodeA ?? 0;
  const node = cluster.node('nodeA');
  const httpPid =
    clusterProcesses(cluster.dir).find(({ title }) => title === 'hastmon: api (http)')?.pid ?? 0;
  const readers = Array.from({ length: viewers }, () => read(port));
  for (const { opened } of readers)
    if ((await opened) !== 200) throw new Error(`${name}: a viewer is not let in`);
  await pause(WARM_MS);
  const window: Window = {
    ...{ name, main: 0, http: 0, mainMiB: 0, httpMiB: 0, askedMs: [], leaseLeft: 1, rate: 0 },
    ...{ scrapedMs: [], scrapedBytes: 0 },
  };
  const [from, mainBefore, httpBefore] = [performance.now(), accountOf(node.pid).cpu, accountOf(httpPid).cpu];
  const bytesBefore = readers.map(({ bytes }) => bytes());
  const over = from + WINDOW_MS;
  await Promise.all([
    every(ASK_MS, over, async () => {
      const begun = performance.now();
      await node.request({ kind: 'version' });
      window.askedMs.push(performance.now() - begun);
    }),
    every(500, over, async () => {
      const { lease } = (await node.request({ kind: 'status', resources: ['shared'] })).status[0] ?? {};
      if (!lease?.held) throw new Error(`${name}: the lease is lost`);
      window.leaseLeft = Math.min(window.leaseLeft, lease.leftMs / lease.leaseMs);
    }),
    every(SCRAPE_MS, scraped ? over : 0, async () => {
      const begun = performance.now();
      const { status, text } = await get(port, '/metrics');
      if (status !== 200 || !text.includes('hastmon_check_up')) throw new Error(`${name}: no figures`);
      window.scrapedMs.push(performance.now() - begun);
      window.scrapedBytes = Buffer.byteLength(text);
    }),
  ]);
  const seconds = (performance.now() - from) / 1000;
  window.main = (accountOf(node.pid).cpu - mainBefore) / seconds;
  window.http = (accountOf(httpPid).cpu - httpBefore) / seconds;
  const got = readers.map(({ bytes }, index) => bytes() - (bytesBefore[index] ?? 0));
  window.rate = viewers === 0 ? 0 : median(got) / seconds;
  [window.mainMiB, window.httpMiB] = [residentBytes(node.pid) / 2 ** 20, residentBytes(httpPid) / 2 ** 20];
  for (const reader of readers) reader.close();
  return window;
}

async function startTarget(stage: Stage): Promise<number> {
  const child = spawnPinned(OTHER_CPU, compileProgram('target', stage.directory), []);
  await stage.hold(Promise.resolve({ close: () => end(child) }));
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream }))
    return Number(line);
  throw new Error('the target says nothing');
}

/** When the page is painted and lists checks, and how long the browser's main thread is kept busy at a stretch. */
async function measurePage({ ports }: Served): Promise<string> {
  const executablePath = findBrowser();
  if (executablePath === '') return 'the page was not measured: there is no chromium';
  const browser = await chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 });
  try {
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
    await page.addInitScript(`window.long = [];
      new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration)))
        .observe({ type: 'longtask', buffered: true });`);
    const begun = performance.now();
    await page.goto(`http://127.0.0.1:${ports.nodeA}/`);
    await page.locator('.checks tbody tr').first().waitFor({ timeout: PATIENCE_MS });
    const listedMs = performance.now() - begun;
    const opening = (await page.evaluate('long.splice(0)')) as number[];
    await pause(WINDOW_MS);
    const later = (await page.evaluate('long')) as number[];
    const paint = (await page.evaluate(
      "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0",
    )) as number;
    const counted = (await page.evaluate(
      "[document.querySelectorAll('.checks tbody tr').length, document.querySelectorAll('*').length]",
    )) as number[];
    const words = (tasks: readonly number[]): string =>
      `${tasks.length} of more than 50 ms, the longest ${Math.max(0, ...tasks).toFixed(0)} ms`;
    return [
      `the page: first paint after ${paint.toFixed(0)} ms, checks after ${listedMs.toFixed(0)} ms`,
      `${counted[0]} rows, ${counted[1]} elements`,
      `tasks of the main thread until then: ${words(opening)}; in ${WINDOW_MS / 1000} s after it: ${words(later)}`,
    ].join('; ');
  } finally {
    await browser.close();
  }
}

function table(windows: readonly Window[]): string {
  const [first] = windows;
  const worst = (values: readonly number[]): number => Math.max(0, ...values);
  const lines = windows.map((window) => {
    const times = first === undefined || first.main === 0 ? 0 : window.main / first.main;
    return [
      window.name,
      `${(100 * window.main).toFixed(1)} % (${times.toFixed(1)} times)`,
      `${(100 * window.http).toFixed(1)} %`,
      `${window.mainMiB.toFixed(0)}, ${window.httpMiB.toFixed(0)} MiB`,
      `${median(window.askedMs).toFixed(1)}, ${worst(window.askedMs).toFixed(0)} ms`,
      `${(100 * window.leaseLeft).toFixed(0)} %`,
      window.rate === 0 ? '' : `${(window.rate / 1000).toFixed(0)} kB/s`,
      window.scrapedMs.length === 0
        ? ''
        : `${median(window.scrapedMs).toFixed(0)}, ${worst(window.scrapedMs).toFixed(0)} ms; ${(window.scrapedBytes / 1e6).toFixed(1)} MB`,
    ].join(' | ');
  });
  const head =
    'window | main process | process for HTTP | memory of both | a question, median and worst | least left of the lease | to each viewer | /metrics, median and worst';
  return `| ${head} |\n|---|---|---|---|---|---|---|---|\n${lines.map((line) => `| ${line} |\n`).join('')}`;
}

async function main(): Promise<void> {
  const stage = openStage(false);
  const loadBefore = os.loadavg()[0] ?? 0;
  const port = await startTarget(stage);
  const times = `interval ${INTERVAL_MS}ms; retry_interval ${INTERVAL_MS}ms; timeout 2s; flights 4096`;
  const checks = Array.from(
    { length: CHECKS },
    (_, index) => `check c${index} tcp://${addressOf(index)}:${port}`,
  );
  const served = await createServed({
    globals: `monitor { nodes nodeA; ${times} }\n${checks.join('\n')}`,
    statements: '  heartbeat_interval 500ms\n  lease_timeout 3s\n  stop_timeout 1s',
  });
  await stage.hold(Promise.resolve({ close: () => served.cluster.close() }));
  await served.cluster.up();
  const allUp = async (): Promise<boolean> =>
    (await get(served.ports.nodeA ?? 0, '/metrics').catch(() => null))?.text.includes(
      `hastmon_checks{state="up"} ${CHECKS}`,
    ) ?? false;
  await until(allUp, PATIENCE_MS, 'not all checks are up');
  const windows: Window[] = [];
  const plan: [string, number, boolean][] = [
    ['nobody', 0, false],
    ['/metrics each second', 0, true],
    ['1 viewer', 1, false],
    ...[1, 10, VIEWERS_MAX].map((viewers): [string, number, boolean] => [
      `${viewers} and /metrics`,
      viewers,
      true,
    ]),
  ];
  for (const [name, viewers, scraped] of plan) {
    process.stderr.write(`${name} ...\n`);
    windows.push(await measure(served, name, viewers, scraped));
  }
  process.stderr.write('the page ...\n');
  const page = await measurePage(served);
  const load = `load ${loadBefore.toFixed(1)} to ${(os.loadavg()[0] ?? 0).toFixed(1)}, ${os.cpus().length} processors`;
  process.stdout.write(
    `${CHECKS} checks every ${INTERVAL_MS / 1000} s, ${WINDOW_MS / 1000} s each; ${load}\n${table(windows)}${page}\n`,
  );
  await stage.clear();
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
