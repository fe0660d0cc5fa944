/** What a monitor process is started with: a change of it takes another process. */
import type { MonitorConfig } from '../checks/spec.js';
import {
  DEFAULT_FLIGHTS,
  DEFAULT_PLUGINS,
  DEFAULT_RESOLVE_MS,
  DEFAULT_USERS,
} from '../config/monitor-defaults.js';

export type ProcessSettings = Pick<MonitorConfig, 'users' | 'chroot' | 'flights' | 'plugins' | 'resolveMs'>;

/** For a process that is started to run one check on request. */
export const UNCONFIGURED: ProcessSettings = {
  ...{ users: DEFAULT_USERS, chroot: '' },
  ...{ flights: DEFAULT_FLIGHTS, plugins: DEFAULT_PLUGINS, resolveMs: DEFAULT_RESOLVE_MS },
};

/** Of all that is monitored, no more than this: the rest is not for every process. */
export function processSettings({
  chroot,
  flights,
  plugins,
  resolveMs,
  users,
}: ProcessSettings): ProcessSettings {
  return { chroot, flights, plugins, resolveMs, users };
}

/** True where a process that was started with the one need not be replaced for the other. */
export function sameProcess(a: ProcessSettings, b: ProcessSettings): boolean {
  return (
    a.flights === b.flights &&
    a.plugins === b.plugins &&
    a.resolveMs === b.resolveMs &&
    a.chroot === b.chroot &&
    a.users.join() === b.users.join()
  );
}
