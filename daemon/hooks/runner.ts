/**
 * Runs the hook programs of one resource, so that none is ever lost: each is on record before it executes, in a process
 * group of its own, and its end is only told when nothing of it is left. It does not decide when a hook is run nor what its
 * result means.
 */
import assert from 'node:assert/strict';
import { systemHookClock } from './clock.js';
import type { HookContext } from './context.js';
import { adoptOutputs, endLeftovers } from './leftovers.js';
import { openHookRecords } from './records.js';
import { startRun } from './run.js';
import type {
  HookAction,
  HookClock,
  HookLog,
  HookRequest,
  HookResult,
  HookRun,
  HookRunner,
} from './types.js';

export interface HookRunnerOptions {
  resource: string;
  /** The resource's hook program. */
  exec: string;
  /** Arguments of that program before the action; default: none. */
  execArgs?: readonly string[];
  /** True where that program has nothing to do for a request: it counts as done then. Default: never. */
  idle?: (request: HookRequest) => boolean;
  /**
   * Called when that program is on record and about to execute. Where it throws an Error, what may be left undone is: as where no record
   * can be kept. Default: nothing.
   */
  beforehand?: (action: HookAction) => void;
  /** What an exit status of that program means as one of a hook program. Default: the same. */
  codeOf?: (action: HookAction, code: number) => number;
  /** Where hooks are on record; for this resource alone. Created where it is missing. */
  directory: string;
  /** Path of the control group for `start`, null where there is none; see openCgroup(). */
  cgroup: string | null;
  log: HookLog;
  /** Called with every end, before the caller of run() hears of it. Default: nobody wants to know. */
  ended?: (result: HookResult) => void;
  clock?: HookClock;
  /** What hooks inherit; default: the environment of this process. */
  env?: NodeJS.ProcessEnv;
}

const leftoversLimitMs = 2000;

/** The hooks of one resource. Throws an Error with a clear message where no record can be kept in the directory. */
export function createHookRunner(options: HookRunnerOptions): HookRunner {
  const closables = new Set<{ close(): void }>();
  let lastStatus = '';
  const context: HookContext = {
    exec: options.exec,
    execArgs: options.execArgs ?? [],
    idle: options.idle ?? (() => false),
    beforehand: options.beforehand ?? (() => {}),
    codeOf: options.codeOf ?? ((_action, code) => code),
    cgroup: options.cgroup,
    log: options.log,
    clock: options.clock ?? systemHookClock,
    env: options.env ?? process.env,
    records: openHookRecords(options.directory),
    keep: (closable) => void closables.add(closable),
    statusChanged({ outcome, code }) {
      const status = `${outcome} ${code}`;
      const changed = status !== lastStatus;
      lastStatus = status;
      return changed;
    },
  };
  context.records.sweepOutputs();
  adoptOutputs(context);

  let exclusive = '';

  function begin(request: HookRequest): HookRun {
    const run = startRun(context, request);
    const { ended } = options;
    if (ended === undefined) return run;
    const done = run.done.then((result) => {
      ended(result);
      return result;
    });
    return { ...run, done };
  }

  return {
    run(request: HookRequest): HookRun {
      assert(request.killAfterMs >= request.termAfterMs, 'a hook is killed before it is terminated');
      if (request.action !== 'start' && request.action !== 'stop') return begin(request);
      assert(exclusive === '', `${request.action} of ${options.resource} while ${exclusive} runs`);
      exclusive = request.action;
      const run = begin(request);
      // Before the caller hears of the end, so that it can run the next one at once.
      const done = run.done.finally(() => {
        exclusive = '';
      });
      return { ...run, done };
    },
    killLeftovers(limitMs = leftoversLimitMs) {
      assert(
        exclusive !== 'start',
        `the leftovers of ${options.resource} are to be killed while its start runs`,
      );
      return endLeftovers({ ...context, limitMs });
    },
    close() {
      for (const closable of closables) closable.close();
      closables.clear();
    },
  };
}
