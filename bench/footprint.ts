/** What the processes hold of the machine's memory, and how fast `hastmonctl status` answers, beside an empty Node program. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type ClusterNode, hastmonctl } from '../test/system/cluster.js';
import { until } from '../test/system/wait.js';
import { createRow, median, type Row } from './row.js';
import type { SceneHolder } from './trials.js';

/** How often the two programs are started, in turns. */
const pairs = 15;

interface Memory {
  /** Shared pages count by the share of this process: proc(5). */
  pssMiB: number;
  /** What would be free again if this process ended. */
  privateMiB: number;
}

/** Memory of each process of a cluster at rest, then the starts of hastmonctl. */
export async function measureFootprint(holder: SceneHolder): Promise<Row[]> {
  const { primary, secondary, watchdog, cluster } = await holder.scene();
  const nodes: [string, ClusterNode][] = [
    ['primary', primary],
    ['secondary', secondary],
    ['watchdog', watchdog],
  ];
  const rows: Row[] = [];
  for (const [role, node] of nodes) {
    await until(() => node.worker('spare') > 0, 10_000, `${node.name} has no spare worker`);
    rows.push(memoryRow(`pss-main-${role}`, `PSS of hastmond on the ${role}`, node.pid));
    for (const worker of node.workers())
      rows.push(
        memoryRow(
          `pss-${worker.role}-${role}`,
          `PSS of the ${worker.role} worker on the ${role}`,
          worker.pid,
        ),
      );
  }
  return [...rows, ...startRows(['status', '-c', cluster.configFile, '-n', primary.name])];
}

function memoryRow(id: string, name: string, pid: number): Row {
  const row = createRow(id, 'hastmon', name, { unit: 'MiB' });
  try {
    const { pssMiB, privateMiB } = memoryOf(pid);
    row.values.push(pssMiB);
    row.note = `of which private ${privateMiB.toFixed(1)} MiB`;
  } catch (error) {
    row.skipped = (error as Error).message;
  }
  return row;
}

function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}: +([0-9]+) kB$`, 'm').exec(text)?.[1] ?? Number.NaN) / 1024;
  return { pssMiB: field('Pss'), privateMiB: field('Private_Clean') + field('Private_Dirty') };
}

function startRows(words: readonly string[]): Row[] {
  const status = createRow('status', 'hastmon', 'hastmonctl status, start to end');
  const empty = createRow('status-node', 'node', 'node -e 0, start to end');
  const ratio = createRow('status-ratio', 'hastmon', 'hastmonctl status / node -e 0, by pairs', {
    unit: 'ratio',
  });
  for (let pair = -1; pair < pairs; pair += 1) {
    const [nodeMs, statusMs] = [startMs(['-e', '0']), startMs([hastmonctl, ...words])];
    // The first pair only brings the files into memory.
    if (pair < 0) continue;
    empty.values.push(nodeMs);
    status.values.push(statusMs);
    ratio.values.push(statusMs / nodeMs);
  }
  status.note = `${(median(status.values) - median(empty.values)).toFixed(1)} ms more than the empty program`;
  return [status, empty, ratio];
}

function startMs(words: readonly string[]): number {
  const began = performance.now();
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  const tookMs = performance.now() - began;
  if (status !== 0) throw new Error(`node ${words.join(' ')}: exit ${status}: ${stderr}`);
  return tookMs;
}
