/** What `start` left behind: ending it after a stop, and reading on what it prints. It does not know whether a stop went well. */
import { cgroupEmpty, emptyCgroup } from '../sys/cgroup.js';
import { messageOf } from '../sys/errors.js';
import type { HookContext } from './context.js';
import { endGroup } from './group.js';
import { type HookRecord, type HookRecords, makerAlive } from './records.js';
import { readSink } from './sink.js';
import type { HookClock, HookLog } from './types.js';

export interface LeftoverOptions {
  records: HookRecords;
  /** The control group of the resource, null where there is none. */
  cgroup: string | null;
  clock: HookClock;
  log: HookLog;
  /** How long to wait at most until all is gone. */
  limitMs: number;
}

/** See HookRunner.killLeftovers(). */
export async function endLeftovers(options: LeftoverOptions): Promise<'none' | 'killed' | 'failed'> {
  const { records, clock, log, limitMs } = options;
  const { records: recorded, unreadable } = listAll(records);
  for (const text of unreadable) log.error({}, `what start left behind may be running: ${text}`);
  // No `start` runs now. One that is on record as running could not be put on record anew when it was over.
  const left = recorded.filter((record) => record.kind === 'left' || record.action === 'start');
  // Where this process is in another control group than the one that ran `start`, so is the resource's.
  const cgroups = new Set(
    [options.cgroup, ...left.map((record) => record.cgroup)].filter((path) => path !== null),
  );

  const outcomes = await Promise.all([
    ...[...cgroups].map((path) => endCgroup(path, limitMs, log)),
    ...left.map(async (record) => {
      const ended = await endGroup(record, clock, { limitMs });
      if (ended === 'left' || ended === 'unsure') log.error({ hook: record.action }, leftText(record, ended));
      return ended;
    }),
  ]);
  if (unreadable.length > 0 || outcomes.some((outcome) => outcome === 'left' || outcome === 'unsure')) {
    return 'failed';
  }
  for (const record of left) records.forget(record);
  return outcomes.includes('ended') ? 'killed' : 'none';
}

/** What to tell about a recorded group that could not be ended. */
export function leftText(record: HookRecord, state: 'left' | 'unsure'): string {
  const group = `process group ${record.pid} of ${record.action} (${record.program})`;
  return state === 'left'
    ? `${group} does not end, though killed: it may be in an uninterruptible wait`
    : `${group} may be running: there is such a group, but its leader has ended and nothing else tells that it is the one`;
}

/**
 * Reads on what services print whose `start` a process ran that has ended, before their pipe is full; see output.ts. Such a record
 * becomes one of this process, so that no other one reads the same pipe.
 */
export function adoptOutputs(context: HookContext): void {
  const { records } = context;
  for (const record of records.list().records) {
    if (record.kind !== 'left' || record.output === null || makerAlive(record.name)) continue;
    try {
      const sink = readSink(context, record.action, record.output);
      if (sink.endRun().held) {
        context.keep(sink);
        records.write({ ...record, name: records.newName() });
        records.remove(record);
      } else {
        sink.discard();
      }
    } catch {
      // The pipe is gone: nobody had it open any more. Or the disk is full: the record stays as it is.
    }
  }
}

// The control group is to be ended even where the records cannot be had.
function listAll(records: HookRecords): ReturnType<HookRecords['list']> {
  try {
    return records.list();
  } catch (error) {
    return { records: [], unreadable: [messageOf(error)] };
  }
}

async function endCgroup(path: string, limitMs: number, log: HookLog): Promise<'none' | 'ended' | 'left'> {
  if (cgroupEmpty(path)) return 'none';
  if (await emptyCgroup(path, limitMs)) return 'ended';
  log.error(
    {},
    `processes of the control group ${path} do not end, though killed: they may be in an uninterruptible wait`,
  );
  return 'left';
}
