/**
 * Carries `switchover` out: asks hastmond, says how far it is, phase by phase, until it is known what came of it; or, with --dry-run, what would
 * be done.
 */
import { exitCode } from '../daemon/process/sysexits.js';
import type { ControlReply, ControlRequest, StatusEntry } from '../proto/control-types.js';
import { ANSWER_MS, succeeded } from './answer.js';
import { plain } from './check-words.js';
import { CtlError } from './error.js';
import { formatExplanation } from './explain.js';
import { standing } from './goal.js';
import type { Session } from './run.js';
import { fold, proseWidth } from './table.js';
import { passes, untilAble } from './until-able.js';
import { duration, namedOnce } from './words.js';

type Switchover = Extract<ControlRequest, { kind: 'switchover' }>;
type Plan = Extract<ControlRequest, { kind: 'switchover-plan' }>;

/** The shell's way to say that a signal has ended a program: 128 and its number. */
const INTERRUPTED = 130;

/** Gives the exit status. Rejects with a CtlError where it is refused, was put back, or is not waited for to its end. */
export async function runSwitchover(session: Session, request: Switchover | Plan): Promise<number> {
  if (request.kind === 'switchover-plan') return showPlan(session, request);
  const { invocation, terminal } = session;
  const { text } = succeeded(
    request.wait ? await waitFor(session, request) : await session.ask(request, ANSWER_MS),
  );
  if (invocation.json) {
    terminal.print(`${JSON.stringify(await statusOf(session, request.resource), null, 2)}\n`);
  } else if (text !== '') terminal.print(text.endsWith('\n') ? text : `${text}\n`);
  return exitCode.ok;
}

/** hastmond answers when it is over; each phase before that is a line of its own. */
async function waitFor(session: Session, request: Switchover): Promise<ControlReply> {
  const { invocation, terminal } = session;
  const { resource } = request;
  const howToSee = `hastmonctl status ${resource} and hastmonctl events ${resource} say how it is`;
  const { end, ended } = interrupted(invocation.timeoutMs);
  try {
    const spent = await untilPossible(session, request, ended);
    if (spent === 'signal') throw new CtlError(INTERRUPTED, `${resource}: nothing has been done`);
    if (spent === 'time') {
      const after = `after ${duration(invocation.timeoutMs)}`;
      throw new CtlError(exitCode.tempFail, `${resource}: not possible ${after}; nothing has been done`);
    }
    const asked = session.ask(request, 0, undefined, (line) => terminal.note(plain(line)));
    const outcome = await Promise.race([asked, ended]);
    if (outcome === 'signal')
      throw new CtlError(INTERRUPTED, `no longer waiting: a switchover that has begun goes on; ${howToSee}`);
    if (outcome !== 'time') return outcome;
    // What comes of it now is nobody's to hear.
    asked.catch(() => {});
    const [entry] = await statusOf(session, resource);
    const how = entry === undefined ? '' : `: ${standing(entry)}`;
    const late = `${resource}: not done after ${duration(invocation.timeoutMs)}${how}`;
    throw new CtlError(exitCode.tempFail, `${late}\nit goes on; ${howToSee}`);
  } finally {
    end();
  }
}

/** Waits where the successor lacks only what comes by itself. */
async function untilPossible(
  { ask, invocation, terminal }: Session,
  { resource, to }: Switchover,
  ended: Promise<'signal' | 'time'>,
): Promise<'signal' | 'time' | 'possible'> {
  const over = new AbortController();
  const possible = untilAble({
    plan: { kind: 'switchover-plan', resource, to },
    ask: (plan) => ask(plan, ANSWER_MS),
    tell: (line) => terminal.note(plain(line)),
    timeoutMs: invocation.timeoutMs,
    signal: over.signal,
  }).then(() => 'possible' as const);
  try {
    return await Promise.race([possible, ended]);
  } finally {
    over.abort();
  }
}

/** Resolves when the user interrupts the program, or the time is over. */
function interrupted(timeoutMs: number): { ended: Promise<'signal' | 'time'>; end: () => void } {
  let end = (): void => {};
  const ended = new Promise<'signal' | 'time'>((resolve) => {
    const onSignal = (): void => resolve('signal');
    const timer = setTimeout(() => resolve('time'), timeoutMs);
    process.once('SIGINT', onSignal);
    end = () => {
      clearTimeout(timer);
      process.off('SIGINT', onSignal);
    };
  });
  return { ended, end };
}

async function statusOf({ ask }: Session, resource: string): Promise<StatusEntry[]> {
  return succeeded(await ask({ kind: 'status', resources: [resource] }, ANSWER_MS)).status;
}

/**
 * Every condition with its present value, then the steps in their order. Exit status 75 where it would be refused, or would first be
 * waited for what the successor lacks: as it stands it is not done.
 */
async function showPlan({ ask, invocation, terminal }: Session, request: Plan): Promise<number> {
  const { error, explanations: said, text } = await ask(request, ANSWER_MS);
  if (error !== null && said.length === 0) throw new CtlError(error.code, namedOnce(error.message));
  const explanations = said.map((each) => {
    const waits = error !== null && passes(each);
    return { ...each, sentence: namedOnce(waits ? `would wait for: ${error.message}` : each.sentence) };
  });
  const steps = text.split('\n').filter((line) => line !== '');
  if (invocation.json) {
    const [explanation = null] = explanations;
    const plan = { done: error === null, refusal: error?.message ?? '', explanation, steps };
    terminal.print(`${JSON.stringify(plan, null, 2)}\n`);
  } else {
    const space = { columns: terminal.columns(), colour: terminal.colour };
    const shown = explanations.map((explanation) => formatExplanation(explanation, space)).join('\n');
    const width = proseWidth(terminal.columns());
    const listed = steps
      .flatMap((line, index) => fold(`  ${index + 1}. ${plain(line)}`, width, '     '))
      .map((line) => `${line}\n`)
      .join('');
    terminal.print(`${shown}${listed === '' ? '' : `\nWHAT WOULD HAPPEN, IN THIS ORDER:\n${listed}`}`);
  }
  return error === null ? exitCode.ok : error.code;
}
