/** The note on disk that a resource may be running on this node, for a daemon that is started after a crash of this one. */
import type { NetLog } from '../net/log.js';
import type { Store } from '../state/store.js';
import { bootTime } from '../sys/clock.js';

export interface RunningNote {
  /** The shortest stop_timeout since the resource may be running; null where it is known to be stopped. */
  read(): number | null;
  write(stopTimeoutMs: number): void;
  clear(): void;
}

const RUNNING = 'running';

/** `stopTimeoutMs`: that of the present configuration, where the note does not say. */
export function createRunningNote(store: Store, log: () => NetLog, stopTimeoutMs: () => number): RunningNote {
  return {
    read() {
      const read = store.read(RUNNING);
      if (read.kind === 'none') return null;
      const value =
        read.kind === 'valid' ? (read.value as { stopTimeoutMs?: number }).stopTimeoutMs : undefined;
      return value ?? stopTimeoutMs();
    },
    /** A disk that is full or read-only keeps no daemon from running; start is not run without a record of its own. */
    write(ms) {
      try {
        store.writeSync(RUNNING, { since: bootTime(), stopTimeoutMs: ms }, 'process');
      } catch (error) {
        const why = (error as Error).message;
        log().error({}, `after a crash it would not be known that the resource may run: ${why}`);
      }
    },
    clear() {
      try {
        store.remove(RUNNING);
      } catch (error) {
        const why = (error as Error).message;
        log().error({}, `a daemon started after this one will stop the resource first: ${why}`);
      }
    },
  };
}
