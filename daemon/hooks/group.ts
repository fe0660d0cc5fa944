/**
 * The process group of a recorded hook: whether it is still there, and ending it. The number of a group alone says nothing:
 * it is free for another one as soon as the last process of the group is gone. It does not know of control groups.
 */
import {
  type GroupMember,
  groupAlive,
  groupMembers,
  killGroup,
  processStartTime,
  startedWith,
} from '../sys/process.js';
import { pause } from './clock.js';
import type { HookRecord } from './records.js';
import type { HookClock } from './types.js';

/**
 * `gone`: no process of the hook's group is left but zombies. `alive`: some are. `unsure`: there is a group of that number, its
 * leader has ended, and nothing tells whether it is the recorded one.
 */
export type GroupState = 'gone' | 'alive' | 'unsure';

/**
 * How the group is that was recorded in this boot. While its leader exists, the start time decides. When it has ended, a process decides that was
 * on record or that carries the hook's mark in its environment; `watched` says that the caller has had the group in
 * sight without a gap and needs no such proof.
 */
export function groupState(record: HookRecord, watched = false): GroupState {
  try {
    const leaderStart = processStartTime(record.pid);
    // A process can only get this number when no process and no group has it: the recorded group is over.
    if (leaderStart !== null && leaderStart !== record.startTime) return 'gone';
    if (!groupAlive(record.pid)) return 'gone';
    if (leaderStart !== null || watched) return 'alive';
    const members = groupMembers(record.pid);
    if (members.length === 0) return 'gone';
    return members.some((member) => recognised(member, record)) ? 'alive' : 'unsure';
  } catch {
    // The kernel cannot be asked (no descriptors left): nobody may be killed on suspicion, nor counted as gone.
    return watched ? 'alive' : 'unsure';
  }
}

export interface EndGroupOptions {
  /** How long to wait after the first SIGKILL, at most. */
  limitMs: number;
  /** See groupState(). */
  watched?: boolean;
  /** Until when, by the clock, the group may end by itself. */
  graceUntil?: number | undefined;
}

/**
 * Ends the group with SIGKILL and waits until it is gone. `none`: it was gone, or went by itself; `left`: processes are there
 * still (in an uninterruptible wait); `unsure`: see GroupState, nothing was done.
 */
export async function endGroup(
  record: HookRecord,
  clock: HookClock,
  { limitMs, watched = false, graceUntil = Number.NEGATIVE_INFINITY }: EndGroupOptions,
): Promise<'none' | 'ended' | 'left' | 'unsure'> {
  let inSight = watched;
  let killedAt: number | null = null;
  for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, 50)) {
    const state = groupState(record, inSight);
    if (state === 'gone') return killedAt === null ? 'none' : 'ended';
    if (state === 'unsure') return 'unsure';
    inSight = true;
    const now = clock.now();
    if (killedAt !== null && now - killedAt >= limitMs) return 'left';
    if (now >= graceUntil) {
      killedAt ??= now;
      killGroup(record.pid, 'SIGKILL');
    }
    const graceMs = killedAt === null ? Math.max(1, graceUntil - now) : pauseMs;
    await pause(clock, Math.min(pauseMs, graceMs));
  }
}

function recognised(member: GroupMember, record: HookRecord): boolean {
  return (
    record.members.some(({ pid, startTime }) => pid === member.pid && startTime === member.startTime) ||
    startedWith(member.pid, `HASTMON_HOOK=${record.mark}`)
  );
}
