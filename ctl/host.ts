/** `hastmonctl host`: switches servers off and on, gives them weights, and waits until that has happened where it is told to. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PairView } from '../daemon/balancer/types.js';
import { exitCode } from '../daemon/process/sysexits.js';
import { answer, BALANCER_MS, succeeded } from './answer.js';
import type { BalancerTask, HostAction, SetCommand } from './balancer-arguments.js';
import { pairWords } from './balancer-words.js';
import { ControlFailure } from './client.js';
import { CtlError } from './error.js';
import { type Aim, meantBy, missing } from './pairs.js';
import type { Session } from './run.js';
import { invokingUser } from './user.js';
import { duration } from './words.js';

/** The kernel's counts are looked at so often. */
export const LOOK_MS = 100;

const AIMS: Readonly<Record<HostAction, Aim>> = { off: 'off', drain: 'quiet', on: 'done', weight: 'done' };

export async function runHost(
  session: Session,
  { action, command }: Extract<BalancerTask, { kind: 'host' }>,
): Promise<number> {
  const { json, timeoutMs, wait } = session.invocation;
  const text = await setHosts(session, command);
  if (!wait && !json) {
    session.terminal.print(text === '' || text.endsWith('\n') ? text : `${text}\n`);
    return exitCode.ok;
  }
  const look = async (): Promise<PairView[]> => {
    const { hosts } = await answer(
      session,
      { kind: 'balancer-hosts', hosts: command.hosts, services: [] },
      'hosts',
      BALANCER_MS,
    );
    const meant = meantBy(hosts, command.hosts, command.services);
    if (meant.length > 0) return meant;
    throw new CtlError(exitCode.noHost, `the balancer has no ${command.hosts.join(', ')} in these services`);
  };
  const pairs = wait ? await waitFor(session, look, AIMS[action], timeoutMs) : await look();
  session.terminal.progress('');
  const lines = pairs.map((pair) => `${pair.host} in ${pair.service}: ${pairWords(pair)}\n`);
  session.terminal.print(json ? `${JSON.stringify(pairs, null, 2)}\n` : lines.join(''));
  return exitCode.ok;
}

/** Has it done, as the invoking user; gives what the balancer says of it. Rejects with a CtlError where it is refused. */
export async function setHosts(session: Session, command: SetCommand): Promise<string> {
  const request = { kind: 'balancer-set', command: { ...command, by: invokingUser() } } as const;
  return succeeded(await session.ask(request, BALANCER_MS)).text;
}

async function waitFor(
  session: Session,
  look: () => Promise<PairView[]>,
  aim: Aim,
  timeoutMs: number,
): Promise<PairView[]> {
  const began = performance.now();
  let open = ['nothing is known yet'];
  for (;;) {
    try {
      const pairs = await look();
      open = missing(pairs, aim);
      if (open.length === 0) return pairs;
    } catch (error) {
      open = [away(error)];
    }
    const waited = performance.now() - began;
    if (waited >= timeoutMs)
      throw new CtlError(
        exitCode.tempFail,
        open.map((line) => `not done after ${duration(timeoutMs)}: ${line}`).join('\n'),
      );
    session.terminal.progress(open.join(' | '));
    await sleep(Math.min(LOOK_MS, timeoutMs - waited));
  }
}

/** Why there is no answer for now: hastmond or its balancer is started again, say. Other errors are thrown. */
export function away(error: unknown): string {
  const known = error instanceof ControlFailure || error instanceof CtlError;
  if (known && (error.code === exitCode.unavailable || error.code === exitCode.tempFail))
    return error.message;
  throw error;
}
