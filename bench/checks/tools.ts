/** What the measurements of checks are made with: programs in C, processors, the kernel's accounts. It measures nothing itself. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../test/system/paths.js';

/** The engine under test has this processor for itself, as far as this machine leaves it alone; all else is on the other. */
export const ENGINE_CPU = '1';
export const OTHER_CPU = '0';

/** The first address that is checked; the others follow. */
export const FIRST_ADDRESS = 0x7f010000;

export function addressOf(index: number): string {
  const address = FIRST_ADDRESS + index;
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

/** Builds a program of bench/checks into `directory`; throws with the compiler's words. */
export function compileProgram(name: string, directory: string): string {
  const program = path.join(directory, name);
  const source = path.join(root, 'bench/checks', `${name}.c`);
  const { status, stderr, error } = spawnSync('gcc', ['-O2', '-o', program, source], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`gcc cannot build ${name}: ${error?.message ?? stderr.trim()}`);
  return program;
}

/** True where the program is there. */
export function installed(program: string, argument: string): boolean {
  return spawnSync(program, [argument], { stdio: 'ignore' }).error === undefined;
}

/** Starts a program on one processor. */
export function spawnPinned(
  cpu: string,
  program: string,
  args: readonly string[],
  errors: 'inherit' | 'ignore' = 'inherit',
): ChildProcess {
  return spawn('taskset', ['-c', cpu, program, ...args], { stdio: ['pipe', 'pipe', errors] });
}

/** Moves a process with all its threads to one processor. */
export function pin(pid: number, cpu: string): void {
  spawnSync('taskset', ['-acp', cpu, String(pid)], { stdio: 'ignore' });
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

/** All that a program says until it ends; rejects where it fails. */
export function output(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (bytes: Buffer) => {
      text += bytes.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(text);
      else reject(new Error(`${child.spawnargs.join(' ')} ended with ${code}`));
    });
  });
}

export interface Account {
  /** Seconds on a processor, of all threads (schedstat). */
  cpu: number;
  /** Shares of it in clock ticks, in which proc_pid_stat(5) has them. */
  user: number;
  system: number;
  /** Times that it went to sleep of its own accord. */
  sleeps: number;
}

export function accountOf(pid: number): Account {
  let cpu = 0;
  let sleeps = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const file = (name: string): string => readFileSync(`/proc/${pid}/task/${task}/${name}`, 'utf8');
    cpu += Number(file('schedstat').split(' ')[0]) / 1e9;
    sleeps += Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(file('status'))?.[1] ?? 0);
  }
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return { cpu, sleeps, user: Number(fields[11]), system: Number(fields[12]) };
}

/** Connections that this network namespace has begun. */
export function connectionsBegun(): number {
  const [names = '', values = ''] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'));
  return Number(values.split(' ')[names.split(' ').indexOf('ActiveOpens')]);
}

/** Resident memory in bytes, and of it what is the process's own. */
export function residentBytes(pid: number): number {
  const kib = /^Private_Dirty: +(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
