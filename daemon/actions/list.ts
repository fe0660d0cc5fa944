/**
 * Runs commands one after the other, each with its limit, as children in this process's own group: what ends the group ends them. It does not
 * know why.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { duration } from '../hooks/words.js';
import { messageOf } from '../sys/errors.js';
import type { Command } from './types.js';
import { expandWord } from './variables.js';

/** What the commands of one list have in common. */
export interface ListContext {
  /** The file, for messages. */
  file: string;
  /** Values of variables by name. */
  values: Readonly<Record<string, string>>;
  /** The whole environment. */
  env: NodeJS.ProcessEnv;
  /** Says something to whoever reads this process's output. */
  say: (line: string) => void;
  /** True once this process has been told to end: nothing more is begun. */
  told: () => boolean;
  /** True once nobody is there to tell it: nothing more is begun either. */
  orphaned: () => boolean;
}

export interface Ran {
  /** null where it did not exit by itself. */
  code: number | null;
  /** How it went, for a message, '' where it exited with 0. */
  problem: string;
}

/** From TERM to KILL for a command whose time is up. */
const KILL_AFTER_MS = 1000;
const SIGNAL_MS = 10;
const SHOWN_MAX = 120;

/** Program and arguments of a command, with the values in place. */
export function argvOf(command: Command, values: Readonly<Record<string, string>>): [string, ...string[]] {
  if (command.program === '') return ['/bin/sh', '-c', command.words[0] ?? ''];
  const [, ...args] = command.words.map((word) => expandWord(word, values));
  return [command.program, ...args];
}

/** `actions.conf:4: plumb nodeA`, for messages. */
export function describeCommand(
  command: Command,
  { file, values }: Pick<ListContext, 'file' | 'values'>,
): string {
  const words = command.words.map((word) => (command.program === '' ? word : expandWord(word, values)));
  const line = `${command.program === '' ? 'sh: ' : ''}${words.join(' ')}`;
  const shown = line.length > SHOWN_MAX ? `${line.slice(0, SHOWN_MAX - 1)}…` : line;
  return `${path.basename(file)}:${command.line}: ${shown}`;
}

/** Runs commands in order until one fails; true where none has. */
export async function runList(commands: readonly Command[], context: ListContext): Promise<boolean> {
  for (const command of commands) {
    const what = describeCommand(command, context);
    if (context.told()) {
      context.say(`${what} is not run: the time is up`);
      return false;
    }
    if (context.orphaned()) {
      context.say(`${what} is not run: the process of hastmond that looks after it is gone`);
      return false;
    }
    context.say(what);
    const { problem } = await runCommand(command, context);
    if (problem === '') continue;
    // A signal to the group reaches the command and this process; which of the two is heard of first is chance.
    await sleep(SIGNAL_MS);
    context.say(`${what} ${context.told() ? `was under way when the time was up, and ${problem}` : problem}`);
    return false;
  }
  return true;
}

/** Begins a command; what went wrong at once, which Node.js throws for some errors only, is a text. */
export function begin(
  [program, ...args]: readonly [string, ...string[]],
  options: SpawnOptions,
): ChildProcess | string {
  try {
    return spawn(program, args, { cwd: '/', ...options });
  } catch (error) {
    return messageOf(error);
  }
}

/** Runs one command. What it prints goes where this process's output goes. */
export function runCommand(command: Command, { values, env }: ListContext): Promise<Ran> {
  const began = performance.now();
  return new Promise((resolve) => {
    const child = begin(argvOf(command, values), { env, stdio: ['ignore', 'inherit', 'inherit'] });
    if (typeof child === 'string') return resolve({ code: null, problem: `cannot be run: ${child}` });
    let overdue = false;
    let kill: NodeJS.Timeout | undefined;
    const limit = setTimeout(() => {
      overdue = true;
      child.kill('SIGTERM');
      kill = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    }, command.timeoutMs);
    const end = (ran: Ran): void => {
      clearTimeout(limit);
      clearTimeout(kill);
      resolve(ran);
    };
    child.on('error', (error) => end({ code: null, problem: `cannot be run: ${messageOf(error)}` }));
    // Not 'close': a daemon that it leaves behind has the output open for as long as it lives.
    child.on('exit', (code, signal) => {
      const after = duration(performance.now() - began);
      if (overdue) end({ code: null, problem: `did not end within ${duration(command.timeoutMs)}: ended` });
      else if (code === null) end({ code, problem: `was ended by ${signal} after ${after}` });
      else end({ code, problem: code === 0 ? '' : `exited with ${code} after ${after}` });
    });
  });
}
