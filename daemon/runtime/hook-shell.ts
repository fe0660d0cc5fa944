/**
 * Runs the hooks that a core asks for, one at a time, and gives their results back. Shared by the workers and the
 * main process's own stop. Knows environment and leftovers; does not know why a hook is run.
 */

import type { NodeName } from '../core/types.js';
import type { HookAction, HookResult, HookRun, HookRunner } from '../hooks/types.js';

/** For limits that the core watches over itself. */
export const NO_LIMIT_MS = 2 ** 31 - 1;

export interface HookFacts {
  resource: string;
  node: NodeName;
  role: string;
  epoch: number;
  /** Who is primary, as far as known; '' for nobody. */
  primary: NodeName;
  /** The nodes that may run it, as far as known. */
  candidates: readonly NodeName[];
}

/** hastmon's own variables for a hook program; the runner adds what a service expects besides. */
export function hookEnvironment(facts: HookFacts): Record<string, string> {
  return {
    HASTMON_RESOURCE: facts.resource,
    HASTMON_NODE: facts.node,
    HASTMON_ROLE: facts.role,
    HASTMON_EPOCH: String(facts.epoch),
    HASTMON_PRIMARY: facts.primary,
    HASTMON_CANDIDATES: facts.candidates.join(','),
  };
}

export interface HookShell {
  /** Runs start, stop, status or fence; `done` gets the exit code (null: it did not exit by itself) and a sentence. */
  run(
    id: number,
    action: HookAction,
    facts: HookFacts,
    limitMs: number,
    done: (code: number | null, detail: string) => void,
  ): void;
  signal(id: number, signal: 'TERM' | 'KILL'): void;
}

/** A shell over a runner; `fence` is the fence program, '' for none. */
export function createHookShell(runner: HookRunner, fence: string): HookShell {
  const running = new Map<number, HookRun>();
  let leftovers = '';

  async function finish(action: HookAction, run: HookRun): Promise<{ code: number | null; detail: string }> {
    const result = await run.done;
    if (action === 'stop') {
      // What start left behind ends with the resource, whatever the stop hook made of it.
      leftovers =
        (await runner.killLeftovers()) === 'failed'
          ? 'processes that start left behind could not be ended'
          : '';
    }
    if (action === 'start') leftovers = '';
    if (action === 'status' && result.code === 1 && leftovers !== '')
      return { code: null, detail: leftovers };
    return { code: exitCodeOf(result), detail: result.detail };
  }

  return {
    run(id, action, facts, limitMs, done) {
      const args = [facts.resource];
      const request = {
        action,
        args,
        env: hookEnvironment(facts),
        termAfterMs: NO_LIMIT_MS,
        killAfterMs: NO_LIMIT_MS,
        limitMs,
      };
      const run = runner.run(action === 'fence' ? { ...request, program: fence } : request);
      running.set(id, run);
      finish(action, run).then(({ code, detail }) => {
        running.delete(id);
        done(code, detail);
      });
    },
    signal(id, signal) {
      if (signal === 'KILL') running.get(id)?.kill();
      else running.get(id)?.terminate();
    },
  };
}

/** Only a program that exited by itself has said something. */
function exitCodeOf(result: HookResult): number | null {
  return result.outcome === 'exit' ? result.code : null;
}
