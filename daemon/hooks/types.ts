/**
 * The vocabulary of hooks: what is asked of the runner and what it answers. It does not know why a hook is run, nor what
 * its result means for the resource.
 */

/** The ancestor's actions, `fence`, and `change` (of a check's state, for actions alone). It is the first argument of the program. */
export type HookAction =
  | 'start'
  | 'stop'
  | 'status'
  | 'connect'
  | 'disconnect'
  | 'complain'
  | 'role'
  | 'fence'
  | 'change';

export interface HookRequest {
  action: HookAction;
  /** Absolute path; the resource's `exec` where it is not given. */
  program?: string;
  /**
   * What follows the action: the resource; for `role` the resource, the old and the new role; for `change` the resource, the check, the
   * node that saw it, the old and the new state.
   */
  args: readonly string[];
  /** HASTMON_RESOURCE, HASTMON_NODE and the like; HASTMON_ACTION is added. */
  env: Readonly<Record<string, string>>;
  /** SIGTERM to the whole process group, counted from run(). */
  termAfterMs: number;
  /** SIGKILL to the whole process group, counted from run() as well; not less than termAfterMs. */
  killAfterMs: number;
  /** The limit that a warning names where the caller watches over it itself (and calls terminate() and kill()). */
  limitMs?: number;
  /** A warning that the hook runs long, counted from run(). Default: half of limitMs, else of termAfterMs. */
  slowAfterMs?: number;
}

export type HookOutcome =
  /** It exited by itself, with `code`. */
  | 'exit'
  /** A signal ended it that did not come from here. */
  | 'signal'
  /** Its time was up, here or for the caller (terminate()); `code` or `signal` say how it ended then. */
  | 'timeout'
  /** kill() was called. */
  | 'killed'
  /** It was never executed. */
  | 'spawn-error';

export interface HookResult {
  action: HookAction;
  outcome: HookOutcome;
  code: number | null;
  signal: string | null;
  /** From run() to the moment when `done` resolves. */
  durationMs: number;
  /** The outcome in one sentence, without its last full stop; of a failure also what was printed last. */
  detail: string;
}

export interface HookRun {
  /**
   * Resolves when the program has ended, its whole process group is gone and so is its record. The exception is a `start`
   * that exited by itself: what it leaves in its group is the service, and stays. Never rejects.
   */
  readonly done: Promise<HookResult>;
  /** SIGTERM to the whole process group; what of it outlives the program is killed then. */
  terminate(): void;
  /** SIGKILL to the whole process group, at once. Nothing after the program has ended. */
  kill(): void;
}

export interface HookRunner {
  /**
   * Runs a hook. Throws an AssertionError for a `start` or `stop` while one of them runs; the others may run beside them and
   * beside each other.
   */
  run(request: HookRequest): HookRun;
  /**
   * After a stop: ends with SIGKILL all that `start` has left behind, whoever ran it, and waits until it is gone, at most
   * `limitMs` (default 2000). With a control group that is everything; without one, it is what stayed in the process
   * group of `start`. 'failed': something is left, or may be; the log says what. Not to be called while a `start` runs.
   */
  killLeftovers(limitMs?: number): Promise<'none' | 'killed' | 'failed'>;
  /** Lets go of the output of services; nothing is ended. For the end of the process and for tests. */
  close(): void;
}

/** A logger as pino's. It should be a child that carries the resource. */
export interface HookLog {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** Time as hooks need it. */
export interface HookClock {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Calls once after `ms` milliseconds, unless the function it gives back is called before. */
  after(ms: number, call: () => void): () => void;
}
