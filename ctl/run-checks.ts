/** Carries the commands about checks and alerts out: asks hastmond, prints what it says, and gives the exit status. */
import { exitCode } from '../daemon/process/sysexits.js';
import type { MonitorRequest } from '../proto/monitor-types.js';
import { ANSWER_MS, type AnswerOf, answer, succeeded } from './answer.js';
import { formatAlertTest, formatDetail, formatProbe } from './check-detail.js';
import { type CheckList, formatChecks, type Room } from './checks.js';
import type { Session } from './run.js';
import { invokingUser } from './user.js';

/** A check takes its time, and so does a mail server. */
const SLOW_MS = 10 * 60_000;
/** Where nothing says how wide a line may be. */
const WIDTH = 80;

/** How an answer is shown: as lines in this room, and as JSON. */
interface Shown {
  text: (room: Room) => string;
  json: unknown;
  /** What is no result, '' for nothing. */
  note: string;
}

/** Runs a command about monitoring; gives the exit status. */
export async function runMonitoring(session: Session, request: MonitorRequest): Promise<number> {
  switch (request.kind) {
    case 'checks':
      return show(session, async () => shownList(await list(session, request)));
    case 'check':
      return show(session, async () => shownDetail(await answer(session, request, 'check', ANSWER_MS)));
    case 'run-check': {
      const { kind: _, ...probe } = await answer(session, request, 'probe', SLOW_MS);
      print(session, { text: () => formatProbe(probe), json: probe, note: '' });
      return probe.result.ok ? exitCode.ok : exitCode.no;
    }
    case 'test-alert': {
      const { kind: _, ...test } = await answer(session, request, 'test', SLOW_MS);
      print(session, { text: () => formatAlertTest(test), json: test, note: '' });
      return test.ok ? exitCode.ok : exitCode.no;
    }
    case 'ack':
      return change(session, { ...request, by: request.by === '' ? invokingUser() : request.by });
    case 'mute':
      return change(session, request);
    default:
      return request satisfies never;
  }
}

async function change(session: Session, request: MonitorRequest): Promise<number> {
  const { text } = succeeded(await session.ask(request, ANSWER_MS));
  print(session, { text: () => text, json: { text }, note: '' });
  return exitCode.ok;
}

/** Every page of the list. */
export async function list(
  session: Session,
  request: Extract<MonitorRequest, { kind: 'checks' }>,
): Promise<CheckList> {
  const { kind: _, next: second, ...all } = await answer(session, request, 'checks', ANSWER_MS);
  for (let from = second; from > 0; ) {
    const page = await answer(session, { ...request, from }, 'checks', ANSWER_MS);
    for (const entry of page.entries) all.entries.push(entry);
    all.up += page.up;
    all.down += page.down;
    all.unknown += page.unknown;
    from = page.next > from ? page.next : 0;
  }
  return all;
}

function shownList(checks: CheckList): Shown {
  const { entries, ...sum } = checks;
  const nothing = checks.up + checks.down + checks.unknown === 0;
  const text = (room: Room) => (nothing ? '' : formatChecks(checks, room));
  return { text, json: { checks: entries, ...sum }, note: checks.note };
}

function shownDetail({ kind: _, entry, ...rest }: AnswerOf<'check'>): Shown {
  const text = ({ columns }: Room) =>
    formatDetail({ entry, ...rest }, Number.isFinite(columns) ? columns : WIDTH);
  return { text, json: { ...entry, ...rest }, note: '' };
}

/** Once, or again and again with --watch. */
async function show(session: Session, look: () => Promise<Shown>): Promise<number> {
  const first = await look();
  if (session.invocation.watchMs === 0) {
    print(session, first);
    return exitCode.ok;
  }
  const { watch } = await import('./watch.js');
  const { json, watchMs } = session.invocation;
  await watch({
    terminal: session.terminal,
    everyMs: watchMs,
    screen: !json,
    first,
    look,
    append: (shown) => print(session, shown, 0),
  });
  return exitCode.ok;
}

function print({ invocation, terminal }: Session, shown: Shown, indent = 2): void {
  if (shown.note !== '') terminal.note(`hastmonctl: ${shown.note}`);
  const { colour, columns } = terminal;
  const room = { columns: columns(), rows: Number.POSITIVE_INFINITY, colour };
  if (invocation.json) terminal.print(`${JSON.stringify(shown.json, null, indent)}\n`);
  else terminal.print(shown.text(room));
}
