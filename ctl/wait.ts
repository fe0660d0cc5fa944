/**
 * --wait: stays until what was asked for has happened, by asking for the status again and again. The command itself
 * may be under way meanwhile. Knows time; when something has happened is goal.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCode } from '../daemon/process/sysexits.js';
import type { ControlReply, StatusEntry } from '../proto/control-types.js';
import { CtlError } from './error.js';
import { type Goal, judge, standing } from './goal.js';
import { duration } from './words.js';

export interface WaitOptions {
  goal: Goal;
  /** The final reply to the command, which hastmond gives when it is done with its own part. */
  command: Promise<ControlReply>;
  status: () => Promise<StatusEntry[]>;
  timeoutMs: number;
  progress: (line: string) => void;
}

/** A failover may take less than 100 ms; nobody should wait much longer than it takes. */
const LOOK_MS = 50;

/**
 * Resolves with the last status when everything has happened. Rejects with a CtlError where the command is refused,
 * cannot succeed any more, or has not succeeded in time.
 */
export async function waitUntilDone(options: WaitOptions): Promise<StatusEntry[]> {
  const { command, goal, progress, status, timeoutMs } = options;
  const began = performance.now();
  const fate: { reply?: ControlReply; failure?: unknown } = {};
  command.then(
    (reply) => {
      fate.reply = reply;
    },
    (error: unknown) => {
      fate.failure = error;
    },
  );
  for (;;) {
    const accepted = fate.reply !== undefined;
    const entries = await status();
    if (fate.failure !== undefined) throw fate.failure;
    if (fate.reply?.error) throw new CtlError(fate.reply.error.code, fate.reply.error.message);
    const verdicts = entries.map((entry) => ({ entry, verdict: judge(goal, entry) }));
    // A status from before the answer may show how things were before the command.
    if (accepted && verdicts.every(({ verdict }) => verdict.kind === 'done')) return entries;
    if (accepted) refuseFailed(verdicts);
    const waited = performance.now() - began;
    const open = accepted ? verdicts.filter(({ verdict }) => verdict.kind !== 'done') : verdicts;
    if (waited >= timeoutMs) throw tooLate(open, timeoutMs);
    progress(open.map(({ entry }) => `${entry.resource}: ${standing(entry)}`).join(' | '));
    await sleep(Math.min(LOOK_MS, timeoutMs - waited));
  }
}

type Verdicts = { entry: StatusEntry; verdict: ReturnType<typeof judge> }[];

function refuseFailed(verdicts: Verdicts): void {
  const failed = verdicts.flatMap(({ entry, verdict }) =>
    verdict.kind === 'failed' ? [`${entry.resource}: ${verdict.reason}`] : [],
  );
  if (failed.length > 0) throw new CtlError(exitCode.tempFail, failed.join('\n'));
}

function tooLate(open: Verdicts, timeoutMs: number): CtlError {
  const lines = open.map(
    ({ entry }) => `${entry.resource}: not done after ${duration(timeoutMs)}: ${standing(entry)}`,
  );
  return new CtlError(exitCode.tempFail, lines.join('\n'));
}
