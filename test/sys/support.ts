/** What the tests of the operating system's side share: fixtures as processes, temporary directories, waiting for a condition. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const isRoot = process.geteuid?.() === 0;
/** For `{ skip }`: what only root may do. */
export const unlessRoot = isRoot ? false : 'needs root';
/** For `{ skip }`: what root is not refused. */
export const ifRoot = isRoot ? 'root is refused nothing' : false;

export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'hastmon-sys-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  pid: number;
  finished: Promise<Finished>;
  /** Resolves with the next line of its stdout. */
  line(): Promise<string>;
}

/** Path of a program in fixtures/. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`./fixtures/${name}.js`, import.meta.url));
}

/** Starts a fixture; it is killed when the test ends. */
export function start(t: TestContext, name: string, args: string[], options: StartOptions = {}): Running {
  const child = spawn(process.execPath, [...(options.nodeArgs ?? []), fixture(name), ...args], {
    env: { ...process.env, ...options.env },
    stdio: 'pipe',
  });
  t.after(() => void child.kill('SIGKILL'));
  const { pid } = child;
  assert.ok(pid !== undefined, `${name} does not start`);
  let stdout = '';
  let stderr = '';
  let taken = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const finished = new Promise<Finished>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const line = async (): Promise<string> => {
    await until(`a line from ${name}; stderr: ${stderr}`, () => stdout.indexOf('\n', taken) >= 0);
    const end = stdout.indexOf('\n', taken);
    const text = stdout.slice(taken, end);
    taken = end + 1;
    return text;
  };
  return { child, pid, finished, line };
}

export interface StartOptions {
  nodeArgs?: string[];
  env?: NodeJS.ProcessEnv;
}

/** Runs a fixture to its end and reads what it prints as JSON. */
export async function run(
  t: TestContext,
  name: string,
  args: string[],
  options?: StartOptions,
): Promise<unknown> {
  const { code, signal, stdout, stderr } = await start(t, name, args, options).finished;
  assert.equal(code, 0, `${name} ${args.join(' ')}: code ${code}, signal ${signal}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Waits until the condition holds; fails after a time that only an overloaded machine comes near to. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!condition()) {
    assert.ok(performance.now() < end, `waited a minute for ${what}`);
    await sleep(2);
  }
}

/** Arguments for Node under which koffi cannot be loaded. */
export const withoutKoffi = ['--import', fixture('without-koffi')];
