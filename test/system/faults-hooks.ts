/** Hooks that are slow, hang, fail, lie, or leave processes behind. */
import { allowanceMs, handoverMs, restartMs, takeoverMs } from './bounds.js';
import type { ClusterNode } from './node.js';
import { signalProcess } from './processes.js';
import type { Scene } from './scene.js';
import type { Fault } from './trial.js';
import { until } from './wait.js';

/** start_timeout and stop_timeout of the trials: the first start that fails is enough to give back what was handed over (P8). */
const failedStartMs = 1500 + 200;

async function switchOver(scene: Scene, from: ClusterNode): Promise<void> {
  await scene.order(from, { kind: 'switchover', resource: scene.cluster.resource, to: '', wait: false });
}

function killService(scene: Scene): void {
  signalProcess(scene.beats().at(-1)?.pid ?? 0, 'SIGKILL');
}

/** The secondary is told to take over and cannot: the service comes back where it was. */
function successorFails(how: 'fail' | 'hang' | 'lie'): Fault {
  return {
    name: `start ${how === 'fail' ? 'fails' : `${how}s`} on the successor`,
    scene: 'three',
    service: 'back',
    // There and back: nobody waits for a grant to run out, nor for complaints.
    boundMs: (how === 'fail' ? 0 : failedStartMs) + 2 * handoverMs() - allowanceMs,
    async strike(scene) {
      scene.secondary.fault(`start.${how}`);
      await switchOver(scene, scene.primary);
    },
  };
}

/** A primary loses its lease and its stop does not do what it should: the control group's end does. */
function stopGoesWrong(how: 'slow' | 'fail' | 'hang' | 'lie'): Fault {
  return {
    name: `stop ${how === 'slow' ? 'is too slow' : how === 'fail' ? 'fails' : `${how}s`} on a primary that is isolated`,
    scene: 'three',
    needsControlGroup: true,
    service: 'elsewhere',
    boundMs: takeoverMs(),
    async strike(scene) {
      scene.primary.fault(`stop.${how}`, '3');
      await scene.isolate(scene.primary);
    },
  };
}

export const hookFaults: readonly Fault[] = [
  successorFails('fail'),
  successorFails('hang'),
  successorFails('lie'),
  stopGoesWrong('slow'),
  stopGoesWrong('fail'),
  stopGoesWrong('hang'),
  stopGoesWrong('lie'),
  {
    name: 'start is slow on the secondary that takes over',
    scene: 'three',
    service: 'elsewhere',
    boundMs: takeoverMs() + 500,
    strike({ primary, secondary }) {
      secondary.fault('start.slow', '0.5');
      primary.killMachine();
    },
  },
  {
    name: 'stop is slow in a switchover',
    scene: 'three',
    service: 'elsewhere',
    boundMs: handoverMs() + 1000,
    async strike(scene) {
      scene.primary.fault('stop.slow', '1');
      await switchOver(scene, scene.primary);
    },
  },
  {
    name: 'stop lies in a switchover',
    scene: 'three',
    needsControlGroup: true,
    service: 'elsewhere',
    boundMs: handoverMs(),
    async strike(scene) {
      scene.primary.fault('stop.lie');
      await switchOver(scene, scene.primary);
    },
  },
  {
    name: 'service cannot be started again where it was',
    scene: 'three',
    service: 'elsewhere',
    boundMs: restartMs() + 3 * 100 + handoverMs(),
    strike(scene) {
      scene.primary.fault('start.fail');
      killService(scene);
    },
  },
  {
    name: 'start left a daemon behind that stop does not know',
    scene: 'three',
    needsControlGroup: true,
    service: 'elsewhere',
    boundMs: takeoverMs(),
    async strike(scene, blow) {
      const { primary, secondary } = scene;
      secondary.fault('leave.daemon');
      await switchOver(scene, primary);
      const arrived = async (): Promise<boolean> => (await secondary.status())?.state === 'run';
      await until(arrived, 10_000, 'the switchover does not succeed');
      blow();
      await scene.isolate(secondary);
    },
  },
  {
    name: 'status is unknown for a moment',
    scene: 'three',
    service: 'up',
    boundMs: takeoverMs(),
    async strike({ primary }) {
      primary.fault('status.unknown');
      const before = primary.hooks().length;
      await until(() => primary.hooks().length > before + 1, 5000, 'status does not run');
      primary.fault('status.unknown', null);
    },
  },
  {
    name: 'status is unknown for good',
    scene: 'three',
    service: 'down',
    boundMs: takeoverMs() + allowanceMs,
    // Unknown counts as running: it is stopped, and nobody else may start it until that is known.
    async strike({ primary }, blow) {
      primary.fault('status.unknown');
      const failed = async (): Promise<boolean> => (await primary.status())?.state === 'failed';
      await until(failed, 8000, 'the primary goes on');
      blow();
    },
    lift: ({ primary }) => primary.fault('status.unknown', null),
  },
];
