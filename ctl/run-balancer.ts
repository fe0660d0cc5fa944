/** Carries the commands about the balancer out: asks hastmond, prints what it says, and gives the exit status. */
import { exitCode } from '../daemon/process/sysexits.js';
import type { BalancerRequest } from '../proto/balancer-types.js';
import { answer, BALANCER_MS, succeeded } from './answer.js';
import type { BalancerTask } from './balancer-arguments.js';
import { formatHosts, formatServices } from './balancer-tables.js';
import type { Room } from './checks.js';
import type { Session } from './run.js';
import { invokingUser } from './user.js';

/** A file may have many names to resolve. */
const RELOAD_MS = 2 * 60_000;

/** Runs a command about the balancer; gives the exit status. */
export async function runBalancer(session: Session, task: BalancerRequest | BalancerTask): Promise<number> {
  switch (task.kind) {
    case 'balancer-hosts': {
      const { hosts, note, source } = await answer(session, task, 'hosts', BALANCER_MS);
      return show(session, note, { hosts, note, source }, (room) => formatHosts(hosts, room));
    }
    case 'balancer-services': {
      const { note, services, source } = await answer(session, task, 'services', BALANCER_MS);
      return show(session, note, { services, note, source }, (room) => formatServices(services, room));
    }
    case 'balancer-set': {
      const command = { ...task.command, by: invokingUser() };
      return say(session, { ...task, command }, BALANCER_MS);
    }
    case 'balancer-diff':
    case 'balancer-reload':
      return say(session, task, RELOAD_MS);
    case 'host': {
      const { runHost } = await import('./host.js');
      return runHost(session, task);
    }
    case 'rolling': {
      const { runRolling } = await import('./run-rolling.js');
      return runRolling(session, task);
    }
    case 'balancer-console':
    case 'console': {
      const { runConsole } = await import('./converse.js');
      return runConsole(session);
    }
    default:
      return task satisfies never;
  }
}

async function say(session: Session, request: BalancerRequest, timeoutMs: number): Promise<number> {
  const { text } = succeeded(await session.ask(request, timeoutMs));
  return show(session, '', { text }, () => (text === '' || text.endsWith('\n') ? text : `${text}\n`));
}

function show(
  { invocation, terminal }: Session,
  note: string,
  json: unknown,
  text: (room: Room) => string,
): number {
  if (note !== '') terminal.note(`hastmonctl: ${note}`);
  const room = { columns: terminal.columns(), rows: Number.POSITIVE_INFINITY, colour: terminal.colour };
  terminal.print(invocation.json ? `${JSON.stringify(json, null, 2)}\n` : text(room));
  return exitCode.ok;
}
