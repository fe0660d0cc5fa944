/** What a planned switchover adds to the time that the hooks themselves take. */
import type { Scene } from '../test/system/scene.js';
import type { Fault } from '../test/system/trial.js';
import { createRow, median, type Row } from './row.js';
import { type HookTime, hookTimes, timedHooksProblem } from './timed-hooks.js';
import { LATE_MS, type SceneHolder } from './trials.js';

/** The scene's hooks are to be timed; see timed-hooks.ts. */
export async function measureSwitchover(holder: SceneHolder, runs: number): Promise<Row[]> {
  const skipped = timedHooksProblem();
  const name = 'switchover: ';
  const away = createRow('switchover-away', 'hastmon', `${name}no beats, to the first beat elsewhere`, {
    skipped,
  });
  const hooks = createRow('switchover-hooks', 'hastmon', `${name}the hooks' own time, stop and start`, {
    skipped,
  });
  const beyond = createRow('switchover-beyond', 'hastmon', `${name}time beyond the hooks`, {
    skipped,
    target: 100,
  });
  const rows = [away, hooks, beyond];
  if (skipped !== '') return rows;

  let ordered = 0;
  const checks: number[] = [];
  const fault: Fault = {
    name: 'switchover',
    scene: 'three',
    service: 'elsewhere',
    boundMs: LATE_MS,
    strike(scene, blow) {
      blow();
      ordered = hookTimes(scene.cluster).length;
      return order(scene);
    },
  };
  await holder.runs(away, fault, runs, (verdict, scene) => {
    const times = hookTimes(scene.cluster).slice(ordered);
    const [stop, start] = pairOf(times);
    if (stop === undefined || start === undefined || verdict.downtimeMs === null) {
      away.problems.push('no stop with a start after it was seen');
      return;
    }
    away.values.push(verdict.downtimeMs);
    hooks.values.push(stop.ended - stop.began + start.ended - start.began);
    beyond.values.push(start.began - stop.ended);
    checks.push(statusMs(times, stop.ended, start.began));
  });
  beyond.note =
    'from the end of stop to the beginning of start: a last status, the release, the lease on the other node; ' +
    `of which in status hooks ${median(checks).toFixed(1)} ms (median)`;
  return rows;
}

function order(scene: Scene): Promise<void> {
  return scene.order(scene.primary, {
    kind: 'switchover',
    resource: scene.cluster.resource,
    to: '',
    wait: false,
  });
}

/** How long hooks that ask for the status ran between two instants, on either node. */
function statusMs(times: readonly HookTime[], from: number, to: number): number {
  const parts = times
    .filter(({ action }) => action === 'status')
    .map(({ began, ended }) => Math.min(ended, to) - Math.max(began, from));
  return parts.reduce((sum, part) => sum + Math.max(0, part), 0);
}

/** The first stop, and the first start on another node after it. */
function pairOf(times: readonly HookTime[]): [HookTime | undefined, HookTime | undefined] {
  const stop = times.find(({ action }) => action === 'stop');
  const start = times.find(
    ({ node, action, began }) =>
      action === 'start' && node !== stop?.node && began > (stop?.ended ?? Infinity),
  );
  return [stop, start];
}
