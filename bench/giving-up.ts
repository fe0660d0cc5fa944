/** How fast a node that cannot start the service hands it over once it has given up. */
import { monotonicMs } from '../test/system/cluster.js';
import type { ClusterNode } from '../test/system/node.js';
import { signalProcess } from '../test/system/processes.js';
import type { Scene } from '../test/system/scene.js';
import type { Fault } from '../test/system/trial.js';
import { createRow, type Row } from './row.js';
import { clockOffsetMs, hookTimes, timedHooksProblem } from './timed-hooks.js';
import { LATE_MS, type SceneHolder } from './trials.js';

/** The scene's hooks are to be timed; see timed-hooks.ts. */
export async function measureGivingUp(holder: SceneHolder, runs: number): Promise<Row[]> {
  const skipped = timedHooksProblem();
  const began = createRow('giving-up-start', 'hastmon', 'giving up to start: to the start hook elsewhere', {
    skipped,
    target: 200,
    note: 'from the line "giving up" in the log of the node where start fails to the beginning of start on the other one',
  });
  const beat = createRow('giving-up-beat', 'hastmon', 'giving up to start: to first beat elsewhere', {
    skipped,
  });
  if (skipped !== '') return [began, beat];

  let struck = { from: '', at: 0, since: 0 };
  const fault: Fault = {
    name: 'start fails',
    scene: 'three',
    service: 'elsewhere',
    boundMs: LATE_MS,
    strike(scene, blow) {
      struck = { from: scene.primary.name, at: monotonicMs(), since: scene.primary.log().length };
      scene.primary.fault('start.fail');
      blow();
      signalProcess(scene.beats().at(-1)?.pid ?? 0, 'SIGKILL');
    },
  };
  await holder.runs(beat, fault, runs, (_verdict, scene) => {
    const gaveUp = gaveUpAt(scene.cluster.node(struck.from), struck.since);
    const start = hookTimes(scene.cluster).find(
      ({ node, action, began: at }) => action === 'start' && node !== struck.from && at > struck.at,
    );
    const first = firstBeat(scene, struck.from, struck.at);
    if (gaveUp === null || start === undefined || first === null) {
      beat.problems.push('no giving up with a start elsewhere after it was seen');
      return;
    }
    began.values.push(start.began - gaveUp);
    beat.values.push(first - gaveUp);
  });
  began.overlapMs = beat.overlapMs;
  return [began, beat];
}

/** When the node said so first, after this place of its log, as CLOCK_MONOTONIC; null where it did not. */
function gaveUpAt(node: ClusterNode, since: number): number | null {
  const line = /^(\S+) (\S+) .*giving up after/m.exec(node.log().slice(since));
  // The log's time is local time; without a zone, that is what Date reads.
  return line === null ? null : new Date(`${line[1]}T${line[2]}`).getTime() + clockOffsetMs();
}

function firstBeat(scene: Scene, notOn: string, after: number): number | null {
  return scene.beats().find((life) => life.node !== notOn && life.first > after)?.first ?? null;
}
