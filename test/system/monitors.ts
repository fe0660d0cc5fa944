/**
 * Several real hastmond that monitor the same services: their files, their start, what they told people, and a service that can be
 * down for all, or for some of them. On loopback; each node has an address of its own there, by which the service tells them apart.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { freePorts } from './network.js';
import { type ClusterNode, createNode } from './node.js';
import { until } from './wait.js';

export interface Monitors {
  readonly dir: string;
  readonly nodes: readonly ClusterNode[];
  node(name: string): ClusterNode;
  /** Starts these nodes, or all, and waits until all that run are linked with each other. */
  start(names?: readonly string[]): Promise<void>;
  /** What people were told by any node, in the order of the nodes, through a program: the edge's id, and the sentence. */
  told(): { node: string; id: string; text: string }[];
  /** Waits until a node has on disk that people were told of this edge. */
  knows(name: string, check: string, edge: number): Promise<void>;
  logs(): string;
  close(): Promise<void>;
}

export interface MonitorsOptions {
  names: readonly string[];
  /** Statements for the whole file: checks, and alerts beside the one that `told` reads. */
  statements: string;
  /** Statements of `monitor`, beyond where the nodes are reached. */
  monitor?: string;
}

/** Loopback addresses: the node of this place has it as its own. */
export function sourceOf(index: number): string {
  return `127.0.0.${index + 1}`;
}

export async function createMonitors({
  names,
  statements,
  monitor = '',
}: MonitorsOptions): Promise<Monitors> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'hastmon-monitors-'));
  chmodSync(dir, 0o755);
  const ports = await freePorts(names.length);
  const sections = names.map(
    (name, index) => `on ${name} {
  control ${path.join(dir, name, 'control')}
  listen tcp4://${sourceOf(index)}:${ports[index]}
  state_dir ${path.join(dir, name, 'state')}
}`,
  );
  const nodes = names.map((name, index) => {
    mkdirSync(path.join(dir, name));
    const configFile = path.join(dir, name, 'hastmon.conf');
    const own = `monitor {
  key { secret "a secret of the tests" }
  source ${sourceOf(index)}
  ${monitor}
}`;
    const alert = `alert people { program ${tellingProgram(path.join(dir, name))} ; gather 0 }`;
    writeFileSync(configFile, `${sections.join('\n')}\n${own}\n${alert}\n${statements}\n`, { mode: 0o600 });
    return createNode({ name, dir, configFile, resource: 'none', place: [], daemonArgs: [] });
  });
  const kill = (): void => nodes.forEach((node) => void node.killMachine());
  process.once('exit', kill);

  const logs = (): string => nodes.map((node) => `--- ${node.name}\n${node.log()}`).join('\n');
  const node = (name: string): ClusterNode => {
    const found = nodes.find((each) => each.name === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  };

  return {
    ...{ dir, nodes, node, logs },
    async start(wanted = names) {
      const before = new Map(
        nodes.map((each) => [each.name, wanted.includes(each.name) ? each.log().length : 0]),
      );
      await Promise.all(wanted.map((name) => node(name).start()));
      const running = nodes.filter((each) => each.running());
      const linked = (): boolean =>
        running.every((each) =>
          running.every(
            (other) => each === other || isLinked(each.log().slice(before.get(each.name)), other.name),
          ),
        );
      await until(linked, 15_000, () => `they are not linked\n${logs()}`);
    },
    knows: (name, check, edge) =>
      until(
        () => {
          const file = path.join(dir, name, 'state/confirm', `check%20${encodeURIComponent(check)}.state`);
          return existsSync(file) && readFileSync(file, 'utf8').includes(`"told":${edge},`);
        },
        10_000,
        () => `${name} does not know that ${check}#${edge} was told\n${logs()}`,
      ),
    told: () =>
      nodes.flatMap(({ name }) =>
        [...readFileSync(path.join(dir, name, 'told'), 'utf8').matchAll(/^(\S+) (.*)$/gm)].map(
          ([, id = '', text = '']) => ({ node: name, id, text }),
        ),
      ),
    async close() {
      for (let round = 0; round < 2; round += 1) {
        kill();
        await Promise.all(nodes.map((each) => (each.running() ? each.exited : null)));
      }
      process.removeListener('exit', kill);
      for (const each of nodes) each.remove();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A program of an alert that appends each edge to the file `told` beside it; as root it is run by another user. */
function tellingProgram(folder: string): string {
  const program = path.join(folder, 'tell');
  writeFileSync(path.join(folder, 'told'), '');
  chmodSync(path.join(folder, 'told'), 0o666);
  writeFileSync(program, `#!/bin/sh\necho "$HASTMON_EDGE $HASTMON_SENTENCE" >>'${folder}/told'\n`);
  chmodSync(program, 0o755);
  return program;
}

/** By the log: the last word on a link counts. */
function isLinked(log: string, other: string): boolean {
  const words = [...log.matchAll(new RegExp(`\\(monitoring\\) ${other}: (connected|no connection)`, 'g'))];
  return words.at(-1)?.[1] === 'connected';
}

export interface Service {
  readonly url: string;
  /** Nobody is answered any more: the port is closed. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Connections from these addresses are thrown out. */
  readonly refused: Set<string>;
}

/** A web server, and nothing else of it than what a check needs. */
export async function createService(): Promise<Service & { close(): Promise<void> }> {
  const refused = new Set<string>();
  let port = 0;
  let server = http.createServer();
  async function start(): Promise<void> {
    server = http.createServer((_request, response) => response.end('Welcome\n'));
    server.on('connection', (socket) => {
      if (refused.has(socket.remoteAddress ?? '')) socket.destroy();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    port = (server.address() as AddressInfo).port;
  }
  async function stop(): Promise<void> {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await start();
  return { url: `http://127.0.0.1:${port}/`, refused, start, stop, close: stop };
}
