/** What a run needs of its runner. */
import type { HookRecords } from './records.js';
import type { HookAction, HookClock, HookLog, HookRequest, HookResult } from './types.js';

export interface HookContext {
  /** The resource's hook program. */
  exec: string;
  /** Arguments of that program before the action. */
  execArgs: readonly string[];
  /** True where that program has nothing to do for a request: it counts as done then. */
  idle: (request: HookRequest) => boolean;
  /** Called when that program is about to execute; what it throws is told, and keeps some actions from being run. */
  beforehand: (action: HookAction) => void;
  /** What an exit status of that program means as one of a hook program. */
  codeOf: (action: HookAction, code: number) => number;
  /** Path of the control group for `start`, null where there is none. */
  cgroup: string | null;
  log: HookLog;
  clock: HookClock;
  /** What hooks inherit. */
  env: NodeJS.ProcessEnv;
  records: HookRecords;
  /** Keeps something that is to be let go of when the runner is closed. */
  keep(closable: { close(): void }): void;
  /** True when this result of `status` differs from the one before it. */
  statusChanged(result: HookResult): boolean;
}
