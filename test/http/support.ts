/** Real daemons that serve HTTP, and clients of it. */
import http from 'node:http';
import type { TestContext } from 'node:test';
import { type Cluster, type ClusterOptions, createCluster, until } from '../system/cluster.js';
import { freePorts } from '../system/network.js';
import { calmTimes, logsOf, patienceMs } from '../system/support.js';

export interface Served {
  cluster: Cluster;
  /** By node. */
  ports: Readonly<Record<string, number>>;
}

export interface ServedOptions extends ClusterOptions {
  /** Statements in the section for HTTP, beyond where it listens. */
  http?: string;
  /** Where it listens, as the file has it; default 127.0.0.1. */
  address?: string;
}

/** A cluster all nodes of which serve HTTP, each at a port of its own on loopback; nothing runs yet. */
export async function createServed(options: ServedOptions = {}): Promise<Served> {
  const names = options.nodes ?? ['nodeA'];
  const ports = Object.fromEntries(
    (await freePorts(names.length)).map((port, index) => [names[index], port]),
  );
  const sections = names.map(
    (name) =>
      `on ${name} { http { listen ${options.address ?? '127.0.0.1'}:${ports[name]} ; ${options.http ?? ''} } }`,
  );
  const cluster = await createCluster({
    statements: calmTimes,
    ...options,
    nodes: names,
    globals: `${options.globals ?? ''}\n${sections.join('\n')}`,
    label: 'http',
  });
  return { cluster, ports: ports as Record<string, number> };
}

/** The same, up, and gone with the test. */
export async function servedFor(t: TestContext, options: ServedOptions = {}): Promise<Served> {
  const served = await createServed(options);
  t.after(() => served.cluster.close());
  await served.cluster.up();
  for (const port of Object.values(served.ports))
    await until(
      async () => (await get(port, '/health').catch(() => null)) !== null,
      patienceMs,
      () => `nothing listens on ${port}\n${logsOf(served.cluster)}`,
    );
  return served;
}

export interface Got {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
  /** The body as JSON. */
  json(): Record<string, unknown>;
}

export interface GetOptions {
  method?: string;
  headers?: http.OutgoingHttpHeaders;
  body?: string;
}

/** One request over a connection of its own; rejects where there is no answer. */
export function get(port: number, path: string, options: GetOptions = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const { body, headers = {}, method = 'GET' } = options;
    const request = http.request(
      { host: '127.0.0.1', port, path, method, headers, agent: false, timeout: patienceMs },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          resolve({ status, headers: response.headers, text, json: () => JSON.parse(text) });
        });
        response.on('error', reject);
      },
    );
    request.on('timeout', () => request.destroy(new Error(`no answer to ${path}`)));
    request.on('error', reject);
    request.end(body);
  });
}

export interface Told {
  id: string;
  event: string;
  data: Record<string, unknown>;
}

export interface Watching {
  /** What has been told so far, but for what is no event. */
  told: Told[];
  /** The response's headers, when they are there. */
  opened: Promise<http.IncomingMessage>;
  /** True when the server has ended it. */
  ended(): boolean;
  close(): void;
}

/** Watches the stream of events, as a browser does. */
export function watch(
  port: number,
  options: { path?: string; headers?: http.OutgoingHttpHeaders } = {},
): Watching {
  const told: Told[] = [];
  let ended = false;
  let rest = '';
  const request = http.get({
    ...{ host: '127.0.0.1', port, path: options.path ?? '/api/v1/stream', agent: false },
    headers: options.headers ?? {},
  });
  const opened = new Promise<http.IncomingMessage>((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
  });
  opened.then(
    (response) => {
      response.setEncoding('utf8');
      response.on('error', () => {});
      response.on('close', () => {
        ended = true;
      });
      response.on('data', (chunk) => {
        const blocks = `${rest}${chunk}`.split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) if (/^data:/m.test(block)) told.push(toldOf(block));
      });
    },
    () => {
      ended = true;
    },
  );
  return { told, opened, ended: () => ended, close: () => request.destroy() };
}

function toldOf(block: string): Told {
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
  return { id: field('id'), event: field('event'), data: JSON.parse(field('data')) };
}
