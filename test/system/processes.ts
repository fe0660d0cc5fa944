/**
 * The processes of a test's cluster, found by what they carry in their environment, whoever their parent is now. It knows
 * /proc; it does not know what they are for.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** In the environment of every daemon, worker, hook and service of a test: the cluster's directory. */
export const DIRECTORY_MARK = 'HASTMON_TEST_DIR';
/** In the environment of daemons and workers; hooks and services have HASTMON_NODE. */
export const NODE_MARK = 'HASTMON_TEST_NODE';

export interface ProcessEntry {
  pid: number;
  parent: number;
  /** Its command line, as ps(1) shows it. */
  title: string;
  /** The name of its node. */
  node: string;
  /** The whole environment it was started with. */
  environment: string[];
}

/** Every live process of the cluster in this directory; zombies are not listed, for nothing of them is left. */
export function clusterProcesses(dir: string): ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name) || Number(name) === process.pid) continue;
    const entry = readEntry(Number(name), dir);
    if (entry !== null) entries.push(entry);
  }
  return entries;
}

function readEntry(pid: number, dir: string): ProcessEntry | null {
  try {
    // Empty for a zombie, and for a process that is just being executed: its parent is listed then.
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    const marked = environment.includes(`${DIRECTORY_MARK}=${dir}`);
    const hook = environment.some((line) => line.startsWith('HASTMON_NODE=')) && title.includes(`${dir}/`);
    if (!marked && !hook) return null;
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    return { pid, parent, title, node: nodeOf(environment), environment };
  } catch {
    return null; // It has ended meanwhile, or is somebody else's.
  }
}

function nodeOf(environment: string[]): string {
  for (const mark of [NODE_MARK, 'HASTMON_NODE']) {
    const line = environment.find((each) => each.startsWith(`${mark}=`));
    if (line !== undefined) return line.slice(mark.length + 1);
  }
  return '';
}

/** The workers of the daemon `main`: their titles say the role; a spare has the role 'spare'. */
export function workersOf(dir: string, main: number): { pid: number; role: string }[] {
  return clusterProcesses(dir)
    .filter((entry) => entry.parent === main && entry.title.startsWith('hastmon: '))
    .map(({ pid, title }) => ({ pid, role: /\((.*)\)$/.exec(title)?.[1] ?? '' }));
}

/** Sends the signal, if the process is still there. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  if (pid <= 1) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/** Kills all processes of a node at one stroke, and looks again for what they may have forked meanwhile. */
export function killNode(dir: string, node: string): void {
  for (let round = 0; round < 10; round += 1) {
    const doomed = clusterProcesses(dir).filter((entry) => entry.node === node);
    if (doomed.length === 0) return;
    for (const { pid } of doomed) signalProcess(pid, 'SIGKILL');
  }
}
