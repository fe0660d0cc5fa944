/**
 * Three monitoring nodes and a web server in network namespaces, with links that are cut silently: who is told of what, and how often.
 * Needs root. `node dist/test/system/run-confirm.js`; exits with 1 where a rule of docs/confirmation.md is broken.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMonitors, type Monitors } from './monitors.js';
import { createNamespaces, namespacesProblem } from './netns.js';
import { cutBoth, type Network } from './network.js';
import { pause, until } from './wait.js';

const patienceMs = 30_000;
const names = ['a', 'b', 'c'] as const;
const where = 's';
const port = 8080;

interface Scene {
  network: Network;
  monitors: Monitors;
  startService(): Promise<void>;
  stopService(): Promise<void>;
}

async function createScene(): Promise<Scene & { close(): Promise<void> }> {
  const network = await createNamespaces([...names, where]);
  const address = network.listen(where).replace(/^tcp4:\/\/(.*):\d+$/, '$1');
  let web: ChildProcess | null = null;
  const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'web.js');
  async function startService(): Promise<void> {
    const [program = '', ...words] = [
      ...network.place(where),
      process.execPath,
      script,
      address,
      String(port),
    ];
    web = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (web.stdout !== null) await once(web.stdout, 'data');
  }
  async function stopService(): Promise<void> {
    if (web === null || web.exitCode !== null) return;
    const gone = once(web, 'exit');
    web.kill('SIGKILL');
    await gone;
    web = null;
  }
  async function closeNetwork(): Promise<void> {
    await stopService();
    await network.close();
  }
  try {
    await startService();
    const monitors = await createMonitors({
      ...{ names, network },
      monitor: 'interval 300ms retry_interval 200ms timeout 1s rise 1 fall 2',
      statements: `check web http://${address}:${port}/`,
    });
    const close = (): Promise<void> => monitors.close().then(closeNetwork);
    await monitors.start().catch((error: unknown) => close().then(() => Promise.reject(error)));
    return { network, monitors, startService, stopService, close };
  } catch (error) {
    await closeNetwork();
    throw error;
  }
}

async function says(monitors: Monitors, node: string, from: number, words: RegExp): Promise<void> {
  const read = (): string => monitors.node(node).log().slice(from);
  await until(
    () => words.test(read()),
    patienceMs,
    () => `${node} does not say ${words}\n${monitors.logs()}`,
  );
}

/** What was told is this, and nothing else; `more` may have come twice, with the same id. */
async function toldAre(
  monitors: Monitors,
  wanted: readonly string[],
  twice: readonly string[] = [],
): Promise<void> {
  const ids = (): string[] => monitors.told().map(({ id }) => id);
  const missing = (): string[] => wanted.filter((id) => !ids().includes(id));
  await until(
    () => missing().length === 0,
    patienceMs,
    () => `not told of ${missing()}\n${monitors.logs()}`,
  );
  for (const id of new Set(ids())) {
    const count = ids().filter((other) => other === id).length;
    const allowed = wanted.includes(id) ? (twice.includes(id) ? 2 : 1) : 0;
    if (count > allowed) throw new Error(`told of ${id} ${count} times\n${monitors.logs()}`);
  }
}

/** All of them know that an edge was told: a cut before that may have it told twice. */
async function allKnow(monitors: Monitors, edge: number): Promise<void> {
  await Promise.all(names.map((name) => monitors.knows(name, 'web', edge)));
}

/** Cuts a node off from all others, silently and in both directions. */
async function isolate(network: Network, node: string, from: readonly string[]): Promise<void> {
  for (const other of from) await cutBoth(network, node, other);
}

async function healed({ network, monitors }: Scene, from: readonly number[]): Promise<void> {
  await network.heal();
  for (const [index, name] of names.entries()) {
    const fresh = (): string => monitors.node(name).log().slice(from[index]);
    const missing = (): string[] =>
      names.filter(
        (other) =>
          [...fresh().matchAll(new RegExp(`\\(monitoring\\) ${other}: (connected|no)`, 'g'))].at(-1)?.[1] ===
          'no',
      );
    await until(
      () => missing().length === 0,
      patienceMs,
      () => `${name} misses ${missing()}\n${monitors.logs()}`,
    );
  }
}

const four = ['web#1', 'web#2', 'web#3', 'web#4'];

const cases: [string, (scene: Scene) => Promise<void>][] = [
  [
    'a node with a broken uplink sees all down, and alarms nobody',
    async (scene) => {
      const { network, monitors } = scene;
      const from = names.map((name) => monitors.node(name).log().length);
      await isolate(network, 'c', ['a', 'b', where]);
      await says(monitors, 'c', from[2] ?? 0, /check web: seen here only: 0 of 2 peers reachable/);
      await healed(scene, from);
      await says(monitors, 'c', from[2] ?? 0, /check web is up, as seen from here/);
      await toldAre(monitors, []);
    },
  ],
  [
    'an outage that two of three see is told once, and so is its end',
    async ({ network, monitors }) => {
      for (const node of ['b', 'c']) await cutBoth(network, node, where);
      await toldAre(monitors, ['web#1']);
      const { text = '' } = monitors.told()[0] ?? {};
      if (!/^down: seen down by b .* and c .*; (seen up by|nothing heard from) a$/.test(text))
        throw new Error(`it does not say who saw what: ${text}`);
      await network.heal();
      await toldAre(monitors, ['web#1', 'web#2']);
      await allKnow(monitors, 2);
    },
  ],
  [
    'a node that is cut off from the others while the service is down: the others tell, and it learns',
    async (scene) => {
      const { network, monitors } = scene;
      const from = names.map((name) => monitors.node(name).log().length);
      await isolate(network, 'a', ['b', 'c']);
      await says(monitors, 'b', from[1] ?? 0, /\(monitoring\) a: no connection to a any more/);
      await scene.stopService();
      await toldAre(monitors, ['web#1', 'web#2', 'web#3']);
      await says(monitors, 'a', from[0] ?? 0, /check web: seen here only: 0 of 2 peers reachable/);
      await healed(scene, from);
      await says(monitors, 'a', from[0] ?? 0, /check web: people were told of web#3 by [bc]/);
      await scene.startService();
      await toldAre(monitors, ['web#1', 'web#2', 'web#3', 'web#4']);
      await allKnow(monitors, 4);
    },
  ],
  [
    'a sender that is cut off in the act: another one tells; twice at most, under one id',
    async (scene) => {
      const { network, monitors } = scene;
      const from = names.map((name) => monitors.node(name).log().length);
      for (const name of names) monitors.hold(name, true);
      await scene.stopService();
      await until(
        () => monitors.sender() !== undefined,
        patienceMs,
        () => `nobody tells\n${monitors.logs()}`,
      );
      const first = monitors.sender() ?? '';
      const others = names.filter((name) => name !== first);
      await isolate(network, first, others);
      for (const name of others) monitors.hold(name, false);
      await toldAre(monitors, [...four, 'web#5']);
      monitors.hold(first, false);
      await healed(scene, from);
      await scene.startService();
      await toldAre(monitors, [...four, 'web#5', 'web#6'], ['web#5']);
    },
  ],
  [
    'nothing more comes of it afterwards',
    async ({ monitors }) => {
      await pause(3000);
      await toldAre(monitors, [...four, 'web#5', 'web#6'], ['web#5']);
    },
  ],
];

async function main(): Promise<number> {
  const problem = namespacesProblem();
  if (problem !== '') {
    process.stdout.write(`skipped: ${problem}\n`);
    return 0;
  }
  const scene = await createScene();
  const interrupted = (): void => void scene.close().then(() => process.exit(130));
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  try {
    for (const [name, run] of cases) {
      const began = performance.now();
      await run(scene);
      process.stdout.write(`ok  ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)\n`);
    }
    return 0;
  } catch (error) {
    process.stdout.write(`VIOLATED  ${(error as Error).message}\n`);
    return 1;
  } finally {
    await scene.close();
  }
}

process.exitCode = await main();
