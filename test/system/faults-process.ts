/** Processes that are killed or stopped: each alone, whole machines, two at once, under a supervisor. */
import { bootMs, restartMs, takeoverMs } from './bounds.js';
import type { ClusterNode } from './node.js';
import { signalProcess } from './processes.js';
import { FENCED_STOP_MS, type Scene } from './scene.js';
import type { Fault } from './trial.js';
import { pause, until } from './wait.js';

type Part = 'primary' | 'secondary' | 'watchdog';
const supervisedStopMs = 2000;

/** Kills the worker and waits that another one has taken its place, where a role goes on that needs one. */
function killWorker(scene: Scene, part: Part): void {
  signalProcess(scene[part].worker(part), 'SIGKILL');
}

/** Starts the machines that are down, with no faults left, and gives one candidate the order to run the resource. */
export async function restart(scene: Scene, ...nodes: ClusterNode[]): Promise<void> {
  for (const node of nodes)
    for (const fault of ['start.slow', 'start.fail', 'stop.slow']) node.fault(fault, null);
  await Promise.all(nodes.map((node) => (node.running() ? null : node.start())));
  const resources = [scene.cluster.resource];
  for (const node of nodes) {
    const role = scene.watchdogs.includes(node) ? 'watchdog' : 'secondary';
    await scene.order(node, { kind: 'role', role, resources, force: false, wait: false });
  }
  const candidate = scene.all.find((node) => node.running() && !scene.watchdogs.includes(node));
  if (candidate === undefined) throw new Error('no candidate is up');
  await scene
    .order(candidate, { kind: 'role', role: 'primary', resources, force: false, wait: false })
    .catch(() => {});
}

const killed: Fault[] = [
  {
    name: 'main of the primary killed',
    scene: 'three',
    service: 'elsewhere',
    boundMs: takeoverMs(),
    strike: ({ primary }) => primary.signal('SIGKILL'),
  },
  {
    name: 'worker of the primary killed',
    scene: 'three',
    service: 'up',
    boundMs: takeoverMs(),
    strike: (scene) => killWorker(scene, 'primary'),
  },
  {
    name: 'worker and spare of the primary killed',
    scene: 'three',
    service: 'up',
    boundMs: takeoverMs(),
    strike({ primary }) {
      const doomed = primary.workers();
      for (const { pid } of doomed) signalProcess(pid, 'SIGKILL');
    },
  },
  ...(['secondary', 'watchdog'] as const).flatMap((part): Fault[] => [
    {
      name: `worker of the ${part} killed`,
      scene: 'three',
      service: 'undisturbed',
      boundMs: 0,
      strike: (scene) => killWorker(scene, part),
      lift: (scene) => until(() => scene[part].worker(part) > 0, 5000, `no new ${part} worker`),
    },
    {
      name: `main of the ${part} killed`,
      scene: 'three',
      service: 'undisturbed',
      boundMs: 0,
      strike: (scene) => scene[part].signal('SIGKILL'),
    },
    {
      name: `machine of the ${part} killed`,
      scene: 'three',
      service: 'undisturbed',
      boundMs: 0,
      strike: (scene) => scene[part].killMachine(),
    },
  ]),
  {
    name: 'spare of the primary killed',
    scene: 'three',
    service: 'undisturbed',
    boundMs: 0,
    strike: ({ primary }) => signalProcess(primary.worker('spare'), 'SIGKILL'),
    lift: ({ primary }) => until(() => primary.worker('spare') > 0, 8000, 'no new spare'),
  },
  {
    name: 'machine of the primary killed',
    scene: 'three',
    service: 'elsewhere',
    boundMs: takeoverMs(),
    strike: ({ primary }) => primary.killMachine(),
  },
  {
    name: 'machine of the primary lost without a word',
    scene: 'three',
    service: 'elsewhere',
    boundMs: takeoverMs(),
    async strike(scene) {
      await scene.isolate(scene.primary);
      scene.primary.killMachine();
    },
  },
  {
    name: 'service of the primary killed',
    scene: 'three',
    service: 'back',
    boundMs: restartMs(),
    strike: (scene) => signalProcess(scene.beats().at(-1)?.pid ?? 0, 'SIGKILL'),
  },
];

const stopped: Fault[] = [
  {
    name: 'main of the primary stopped',
    scene: 'three',
    service: 'elsewhere',
    boundMs: takeoverMs(),
    strike: ({ primary }) => primary.signal('SIGSTOP'),
    lift: ({ primary }) => primary.signal('SIGCONT'),
  },
  {
    name: 'main of the primary stopped for a moment',
    scene: 'three',
    service: 'up',
    boundMs: takeoverMs(),
    async strike({ primary }) {
      primary.signal('SIGSTOP');
      await pause(250);
      primary.signal('SIGCONT');
    },
  },
  {
    name: 'worker of the primary stopped',
    scene: 'three',
    service: 'back',
    boundMs: takeoverMs(),
    strike: ({ primary }) => signalProcess(primary.worker('primary'), 'SIGSTOP'),
  },
  ...(['secondary', 'watchdog'] as const).flatMap((part): Fault[] => [
    {
      name: `main of the ${part} stopped`,
      scene: 'three',
      service: 'undisturbed',
      boundMs: 0,
      strike: (scene) => scene[part].signal('SIGSTOP'),
      lift: (scene) => scene[part].signal('SIGCONT'),
    },
    {
      name: `worker of the ${part} stopped`,
      scene: 'three',
      service: 'undisturbed',
      boundMs: 0,
      strike: (scene) => signalProcess(scene[part].worker(part), 'SIGSTOP'),
    },
  ]),
];

const several: Fault[] = [
  {
    name: 'machines of primary and watchdog killed',
    scene: 'three',
    service: 'down',
    boundMs: bootMs(),
    strike({ primary, watchdog }) {
      primary.killMachine();
      watchdog.killMachine();
    },
    lift: (scene) => restart(scene, scene.primary, scene.watchdog),
  },
  {
    name: 'machines of secondary and watchdog killed',
    scene: 'three',
    service: 'down',
    boundMs: bootMs(),
    strike({ secondary, watchdog }) {
      secondary.killMachine();
      watchdog.killMachine();
    },
    lift: (scene) => restart(scene, scene.watchdog, scene.secondary),
  },
  {
    name: 'main of the primary and worker of the secondary killed',
    scene: 'three',
    service: 'elsewhere',
    boundMs: takeoverMs(),
    strike(scene) {
      killWorker(scene, 'secondary');
      scene.primary.signal('SIGKILL');
    },
  },
  {
    name: 'machines of the primary and a watchdog killed, of five',
    scene: 'five',
    service: 'elsewhere',
    boundMs: takeoverMs(),
    strike({ primary, watchdog }) {
      watchdog.killMachine();
      primary.killMachine();
    },
  },
  {
    name: 'machines of the primary and a secondary killed, of five',
    scene: 'five',
    service: 'elsewhere',
    boundMs: takeoverMs(),
    strike({ primary, secondary }) {
      secondary.killMachine();
      primary.killMachine();
    },
  },
  {
    name: 'machines of both watchdogs killed, of five',
    scene: 'five',
    service: 'undisturbed',
    boundMs: 0,
    strike: ({ watchdogs }) => watchdogs.forEach((node) => void node.killMachine()),
  },
  {
    name: 'machines of three nodes killed, of five',
    scene: 'five',
    service: 'down',
    boundMs: bootMs(),
    strike({ secondaries, watchdog }) {
      for (const node of [...secondaries, watchdog]) node.killMachine();
    },
    lift: (scene) => restart(scene, scene.watchdog, ...scene.secondaries),
  },
];

/** Starts that somebody is killed in: the secondary takes over, and its start takes a while. */
function inTheMiddleOfStart(name: string, kill: (node: ClusterNode) => void, more: Partial<Fault>): Fault {
  return {
    name: `${name} killed in the middle of start`,
    scene: 'three',
    service: 'elsewhere',
    boundMs: takeoverMs() + 3000,
    async strike({ primary, secondary }, blow) {
      secondary.fault('start.slow', '0.6');
      const before = secondary.hooks().length;
      primary.killMachine();
      await hookRuns(secondary, 'start', before);
      blow();
      kill(secondary);
    },
    ...more,
  };
}

function inTheMiddleOfStop(name: string, kill: (node: ClusterNode) => void, more: Partial<Fault>): Fault {
  return {
    name: `${name} killed in the middle of stop`,
    scene: 'three',
    service: 'elsewhere',
    boundMs: takeoverMs() + 1000,
    async strike(scene, blow) {
      const { primary, cluster } = scene;
      primary.fault('stop.slow', '0.1');
      const before = primary.hooks().length;
      const switchover = { kind: 'switchover', resource: cluster.resource, to: '', wait: false } as const;
      await scene.order(primary, switchover);
      await hookRuns(primary, 'stop', before);
      blow();
      kill(primary);
    },
    ...more,
  };
}

async function hookRuns(node: ClusterNode, action: string, before: number): Promise<void> {
  const runs = (): boolean =>
    node
      .hooks()
      .slice(before)
      .some((hook) => hook.action === action);
  await until(runs, 10_000, `${action} does not run on ${node.name}`);
}

const killMain = (node: ClusterNode): void => node.signal('SIGKILL');
const killPrimaryWorker = (node: ClusterNode): void => signalProcess(node.worker('primary'), 'SIGKILL');
/** Both at one stroke, as nearly as that can be had. */
function killBoth(node: ClusterNode): void {
  const worker = node.worker('primary');
  node.signal('SIGKILL');
  signalProcess(worker, 'SIGKILL');
}

const inTheMiddle: Fault[] = [
  inTheMiddleOfStart('main', killMain, {
    service: 'down',
    boundMs: bootMs(),
    lift: (scene) => restart(scene, scene.primary, scene.secondary),
  }),
  inTheMiddleOfStart('worker', killPrimaryWorker, {}),
  inTheMiddleOfStop('main', killMain, {}),
  inTheMiddleOfStop('worker', killPrimaryWorker, {}),
];

const fenced: Fault[] = [
  {
    name: 'stop hangs on a primary that is isolated, and the fence ends the service',
    scene: 'fenced',
    service: 'elsewhere',
    boundMs: takeoverMs(2 * FENCED_STOP_MS),
    async strike(scene) {
      scene.primary.fault('stop.hang');
      await scene.isolate(scene.primary);
    },
  },
  {
    // A whole new stop would end long after the grant.
    name: 'main and worker killed in the middle of the fence, under a supervisor',
    scene: 'fenced',
    service: 'elsewhere',
    boundMs: takeoverMs(2 * FENCED_STOP_MS),
    async strike(scene) {
      const { primary } = scene;
      primary.fault('stop.hang');
      primary.fault('fence.slow', '1');
      const before = primary.hooks().length;
      await scene.isolate(primary);
      await hookRuns(primary, 'fence', before);
      await pause(300);
      killBoth(primary);
    },
  },
];

const supervised: Fault[] = [
  {
    name: 'main and worker of the primary killed, under a supervisor',
    scene: 'supervised',
    service: 'back',
    boundMs: bootMs(supervisedStopMs),
    strike: ({ primary }) => killBoth(primary),
  },
  {
    name: 'main of the primary killed, under a supervisor',
    scene: 'supervised',
    service: 'back',
    boundMs: bootMs(supervisedStopMs),
    strike: ({ primary }) => killMain(primary),
  },
  inTheMiddleOfStart('main and worker', killBoth, {
    name: 'main and worker killed in the middle of start, under a supervisor',
    scene: 'supervised',
    service: 'back',
    boundMs: bootMs(supervisedStopMs) + takeoverMs(supervisedStopMs),
  }),
  inTheMiddleOfStop('main and worker', killBoth, {
    name: 'main and worker killed in the middle of stop, under a supervisor',
    scene: 'supervised',
    service: 'back',
    boundMs: bootMs(supervisedStopMs),
  }),
  {
    name: 'all daemons killed at once, under a supervisor',
    scene: 'supervised',
    service: 'up',
    boundMs: bootMs(supervisedStopMs),
    strike: ({ all }) => all.forEach((node) => void node.signal('SIGKILL')),
  },
  {
    name: 'all machines restarted at once, with role_on_start',
    scene: 'supervised',
    service: 'back',
    boundMs: bootMs(supervisedStopMs),
    strike({ all }) {
      for (const node of all) node.killMachine();
      for (const node of all) node.supervise();
    },
  },
];

export const processFaults: readonly Fault[] = [
  ...killed,
  ...stopped,
  ...several,
  ...inTheMiddle,
  ...fenced,
  ...supervised,
];
