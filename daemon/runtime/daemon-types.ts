/** What the daemon as a whole is given, and what it gives. */
import type { LoadFileResult } from '../config/load.js';
import type { Config } from '../config/types.js';
import type { LogTarget } from '../log/log.js';
import type { NetLog } from '../net/log.js';
import type { Reloaded } from './commands.js';
import type { Watched } from './service-status.js';

export interface DaemonOptions {
  config: Config;
  /** What it was read from, by the names of files. */
  texts: ReadonlyMap<string, string>;
  /** Reads the configuration again, as at the start; from these texts of its files, where there are any. */
  load: (texts?: ReadonlyMap<string, string>) => LoadFileResult;
  log: NetLog & { child(fields: object): NetLog };
  /** Where that goes. */
  logged: LogTarget['kind'];
  /** The script of worker processes and its arguments. */
  workerScript: string;
  workerArgs: readonly string[];
  /** When this process began, by CLOCK_BOOTTIME. */
  startedAt: number;
}

/** Why the daemon cannot run; `code` is from sysexits(3). */
export class DaemonFailure extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Daemon extends Watched {
  /** Applies the configuration file anew. */
  reload(): Promise<Reloaded>;
  /** Stops what runs here, releases the leases; true where everything is known to be stopped. */
  terminate(): Promise<boolean>;
}
