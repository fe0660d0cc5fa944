/** How long the service is away when the primary's machine, its network, or its daemon is lost: heartbeat 100 ms, lease 300 ms. */
import { signalProcess } from '../test/system/processes.js';
import type { Scene } from '../test/system/scene.js';
import type { Fault } from '../test/system/trial.js';
import { addOverlap, createRow, type Row } from './row.js';
import type { Stage } from './stage.js';
import { holdScene, LATE_MS, type SceneHolder } from './trials.js';

const targetMs = 800;

function fault(name: string, strike: Fault['strike'], more: Partial<Fault> = {}): Fault {
  return { name, scene: 'three', service: 'elsewhere', boundMs: LATE_MS, strike, ...more };
}

async function killDaemonAndWorkers(scene: Scene): Promise<void> {
  const { primary } = scene;
  const doomed = primary.workers();
  primary.signal('SIGKILL');
  for (const { pid } of doomed) signalProcess(pid, 'SIGKILL');
}

/** Faults of the primary's machine; in the same scene the footprint is taken by others. */
export async function measureFailover(holder: SceneHolder, runs: number): Promise<Row[]> {
  const killed = createRow(
    'machine-killed',
    'hastmon',
    'machine of the primary killed: to first beat elsewhere',
    {
      target: targetMs,
    },
  );
  const cut = createRow('network-cut', 'hastmon', 'network of the primary cut: to first beat elsewhere', {
    target: targetMs,
    note: 'packets are dropped silently in both directions; the time begins before the first direction is cut',
  });
  const daemon = createRow('daemon-killed', 'hastmon', 'hastmond killed (-9): to first beat elsewhere', {
    note: 'the worker stops the service, then the lease runs out',
  });
  await holder.runs(
    killed,
    fault('machine killed', ({ primary }) => primary.killMachine()),
    runs,
  );
  const away: number[] = [];
  const isolate = fault('network cut', (scene) => scene.isolate(scene.primary));
  await holder.runs(cut, isolate, runs, ({ backMs, downtimeMs }) => {
    if (backMs !== null) cut.values.push(backMs);
    if (downtimeMs !== null) away.push(downtimeMs);
  });
  if (away.length > 0)
    cut.note += `; from the last beat there to the first one elsewhere ${Math.round(Math.min(...away))} ms at least`;
  await holder.runs(
    daemon,
    fault('daemon killed', ({ primary }) => primary.signal('SIGKILL')),
    runs,
  );
  return [killed, cut, daemon];
}

/** The counterpart of killing keepalived with all its processes: the supervisor's restart is what stops the service. */
export async function measureSupervised(stage: Stage, runs: number): Promise<Row[]> {
  const row = createRow(
    'daemon-and-workers-killed',
    'hastmon',
    'hastmond and its workers killed (-9): to a new first beat',
    {
      note: 'started again by a supervisor after 100 ms, stop_timeout 2 s; the service comes back on either node',
    },
  );
  const holder = holdScene(stage, 'supervised');
  const both = fault('daemon and workers killed', killDaemonAndWorkers, {
    scene: 'supervised',
    service: 'back',
  });
  await holder.runs(row, both, runs);
  await holder.close();
  addOverlap(row, 0);
  return [row];
}
