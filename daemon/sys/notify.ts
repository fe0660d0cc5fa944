/** sd_notify(3): telling the service manager how this process is. It does not know when to say what. */
import { type DatagramSocket, openDatagram } from './datagram.js';
import { messageOf } from './errors.js';

/** All methods do nothing where there is no service manager, and never throw: who cannot be told is not waited for. */
export interface Notifier {
  /** True where a service manager listens. */
  readonly active: boolean;
  /** The manager's watchdog (WatchdogSec=): within how many milliseconds watchdog() must be called; null: none. */
  readonly watchdogMs: number | null;
  /** Why a manager that is there cannot be told, '' otherwise. */
  readonly problem: string;
  /** READY=1; ends a reload too. */
  ready(status?: string): void;
  /** RELOADING=1 with MONOTONIC_USEC, as Type=notify-reload wants it. */
  reloading(): void;
  stopping(status?: string): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  /** WATCHDOG=1. To be called by a live main loop only. */
  watchdog(): void;
}

/**
 * Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and removes them from `env`, so that no child speaks for this process.
 */
export function openNotifier(env: NodeJS.ProcessEnv = process.env): Notifier {
  const address = env.NOTIFY_SOCKET ?? '';
  const watchdogMs = readWatchdog(env);
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  const { socket, problem } = connect(address);
  const tell = (...assignments: string[]): void => void socket?.send(assignments.join('\n'));
  const withStatus = (status: string | undefined): string[] =>
    status === undefined ? [] : [statusLine(status)];
  return {
    active: socket !== null,
    watchdogMs: socket === null ? null : watchdogMs,
    problem,
    ready: (status) => tell('READY=1', ...withStatus(status)),
    reloading: () => tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: (status) => tell('STOPPING=1', ...withStatus(status)),
    status: (text) => tell(statusLine(text)),
    watchdog: () => tell('WATCHDOG=1'),
  };
}

function connect(address: string): { socket: DatagramSocket | null; problem: string } {
  if (address === '') return { socket: null, problem: '' };
  try {
    return { socket: openDatagram(address), problem: '' };
  } catch (error) {
    return {
      socket: null,
      problem: `NOTIFY_SOCKET: ${messageOf(error)}`,
    };
  }
}

// sd_watchdog_enabled(3): the variables may be meant for another process, which had them first.
function readWatchdog(env: NodeJS.ProcessEnv): number | null {
  const microseconds = Number(env.WATCHDOG_USEC ?? 0);
  if (env.WATCHDOG_PID !== undefined && env.WATCHDOG_PID !== String(process.pid)) return null;
  return Number.isSafeInteger(microseconds) && microseconds > 0 ? microseconds / 1000 : null;
}

// A line break would begin another assignment.
function statusLine(text: string): string {
  return `STATUS=${text.replaceAll(/[\r\n]+/g, ' ')}`;
}
