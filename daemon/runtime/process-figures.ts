/** What the processes of this daemon cost, by the kernel's word (proc(5)): its own figures and those of its children. */
import { readdir, readFile } from 'node:fs/promises';
import type { DaemonFigures, ProcessFigures } from '../http/ipc.js';
import { bootTime } from '../sys/clock.js';
import { startedAtMs } from '../sys/process.js';

/** USER_HZ is 100 on all of Node's platforms. */
const TICKS_PER_SECOND = 100;

/** Titles are `hastmon: RESOURCE (ROLE)`, or `hastmon: WHAT (PROCESS)`. */
const TITLE = /^hastmon: (?:(.*) )?\(([a-z-]+)\)$/;
const WORKERS: ReadonlySet<string> = new Set(['primary', 'secondary', 'watchdog']);

/** Of the main process and of what it has started itself; what has ended meanwhile is left out. Never rejects. */
export async function daemonFigures(restarts: ReadonlyMap<string, number>): Promise<DaemonFigures> {
  const { pid } = process;
  const children = await textOf(`/proc/${pid}/task/${pid}/children`);
  const pids = (children ?? '').split(' ').filter((word) => /^[0-9]+$/.test(word));
  const found = await Promise.all([
    figuresOf(pid, true),
    ...pids.map((child) => figuresOf(Number(child), false)),
  ]);
  return {
    processes: found.filter((entry) => entry !== null),
    restarts: Object.fromEntries(restarts),
  };
}

async function figuresOf(pid: number, main: boolean): Promise<ProcessFigures | null> {
  const [stat, status, title, descriptors] = await Promise.all([
    textOf(`/proc/${pid}/stat`),
    textOf(`/proc/${pid}/status`),
    main ? 'hastmon: (main)' : textOf(`/proc/${pid}/cmdline`),
    readdir(`/proc/${pid}/fd`).catch(() => null),
  ]);
  const named = TITLE.exec((title ?? '').replace(/\0[\s\S]*$/, '').trim());
  // The name of the program may hold blanks and parentheses: what is after the last one counts.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const kilobytes = /^VmRSS:\s+([0-9]+) kB$/m.exec(status ?? '')?.[1];
  if (stat === null || named === null || kilobytes === undefined) return null;
  const [, what = '', word = ''] = named;
  const worker = WORKERS.has(word);
  return {
    process: worker ? 'worker' : what === 'actions' ? 'actions-monitor' : word,
    resource: worker ? what : '',
    pid,
    // Fields 14, 15 and 22 of proc(5): utime, stime, starttime.
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    residentBytes: Number(kilobytes) * 1024,
    descriptors: descriptors?.length ?? null,
    uptimeMs: Math.max(0, bootTime() - startedAtMs(Number(fields[19]))),
  };
}

function textOf(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch(() => null);
}
