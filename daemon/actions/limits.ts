/** What the times of a resource mean for its lists: how long one may take as a whole, and whether that is enough for any. Pure. */
import { formatDuration } from '../config/duration.js';
import type { ResourceTimes } from '../config/types.js';
import { STOP_KILL_SHARE, STOP_TERM_SHARE } from '../core/stop-plan.js';
import { sectionsFor } from './states.js';
import type { Occasion } from './types.js';

/** The share of start_timeout and status_timeout after which hooks get SIGTERM. */
const TERM_SHARE = 0.9;

/** From the begin of a process of lists to the end of its first command, on a machine that is busy: with less, none would do. */
const PROCESS_ENOUGH_MS = 300;

export type ListTimes = Pick<
  ResourceTimes,
  'startTimeoutMs' | 'stopTimeoutMs' | 'statusTimeoutMs' | 'fenceTimeoutMs'
>;

export interface ListLimit {
  /** After which the list gets SIGTERM, whatever its lines say. */
  ms: number;
  /** The statement of hastmon.conf that rules it. */
  statement: 'start_timeout' | 'stop_timeout' | 'status_timeout';
}

/** The shortest time that a section's commands have together; null where their own limits are all there is. */
export function limitOf(on: Occasion, times: ListTimes): ListLimit | null {
  const limits: ListLimit[] = [];
  const section = [{ line: 0, on, commands: [] }];
  if (sectionsFor(section, 'primary', 'secondary', 'role').length > 0)
    limits.push({ ms: STOP_TERM_SHARE * times.stopTimeoutMs, statement: 'stop_timeout' });
  if (sectionsFor(section, 'secondary', 'primary', 'role').length > 0)
    limits.push({ ms: TERM_SHARE * times.startTimeoutMs, statement: 'start_timeout' });
  if (on.kind === 'event' && (on.event === 'status' || on.event === 'complain'))
    limits.push(statusLimit(times));
  limits.sort((one, other) => one.ms - other.ms);
  return limits[0] ?? null;
}

/** What a status has. */
export function statusLimit({ statusTimeoutMs }: Pick<ListTimes, 'statusTimeoutMs'>): ListLimit {
  return { ms: TERM_SHARE * statusTimeoutMs, statement: 'status_timeout' };
}

/** Which times are too short for lists, since each takes a process first; one sentence each. */
export function tooShort({ stopTimeoutMs, statusTimeoutMs, fenceTimeoutMs }: ListTimes): string[] {
  const short = (what: string, ms: number): string[] =>
    ms < PROCESS_ENOUGH_MS
      ? [
          `${what} ${formatDuration(Math.round(ms))}, and a list needs ${formatDuration(PROCESS_ENOUGH_MS)} to run at all`,
        ]
      : [];
  const stop = `stop_timeout ${formatDuration(stopTimeoutMs)} leaves`;
  return [
    ...short(`${stop} the list`, STOP_TERM_SHARE * stopTimeoutMs),
    // Without a fence, the last status may take as long as any.
    ...(fenceTimeoutMs > 0 ? short(`${stop} the last status`, stopTimeoutMs * (1 - STOP_KILL_SHARE)) : []),
    ...short(
      `status_timeout ${formatDuration(statusTimeoutMs)} leaves a status`,
      TERM_SHARE * statusTimeoutMs,
    ),
  ];
}
