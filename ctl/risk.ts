/** What an operator takes upon themself with `role primary --force` and `bootstrap`, and the question whether they do. */
import { exitCode } from '../daemon/process/sysexits.js';
import { CtlError } from './error.js';
import { fold, proseWidth } from './table.js';
import type { Terminal } from './terminal.js';
import { duration } from './words.js';

/** What becoming primary without a majority risks. */
export function forceRisk(resource: string): string {
  return [
    `role primary --force ${resource}: starts ${resource} here without a majority of the voters.`,
    `  The risk: where another node runs ${resource}, or comes to run it, it runs on two`,
    '  nodes at once, and nothing prevents that. Data that both write is damaged.',
    '  Do this only when you know that every other node that could run it is off,',
    '  or cut off from the resource. It is not kept over a restart of hastmond, and',
    '  ends when this node meets a lawful holder of the lease.',
  ].join('\n');
}

/** What giving a voter a past by word of mouth risks. */
export function bootstrapRisk(resource: string): string {
  return [
    `bootstrap ${resource}: tells this node's voter that ${resource} has no earlier history.`,
    '  The risk: where this node has voted before and its record was lost, epochs can',
    '  repeat, and a primary that was given its vote may still run when the vote goes',
    '  to another one: the service would run twice.',
    '  Do this only for a new cluster whose nodes cannot all be up at once, or when',
    '  you know that no node runs it. Where the other nodes can be started, start',
    '  them instead: this voter then learns what it needs by itself.',
  ].join('\n');
}

/** What ending maintenance for a node that cannot end it itself risks. */
export function forgetRisk(resource: string): string {
  return [
    `maintenance forget ${resource}: this node's voter keeps ${resource} for nobody any more.`,
    '  The risk: the node that it is kept for has left it running, with or without its',
    '  hastmond, and goes on doing so: another node may come to run it too, and data',
    '  that both write is damaged.',
    `  Do this only when that node is off, or cut off from ${resource}, and on each node that`,
    '  is left. Where it can be started, start it instead, and end maintenance there.',
  ].join('\n');
}

/**
 * What moving a service that is in use and back does to it. `expected`: without the service on each way, null where that is not known; `role`:
 * what becomes of the role of this node, '' where that stays; `columns`: of a line, Infinity where nothing says how wide it may be.
 */
export function realRisk(
  resource: string,
  from: string,
  to: string,
  { thereMs, backMs }: { thereMs: number | null; backMs: number | null },
  role: string,
  columns: number,
): string {
  const about = (ms: number | null): string => (ms === null ? 'a time that is not known' : duration(ms));
  const width = proseWidth(columns);
  const told = [
    `drill --for-real ${resource}: stops ${resource} on ${from}, has it started on ${to}, and moved back to ${from} after that.`,
    `  The service is interrupted twice: for ${about(thereMs)} and for ${about(backMs)}, as far as that can be computed. ` +
      'Where it cannot be started on one of them, it is away for longer.',
    ...(role === '' ? [] : [`  ${role}.`]),
  ];
  return told.flatMap((line) => fold(line, width, '  ')).join('\n');
}

/**
 * Says what is risked and has the resource's name typed. Throws a CtlError where the operator does not confirm, or
 * where there is no terminal to ask on.
 */
export async function confirm(terminal: Terminal, risk: string, resource: string): Promise<void> {
  terminal.note(risk);
  const answer = await terminal.ask(`Type the resource's name (${resource}) to go on: `);
  if (answer === null) {
    const message = 'this is not a terminal, so that nobody can be asked: --yes says that the risk is taken';
    throw new CtlError(exitCode.usage, message);
  }
  if (answer.trim() !== resource) throw new CtlError(exitCode.usage, 'not confirmed; nothing has been done');
}
