/**
 * One daemon per pidfile (and per state directory): the file names the process that holds it, by pid, start time and boot.
 */

export interface PidfileLock {
  readonly path: string;
  /** Removes the file and gives the lock up. May be called more than once, also while the process exits. */
  release(): void;
}

export type PidfileOutcome =
  | { kind: 'locked'; lock: PidfileLock }
  /** Another process holds it; pid null: not known which. */
  | { kind: 'held'; pid: number | null; message: string }
  | { kind: 'failed'; message: string };

/** Takes the file for this process and writes its pid into it. What a dead process or an earlier boot left is taken over. */
export declare function lockPidfile(path: string): Promise<PidfileOutcome>;
