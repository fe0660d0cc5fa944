/**
 * One node of a test's cluster: its daemon as a real process, what an operator can do to it, and what can befall it. It does
 * not know the other nodes.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { call } from '../../ctl/client.js';
import { openCgroup, removeCgroup } from '../../daemon/sys/cgroup.js';
import type { ControlReply, ControlRequest, StatusEntry } from '../../proto/control-types.js';
import { hastmonctl, hastmond } from './paths.js';
import {
  clusterProcesses,
  DIRECTORY_MARK,
  killNode,
  NODE_MARK,
  signalProcess,
  workersOf,
} from './processes.js';
import { pause, until } from './wait.js';

const run = promisify(execFile);
/** As RestartSec of the systemd unit. */
const restartDelayMs = 100;

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface ClusterNode {
  readonly name: string;
  /** The main process, 0 while it does not run. */
  readonly pid: number;
  /** Starts the daemon and waits until it says that it is ready. */
  start(): Promise<void>;
  /** From now on the daemon is started again whenever it ends, as the systemd unit does; until killMachine(). */
  supervise(): void;
  /** Signals the main process alone. */
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the exit code when the main process has ended; null where a signal ended it. */
  readonly exited: Promise<number | null>;
  running(): boolean;
  /** Runs hastmonctl with `-c` and `-n` for this node. */
  ctl(...args: string[]): Promise<CommandResult>;
  /** Asks the daemon itself, over its control socket. */
  request(request: ControlRequest, timeoutMs?: number): Promise<ControlReply>;
  /** What the daemon says about the resource; null where it does not answer. */
  status(): Promise<StatusEntry | null>;
  /** Pids of this node's workers, by role; a spare has the role 'spare'. */
  workers(): { pid: number; role: string }[];
  worker(role: string): number;
  /** Kills everything of the machine at one stroke: daemon, workers, hooks and service. */
  killMachine(): void;
  /** Lets everything of the machine go on that was stopped by SIGSTOP. */
  resume(): void;
  /** Turns a fault of the service on or off (null); see service.sh. */
  fault(name: string, value?: string | null): void;
  hooks(): { action: string; at: number; epoch: number }[];
  /** Everything the daemon has ever logged. */
  log(): string;
  /** Removes what the node leaves outside of the cluster's directory. */
  remove(): void;
}

export interface NodeOptions {
  name: string;
  /** The cluster's directory. */
  dir: string;
  configFile: string;
  resource: string;
  /** The words before the command, for another namespace. */
  place: string[];
  /** More arguments for hastmond. */
  daemonArgs: readonly string[];
}

export function createNode(options: NodeOptions): ClusterNode {
  const { name, dir, configFile, resource } = options;
  const own = (file: string): string => path.join(dir, name, file);
  const logFile = own('log');
  let child: ChildProcess | null = null;
  let exited: Promise<number | null> = Promise.resolve(0);
  let supervised = false;

  function spawnDaemon(): ChildProcess {
    const out = openSync(logFile, 'a');
    const words = ['-F', '-c', configFile, '-n', name, '-P', own('pid'), ...options.daemonArgs];
    const [program = '', ...args] = [...options.place, process.execPath, hastmond, ...words];
    const environment = { ...process.env, NO_COLOR: '1', [DIRECTORY_MARK]: dir, [NODE_MARK]: name };
    // In a session of its own, as a daemon is: with autogroups, the kernel shares the processors out by session.
    const started = spawn(program, args, { stdio: ['ignore', out, out], env: environment, detached: true });
    closeSync(out);
    child = started;
    exited = new Promise((resolve) => {
      started.on('exit', (code) => {
        if (child === started) child = null;
        resolve(code);
        if (supervised) setTimeout(() => supervised && child === null && spawnDaemon(), restartDelayMs);
      });
    });
    return started;
  }

  async function start(): Promise<void> {
    const before = existsSync(logFile) ? statSync(logFile).size : 0;
    const started = spawnDaemon();
    const news = (): string => readFileSync(logFile).subarray(before).toString();
    const ready = (): boolean => news().includes('hastmond is ready');
    await until(
      () => child !== started || ready(),
      20_000,
      () => `${name} does not come up: ${news()}`,
    );
    if (child !== started) throw new Error(`hastmond on ${name} has ended:\n${news()}`);
  }

  async function ctl(...args: string[]): Promise<CommandResult> {
    const words = [hastmonctl, ...args, '-c', configFile, '-n', name];
    try {
      const { stdout, stderr } = await run(process.execPath, words, { timeout: 90_000 });
      return { code: 0, stdout, stderr };
    } catch (error) {
      const failed = error as { code?: number; stdout?: string; stderr?: string };
      return { code: failed.code ?? -1, stdout: failed.stdout ?? '', stderr: failed.stderr ?? '' };
    }
  }

  const request = (wanted: ControlRequest, timeoutMs = 10_000): Promise<ControlReply> =>
    call(own('control'), wanted, () => {}, timeoutMs);

  async function status(): Promise<StatusEntry | null> {
    if (child === null) return null;
    try {
      return (await request({ kind: 'status', resources: [resource] }, 1000)).status[0] ?? null;
    } catch {
      return null;
    }
  }

  const workers = (): { pid: number; role: string }[] => workersOf(dir, child?.pid ?? 0);
  return {
    name,
    get pid() {
      return child?.pid ?? 0;
    },
    get exited() {
      return exited;
    },
    running: () => child !== null,
    start,
    supervise() {
      supervised = true;
      if (child === null) spawnDaemon();
    },
    signal: (signal) => void child?.kill(signal),
    ctl,
    request,
    status,
    workers,
    worker: (role) => workers().find((worker) => worker.role === role)?.pid ?? 0,
    killMachine() {
      supervised = false;
      // It may have lost its environment in /proc while it is being executed.
      if (child?.pid !== undefined) signalProcess(child.pid, 'SIGKILL');
      killNode(dir, name);
    },
    resume() {
      for (const { pid, node } of clusterProcesses(dir)) if (node === name) signalProcess(pid, 'SIGCONT');
    },
    fault(fault, value = '') {
      if (value === null) rmSync(own(fault), { force: true });
      else writeFileSync(own(fault), `${value}\n`);
    },
    hooks: () => readHooks(own('hooks.log')),
    log: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''),
    remove() {
      const { path: group } = openCgroup(own('state'), resource);
      if (group !== null) removeCgroup(group);
    },
  };
}

function readHooks(file: string): { action: string; at: number; epoch: number }[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [action = '', at = '', epoch = ''] = line.split(' ');
    return { action, at: Number(at) * 1000, epoch: Number(epoch) };
  });
}

/** Fails where a command did. */
export async function must(result: Promise<CommandResult>): Promise<string> {
  const { code, stdout, stderr } = await result;
  if (code !== 0) throw new Error(`hastmonctl: exit ${code}: ${stderr}${stdout}`);
  return stdout;
}

/** Gives the daemon a command, and again while it says that a change is under way, or that the other node is not ready yet. */
export async function order(node: ClusterNode, request: ControlRequest, limitMs = 15_000): Promise<void> {
  const end = performance.now() + limitMs;
  for (;;) {
    const { error } = await node.request(request, limitMs);
    if (error === null) return;
    if (!/under way|cannot take over now/.test(error.message) || performance.now() > end)
      throw new Error(`${request.kind} on ${node.name}: ${error.message}`);
    await pause(50);
  }
}
