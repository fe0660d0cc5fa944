/**
 * Going into the background: the program starts itself again in a session of its own, without a terminal, and the first
 * process stays until the second says that it is ready, so that its exit status is true. It does not know what ready means.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { messageOf } from '../sys/errors.js';
import { printError } from './print.js';
import { exitCode } from './sysexits.js';

export interface DaemonizeOptions {
  /** How the program is called in messages. */
  name: string;
  /** The command line after the script; default: that of this process. */
  args?: readonly string[];
  /** How long the second process may take to become ready. Default 60 s. */
  timeoutMs?: number;
}

/** What the second process says, as one line of JSON. */
interface Report {
  code: number;
  text: string;
}

/**
 * In the first process: starts the second, waits for its word, and exits: with 0, or with the second's error on stderr and
 * its exit code. A second that dies without a word, or is not ready in time, counts as failed and is ended.
 */
export async function daemonize(options: DaemonizeOptions): Promise<never> {
  const { code, text } = await startSecond(options);
  if (text !== '') printError(text);
  process.exit(code);
}

/** True in the second process. */
export function inBackground(): boolean {
  return takeOver().ready !== null;
}

/** Where the user started the program: relative paths of the command line count from here. The second process is in `/`. */
export function startDirectory(): string {
  return takeOver().startDirectory;
}

/** In the second process: all is open, the first exits with 0. Does nothing in the foreground, nor the second time. */
export function reportReady(): void {
  const state = takeOver();
  if (state.ready !== null) report({ code: 0, text: '' });
}

/**
 * Says in one line why the program cannot run: through the first process as long as that waits, on stderr in the foreground.
 * The caller then exits with `code`.
 */
export function reportFailure(code: number, text: string): void {
  if (inBackground()) report({ code, text });
  else printError(text);
}

const readyVariable = 'HASTMON_READY_FD';
const directoryVariable = 'HASTMON_START_DIRECTORY';
// The first descriptor after stdin, stdout and stderr: the fourth entry of stdio below.
const readyFd = 3;
const killAfterMs = 5000;

interface Background {
  /** Descriptor that the first process listens on; null: this is not the second. */
  ready: number | null;
  startDirectory: string;
  reported: boolean;
}

let background: Background | undefined;

// Once: the variables are removed, so that no child takes itself for the daemon.
function takeOver(): Background {
  if (background === undefined) {
    const ready = process.env[readyVariable] === String(readyFd) ? readyFd : null;
    background = { ready, startDirectory: process.env[directoryVariable] ?? process.cwd(), reported: false };
    delete process.env[readyVariable];
    delete process.env[directoryVariable];
    if (ready !== null) process.umask(0o027);
  }
  return background;
}

function report(message: Report): void {
  const state = takeOver();
  if (state.ready === null || state.reported) return;
  state.reported = true;
  try {
    writeSync(state.ready, `${JSON.stringify(message)}\n`);
    closeSync(state.ready);
  } catch {
    // The first process is gone; nobody is left to be told.
  }
}

async function startSecond(options: DaemonizeOptions): Promise<Report> {
  const [, script = ''] = process.argv;
  const child = spawn(
    process.execPath,
    [...process.execArgv, script, ...(options.args ?? process.argv.slice(2))],
    {
      detached: true,
      cwd: '/',
      env: { ...process.env, [readyVariable]: String(readyFd), [directoryVariable]: startDirectory() },
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    },
  );
  const started = once(child, 'spawn');
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `exit status ${code}` : `signal ${signal}`),
    );
  });
  try {
    await started;
  } catch (error) {
    return {
      code: exitCode.osErr,
      text: `${options.name}: cannot go into the background: ${messageOf(error)}`,
    };
  }
  // First cause wins: a process that is ended from here also ends without a word.
  let cause: Report | null = null;
  const endFor = (report: Report) => {
    cause ??= report;
    end(child);
  };
  const patience = endLater(options, endFor);
  endWhenInterrupted(options.name, endFor);
  const word = await listen(child.stdio[readyFd] as Readable);
  clearTimeout(patience);
  if (word !== null) return word;
  const how = await ended;
  return cause ?? silentDeath(options.name, child.exitCode, how);
}

// Only the second process has the other end, so the end of the stream means that it has spoken or is dying.
async function listen(pipe: Readable): Promise<Report | null> {
  let text = '';
  pipe.setEncoding('utf8');
  for await (const chunk of pipe) text += chunk;
  return text.endsWith('\n') ? (JSON.parse(text) as Report) : null;
}

function silentDeath(name: string, code: number | null, how: string): Report {
  const text = `${name}: ended before it was ready (${how}); start it in the foreground (-F) to see why`;
  return { code: code === null || code === 0 ? exitCode.software : code, text };
}

function endLater(options: DaemonizeOptions, endFor: (report: Report) => void): NodeJS.Timeout {
  const timeoutMs = options.timeoutMs ?? 60_000;
  const text = `${options.name}: not ready after ${timeoutMs / 1000} s, ended; its log may say why`;
  return setTimeout(() => endFor({ code: exitCode.unavailable, text }), timeoutMs);
}

// The second process is in another session: what the terminal sends reaches only the first.
function endWhenInterrupted(name: string, endFor: (report: Report) => void): void {
  const text = `${name}: interrupted before it was ready`;
  for (const [signal, number] of [['SIGHUP', 1] as const, ['SIGINT', 2] as const, ['SIGTERM', 15] as const]) {
    process.once(signal, () => endFor({ code: 128 + number, text }));
  }
}

function end(child: ChildProcess): void {
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), killAfterMs);
}
