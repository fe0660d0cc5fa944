/** The lists of actions in the place of a hook program: what is executed for them, and for what nothing needs to be. */
import { listsMs, readPlan, sectionsOf } from '../actions/plan.js';
import { noteProgress, readProgress } from '../actions/progress.js';
import { STATUS } from '../actions/types.js';
import type { ResourceConfig } from '../config/types.js';
import type { HookRunnerOptions } from '../hooks/runner.js';
import type { HookAction, HookRequest } from '../hooks/types.js';
import type { HookSetup } from './ipc.js';

/** Even where lists may take longer by their lines. */
const NOTICE_MS_MAX = 3_600_000;

/** What runs a resource. `script` is hastmond's own, `directory` is where the plan in force is kept. */
export function programOf(
  { actions, exec }: ResourceConfig,
  script: string,
  directory: string,
): Pick<HookSetup, 'exec' | 'execArgs' | 'actions' | 'noticeMs'> {
  if (actions === null) return { exec, execArgs: [], actions: '', noticeMs: 0 };
  const noticeMs = actions.plan === null ? 0 : Math.min(NOTICE_MS_MAX, listsMs(actions.plan));
  return {
    exec: process.execPath,
    execArgs: [script, 'actions-run', directory],
    actions: directory,
    noticeMs,
  };
}

/** For `hastmonctl status`: what runs a resource. */
export function describeProgram({ actions, exec }: ResourceConfig): string {
  return actions === null ? exec : `actions ${actions.file}`;
}

/** Some actions run lists only where there are some; a process that would find none is not started. */
const MAY_BE_IDLE: readonly HookAction[] = ['connect', 'disconnect', 'complain', 'role', 'change'];

/** What the runner of a resource's hooks is told of its program. */
export function runnerOf({
  actions,
  exec,
  execArgs,
}: HookSetup): Pick<HookRunnerOptions, 'exec' | 'execArgs' | 'idle' | 'beforehand' | 'codeOf'> {
  const program = { exec, execArgs };
  if (actions === '') return program;
  return {
    ...program,
    idle: idleActions(actions),
    // Not by the process of the list, which may be ended before it comes to that.
    beforehand(action) {
      if (action === 'start' || action === 'stop') noteProgress(actions, action);
    },
    codeOf: codeOfLists,
  };
}

/** Before a status that stands for a stop which had no time to run: what was not stopped counts as stopped by half. */
export function noteUnstopped({ actions }: Pick<HookSetup, 'actions'>): void {
  try {
    if (actions !== '' && readProgress(actions) === 'whole') noteProgress(actions, 'stop');
  } catch {
    // Then status alone decides, as for any hook program.
  }
}

/** The exit status of a hook program for that of the process of lists. */
function codeOfLists(action: HookAction, code: number): number {
  if (action !== 'status') return code;
  if (code === STATUS.running) return 0;
  if (code === STATUS.stopped) return 1;
  return code === 0 || code === 1 ? STATUS.notKnown : code;
}

/** For the runner of hooks: true where the lists in force have nothing for a request. */
function idleActions(directory: string): (request: HookRequest) => boolean {
  return ({ action, args }) => {
    if (!MAY_BE_IDLE.includes(action)) return false;
    const plan = readPlan(directory);
    // What is wrong with it is told by the process that runs it.
    if (typeof plan === 'string') return false;
    return sectionsOf(plan, action, args).every(({ commands }) => commands.length === 0);
  };
}
