/**
 * Starting a hook program so that it is on record before it executes: a small shell is started in a session of its own and
 * waits; the caller notes its process group durably, then lets it turn into the program. Should the caller die in between,
 * nothing is executed. It does not know what is run, nor for how long.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf } from './errors.js';
import { collectOutput, type Output } from './output.js';
import { makePipe } from './pipe.js';
import { killGroup, processStartTime } from './process.js';

export interface SpawnOptions {
  /** Absolute path. */
  program: string;
  args: readonly string[];
  /** The whole environment of the program. */
  env: Readonly<Record<string, string>>;
  /** Path of the control group that the program shall be in before it executes. */
  cgroup?: string;
  /** Working directory, `/` if not said. */
  cwd?: string;
  /**
   * A file or named pipe that stdout and stderr both open for reading and writing (such a pipe never breaks), this process's
   * own errors before the program executes included. What is printed is then the caller's to read, and not in Exit.
   */
  outputPath?: string;
  /** Bytes kept of stdout and of stderr each; what is beyond is read and dropped. Default 64 KiB. */
  outputBytesMax?: number;
  /** Called with every line (without its end) as it comes, within the same bound, until the program exits. */
  onLine?: (stream: 'stdout' | 'stderr', line: string) => void;
}

/**
 * How the program ended. Exit 126 and 127: it cannot be executed, or is not there; 125: the control group cannot be joined or
 * `outputPath` not be opened, and nothing was executed.
 */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** True where output was dropped. */
  truncated: boolean;
}

export interface HeldProcess {
  /** Also the id of its process group and of its session. */
  readonly pid: number;
  /** As processStartTime(). */
  readonly startTime: number;
  /** Lets the program execute. Once; nothing after abort(). */
  release(): void;
  /** Ends it without executing anything. Nothing after release(). */
  abort(): void;
  /**
   * Signals the whole process group, also after the program itself has ended (not later than the group is known to be gone: its
   * number is then free for others). False: there is nobody to signal.
   */
  kill(signal: NodeJS.Signals): boolean;
  /** Resolves when the process itself has ended; others of its group may be left. Never rejects. */
  readonly exited: Promise<Exit>;
}

export type SpawnOutcome = { held: HeldProcess; reason?: never } | { held: null; reason: string };

// stdin is what it waits on, so that there is no descriptor that could reach the program; an end of file (the caller has
// died) is not the word. "0" means the writer itself. The umask of a daemon (027) is not what services expect.
const stub = `
if [ -n "$2" ]; then command exec 1<>"$2" 2>&1 || exit 125; fi
if [ -n "$1" ]; then echo 0 >"$1/cgroup.procs" || exit 125; fi
shift 2
IFS= read -r HASTMON_HOLD || exit 125
unset HASTMON_HOLD
umask 022
exec "$@" </dev/null
`;

/**
 * Starts a held process: see above. Its stdout and stderr are read as long as anything has them open, so that a daemon which
 * it leaves behind can go on writing; held null: no process could be started, and why.
 */
export function spawnHeld(options: SpawnOptions): SpawnOutcome {
  const reason = `cannot start ${options.program}`;
  let started: Started;
  try {
    started = startStub(options);
  } catch (error) {
    return { held: null, reason: `${reason}: ${messageOf(error)}` };
  }
  const { child, streams } = started;
  // An error that has no message here comes as an event, later; it is one of EAGAIN, ENOMEM, EMFILE, ENOENT.
  child.on('error', () => {});
  if (child.pid === undefined) {
    for (const stream of streams) stream.destroy();
    return {
      held: null,
      reason: `${reason}: no more processes, memory or descriptors, or no ${options.cwd ?? '/'}`,
    };
  }
  return hold(child, child.pid, streams, options);
}

function hold(child: ChildProcess, pid: number, streams: Readable[], options: SpawnOptions): SpawnOutcome {
  const bytesMax = options.outputBytesMax ?? 65_536;
  const outputs = (['stdout', 'stderr'] as const).map((name, index) =>
    collectOutput(streams[index], bytesMax, (line) => options.onLine?.(name, line)),
  );
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => void finish(code, signal, outputs).then(resolve));
  });
  // Writing the word to one that was killed meanwhile is no error.
  child.stdin?.on('error', () => {});
  const abort = (): void => {
    child.stdin?.destroy();
    killGroup(pid, 'SIGKILL');
  };
  let startTime: number | null = null;
  try {
    startTime = processStartTime(pid);
  } catch {
    // Told below: one that cannot be recorded must not run.
  }
  if (startTime === null) {
    abort();
    return {
      held: null,
      reason: `cannot start ${options.program}: the start time of process ${pid} cannot be read`,
    };
  }
  let decided = false;
  const once = (action: () => void) => (): void => {
    if (!decided) action();
    decided = true;
  };
  return {
    held: {
      pid,
      startTime,
      release: once(() => child.stdin?.end('go\n')),
      abort: once(abort),
      kill: (signal) => killGroup(pid, signal),
      exited,
    },
  };
}

interface Started {
  child: ChildProcess;
  streams: Readable[];
}

function startStub(options: SpawnOptions): Started {
  const { cgroup = '', outputPath = '' } = options;
  const readFds: number[] = [];
  const writeFds: number[] = [];
  try {
    for (let pipes = 0; pipes < 2 && outputPath === ''; pipes += 1) {
      const pipe = makePipe();
      if (pipe === null) break;
      readFds.push(pipe.readFd);
      writeFds.push(pipe.writeFd);
    }
    const otherwise = outputPath === '' ? 'pipe' : 'ignore';
    const args = ['-c', stub, 'hastmon', cgroup, outputPath, options.program, ...options.args];
    const child = spawn('/bin/sh', args, {
      detached: true,
      cwd: options.cwd ?? '/',
      env: options.env,
      stdio: ['pipe', writeFds[0] ?? otherwise, writeFds[1] ?? otherwise],
    });
    const own = readFds.map((fd) => new Socket({ fd, readable: true, writable: false }));
    return {
      child,
      streams: [child.stdout ?? own[0], child.stderr ?? own[1]].filter((stream) => stream !== undefined),
    };
  } catch (error) {
    for (const fd of readFds) closeSync(fd);
    throw error;
  } finally {
    for (const fd of writeFds) closeSync(fd);
  }
}

// What the process wrote before it ended is in the pipes by now, and each turn of the event loop reads all there is, but the
// turn under way may have looked before it wrote: its end, and one whole turn more. Waiting for the end of the pipes would mean waiting for daemons left behind.
async function finish(code: number | null, signal: NodeJS.Signals | null, outputs: Output[]): Promise<Exit> {
  await nextTurn();
  await nextTurn();
  const [stdout, stderr] = outputs.map((output) => output.end());
  return {
    code,
    signal,
    stdout: stdout?.text ?? '',
    stderr: stderr?.text ?? '',
    truncated: stdout?.truncated === true || stderr?.truncated === true,
  };
}
