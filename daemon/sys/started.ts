/**
 * Process groups that a process of this daemon starts and that are to end with it. It says which ones to the main process, which ends them
 * where the other one was killed and could not. They carry its mark in their environment: a number alone may be
 * somebody else's by then, and what carries the mark alone may be a service that a program has restarted.
 */
import { groupMembers, killGroup, processRecord, startedWith } from './process.js';

const VARIABLE = 'HASTMON_STARTED_BY';

/** What the programs have in their environment that this process starts. Needs /proc: call it before a chroot. */
export function ownMark(): Record<string, string> {
  const mark = markOf(process.pid);
  return mark === '' ? {} : { [VARIABLE]: mark };
}

/** The mark of what a running process starts, '' where there is no such process or the kernel cannot be asked. */
export function markOf(pid: number): string {
  try {
    const record = processRecord(pid);
    return record === null ? '' : `${pid}.${record.startTime}`;
  } catch {
    return '';
  }
}

/** The groups of one process, as it told of them. */
export interface StartedGroups {
  note(group: number, alive: boolean): void;
  /** The process is gone: ends what is left, with SIGKILL. */
  end(): void;
}

export function createStartedGroups(mark: string): StartedGroups {
  const groups = new Set<number>();
  return {
    note(group, alive) {
      if (alive) groups.add(group);
      else groups.delete(group);
    },
    end() {
      for (const group of groups) if (isMarked(group, mark)) killGroup(group, 'SIGKILL');
      groups.clear();
    },
  };
}

function isMarked(group: number, mark: string): boolean {
  try {
    // The leader may have ended before those that it started.
    return mark !== '' && groupMembers(group).some(({ pid }) => startedWith(pid, `${VARIABLE}=${mark}`));
  } catch {
    return false;
  }
}
