/** Figures of the processes of this daemon. */
import type { DaemonFigures, ProcessFigures } from '../ipc.js';
import { type Family, family, gauge, type Labels } from './exposition.js';

/** Those that are started again, which the main process counts. */
const SUPERVISED: ReadonlySet<string> = new Set(['monitor', 'balancer', 'http', 'actions-monitor']);

export function processFamilies({ processes, restarts }: DaemonFigures): Family[] {
  const groups = new Map<string, ProcessFigures[]>();
  for (const each of processes) {
    const key = JSON.stringify([each.process, each.resource]);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  // There may be several spares, and two notifiers.
  const sum = (value: (figures: ProcessFigures) => number | null): [Labels, number][] =>
    [...groups.values()].flatMap((group): [Labels, number][] => {
      const [first] = group;
      const values = group.map(value).filter((found) => found !== null);
      if (first === undefined || values.length === 0) return [];
      const { process, resource } = first;
      return [[{ process, resource }, values.reduce((total, each) => total + each, 0)]];
    });
  const supervised = processes.map((each) => each.process).filter((kind) => SUPERVISED.has(kind));
  return [
    gauge(
      'hastmon_processes',
      'Processes of this daemon.',
      sum(() => 1),
    ),
    family(
      'hastmon_process_cpu_seconds_total',
      'counter',
      'Time of processors that they have taken.',
      sum(({ cpuSeconds }) => cpuSeconds),
    ),
    gauge(
      'hastmon_process_resident_memory_bytes',
      'Memory that they have.',
      sum(({ residentBytes }) => residentBytes),
    ),
    gauge(
      'hastmon_process_open_fds',
      'Descriptors that they have open.',
      sum(({ descriptors }) => descriptors),
    ),
    gauge(
      'hastmon_process_uptime_seconds',
      'Since it began; of several, all together.',
      sum(({ uptimeMs }) => uptimeMs / 1000),
    ),
    family(
      'hastmon_process_restarts_total',
      'counter',
      'How often another process was started in the place of one that was gone.',
      [...new Set([...supervised, ...Object.keys(restarts)])].map((kind) => [
        { process: kind },
        restarts[kind] ?? 0,
      ]),
    ),
  ];
}
