/**
 * What the page is looked at with: three real hastmond, two resources, web servers that are checked and balanced, and a browser. Gone
 * after `close`.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { type Cluster, createCluster } from '../system/cluster.js';
import { createLoopback, freePorts, type Network } from '../system/network.js';
import { order } from '../system/node.js';
import { beater, service } from '../system/paths.js';
import { clusterProcesses, signalProcess } from '../system/processes.js';

export const NODES: readonly string[] = ['nodeA', 'nodeB', 'nodeC'];

/** Long enough to be seen, and short enough to be waited for. */
const TIMES = `  heartbeat_interval 500ms
  lease_timeout 3s
  complaint_count 2
  stop_timeout 1s
  fence_timeout 1s
  start_timeout 10s
  status_timeout 5s
  status_interval 500ms`;

export interface Site {
  /** The checks of it are called by this. */
  name: string;
  url: string;
  /** It answers with this status from now on. */
  answer(status: number): void;
}

export interface Scene {
  cluster: Cluster;
  browser: Browser;
  sites: readonly Site[];
  /** The address of a node's page. */
  pageOf(node: string): string;
  close(): Promise<void>;
}

/** Where the browser is, '' where there is none. */
export function findBrowser(): string {
  const found = spawnSync('/bin/sh', ['-c', 'command -v chromium || command -v chromium-browser']);
  return found.stdout.toString().trim();
}

/** Web servers that take these times to answer, in milliseconds; some of them more at times, as servers do. */
const SITES: Readonly<Record<string, number>> = {
  shop: 3,
  login: 12,
  search: 34,
  api: 7,
  images: 2,
  billing: 55,
};

async function openSite(name: string, tookMs: number): Promise<Site & { server: http.Server }> {
  let status = 200;
  let asked = 0;
  const server = http.createServer((_request, response) => {
    asked += 1;
    const wave = 1 + 0.3 * Math.sin(asked / 5 + tookMs) + (asked % 13 === 0 ? 0.5 : 0);
    setTimeout(() => {
      response.statusCode = status;
      response.end('Welcome\n');
    }, tookMs * wave);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const answer = (wanted: number): void => {
    status = wanted;
  };
  return { name, url, answer, server };
}

/** Starts everything, and waits until both resources run. */
export async function createScene(): Promise<Scene> {
  const undo: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const sites = await Promise.all(Object.entries(SITES).map(([name, tookMs]) => openSite(name, tookMs)));
    undo.push(() => sites.map(({ server }) => [server.closeAllConnections(), server.close()]));
    const folder = mkdtempSync(path.join(os.tmpdir(), 'hastmon-page-'));
    undo.push(() => {
      // The second service is known by its own folder, not by the cluster's.
      for (const { pid } of clusterProcesses(folder)) signalProcess(pid, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    });
    const ports = await freePorts(NODES.length);
    const network = await createLoopback(NODES);
    const cluster = await createCluster({
      ...{ nodes: [...NODES], resource: 'web', label: 'page', fence: true, statements: TIMES },
      network: async () => network,
      globals: globalsOf(sites, folder, network),
      ownFile: Object.fromEntries(
        NODES.map((node, index) => [
          node,
          `http 127.0.0.1:${ports[index]}\n${balancerOf(node, sites, folder)}`,
        ]),
      ),
    });
    undo.push(() => cluster.close());
    await cluster.up();
    for (const node of ['nodeB', 'nodeA', 'nodeC']) {
      const role = node === 'nodeC' ? 'watchdog' : node === 'nodeB' ? 'primary' : 'secondary';
      await order(cluster.node(node), { kind: 'role', role, resources: ['mail'], force: false, wait: true });
    }
    const browser = await chromium.launch({
      executablePath: findBrowser(),
      // As root, Chromium has none to offer.
      chromiumSandbox: process.getuid?.() !== 0,
      // Letters without coloured edges: pictures look the same everywhere, and are smaller.
      args: ['--disable-lcd-text'],
    });
    undo.push(() => browser.close());
    const pageOf = (node: string): string => `http://127.0.0.1:${ports[NODES.indexOf(node)]}/`;
    return { cluster, browser, sites, pageOf, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Checks that all nodes make, and a second resource with a service of its own. */
function globalsOf(sites: readonly Site[], folder: string, network: Network): string {
  for (const node of NODES) mkdirSync(path.join(folder, node));
  copyFileSync(service, path.join(folder, 'service.sh'));
  const environment = [`DIR=${folder}`, `NODE_BINARY=${process.execPath}`, `BEATER=${beater}`];
  writeFileSync(path.join(folder, 'service.env'), `${environment.join('\n')}\n`);
  const sections = NODES.map((node, index) => {
    const remotes = NODES.slice(0, 2).filter((other) => other !== node);
    const priority = index < 2 ? `priority ${1 - index}` : '';
    return `  on ${node} {
    remote ${remotes.map((other) => network.remote(node, other)).join(' ')}
    ${priority}
  }`;
  });
  return `monitor {
  key { secret "a secret of the tests" }
  interval 500ms
  retry_interval 300ms
  timeout 2s
  rise 1
  fall 2
}
${sites.map(({ name, url }) => `check ${name} ${url}`).join('\n')}
resource mail {
  exec ${path.join(folder, 'service.sh')}
  fence ${path.join(folder, 'service.sh')}
  friends 127.0.0.1
${TIMES}
${sections.join('\n')}
}
`;
}

/** Without a table to keep, which is the kernel's: the rest works all the same. */
function balancerOf(node: string, sites: readonly Site[], folder: string): string {
  const port = (index: number): string => new URL(sites[index]?.url ?? 'http://none').port;
  const file = path.join(folder, node, 'balancer.conf');
  writeFileSync(
    file,
    `DB=${folder}/${node}/balancer.db
IPVSADM=${folder}/there-is-no-ipvsadm
Ramping.TriggerTime=0
! www 192.0.2.10:80 http://www.example.com/ interval=500ms
! images 192.0.2.11:80 http://images.example.com/ interval=500ms
web1 127.0.0.1:${port(0)} www=100
web2 127.0.0.1:${port(1)} www=100
web3 127.0.0.1:${port(2)} www=50
static1 127.0.0.1:${port(4)} images=10
static2 127.0.0.1:${port(5)} images=10
`,
  );
  return `balancer { config ${file} }`;
}
