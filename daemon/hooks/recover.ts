/**
 * What a new process does first: it ends the hooks that an earlier one was running. Nobody may run another hook of the
 * resource before that is done. It does not know what became of the resource: status tells.
 */
import { messageOf } from '../sys/errors.js';
import { systemHookClock } from './clock.js';
import { endGroup, groupState } from './group.js';
import { endLeftovers, leftText } from './leftovers.js';
import { type HookRecord, type HookRecords, makerAlive, openHookRecords } from './records.js';
import type { HookClock, HookLog } from './types.js';

export interface RecoverOptions {
  log: HookLog;
  clock?: HookClock;
  /** How long to wait at most until all is gone; default 5000. */
  limitMs?: number;
}

export interface Recovered {
  /** How many hooks were running and were ended. */
  ended: number;
  /** What is left or may be, a sentence for each. Empty: nothing. */
  failed: string[];
}

/**
 * Ends every hook on record as running: the whole process group, with SIGKILL, if it is the recorded one by pid, start time and
 * boot; waits until it is gone. A `start` or `stop` is ended whoever runs it; other hooks only where the process that ran them
 * has ended (notifications of the main process are none of a worker's business). What an earlier `start` left behind
 * stays: it is the service. Throws an Error with a clear message where the directory cannot be used.
 */
export function endRecorded(directory: string, options: RecoverOptions): Promise<Recovered> {
  return endRunning(directory, options, async () => {});
}

/** endRecorded(), with something to wait for before a hook is ended. For recover.ts and exclusive.ts. */
export async function endRunning(
  directory: string,
  options: RecoverOptions,
  before: (record: HookRecord) => Promise<void>,
): Promise<Recovered> {
  const records = openHookRecords(directory);
  const { records: recorded, unreadable } = records.list();
  const running = recorded.filter(
    ({ kind, action, name }) =>
      kind === 'running' && (action === 'start' || action === 'stop' || !makerAlive(name)),
  );
  const ends = await Promise.all(
    running.map(async (record) => {
      await before(record);
      return endRecord(records, record, options);
    }),
  );
  return {
    ended: ends.filter((end) => end === 'ended').length,
    failed: [
      ...unreadable.map((text) => `a hook may be running: ${text}`),
      ...ends.filter((end) => end !== 'ended' && end !== 'none'),
    ],
  };
}

/** The processes that an earlier `start` left behind, as far as they are in its process group and there still. */
export function listLeftovers(directory: string): HookRecord[] {
  const { records } = openHookRecords(directory).list();
  return records.filter((record) => record.kind === 'left' && groupState(record) !== 'gone');
}

/** HookRunner.killLeftovers() for a directory without a runner. */
export function killLeftovers(
  directory: string,
  options: RecoverOptions & { cgroup: string | null },
): Promise<'none' | 'killed' | 'failed'> {
  const { log, cgroup, clock = systemHookClock, limitMs = 5000 } = options;
  return endLeftovers({ records: openHookRecords(directory), cgroup, clock, log, limitMs });
}

/** Ends one recorded hook. A text other than `none` and `ended` says what is left. */
async function endRecord(records: HookRecords, record: HookRecord, options: RecoverOptions): Promise<string> {
  const { log, clock = systemHookClock, limitMs = 5000 } = options;
  const end = await endGroup(record, clock, { limitMs });
  if (end === 'left' || end === 'unsure') return leftText(record, end);
  if (end === 'ended') {
    log.warn(
      { hook: record.action },
      `${record.action} of an earlier process left processes running: killed`,
    );
  }
  settle(records, record, log);
  return end;
}

// A `start` that was ended may have left processes in its control group, outside of its process group: they stay on record.
function settle(records: HookRecords, record: HookRecord, log: HookLog): void {
  if (record.action !== 'start' || record.cgroup === null) {
    records.forget(record);
    return;
  }
  try {
    records.write({ ...record, kind: 'left' });
  } catch (error) {
    log.error({ hook: 'start' }, `the record of a start that was ended stays as it is: ${messageOf(error)}`);
  }
}
