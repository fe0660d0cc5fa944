/** The environment of hooks: this process's own, without what is meant for hastmond alone. */
import type { HookAction } from './types.js';

/**
 * What a service manager and Node tell hastmond: a service that inherited it would notify the service manager in hastmond's
 * name, take its sockets, or take the log for its own.
 */
const notForHooks = [
  'NOTIFY_SOCKET',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
  'MAINPID',
  'MANAGERPID',
  'INVOCATION_ID',
  'JOURNAL_STREAM',
  'CREDENTIALS_DIRECTORY',
];

/** Daemons are often started with less; ip(8), systemctl(1) and the like must be found. */
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What a service inherits of this process's environment. */
export function serviceEnvironment(own: NodeJS.ProcessEnv): Record<string, string> {
  const env: Record<string, string> = { PATH: defaultPath };
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && !notForHooks.includes(name) && !name.startsWith('NODE_')) env[name] = value;
  }
  return env;
}

/** The whole environment of one run. `mark` becomes HASTMON_HOOK, by which its processes are recognised. */
export function hookEnvironment(
  own: NodeJS.ProcessEnv,
  request: { action: HookAction; env: Readonly<Record<string, string>> },
  mark: string,
): Record<string, string> {
  return { ...serviceEnvironment(own), ...request.env, HASTMON_ACTION: request.action, HASTMON_HOOK: mark };
}
