/** Records of this daemon's own processes, so that a later daemon can end what this one left behind. */
import type { NetLog } from '../net/log.js';
import type { Store } from '../state/store.js';
import { processRecord } from '../sys/process.js';

export interface ProcessRecords {
  record(pid: number): void;
  forget(pid: number): void;
  /** Another one of this kind is started in the place of one that is gone. */
  replaced?(kind: string): void;
}

/**
 * What cannot be written or removed is told, and no more: such a process ends by itself when this one is gone, unless it hangs.
 * `restarts`: how often another one was started, counted by kind.
 */
export function createProcessRecords(
  store: Store,
  log: NetLog,
  restarts?: Map<string, number>,
): ProcessRecords {
  return {
    replaced: (kind) => void restarts?.set(kind, (restarts.get(kind) ?? 0) + 1),
    record(pid) {
      try {
        const value = processRecord(pid);
        if (value !== null) store.writeSync(String(pid), value, 'process');
      } catch (error) {
        log.error({ workerpid: pid }, `a worker could not be recorded: ${(error as Error).message}`);
      }
    },
    forget(pid) {
      try {
        store.remove(String(pid));
      } catch (error) {
        log.warn(
          { workerpid: pid },
          `the record of a worker could not be removed: ${(error as Error).message}`,
        );
      }
    },
  };
}
