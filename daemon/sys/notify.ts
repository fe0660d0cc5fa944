/** sd_notify(3): telling the service manager how this process is. It does not know when to say what. */

/** All methods do nothing where there is no service manager, and never throw: who cannot be told is not waited for. */
export interface Notifier {
  /** True where a service manager listens. */
  readonly active: boolean;
  /** The manager's watchdog (WatchdogSec=): how often at the latest watchdog() must be called; null: none. */
  readonly watchdogMs: number | null;
  /** READY=1; ends a reload too. */
  ready(status?: string): void;
  /** RELOADING=1 with MONOTONIC_USEC. */
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
export declare function openNotifier(env?: NodeJS.ProcessEnv): Notifier;
