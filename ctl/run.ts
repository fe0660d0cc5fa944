/** Carries a command of hastmonctl out: asks hastmond, prints what it says, and gives the exit status. */
import { exitCode } from '../daemon/process/sysexits.js';
import { version } from '../daemon/process/version.js';
import type { BalancerRequest } from '../proto/balancer-types.js';
import type { ControlReply, ControlRequest, StatusEntry } from '../proto/control-types.js';
import type { EventsRequest, HaEvent } from '../proto/event-types.js';
import type { ExplainRequest } from '../proto/explain-types.js';
import type { MonitorRequest } from '../proto/monitor-types.js';
import { ANSWER_MS, succeeded } from './answer.js';
import type { Invocation } from './arguments.js';
import { plain } from './check-words.js';
import { ControlFailure, call, Unreached } from './client.js';
import { CtlError } from './error.js';
import type { Goal } from './goal.js';
import { type Found, findControl } from './locate.js';
import { formatStatus } from './status.js';
import type { Terminal } from './terminal.js';

/** A reload may have to stop a resource first. */
const RELOAD_MS = 10 * 60_000;

/** hastmond answers within two leases, as long as those may be. */
const MAINTENANCE_MS = 5 * 60_000;

/** What one run works with. */
export interface Session {
  invocation: Invocation;
  terminal: Terminal;
  /** `onEvents` gets the events of the answer as they come, `onProgress` the lines about how far it is. */
  ask: (
    request: ControlRequest,
    timeoutMs: number,
    onEvents?: (events: readonly HaEvent[]) => void,
    onProgress?: (line: string) => void,
  ) => Promise<ControlReply>;
}

/** Runs a command; gives the exit status, from sysexits(3). */
export async function run(invocation: Invocation, terminal: Terminal): Promise<number> {
  try {
    return await carryOut(openSession(invocation, terminal));
  } catch (error) {
    if (!(error instanceof CtlError || error instanceof ControlFailure)) throw error;
    tellOf(error, terminal);
    return error.code;
  }
}

/** What other nodes have said may be in it. */
function tellOf(error: CtlError | ControlFailure, terminal: Terminal): void {
  const aboutFile = error instanceof CtlError ? error.aboutFile : '';
  for (const line of aboutFile.trimEnd().split('\n')) if (aboutFile !== '') terminal.note(plain(line));
  // hastmond's messages about a file begin with file:line:column, for editors to read.
  const who = error.code === exitCode.config && aboutFile === '' ? '' : 'hastmonctl: ';
  for (const line of error.message.split('\n')) terminal.note(plain(`${who}${line}`));
}

function openSession(invocation: Invocation, terminal: Terminal): Session {
  const debug = (level: number, text: string): void => {
    if (invocation.debug >= level) terminal.note(`hastmonctl: ${text}`);
  };
  let found: Found | null = null;
  const ask: Session['ask'] = async (
    request,
    timeoutMs,
    onEvents = () => {},
    onProgress = terminal.progress,
  ) => {
    if (found === null) {
      const purpose = invocation.request.kind === 'reload' ? 'reload' : 'other';
      found = findControl(invocation, (text) => debug(1, text), purpose);
      debug(1, `control socket: ${found.path}`);
    }
    const { errors, hint, path } = found;
    const began = performance.now();
    debug(2, `request: ${JSON.stringify(request)}`);
    const onPart = ({ events, progress }: ControlReply): void => {
      if (progress !== '') onProgress(progress);
      onEvents(events);
    };
    const reply = await call(path, request, onPart, timeoutMs).catch((error: unknown) => {
      throw hint === '' ? error : hinted(error, hint, errors);
    });
    const answer = reply.error === null ? 'done' : `error ${reply.error.code}`;
    debug(2, `answer to ${request.kind} after ${Math.round(performance.now() - began)} ms: ${answer}`);
    return reply;
  };
  return { invocation, terminal, ask };
}

/** Where nobody answers, the socket may be another node's; whose file is wrong and cannot be given to hastmond is told so here. */
function hinted(error: unknown, hint: string, errors: string): unknown {
  if (errors !== '' && error instanceof Unreached)
    return new CtlError(error.code, `${error.message}\n${hint}\nnothing has been changed`, errors);
  const nobody = error instanceof ControlFailure && error.code === exitCode.unavailable;
  return nobody ? new ControlFailure(error.code, `${error.message}\n${hint}`) : error;
}

async function carryOut(session: Session): Promise<number> {
  const { request, watchMs } = session.invocation;
  if (watchMs > 0 && (request.kind === 'status' || request.kind === 'cluster-status')) {
    const { runOverview } = await import('./run-overview.js');
    return runOverview(session, request.resources);
  }
  switch (request.kind) {
    case 'checks':
    case 'check':
    case 'run-check':
    case 'ack':
    case 'mute':
    case 'test-alert': {
      // Most runs of this program are about resources, and do without all this.
      const { runMonitoring } = await import('./run-checks.js');
      return runMonitoring(session, request);
    }
    case 'balancer-hosts':
    case 'balancer-services':
    case 'balancer-set':
    case 'balancer-diff':
    case 'balancer-reload':
    case 'balancer-console':
    case 'host':
    case 'console':
    case 'rolling': {
      const { runBalancer } = await import('./run-balancer.js');
      return runBalancer(session, request);
    }
    case 'events': {
      const { runEvents } = await import('./run-events.js');
      return runEvents(session, request);
    }
    case 'cluster-status':
    case 'timeline-of': {
      const { runCluster } = await import('./run-cluster.js');
      return runCluster(session, request);
    }
    case 'explain': {
      const { runExplain } = await import('./run-explain.js');
      return runExplain(session, request);
    }
    case 'drill-matrix':
    case 'drill-for-real': {
      const { runDrill } = await import('./run-drill.js');
      return runDrill(session, request);
    }
    case 'about':
    case 'cluster':
    case 'timeline':
      throw new Error(`no command asks for ${request.kind} alone`);
    case 'switchover':
    case 'switchover-plan': {
      const { runSwitchover } = await import('./switchover.js');
      return runSwitchover(session, request);
    }
    default:
      await onResources(session, request);
      return exitCode.ok;
  }
}

/** What is carried out in other files. */
type Elsewhere = MonitorRequest | BalancerRequest | EventsRequest | ExplainRequest | OfAllNodes | Switchover;
type OfAllNodes = { kind: 'about' | 'cluster' | 'timeline' | 'drill' };
type Switchover = { kind: 'switchover' | 'switchover-plan' };

async function onResources(
  session: Session,
  request: Exclude<ControlRequest, { kind: Elsewhere['kind'] }>,
): Promise<void> {
  switch (request.kind) {
    case 'status':
      return printStatus(session, await statuses(session, request));
    case 'dump':
      return dump(session, request);
    case 'version':
      return versions(session, request);
    case 'reload': {
      const reply = succeeded(await session.ask(request, RELOAD_MS));
      return printText(session, reply.text, { text: reply.text });
    }
    case 'maintenance': {
      if (request.what === 'forget') await confirmForget(session, request);
      const { text } = succeeded(await session.ask(request, MAINTENANCE_MS));
      return printText(session, text, { text });
    }
    case 'report': {
      const { text } = succeeded(await session.ask(request, ANSWER_MS));
      return printText(session, text, { text });
    }
    case 'bootstrap':
    case 'role':
      return change(session, request);
    default:
      return request satisfies never;
  }
}

type Change = Extract<ControlRequest, { kind: 'role' | 'bootstrap' }>;

/** Asks for a change; with --json the answer is the status afterwards. */
async function change(session: Session, request: Change): Promise<void> {
  const { invocation, terminal } = session;
  await confirmRisk(session, request);
  const after = { kind: 'status', resources: resourcesOf(request) } as const;
  const goal = goalOf(request);
  if (!invocation.wait || goal === null) {
    const { text } = succeeded(await session.ask(request, ANSWER_MS));
    return printText(session, text, invocation.json ? await statuses(session, after) : null);
  }
  const { waitUntilDone } = await import('./wait.js');
  const entries = await waitUntilDone({
    goal,
    command: session.ask(request, 0),
    status: () => statuses(session, after),
    timeoutMs: invocation.timeoutMs,
    progress: terminal.progress,
  });
  terminal.progress('');
  const lines = entries.map(({ resource, role, state }) => `${resource}: ${role}, ${state}\n`);
  return printText(session, lines.join(''), entries);
}

function goalOf(request: Change): Goal | null {
  return request.kind === 'role' ? { role: request.role } : null;
}

async function confirmRisk({ invocation, terminal }: Session, request: Change): Promise<void> {
  const forced = request.kind === 'role' && request.force;
  if (!forced && request.kind !== 'bootstrap') return;
  const { bootstrapRisk, confirm, forceRisk } = await import('./risk.js');
  const [resource = ''] = resourcesOf(request);
  const risk = forced ? forceRisk(resource) : bootstrapRisk(resource);
  if (invocation.yes) terminal.note(risk);
  else await confirm(terminal, risk, resource);
}

async function confirmForget(
  { invocation, terminal }: Session,
  request: Extract<ControlRequest, { kind: 'maintenance' }>,
): Promise<void> {
  const { confirm, forgetRisk } = await import('./risk.js');
  const [resource = ''] = request.resources;
  const risk = forgetRisk(resource);
  if (invocation.yes) terminal.note(risk);
  else await confirm(terminal, risk, resource);
}

function resourcesOf(request: Change): 'all' | readonly string[] {
  return request.kind === 'role' ? request.resources : [request.resource];
}

async function statuses(
  session: Session,
  request: Extract<ControlRequest, { kind: 'status' }>,
): Promise<StatusEntry[]> {
  return succeeded(await session.ask(request, ANSWER_MS)).status;
}

function printStatus({ invocation, terminal }: Session, entries: readonly StatusEntry[]): void {
  if (invocation.json) return terminal.print(`${JSON.stringify(entries, null, 2)}\n`);
  if (entries.length === 0) terminal.note('hastmonctl: this node has no resources');
  terminal.print(entries.map((entry) => formatStatus(entry, terminal.colour)).join(''));
}

async function dump(session: Session, request: ControlRequest): Promise<void> {
  const { text } = succeeded(await session.ask(request, ANSWER_MS));
  if (!session.invocation.json) return session.terminal.print(text);
  const { dumpToJson } = await import('./dump-json.js');
  session.terminal.print(`${JSON.stringify(dumpToJson(text), null, 2)}\n`);
}

async function versions(session: Session, request: ControlRequest): Promise<void> {
  const { invocation, terminal } = session;
  if (!invocation.json) terminal.print(`hastmonctl ${version}\n`);
  const hastmond = succeeded(await session.ask(request, ANSWER_MS)).text.trim();
  if (!invocation.json) return terminal.print(`hastmond ${hastmond}\n`);
  terminal.print(`${JSON.stringify({ hastmonctl: version, hastmond }, null, 2)}\n`);
}

function printText({ invocation, terminal }: Session, text: string, json: unknown): void {
  if (invocation.json) terminal.print(`${JSON.stringify(json, null, 2)}\n`);
  else if (text !== '') terminal.print(text.endsWith('\n') ? text : `${text}\n`);
}
