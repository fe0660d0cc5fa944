/** The shell of for-real.ts: asks hastmond and the operator, runs the command, hears interrupts, and writes the report. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeName } from '../daemon/core/types.js';
import { exitCode } from '../daemon/process/sysexits.js';
import { version } from '../daemon/process/version.js';
import type { DrillFacts } from '../proto/drill-types.js';
import type { Explanation } from '../proto/explain-types.js';
import type { Failover } from '../proto/timeline-types.js';
import { ANSWER_MS, succeeded } from './answer.js';
import { plain } from './check-words.js';
import type { RealTask } from './drill-arguments.js';
import { type Expected, expectedOf } from './drill-expected.js';
import { computed, type Drilled, eventsOf, gathered, type Known, present } from './drill-facts.js';
import { objections, roleLeft, successorOf } from './drill-objections.js';
import { type RealReport, reportText } from './drill-report.js';
import { CtlError } from './error.js';
import { awayMs, forReal, type RealEffects } from './for-real.js';
import { type Interrupts, listenForInterrupts } from './interrupts.js';
import { confirm, realRisk } from './risk.js';
import type { Session } from './run.js';
import { list } from './run-checks.js';

/** A failover may take less than 100 ms; what is measured is as exact as this. */
const LOOK_MS = 20;
/** Events are on disk a moment after what they tell. */
const EVENTS_LATE_MS = 200;
/** All nodes look into their journals. */
const TIMELINE_MS = 30_000;
/** By so much the clocks of the nodes may differ, without a failover of before being taken for one of these. */
const CLOCKS_MS = 1000;
/** The command that switches back has this long to end after SIGTERM. */
const BACK_END_MS = 5000;
/** More confirmed outages are not named one by one. */
const OUTAGES_MAX = 5;
const CUT = 'hastmonctl: interrupted: the report is without what the nodes have not said by now';

/** Gives the exit status; rejects with a CtlError where nothing has been begun. */
export async function runForReal(session: Session, task: RealTask): Promise<number> {
  const { terminal } = session;
  const interrupts = listenForInterrupts(`${task.resource}: interrupted; nothing has been done`);
  try {
    const agreement = await Promise.race([agreed(session, task), interrupts.early]);
    const began = new Date();
    const report = await openReport(task, began);
    interrupts.begin((signal, count) => {
      if (count === 1)
        terminal.note(`hastmonctl: ${signal}: it comes back at once; once more leaves it where it is`);
    });
    return await carriedOut(session, task, { ...agreement, interrupts, began, report });
  } finally {
    interrupts.close();
  }
}

interface Begun extends Agreed {
  interrupts: Interrupts;
  began: Date;
  report: { name: string; file: FileHandle };
}

async function carriedOut(session: Session, task: RealTask, begun: Begun): Promise<number> {
  const { began, drilled, expected, facts, hastmond, interrupts, report } = begun;
  const effects = effectsOf(session, task, interrupts);
  try {
    const result = await forReal(task, facts, effects);
    // What comes after the drill is no interrupt of it.
    const interrupted = result.interrupted ? interrupts.status() : 0;
    const found = await collected(session, task, began, interrupts.over());
    if (found.cut) session.terminal.note(CUT);
    const versions = { hastmonctl: version, hastmond };
    const whole: RealReport = {
      ...{ task, drilled, expected, result, ...found, versions, began, ended: new Date() },
    };
    await report.file.write(reportText(whole));
    await report.file.close();
    return tell(session, task, whole, report.name, interrupted);
  } finally {
    await effects.endBack();
    await report.file.close().catch(() => {});
  }
}

type Collected = Pick<RealReport, 'cut' | 'events' | 'failovers'>;

/** What the nodes have on record of the drill, none of what cannot be had; once `cut` is aborted, what has been answered by then. */
async function collected(
  session: Session,
  task: RealTask,
  began: Date,
  cut: AbortSignal,
): Promise<Collected> {
  const found: Collected = { cut: false, events: [], failovers: [] };
  const collect = async (): Promise<void> => {
    await sleep(EVENTS_LATE_MS);
    const sinceMs = Date.now() - began.getTime() + 1000;
    found.events = await eventsOf(session, task.resource, sinceMs).catch(() => []);
    if (!cut.aborted) found.failovers = await failoversOf(session, task, began).catch(() => []);
  };
  await Promise.race([collect(), once(cut, 'abort')]);
  // An answer that is late must not change what is reported.
  return { ...found, cut: cut.aborted };
}

interface Agreed {
  /** As they are when it begins. */
  facts: DrillFacts;
  drilled: Drilled;
  expected: Expected;
  /** Its version. */
  hastmond: string;
}

/** Looks for what speaks against it, asks the operator, and looks again: the answer may have taken hours. Rejects where it is not to be. */
async function agreed(session: Session, task: RealTask): Promise<Agreed> {
  const { invocation, terminal } = session;
  const { resource } = task;
  terminal.note(
    `${resource}: asking all nodes what speaks against a drill, and computing how long it would be away`,
  );
  const before = await unopposed(session, task);
  const drilled = await computed(before, (progress) => terminal.progress(progress));
  const successor = successorOf(task, before.asked)?.node ?? '';
  const { expected, objection } = expectedOf(drilled, successor);
  if (objection !== '') throw opposed(resource, [objection]);
  const hastmond = succeeded(await session.ask({ kind: 'version' }, ANSWER_MS)).text.trim();
  const role = roleLeft(task, before.asked);
  const risk = realRisk(resource, before.asked.node, successor, expected, role, terminal.columns());
  if (invocation.yes) terminal.note(risk);
  else await confirm(terminal, risk, resource);
  const { asked: facts } = await unopposed(session, task);
  const now = successorOf(task, facts)?.node ?? '';
  if (now !== successor)
    throw opposed(resource, [`it would go to ${now} now, and not to ${successor}: begin again`]);
  const roleNow = roleLeft(task, facts);
  if (roleNow !== role && roleNow !== '') throw opposed(resource, [`${roleNow}: begin again`]);
  return { facts, drilled, expected, hastmond };
}

/** The present state, where nothing speaks against a drill. */
async function unopposed(session: Session, task: RealTask): Promise<Known> {
  const [known] = await gathered(session, [task.resource]);
  if (known === undefined) throw new CtlError(exitCode.protocol, `hastmond says nothing of ${task.resource}`);
  const found = objections(task, known, await outages(session), await planOf(session, task, known));
  if (found.length > 0) throw opposed(task.resource, found);
  return known;
}

/** What hastmond says of the switchover that the drill would begin with; null where it says nothing, or is not the one to say. */
async function planOf({ ask }: Session, task: RealTask, { asked }: Known): Promise<Explanation | null> {
  const { resource } = task;
  if (!asked.nodes.some(({ holds, node }) => holds && node === asked.node)) return null;
  const to = successorOf(task, asked)?.node ?? task.to;
  const { explanations } = await ask({ kind: 'switchover-plan', resource, to }, ANSWER_MS);
  return explanations[0] ?? null;
}

function opposed(resource: string, reasons: readonly string[]): CtlError {
  const lines = reasons.map((line) => `  ${line}`).join('\n');
  return new CtlError(exitCode.unavailable, `no drill with ${resource} now:\n${lines}`);
}

/** Both moves, put together from what all nodes saw of them. */
async function failoversOf({ ask }: Session, { resource }: RealTask, began: Date): Promise<Failover[]> {
  const { cluster } = succeeded(await ask({ kind: 'timeline', resource, last: 2 }, TIMELINE_MS));
  if (cluster?.kind !== 'timeline') return [];
  return cluster.failovers.filter(({ at }) => at >= began.getTime() - CLOCKS_MS);
}

/** The names of confirmed outages that are on, as this node knows them. */
async function outages(session: Session): Promise<string[]> {
  const all = { kind: 'checks', down: true, host: '', group: '', patterns: [], from: 0 } as const;
  const names = (await list(session, all)).entries.filter(({ outage }) => outage).map(({ name }) => name);
  const more = names.length - OUTAGES_MAX;
  return more > 0 ? [...names.slice(0, OUTAGES_MAX), `${more} more`] : names;
}

/** Before anything is begun: a report that cannot be written afterwards would be the end of a drill. Never over another file. */
async function openReport(task: RealTask, began: Date): Promise<{ name: string; file: FileHandle }> {
  const when = began.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
  const safe = task.resource.replace(/[^A-Za-z0-9._-]/g, '_');
  const name = path.resolve(task.report === '' ? `drill-${safe}-${when}.md` : task.report);
  try {
    return { name, file: await open(name, 'wx', 0o644) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EEXIST' ? 'there is such a file already, and it is not written over' : message;
    throw new CtlError(exitCode.cantCreate, `the report ${name}: ${why}; nothing has been done`);
  }
}

function effectsOf(session: Session, task: RealTask, interrupts: Interrupts): RealEffects {
  const { ask, terminal } = session;
  const { resource } = task;
  let back: Back | null = null;
  const done = async (asked: ReturnType<Session['ask']>): Promise<string> =>
    (await asked).error?.message ?? '';
  return {
    look: () => present(session, resource),
    switchover: (to) => done(ask({ kind: 'switchover', resource, to, wait: true }, 0)),
    setRole: (role) =>
      done(ask({ kind: 'role', role, resources: [resource], force: false, wait: false }, ANSWER_MS)),
    runBack: (on) => {
      back = runBack(task, on);
      return back.ended;
    },
    endBack: async () => back?.end(),
    say: (line) => terminal.note(line),
    progress: (line) => terminal.progress(line),
    pause: () => sleep(LOOK_MS, undefined, { signal: interrupts.signal() }).catch(() => {}),
    interrupts: interrupts.count,
  };
}

interface Back {
  /** With '' or why it failed. */
  ended: Promise<string>;
  /** Resolves when it is gone. */
  end(): Promise<void>;
}

/**
 * Runs the command that switches back. It has no terminal, so that Ctrl-C does not reach it, and is ended when the drill is. What it prints
 * is no result of this program, and goes to the standard error.
 */
function runBack(task: RealTask, on: NodeName): Back {
  const [program = '', ...rest] = task.back.map((word) => word.replaceAll('{}', on));
  const env = { ...process.env, HASTMON_RESOURCE: task.resource, HASTMON_NODE: on };
  const child = spawn(program, rest, { env, detached: true, stdio: ['ignore', 2, 'inherit'] });
  let gone = false;
  const ended = new Promise<string>((resolve) => {
    const over = (problem: string): void => {
      gone = true;
      resolve(problem);
    };
    child.once('error', (error) => over(`the command cannot be run: ${error.message}`));
    child.once('close', (code, signal) => {
      if (signal !== null) over(`the command was ended by ${signal}`);
      else over(code === 0 ? '' : `the command ended with status ${code}`);
    });
  });
  const kill = (signal: NodeJS.Signals): void => {
    try {
      if (!gone && child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // It has just ended by itself.
    }
  };
  const end = async (): Promise<void> => {
    kill('SIGTERM');
    const late = setTimeout(() => kill('SIGKILL'), BACK_END_MS);
    await ended;
    clearTimeout(late);
  };
  return { ended, end };
}

/** Prints what came of it; gives the exit status, `interrupted` where all is as it was and the operator has ended it by that signal. */
function tell(
  { invocation, terminal }: Session,
  task: RealTask,
  report: RealReport,
  file: string,
  interrupted: number,
): number {
  const { result } = report;
  const { back, end, problem, role, there } = result;
  const away = (leg: typeof there): number | null => {
    const ms = leg === null ? null : awayMs(leg);
    return ms === null ? null : Math.round(ms);
  };
  if (invocation.json) {
    const { expected } = report;
    const json = {
      ...{ resource: task.resource, problem, role, end, interrupted: result.interrupted, report: file },
      there: { node: there?.to ?? null, withoutServiceMs: away(there), expectedMs: expected.thereMs },
      back: { node: back?.to ?? null, withoutServiceMs: away(back), expectedMs: expected.backMs },
    };
    terminal.print(`${JSON.stringify(json, null, 2)}\n`);
  }
  for (const line of [problem, role, end]) if (line !== '') terminal.note(`hastmonctl: ${plain(line)}`);
  if (!invocation.json) terminal.print(`${file}\n`);
  // Without a way there nothing has been done.
  if (interrupted !== 0 && (problem === '' || there === null)) return interrupted;
  return problem === '' ? exitCode.ok : exitCode.tempFail;
}
