/**
 * The process that runs the checks of resources with actions, each at its interval, and reports what they say to the daemon over its
 * control socket, as anybody else may. It decides nothing.
 */
import { call } from '../control/call.js';
import { serviceEnvironment } from '../hooks/environment.js';
import { messageOf } from '../sys/errors.js';
import { ownMark } from '../sys/started.js';
import { type CheckContext, runCheck } from './check-run.js';
import type { ActionsToMain, MainToActions, OwnCheck } from './ipc.js';
import { UNKNOWN } from './states.js';

/** Checks that run at a time; further ones wait. */
const RUNNING_MAX = 32;
/** The daemon answers at once, or is busy and hears the next report. */
const REPORT_MS = 5000;
const BEAT_MS = 1000;
/** The first round is spread over this share of the interval, at most so many milliseconds. */
const SPREAD_MS_MAX = 1000;

interface Timed extends OwnCheck {
  timer: NodeJS.Timeout | undefined;
  /** False: it is not to be run any more. */
  wanted: boolean;
  /** Why its state was not known last, '' where it was. */
  why: string;
}

/** The entry of the process. */
export function runActionMonitor(): void {
  process.title = 'hastmon: actions (monitor)';
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  const mark = ownMark();
  const env = { ...serviceEnvironment(process.env), ...mark };
  let setup: MainToActions | null = null;
  let timed: Timed[] = [];
  let running = 0;
  const waiting: (() => void)[] = [];
  let reports: Promise<void> = Promise.resolve();
  const groups = new Set<number>();

  process.on('message', (message: MainToActions) => take(message));
  setInterval(() => tell({ kind: 'beat' }), BEAT_MS);
  process.on('disconnect', () => process.exit(0));
  process.once('exit', () => {
    for (const group of groups) end(group);
  });

  function take(message: MainToActions): void {
    for (const entry of timed) {
      entry.wanted = false;
      clearTimeout(entry.timer);
    }
    setup = message;
    timed = message.checks.map((own) => ({ ...own, timer: undefined, wanted: true, why: '' }));
    for (const [index, entry] of timed.entries()) {
      const spread = Math.min(SPREAD_MS_MAX, entry.check.intervalMs);
      entry.timer = setTimeout(() => void look(entry), (spread * index) / timed.length);
    }
  }

  async function look(entry: Timed): Promise<void> {
    const began = performance.now();
    if (running >= RUNNING_MAX) await new Promise<void>((resolve) => waiting.push(resolve));
    if (!entry.wanted) return void waiting.shift()?.();
    running += 1;
    const { state, why } = await runCheck(entry.check, contextOf(entry.resource));
    running -= 1;
    waiting.shift()?.();
    if (!entry.wanted) return;
    if (state === UNKNOWN && why !== entry.why)
      tell({ kind: 'note', resource: entry.resource, text: `check ${entry.check.name} is unknown: ${why}` });
    entry.why = state === UNKNOWN ? why : '';
    reports = reports.then(() => report(entry, state));
    await reports;
    const rest = entry.check.intervalMs - (performance.now() - began);
    if (entry.wanted) entry.timer = setTimeout(() => void look(entry), Math.max(0, rest));
  }

  function contextOf(resource: string): CheckContext {
    const node = setup?.node ?? '';
    return {
      values: { NODE: node, RESOURCE: resource },
      env: { ...env, HASTMON_NODE: node, HASTMON_RESOURCE: resource },
      started(group, alive) {
        if (alive) groups.add(group);
        else groups.delete(group);
        tell({ kind: 'group', group, alive });
      },
    };
  }

  /** One after the other: the daemon has few places for clients, and hastmonctl wants one too. */
  async function report({ resource, check, wanted }: Timed, state: string): Promise<void> {
    if (!wanted || setup === null) return;
    const request = { kind: 'report', check: check.name, state, resource } as const;
    try {
      const { error } = await call(setup.control, request, () => {}, REPORT_MS);
      if (error !== null) tell({ kind: 'note', resource, text: `check ${check.name}: ${error.message}` });
    } catch (error) {
      tell({ kind: 'note', resource, text: `check ${check.name} cannot be reported: ${messageOf(error)}` });
    }
  }
}

function tell(message: ActionsToMain): void {
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}

function end(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // Nobody of it is left.
  }
}
