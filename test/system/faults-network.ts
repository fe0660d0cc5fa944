/** Links that are cut without a word: between each pair, in one direction only, around a node, and again and again. */
import { bootMs, takeoverMs } from './bounds.js';
import type { ClusterNode } from './node.js';
import type { Scene } from './scene.js';
import type { Fault } from './trial.js';
import { pause } from './wait.js';

type Part = 'primary' | 'secondary' | 'watchdog';
const directions: [Part, Part][] = [
  ['primary', 'secondary'],
  ['secondary', 'primary'],
  ['primary', 'watchdog'],
  ['watchdog', 'primary'],
  ['secondary', 'watchdog'],
  ['watchdog', 'secondary'],
];
const pairs = directions.filter((_direction, index) => index % 2 === 0);

function others(scene: Scene, node: ClusterNode): ClusterNode[] {
  return scene.all.filter((other) => other !== node);
}

async function part(scene: Scene, one: readonly ClusterNode[], other: readonly ClusterNode[]): Promise<void> {
  for (const node of one) await scene.cut(node, ...other);
  for (const node of other) await scene.cut(node, ...one);
}

const single: Fault[] = [
  // Each of these leaves the primary a majority: the service stays where it is.
  ...pairs.map(
    ([one, other]): Fault => ({
      name: `link between ${one} and ${other} cut`,
      scene: 'three',
      service: 'undisturbed',
      boundMs: 0,
      strike: (scene) => part(scene, [scene[one]], [scene[other]]),
    }),
  ),
  ...directions.map(
    ([from, to]): Fault => ({
      name: `link from ${from} to ${to} cut, in this direction`,
      scene: 'three',
      service: 'undisturbed',
      boundMs: 0,
      strike: (scene) => scene.cut(scene[from], scene[to]),
    }),
  ),
  ...(['secondary', 'watchdog'] as const).map(
    (node): Fault => ({
      name: `${node} isolated`,
      scene: 'three',
      service: 'undisturbed',
      boundMs: 0,
      strike: (scene) => scene.isolate(scene[node]),
    }),
  ),
];

const primaryLost: Fault[] = [
  {
    name: 'primary isolated',
    scene: 'three',
    service: 'elsewhere',
    boundMs: takeoverMs(),
    strike: (scene) => scene.isolate(scene.primary),
  },
  {
    name: 'primary not heard by anybody',
    scene: 'three',
    service: 'elsewhere',
    boundMs: takeoverMs(),
    strike: (scene) => scene.cut(scene.primary, ...others(scene, scene.primary)),
  },
  {
    name: 'primary hears nobody',
    scene: 'three',
    service: 'elsewhere',
    boundMs: takeoverMs(),
    async strike(scene) {
      for (const node of others(scene, scene.primary)) await scene.cut(node, scene.primary);
    },
  },
  {
    name: 'every node isolated',
    scene: 'three',
    service: 'down',
    boundMs: bootMs(),
    async strike(scene) {
      for (const node of scene.all) await scene.isolate(node);
    },
    lift: (scene) => scene.cluster.network.heal(),
  },
  {
    name: 'primary isolated again and again for a moment',
    scene: 'three',
    service: 'up',
    boundMs: takeoverMs(),
    async strike(scene) {
      for (const ms of [120, 250, 180, 320, 90]) {
        await scene.isolate(scene.primary);
        await pause(ms);
        await scene.cluster.network.heal();
        await pause(400 - ms);
      }
    },
  },
];

const five: Fault[] = [
  {
    name: 'primary and a watchdog cut off from the three others, of five',
    scene: 'five',
    service: 'elsewhere',
    boundMs: takeoverMs(),
    strike: (scene) =>
      part(scene, [scene.primary, scene.watchdog], [...scene.secondaries, ...scene.watchdogs.slice(1)]),
  },
  {
    name: 'a secondary and a watchdog cut off from the three others, of five',
    scene: 'five',
    service: 'undisturbed',
    boundMs: 0,
    strike: (scene) =>
      part(
        scene,
        [scene.secondary, scene.watchdog],
        [scene.primary, ...scene.secondaries.slice(1), ...scene.watchdogs.slice(1)],
      ),
  },
  {
    name: 'primary isolated and the other watchdog killed, of five',
    scene: 'five',
    service: 'elsewhere',
    boundMs: takeoverMs(),
    async strike(scene) {
      scene.watchdogs.at(-1)?.killMachine();
      await scene.isolate(scene.primary);
    },
  },
];

export const networkFaults: readonly Fault[] = [...single, ...primaryLost, ...five];
