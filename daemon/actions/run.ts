/**
 * The process that stands for the hook program of a resource with actions: `hastmond actions-run DIRECTORY ACTION RESOURCE …`. It reads the
 * plan in force once, runs what belongs to the action, and exits as a hook does.
 */
import { writeSync } from 'node:fs';
import path from 'node:path';
import { systemHookClock } from '../hooks/clock.js';
import { endGroup } from '../hooks/group.js';
import { openHookRecords } from '../hooks/records.js';
import { openStore, readStored } from '../state/store.js';
import { messageOf } from '../sys/errors.js';
import { processAlive } from '../sys/process.js';
import { runCheck } from './check-run.js';
import { type ListContext, runCommand, runList } from './list.js';
import { readPlan, sectionsOf } from './plan.js';
import { statusOfStates } from './states.js';
import { statusChecks } from './status-checks.js';
import { type ActionPlan, BUSY } from './types.js';
import { type Values, valuesEnvironment } from './variables.js';

/** Exit statuses, for `status` as those of LSB scripts. */
const RUNNING = 0;
const STOPPED = 1;
const FAILED = 1;
const NOT_KNOWN = 4;

/** How long to wait for a list of a check's change that was killed. */
const END_MS = 2000;

/** Carries an action out; the exit status. */
export async function runActions(words: readonly string[]): Promise<number> {
  const [directory = '', action = '', ...args] = words;
  process.title = `hastmon: ${args[0] ?? ''} (${action})`;
  let told = false;
  process.on('SIGTERM', () => {
    told = true;
  });
  const plan = readPlan(directory);
  if (typeof plan === 'string') {
    say(plan);
    return action === 'status' ? NOT_KNOWN : FAILED;
  }
  const values = valuesOf(action, args, process.env);
  const check: Record<string, string> =
    action === 'change' ? { HASTMON_CHECK: args[1] ?? '', HASTMON_CHECK_NODE: args[2] ?? '' } : {};
  const env = { ...process.env, ...valuesEnvironment(values), ...check };
  const context: ListContext = { file: plan.file, values: { ...values }, env, say, told: () => told };
  if (action === 'status') return startedHalf(directory) ? NOT_KNOWN : status(plan, context);
  const hooks = path.join(directory, 'hooks');
  if (action === 'change' && serviceBusy(hooks)) return BUSY;
  if (action === 'start' || action === 'stop') {
    const problem = await prepare(directory, hooks, action);
    if (problem !== '') say(problem);
    // A node that cannot stop its resource is worse than a note that is not right.
    if (problem !== '' && action === 'start') return FAILED;
  }
  const commands = sectionsOf(plan, action, args).flatMap((section) => section.commands);
  const done = await runList(commands, context);
  if (action === 'start' && done) noteStart(directory, false);
  return done ? 0 : FAILED;
}

/** What comes before a list of start or stop; why it could not be done, '' where it could. */
async function prepare(directory: string, hooks: string, action: 'start' | 'stop'): Promise<string> {
  try {
    await endLists(hooks, action);
    noteStart(directory, action === 'start');
    return '';
  } catch (error) {
    return messageOf(error);
  }
}

/** The name of the note on disk that a start is under way, or has not come to its end. */
const STARTING = 'starting';

/**
 * The service may well run before the last command of its list does, and a command may fail after it: what has been started by half does
 * not run, whatever it says of itself. Throws where the disk does not take the note: such a start must not be begun.
 */
function noteStart(directory: string, begun: boolean): void {
  const { store, reason } = openStore(directory);
  if (store === null) throw new Error(reason);
  if (begun) store.writeSync(STARTING, true, 'process');
  else store.remove(STARTING);
}

function startedHalf(directory: string): boolean {
  const half = readStored(directory, STARTING).kind !== 'none';
  if (half) say('the last start has not come to the end of its list');
  return half;
}

// Synchronous, so that the order of lines is that of events and none is lost at the exit.
function say(line: string): void {
  try {
    writeSync(1, `${line}\n`);
  } catch {
    // Nobody can be told.
  }
}

/** What the variables stand for, by the environment that hooks have. */
export function valuesOf(action: string, args: readonly string[], env: NodeJS.ProcessEnv): Values {
  const node = env.HASTMON_NODE ?? '';
  const own = action === 'start' || action === 'stop';
  const master = own ? node : (env.HASTMON_PRIMARY ?? '');
  const candidates = (env.HASTMON_CANDIDATES ?? '').split(',').filter((name) => name !== '');
  const [from = '', to = ''] = changeOf(action, args);
  return {
    MASTER: master,
    SLAVE: candidates.filter((name) => name !== master).join(','),
    NODE: node,
    RESOURCE: env.HASTMON_RESOURCE ?? '',
    EPOCH: env.HASTMON_EPOCH ?? '',
    OLD: from,
    NEW: to,
  };
}

function changeOf(action: string, args: readonly string[]): readonly string[] {
  switch (action) {
    case 'start':
      return ['secondary', 'primary'];
    case 'stop':
      return ['primary', 'secondary'];
    case 'role':
      return args.slice(1);
    case 'change':
      return args.slice(3);
    default:
      return [];
  }
}

/**
 * A list of a check's change and a start or stop exclude each other. Each is on record before it is executed, and looks for the other
 * then, so that at least one of them sees the other: the list ends.
 */
async function endLists(hooks: string, action: string): Promise<void> {
  const lists = openHookRecords(hooks)
    .list()
    .records.filter((record) => record.kind === 'running' && record.action === 'change');
  for (const record of lists) {
    const end = await endGroup(record, systemHookClock, { limitMs: END_MS });
    if (end === 'none') continue;
    say(
      `a list of a check's change was under way: ${end === 'ended' ? 'ended' : 'it does not end'}, for ${action}`,
    );
  }
}

function serviceBusy(hooks: string): boolean {
  return openHookRecords(hooks)
    .list()
    .records.some(
      ({ kind, action, pid, startTime }) =>
        kind === 'running' && (action === 'start' || action === 'stop') && processAlive(pid, startTime),
    );
}

async function status(plan: ActionPlan, context: ListContext): Promise<number> {
  const commands = sectionsOf(plan, 'status', []).flatMap((section) => section.commands);
  if (commands.length === 0) return statusByChecks(plan, context);
  for (const command of commands) {
    const { code, problem } = await runCommand(command, context);
    if (code === 0) continue;
    if (code === 1) return STOPPED;
    say(`${path.basename(plan.file)}:${command.line}: ${command.words[0] ?? ''} ${problem}`);
    return NOT_KNOWN;
  }
  return RUNNING;
}

async function statusByChecks(plan: ActionPlan, { env, values }: ListContext): Promise<number> {
  const checks = statusChecks(plan, values.NODE ?? '');
  const runs = await Promise.all(checks.map((check) => runCheck(check, { env, values })));
  for (const [index, { state, why }] of runs.entries())
    say(`${checks[index]?.name ?? ''}: ${state}${why === '' ? '' : ` (${why})`}`);
  return statusOfStates(runs.map(({ state }) => state)) ?? NOT_KNOWN;
}
