/** What monitoring does where the file says nothing. Times in milliseconds, sizes in bytes. */

export const DEFAULT_USERS: readonly string[] = ['hastmon', 'dmonitor', 'nobody'];
export const DEFAULT_FLIGHTS = 1024;
export const DEFAULT_PLUGINS = 32;
export const DEFAULT_RESOLVE_MS = 60_000;

export const DEFAULT_INTERVAL_MS = 10_000;
/** At most the interval. */
export const DEFAULT_RETRY_MS = 2000;
export const DEFAULT_TIMEOUT_MS = 5000;
/** The ancestor's limit: it killed a plugin after ten seconds. */
export const DEFAULT_PLUGIN_TIMEOUT_MS = 10_000;
/** At most the timeout. */
export const DEFAULT_PHASE_TIMEOUT_MS = 5000;
export const DEFAULT_RISE = 2;
export const DEFAULT_FALL = 3;

export const DEFAULT_METHOD = 'GET';
export const DEFAULT_STATUSES: readonly (readonly [number, number])[] = [[200, 299]];
export const DEFAULT_BODY_BYTES = 65_536;

export const DEFAULT_MAIL_SERVER = 'localhost:25';
export const DEFAULT_GATHER_MS = 10_000;

/** dmonitor's cron ran once in a minute, and one result was enough. */
export const DMONITOR_INTERVAL_MS = 60_000;
export const DMONITOR_TIMEOUT_MS = 10_000;
