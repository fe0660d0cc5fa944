/**
 * Starting a hook program so that it is on record before it executes: a small shell is started in a session of its own and
 * waits; the caller notes its process group durably, then lets it turn into the program. Should the caller die in between,
 * nothing is executed. It does not know what is run, nor for how long.
 */

export interface SpawnOptions {
  /** Absolute path. */
  program: string;
  args: readonly string[];
  /** The whole environment of the program. */
  env: Readonly<Record<string, string>>;
  /** Path of the control group that the program shall be in before it executes. */
  cgroup?: string;
  /** Working directory, `/` if not said. */
  cwd?: string;
  /** Bytes kept of stdout and of stderr each; what is beyond is read and dropped. Default 64 KiB. */
  outputBytesMax?: number;
  /** Called with every line (without its end) as it comes, within the same bound, until the program exits. */
  onLine?: (stream: 'stdout' | 'stderr', line: string) => void;
}

/** How the program ended. Exit 126 and 127: it cannot be executed, or is not there; 125: aborted, or no control group. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** True where output was dropped. */
  truncated: boolean;
}

export interface HeldProcess {
  /** Also the id of its process group and of its session. */
  readonly pid: number;
  /** As processStartTime(). */
  readonly startTime: number;
  /** Lets the program execute. To be called once. */
  release(): void;
  /** Ends it without executing anything. Only before release(). */
  abort(): void;
  /** Signals the whole process group. False: there is none any more. */
  kill(signal: NodeJS.Signals): boolean;
  /** Resolves when the process itself has ended; others of its group may be left. Never rejects. */
  readonly exited: Promise<Exit>;
}

export type SpawnOutcome = { held: HeldProcess; reason?: never } | { held: null; reason: string };

/** Starts a held process: see above. held null: no process could be started, and why. */
export declare function spawnHeld(options: SpawnOptions): SpawnOutcome;
