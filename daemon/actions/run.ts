/**
 * The process that stands for the hook program of a resource with actions: `hastmond actions-run DIRECTORY ACTION RESOURCE …`. It reads the
 * plan in force once, runs what belongs to the action, and exits as a hook does.
 */
import { writeSync } from 'node:fs';
import path from 'node:path';
import { systemHookClock } from '../hooks/clock.js';
import { endGroup } from '../hooks/group.js';
import { makerAlive, openHookRecords } from '../hooks/records.js';
import { messageOf } from '../sys/errors.js';
import { serviceBusy } from './busy.js';
import { runCheck } from './check-run.js';
import { type ListContext, runCommand, runList } from './list.js';
import { readPlan, sectionsOf } from './plan.js';
import { noteProgress, readProgress } from './progress.js';
import { statusOfStates } from './states.js';
import { statusChecks } from './status-checks.js';
import { type ActionPlan, BUSY, STATUS } from './types.js';
import { type Values, valuesEnvironment } from './variables.js';

const FAILED = 1;

/** How long to wait for a list of a check's change that was killed; a stop that waits for it has little time. */
const END_MS = 500;

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
    return action === 'status' ? STATUS.notKnown : FAILED;
  }
  const values = valuesOf(action, args, process.env);
  const check: Record<string, string> =
    action === 'change' ? { HASTMON_CHECK: args[1] ?? '', HASTMON_CHECK_NODE: args[2] ?? '' } : {};
  const env = { ...process.env, ...valuesEnvironment(values), ...check };
  const hooks = path.join(directory, 'hooks');
  const context: ListContext = {
    ...{ file: plan.file, values: { ...values }, env, say, told: () => told },
    // Nobody would end such a start with its lease. A stop goes on.
    orphaned: () => action === 'start' && isOrphan(hooks),
  };
  if (action === 'status') return statusOfWhole(directory, plan, context);
  if (action === 'change' && serviceBusy(hooks)) return BUSY;
  if (action === 'start' || action === 'stop') {
    const problem = await prepare(hooks, action);
    if (problem !== '') say(problem);
    // A node that cannot stop its resource is worse than a list beside its stop.
    if (problem !== '' && action === 'start') return FAILED;
  }
  const commands = sectionsOf(plan, action, args).flatMap((section) => section.commands);
  const done = await runList(commands, context);
  if (!done) return FAILED;
  return action === 'start' || action === 'stop' ? conclude(directory, action) : 0;
}

/** What comes before a list of start or stop; why it could not be done, '' where it could. */
async function prepare(hooks: string, action: 'start' | 'stop'): Promise<string> {
  try {
    await endLists(hooks, action);
    return '';
  } catch (error) {
    return messageOf(error);
  }
}

/** What comes after a list of start or stop; the exit status. */
function conclude(directory: string, action: 'start' | 'stop'): number {
  try {
    noteProgress(directory, action === 'start' ? 'whole' : null);
    return 0;
  } catch (error) {
    say(`it cannot be noted that the list has come to its end: ${messageOf(error)}`);
    return FAILED;
  }
}

/** What has been started or stopped by half is neither running nor stopped, whatever it says of itself. */
async function statusOfWhole(directory: string, plan: ActionPlan, context: ListContext): Promise<number> {
  const progress = readProgress(directory);
  const found = progress === 'start' ? STATUS.notKnown : await status(plan, context);
  // A stop that left it running is tried again where that is seen.
  if (progress === null || progress === 'whole' || (progress === 'stop' && found !== STATUS.stopped))
    return found;
  say(`the last ${progress} has not come to the end of its list`);
  return STATUS.notKnown;
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

function isOrphan(hooks: string): boolean {
  try {
    const { records } = openHookRecords(hooks).list();
    return records.some(
      ({ kind, name, pid }) => kind === 'running' && pid === process.pid && !makerAlive(name),
    );
  } catch {
    return false;
  }
}

async function status(plan: ActionPlan, context: ListContext): Promise<number> {
  const commands = sectionsOf(plan, 'status', []).flatMap((section) => section.commands);
  if (commands.length === 0) return statusByChecks(plan, context);
  for (const command of commands) {
    const { code, problem } = await runCommand(command, context);
    if (code === 0) continue;
    if (code === 1) return STATUS.stopped;
    say(`${path.basename(plan.file)}:${command.line}: ${command.words[0] ?? ''} ${problem}`);
    return STATUS.notKnown;
  }
  return STATUS.running;
}

async function statusByChecks(plan: ActionPlan, { env, values }: ListContext): Promise<number> {
  const checks = statusChecks(plan, values.NODE ?? '');
  const runs = await Promise.all(checks.map((check) => runCheck(check, { env, values })));
  for (const [index, { state, why }] of runs.entries())
    say(`${checks[index]?.name ?? ''}: ${state}${why === '' ? '' : ` (${why})`}`);
  const said = statusOfStates(runs.map(({ state }) => state));
  return said === null ? STATUS.notKnown : said === 0 ? STATUS.running : STATUS.stopped;
}
