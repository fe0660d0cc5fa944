/**
 * An init or watchdog node leaves the resource alone; but when it runs there, somebody should know: it runs beside the lease. Asks
 * `status` now and then, and says what it saw. Where the hook cannot tell, nothing is said.
 */
import type { Role } from '../core/types.js';
import type { NetLog } from '../net/log.js';

export interface Lookout {
  /** True where the resource was last seen running here. */
  running(): boolean;
  /** For `hastmonctl status`; '' for nothing. */
  warning(): string;
  close(): void;
}

export interface LookoutOptions {
  role: () => Role;
  /** True where nothing else is done with the resource here. */
  idle: () => boolean;
  /** The exit status of `status`, null where it has none. */
  status: () => Promise<number | null>;
  intervalMs: () => number;
  log: () => NetLog;
}

const WATCHED: readonly Role[] = ['init', 'watchdog'];

export function createLookout(options: LookoutOptions): Lookout {
  let running = false;
  let closed = false;
  let timer = setTimeout(look, options.intervalMs());

  async function look(): Promise<void> {
    if (WATCHED.includes(options.role()) && options.idle()) note(await options.status());
    else running = false;
    if (!closed) timer = setTimeout(look, options.intervalMs());
  }

  function note(code: number | null): void {
    const now = code === 0 && WATCHED.includes(options.role());
    if (now && !running) options.log().warn({}, text());
    if (!now && running) options.log().info({}, 'the resource does not run here any more');
    running = now;
  }

  function text(): string {
    return `the resource runs here, although the role is ${options.role()}: hastmon does not stop it on such a node`;
  }

  return {
    running: () => running,
    warning: () => (running ? text() : ''),
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
