/**
 * `hastmonctl rolling`: one host after the other is switched off, left alone until nobody uses it, worked on, switched on again and waited
 * for. It stops at the first thing that goes wrong, and a host that was worked on, or was about to be, stays off then. It asks and tells
 * by what it is given, and knows no process, no socket and no clock.
 */
import type { PairView } from '../daemon/balancer/types.js';
import { exitCode } from '../daemon/process/sysexits.js';
import type { RollingTask, SetCommand } from './balancer-arguments.js';
import { CtlError } from './error.js';
import { type Aim, addressOf, leftWithout, meantBy, missing } from './pairs.js';
import { duration } from './words.js';

export interface RollingEffects {
  /** The servers in their services; empty lists: all. Rejects where there is no answer. */
  look(hosts: readonly string[], services: readonly string[]): Promise<readonly PairView[]>;
  set(command: SetCommand): Promise<void>;
  /** Runs the command for this host; '' or why it failed. */
  run(host: string, address: string): Promise<string>;
  /** A step that was taken. */
  say(line: string): void;
  /** How far it is. */
  progress(line: string): void;
  /** Resolves earlier where the operator interrupts. */
  pause(): Promise<void>;
  interrupted(): boolean;
  /** Milliseconds of a clock that is not set. */
  now(): number;
  /** The error as the reason for another look, where there may be an answer later; else it is thrown. */
  away(error: unknown): string;
}

export interface RollingReport {
  done: { host: string; tookMs: number }[];
  /** null: all were done. */
  failed: RollingFailure | null;
  /** Not begun with. */
  left: string[];
}

export interface RollingFailure {
  host: string;
  why: string;
  /** It is off with the reason of this run. */
  off: boolean;
  /** The command that puts it back; '' where it is not off. */
  putBack: string;
}

/** Ends the run; what has been done to the host is known by where it is thrown. */
class Stop extends Error {}

const INTERRUPTED = 'interrupted';

/** Throws a CtlError where nothing should be begun. */
export function refuse(task: RollingTask, pairs: readonly PairView[]): void {
  const { force, hosts, services } = task;
  const known = new Set(pairs.map(({ host }) => host));
  const unknown = hosts.filter((host) => !known.has(host));
  if (unknown.length > 0)
    throw new CtlError(exitCode.noHost, `the balancer has no host ${unknown.join(', ')} in any service`);
  const existing = new Set(pairs.map(({ service }) => service));
  const strange = services.filter((service) => service !== '*' && !existing.has(service));
  if (strange.length > 0)
    throw new CtlError(exitCode.noHost, `the balancer has no service ${strange.join(', ')} with servers`);
  for (const host of hosts) {
    if (meantBy(pairs, [host], services).length === 0)
      throw new CtlError(exitCode.noHost, `${host} is not in ${services.join(', ')}`);
    if (meantBy(pairs, [host], services).some(({ connections }) => connections === null))
      throw new CtlError(
        exitCode.unavailable,
        "the kernel's table cannot be read: nobody knows when a server has no connections any more",
      );
    const alone = force ? '' : aloneIn(pairs, host, services);
    if (alone !== '') throw new CtlError(exitCode.unavailable, `${alone}; --force does it all the same`);
  }
}

function aloneIn(pairs: readonly PairView[], host: string, services: readonly string[]): string {
  const without = leftWithout(pairs, host, services);
  return without.length === 0 ? '' : `without ${host} no server is left in ${without.join(', ')}`;
}

export async function roll(task: RollingTask, effects: RollingEffects): Promise<RollingReport> {
  const done: RollingReport['done'] = [];
  for (const [index, host] of task.hosts.entries()) {
    const began = effects.now();
    const failed = await one(task, host, effects);
    if (failed !== null) return { done, failed, left: task.hosts.slice(index + 1) };
    const tookMs = effects.now() - began;
    effects.say(`${host}: done after ${duration(tookMs)}`);
    done.push({ host, tookMs });
  }
  return { done, failed: null, left: [] };
}

/** null: it is done with. */
async function one(task: RollingTask, host: string, effects: RollingEffects): Promise<RollingFailure | null> {
  const { reason, services } = task;
  const where = { hosts: [host], services, reasons: [reason], by: '' };
  let off = false;
  try {
    const pairs = await before(task, host, effects);
    // Where no answer comes to it, it may be off all the same.
    off = true;
    await effects.set({ kind: 'off', ...where });
    effects.say(`${host}: off (${reason})`);
    await untilSo(task, host, 'quiet', task.drainMs, effects);
    effects.say(`${host}: no connections; running ${task.command.join(' ')}`);
    const problem = await effects.run(host, addressOf(pairs, host));
    if (problem !== '') throw new Stop(problem);
    stopWhereInterrupted(effects);
    await effects.set({ kind: 'on', ...where, rampMs: task.rampMs });
    off = false;
    effects.say(`${host}: on`);
    await untilSo(task, host, 'done', task.upMs + (task.rampMs ?? 0), effects);
    return null;
  } catch (error) {
    // Whatever it was: that the host is off has to be said.
    const why = error instanceof Error ? error.message : String(error);
    return { host, why, off, putBack: off ? putBackBy(task, host) : '' };
  }
}

/** Things may have changed since the beginning. */
async function before(
  { force, services }: RollingTask,
  host: string,
  effects: RollingEffects,
): Promise<readonly PairView[]> {
  stopWhereInterrupted(effects);
  const pairs = await effects.look([], services.includes('*') ? [] : services);
  if (meantBy(pairs, [host], services).length === 0) throw new Stop('it is not there any more');
  const alone = force ? '' : aloneIn(pairs, host, services);
  if (alone !== '') throw new Stop(alone);
  return pairs;
}

/** Rejects with a Stop where it takes longer, or is interrupted. */
async function untilSo(
  { services }: RollingTask,
  host: string,
  aim: Aim,
  limitMs: number,
  effects: RollingEffects,
): Promise<void> {
  const end = effects.now() + limitMs;
  for (;;) {
    stopWhereInterrupted(effects);
    let open: string[];
    try {
      const pairs = meantBy(await effects.look([host], []), [host], services);
      open = pairs.length === 0 ? ['it is not there any more'] : missing(pairs, aim);
    } catch (error) {
      open = [effects.away(error)];
    }
    if (open.length === 0) return effects.progress('');
    if (effects.now() >= end) throw new Stop(`not so after ${duration(limitMs)}: ${open.join('; ')}`);
    effects.progress(open.join(' | '));
    await effects.pause();
  }
}

function stopWhereInterrupted(effects: RollingEffects): void {
  if (effects.interrupted()) throw new Stop(INTERRUPTED);
}

function putBackBy({ rampMs, reason, services }: RollingTask, host: string): string {
  const vs = services.includes('*') ? 'all' : services.join(',');
  const ramp = rampMs === null ? '' : ` --ramp ${rampMs}ms`;
  return `hastmonctl host ${host} on --vs ${vs} --reason ${reason}${ramp}`;
}
