/** Runs plugins: each in a process group of its own, which is ended as a whole when its time is over. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { messageOf } from '../sys/errors.js';
import { ownMark } from '../sys/started.js';
import type { Flight } from './flight.js';
import type { PluginExit } from './plugin.js';
import type { Wire, WireEvents } from './wire.js';

export interface ExecSpec {
  program: string;
  /** `%h` stands for the host's name, `%a` for its address, `%p` for the port. */
  args: readonly string[];
}

/** Who writes without end would keep this process busy with nothing else. */
const WRITTEN_BYTES_MAX = 2 ** 20;
/** From TERM to KILL. */
const KILL_AFTER_MS = 1000;

/** `started` is told of each process group, and when nobody has to end it any more. */
export function createExecWire(
  events: WireEvents,
  most: number,
  busy: () => void,
  started: (group: number, alive: boolean) => void,
): Wire {
  const mark = ownMark();
  /** Groups that may still have somebody in them. */
  const groups = new Set<number>();
  const over = (group: number): void => {
    groups.delete(group);
    started(group, false);
  };
  // This process ends, for whatever reason it knows of: its plugins have nobody else who watches their time.
  process.once('exit', () => {
    for (const group of groups) endGroup(group, 'SIGKILL');
  });

  function open(flight: Flight): string {
    const spec = flight.plan?.extra as ExecSpec;
    const { generation } = flight;
    let child: ChildProcess;
    try {
      child = spawn(spec.program, wordsOf(spec, flight), {
        detached: true,
        cwd: '/',
        env: { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', ...mark },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    } catch (error) {
      flight.text = messageOf(error);
      return 'local';
    }
    flight.handle = child;
    if (child.pid !== undefined) {
      groups.add(child.pid);
      started(child.pid, true);
    }
    let written = 0;
    const mine = (): boolean => flight.generation === generation && flight.handle === child;
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (!mine()) return;
      const missing = error.code === 'ENOENT' || error.code === 'EACCES';
      events.failed(flight, missing ? 'plugin-missing' : 'local', messageOf(error));
    });
    child.stdout?.on('data', (bytes: Buffer) => {
      if (!mine()) return;
      written += bytes.length;
      if (written > WRITTEN_BYTES_MAX)
        return events.failed(flight, 'plugin-fail', 'it wrote more than 1 MiB');
      events.received(flight, bytes, bytes.length);
    });
    // What it started may hold its output open: the exit of the plugin itself is its end.
    child.on('exit', (code, signal) => {
      busy();
      setImmediate(() => {
        if (!mine()) return;
        const number = signal === null ? 0 : constants.signals[signal];
        flight.talk = { code, signal: number } satisfies PluginExit;
        events.ended(flight);
      });
    });
    events.connected(flight);
    busy();
    return '';
  }

  return {
    name: 'exec',
    most,
    open,
    send: () => {},
    close(flight) {
      const child = flight.handle as ChildProcess | null;
      flight.handle = null;
      if (child?.pid === undefined) return;
      child.stdout?.destroy();
      const group = child.pid;
      const kill = (): void => {
        endGroup(group, 'SIGKILL');
        over(group);
      };
      if (endGroup(group, 'SIGTERM')) setTimeout(kill, KILL_AFTER_MS);
      else over(group);
      busy();
    },
  };
}

function wordsOf(spec: ExecSpec, flight: Flight): string[] {
  const words: Record<string, string> = {
    '%h': flight.name,
    '%a': flight.host,
    '%p': String(flight.port),
    '%%': '%',
  };
  return spec.args.map((arg) => arg.replaceAll(/%[hap%]/g, (word) => words[word] ?? word));
}

// False: nobody of the group is left. Its number is not used again as long as anybody is.
function endGroup(group: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}
