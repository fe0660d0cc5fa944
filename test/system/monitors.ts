/**
 * Several real hastmond that monitor the same services: their files, their start, what they told people, and a service that can be
 * down for all, or for some of them. On loopback each node has an address of its own, by which the service tells them apart; in
 * namespaces the network does.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { freePorts, type Network } from './network.js';
import { type ClusterNode, createNode } from './node.js';
import { clusterProcesses } from './processes.js';
import { until } from './wait.js';

export interface Monitors {
  readonly dir: string;
  readonly nodes: readonly ClusterNode[];
  node(name: string): ClusterNode;
  /** Starts these nodes, or all, and waits until all that run are linked with each other. */
  start(names?: readonly string[]): Promise<void>;
  /** What people were told, in its order, by which node: the edge's id, and the sentence. */
  told(): { node: string; id: string; text: string }[];
  /** While it is held, a node's alerts do not get through, and do not fail. */
  hold(name: string, held: boolean): void;
  /** The node whose alert is under way, as long as it is held. */
  sender(): string | undefined;
  /** Waits until a node has on disk that people were told of this edge. */
  knows(name: string, check: string, edge: number): Promise<void>;
  logs(): string;
  close(): Promise<void>;
}

export interface MonitorsOptions {
  names: readonly string[];
  /** Statements for the whole file: checks. */
  statements: string;
  /** Statements of `monitor`, beyond where the nodes are reached. */
  monitor?: string;
  /** Where they are; default: loopback as it is. */
  network?: Network;
}

/** Loopback addresses: the node of this place has it as its own. */
export function sourceOf(index: number): string {
  return `127.0.0.${index + 1}`;
}

export async function createMonitors(options: MonitorsOptions): Promise<Monitors> {
  const { names, statements, monitor = '', network } = options;
  const dir = mkdtempSync(path.join(os.tmpdir(), 'hastmon-monitors-'));
  // The alert is a program, which may run as somebody else.
  chmodSync(dir, 0o755);
  const toldFile = path.join(dir, 'told');
  writeFileSync(toldFile, '');
  chmodSync(toldFile, 0o666);
  const alert = path.join(dir, 'alert.sh');
  const hold = `while [ -e "${dir}/hold-$HASTMON_NODE" ]; do sleep 0.1; done`;
  const line = `echo "$HASTMON_NODE $HASTMON_EDGE $HASTMON_SENTENCE" >> "${toldFile}"`;
  writeFileSync(alert, `#!/bin/sh\n${hold}\n${line}\n`, { mode: 0o755 });
  const ports = network === undefined ? await freePorts(names.length) : [];
  const sections = names.map(
    (name, index) => `on ${name} {
  control ${path.join(dir, name, 'control')}
  listen ${network?.listen(name) ?? `tcp4://${sourceOf(index)}:${ports[index]}`}
  state_dir ${path.join(dir, name, 'state')}
}`,
  );
  const nodes = names.map((name, index) => {
    mkdirSync(path.join(dir, name));
    const configFile = path.join(dir, name, 'hastmon.conf');
    const own = `monitor {
  key { secret "a secret of the tests" }
  ${network === undefined ? `source ${sourceOf(index)}` : ''}
  ${monitor}
}`;
    writeFileSync(
      configFile,
      `${sections.join('\n')}\n${own}\nalert people { program ${alert} gather 0s }\n${statements}\n`,
      { mode: 0o600 },
    );
    return createNode({
      name,
      dir,
      configFile,
      resource: 'none',
      place: network?.place(name) ?? [],
      daemonArgs: [],
    });
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
      [...readFileSync(toldFile, 'utf8').matchAll(/^(\S+) (\S+) (.*)$/gm)].map(
        ([, node = '', id = '', text = '']) => ({ node, id, text }),
      ),
    hold(name, held) {
      const file = path.join(dir, `hold-${name}`);
      if (held) writeFileSync(file, '');
      else rmSync(file, { force: true });
    },
    sender: () => clusterProcesses(dir).find(({ title }) => title.includes(alert))?.node,
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
