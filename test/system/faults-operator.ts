/** What an operator does: ends daemons, moves the service, reloads good and bad files. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { handoverMs } from './bounds.js';
import type { ClusterNode } from './node.js';
import type { Scene } from './scene.js';
import type { Fault } from './trial.js';
import { until } from './wait.js';

/** Reloads all nodes with another file, and waits until each has said what came of it. */
async function reload(scene: Scene, change: (file: string) => void, said: string): Promise<void> {
  const { configFile } = scene.cluster;
  const before = readFileSync(configFile, 'utf8');
  const counts = new Map(scene.all.map((node) => [node, count(node, said)]));
  change(configFile);
  for (const node of scene.all) node.signal('SIGHUP');
  const done = (): boolean => scene.all.every((node) => count(node, said) > (counts.get(node) ?? 0));
  await until(done, 5000, `not every node says '${said}'`);
  writeFileSync(configFile, before);
}

function count(node: ClusterNode, text: string): number {
  return node.log().split(text).length - 1;
}

export const operatorFaults: readonly Fault[] = [
  {
    name: 'hastmond of the primary told to end',
    scene: 'three',
    service: 'elsewhere',
    boundMs: handoverMs(),
    strike: ({ primary }) => primary.signal('SIGTERM'),
  },
  {
    name: 'hastmond of the primary told to end, of five',
    scene: 'five',
    service: 'elsewhere',
    boundMs: handoverMs(),
    strike: ({ primary }) => primary.signal('SIGTERM'),
  },
  {
    name: 'hastmond of the secondary told to end',
    scene: 'three',
    service: 'undisturbed',
    boundMs: 0,
    strike: ({ secondary }) => secondary.signal('SIGTERM'),
  },
  {
    name: 'hastmond of the watchdog told to end',
    scene: 'three',
    service: 'undisturbed',
    boundMs: 0,
    strike: ({ watchdog }) => watchdog.signal('SIGINT'),
  },
  ...(['three', 'five'] as const).map(
    (kind): Fault => ({
      name: kind === 'three' ? 'planned switchover' : 'planned switchover to the last candidate, of five',
      scene: kind,
      service: 'elsewhere',
      boundMs: handoverMs(),
      async strike(scene) {
        const to = scene.secondaries.at(-1)?.name ?? '';
        const { resource } = scene.cluster;
        await scene.order(scene.primary, { kind: 'switchover', resource, to, wait: false });
      },
    }),
  ),
  {
    name: 'primary set to secondary',
    scene: 'three',
    service: 'elsewhere',
    boundMs: handoverMs() + 1000,
    async strike(scene) {
      const resources = [scene.cluster.resource];
      await scene.order(scene.primary, {
        kind: 'role',
        role: 'secondary',
        resources,
        force: false,
        wait: false,
      });
    },
  },
  {
    name: 'reload of a file that says the same',
    scene: 'three',
    service: 'undisturbed',
    boundMs: 0,
    strike: (scene) => reload(scene, () => {}, 'reloaded'),
  },
  {
    name: 'reload of a bad file',
    scene: 'three',
    service: 'undisturbed',
    boundMs: 0,
    strike: (scene) => reload(scene, (file) => appendFileSync(file, '\nresource {\n'), 'reload failed'),
  },
  {
    name: 'reload of a file with other times',
    scene: 'three',
    service: 'undisturbed',
    boundMs: 0,
    strike: (scene) =>
      reload(
        scene,
        (file) => writeFileSync(file, readFileSync(file, 'utf8').replace('attempts 3', 'attempts 4')),
        'attempts changed',
      ),
    lift: ({ all }) => all.forEach((node) => void node.signal('SIGHUP')),
  },
];
