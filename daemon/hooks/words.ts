/** The sentences about hooks: why a program cannot be run, and how a run ended. */
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import type { HookOutcome, HookRequest } from './types.js';

/** Why the program cannot be executed, as far as that can be told before trying; null where nothing speaks against it. */
export function executableProblem(program: string): string | null {
  const named = `${program} cannot be run: `;
  if (!path.isAbsolute(program)) return `${named}its path must be absolute`;
  try {
    if (!statSync(program).isFile()) return `${named}it is not a file`;
    accessSync(program, constants.X_OK);
    return null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return `${named}there is no such file`;
    if (code !== 'EACCES') return `${named}${message}`;
    return `${named}it is not executable, or a directory above it is closed; chmod 755 helps`;
  }
}

export interface HookEnd {
  outcome: Exclude<HookOutcome, 'spawn-error'>;
  code: number | null;
  signal: string | null;
  durationMs: number;
  /** SIGKILL was sent, because SIGTERM had not ended it in time. */
  killSent: boolean;
}

/** More of what a hook printed would not be read in a sentence. */
const LAST_WORDS_MAX = 300;

/** The sentence about how a run ended, without a full stop; `last`: the lines that it printed last. */
export function describeEnd(request: HookRequest, end: HookEnd, last: readonly string[] = []): string {
  const good = end.outcome === 'exit' && (end.code === 0 || (request.action === 'status' && end.code === 1));
  const words = good ? '' : last.join('; ');
  // A cut may leave half of a character, which cannot be written anywhere.
  const shown =
    words.length > LAST_WORDS_MAX ? `…${words.slice(1 - LAST_WORDS_MAX).replace(/\p{Cs}/gu, '')}` : words;
  return `${outcomeOf(request, end)}${shown === '' ? '' : `: ${shown}`}`;
}

function outcomeOf({ action, termAfterMs, limitMs = termAfterMs }: HookRequest, end: HookEnd): string {
  const after = `after ${duration(end.durationMs)}`;
  switch (end.outcome) {
    case 'exit':
      return `${action} exited with ${end.code} ${after}${hint(end.code)}`;
    case 'signal':
      return `${action} was ended by ${end.signal} ${after}`;
    case 'killed':
      return `${action} was killed ${after}, before its time was up`;
    case 'timeout':
      return end.killSent
        ? `${action} was killed ${after} (SIGTERM had not ended it; limit ${duration(limitMs)})`
        : `${action} was terminated ${after} (limit ${duration(limitMs)})`;
  }
}

/** A length of time for people: 12 ms, 1.6 s, 75 s. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

// sh(1) and the shell that turns into the program have these; a program may use them for itself.
function hint(code: number | null): string {
  switch (code) {
    case 125:
      return ' (it may be that it could not be put into its control group)';
    case 126:
      return ' (it may be that it, or a command in it, is not executable)';
    case 127:
      return ' (it may be that its interpreter or a command in it does not exist)';
    default:
      return '';
  }
}
