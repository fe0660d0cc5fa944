/** The shell of for-real.ts: asks hastmond and the operator, runs the command, hears interrupts, and writes the report. */
import { spawn } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeName } from '../daemon/core/types.js';
import { play } from '../daemon/drill/play.js';
import { heldBy } from '../daemon/drill/scene.js';
import { exitCode } from '../daemon/process/sysexits.js';
import { version } from '../daemon/process/version.js';
import type { Failover } from '../proto/timeline-types.js';
import { ANSWER_MS, succeeded } from './answer.js';
import type { RealTask } from './drill-arguments.js';
import { compute, type Drilled, eventsOf, gathered, present } from './drill-facts.js';
import { type Expected, type RealReport, reportText } from './drill-report.js';
import { CtlError } from './error.js';
import { forReal, objections, type RealEffects, successorOf } from './for-real.js';
import { confirm, realRisk } from './risk.js';
import type { Session } from './run.js';
import { list } from './run-checks.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** A failover may take less than 100 ms; what is measured is as exact as this. */
const LOOK_MS = 20;
/** Events are on disk a moment after what they tell. */
const EVENTS_LATE_MS = 200;
/** All nodes look into their journals. */
const TIMELINE_MS = 30_000;
/** By so much the clocks of the nodes may differ, without a failover of before being taken for one of these. */
const CLOCKS_MS = 1000;
/** More confirmed outages are not named one by one. */
const OUTAGES_MAX = 5;

/** Gives the exit status; rejects with a CtlError where nothing has been begun. */
export async function runForReal(session: Session, task: RealTask): Promise<number> {
  const { invocation, terminal } = session;
  const [known] = await gathered(session, [task.resource]);
  if (known === undefined) throw new CtlError(exitCode.protocol, `hastmond says nothing of ${task.resource}`);
  const facts = known.asked;
  const found = objections(task, known, await outages(session));
  if (found.length > 0) {
    const lines = found.map((line) => `  ${line}`).join('\n');
    throw new CtlError(exitCode.unavailable, `no drill with ${task.resource} now:\n${lines}`);
  }
  const drilled = compute(known);
  const successor = successorOf(task, facts)?.node ?? '';
  const expected = expectedOf(drilled, successor);
  const hastmond = succeeded(await session.ask({ kind: 'version' }, ANSWER_MS)).text.trim();
  const risk = realRisk(task.resource, facts.node, successor, expected);
  if (invocation.yes) terminal.note(risk);
  else await confirm(terminal, risk, task.resource);
  const began = new Date();
  const report = await openReport(task, began);
  const interrupts = listen(session);
  const over = new AbortController();
  try {
    const result = await forReal(task, facts, effectsOf(session, task, interrupts, over.signal));
    await sleep(EVENTS_LATE_MS);
    const sinceMs = Date.now() - began.getTime() + 1000;
    const events = await eventsOf(session, task.resource, sinceMs).catch(() => []);
    const failovers = await failoversOf(session, task, began).catch(() => []);
    const versions = { hastmonctl: version, hastmond };
    const whole: RealReport = {
      ...{ task, drilled, expected, result, events, failovers, versions, began, ended: new Date() },
    };
    await report.file.write(reportText(whole));
    await report.file.close();
    return tell(session, task, whole, report.name);
  } finally {
    over.abort();
    interrupts.close();
    await report.file.close().catch(() => {});
  }
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

/** How long the service would be away on each way; null where that cannot be computed. */
function expectedOf({ problem, scene }: Drilled, successor: NodeName): Expected {
  if (problem !== '') return { thereMs: null, backMs: null };
  const away = (from: NodeName, to: NodeName): number | null => {
    const { awayMs, node } = play(heldBy(scene, from), { kind: 'switchover', node: to }, 0);
    return node === to ? awayMs : null;
  };
  return { thereMs: away(scene.holder, successor), backMs: away(successor, scene.holder) };
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

interface Interrupts {
  count(): number;
  signal: () => AbortSignal;
  close(): void;
}

function listen({ terminal }: Session): Interrupts {
  let count = 0;
  let abort = new AbortController();
  const heard = (signal: NodeJS.Signals): void => {
    count += 1;
    if (count === 1)
      terminal.note(`hastmonctl: ${signal}: it comes back at once; once more leaves it where it is`);
    abort.abort();
    abort = new AbortController();
  };
  for (const signal of SIGNALS) process.on(signal, heard);
  const interrupts: Interrupts = {
    count: () => count,
    signal: () => abort.signal,
    close() {
      for (const signal of SIGNALS) process.off(signal, heard);
    },
  };
  return interrupts;
}

function effectsOf(
  session: Session,
  task: RealTask,
  interrupts: Interrupts,
  ended: AbortSignal,
): RealEffects {
  const { ask, terminal } = session;
  const { resource } = task;
  const done = async (asked: ReturnType<Session['ask']>): Promise<string> =>
    (await asked).error?.message ?? '';
  return {
    look: () => present(session, resource),
    switchover: (to) => done(ask({ kind: 'switchover', resource, to, wait: true }, 0)),
    setPrimary: () =>
      done(
        ask({ kind: 'role', role: 'primary', resources: [resource], force: false, wait: false }, ANSWER_MS),
      ),
    runBack: (on) => runBack(task, on, ended),
    say: (line) => terminal.note(line),
    progress: (line) => terminal.progress(line),
    pause: () => sleep(LOOK_MS, undefined, { signal: interrupts.signal() }).catch(() => {}),
    interrupts: interrupts.count,
  };
}

/**
 * Runs the command that switches back; '' or why it failed. It has no terminal, so that Ctrl-C does not reach it, and is ended when the drill is.
 * What it prints is no result of this program, and goes to the standard error.
 */
function runBack(task: RealTask, on: NodeName, ended: AbortSignal): Promise<string> {
  const [program = '', ...rest] = task.back.map((word) => word.replaceAll('{}', on));
  const env = { ...process.env, HASTMON_RESOURCE: task.resource, HASTMON_NODE: on };
  const child = spawn(program, rest, { env, detached: true, stdio: ['ignore', 2, 'inherit'] });
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    } catch {
      // It has just ended by itself.
    }
  };
  ended.addEventListener('abort', end);
  return new Promise((resolve) => {
    const over = (problem: string): void => {
      ended.removeEventListener('abort', end);
      resolve(problem);
    };
    child.once('error', (error) => over(`the command cannot be run: ${error.message}`));
    child.once('close', (code, signal) => {
      if (signal !== null) over(`the command was ended by ${signal}`);
      else over(code === 0 ? '' : `the command ended with status ${code}`);
    });
  });
}

function tell({ invocation, terminal }: Session, task: RealTask, report: RealReport, file: string): number {
  const { result } = report;
  const { back, end, interrupted, problem, there } = result;
  const away = (leg: typeof there): number | null =>
    leg === null || leg.runsAt === null || leg.stopsAt === null ? null : Math.round(leg.runsAt - leg.stopsAt);
  if (invocation.json) {
    const { expected } = report;
    const json = {
      ...{ resource: task.resource, problem, end, interrupted, report: file },
      there: { node: there?.to ?? null, withoutServiceMs: away(there), expectedMs: expected.thereMs },
      back: { node: back?.to ?? null, withoutServiceMs: away(back), expectedMs: expected.backMs },
    };
    terminal.print(`${JSON.stringify(json, null, 2)}\n`);
  }
  if (problem !== '') terminal.note(`hastmonctl: ${problem}`);
  terminal.note(`hastmonctl: ${end}`);
  if (!invocation.json) terminal.print(`${file}\n`);
  return problem === '' ? exitCode.ok : exitCode.tempFail;
}
