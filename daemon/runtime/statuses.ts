/** What is said of each resource of this node, with what its status needs from the other parts of the main process. */
import type { StatusEntry } from '../../proto/control-types.js';
import type { PeerNetwork } from '../net/peer-network.js';
import { bootTime } from '../sys/clock.js';
import { describeProgram } from './action-hooks.js';
import type { ActionsHost } from './actions-host.js';
import type { ResourceRuntime } from './resource.js';
import { statusOf } from './status.js';

export interface StatusesOptions {
  resources: ReadonlyMap<string, ResourceRuntime>;
  network: () => Pick<PeerNetwork, 'links'>;
  actions: Pick<ActionsHost, 'reports'>;
  /** How long this daemon took from its start until it took part. */
  startupMs: () => number;
  /** What is wrong with the watchdog device, '' for nothing; null where none is configured. */
  device: () => string | null;
}

/** Gives the entries of resources that there are. */
export function createStatuses(options: StatusesOptions): (names: readonly string[]) => StatusEntry[] {
  return (names) =>
    names.map((name) => {
      const runtime = options.resources.get(name);
      if (runtime === undefined) throw new Error(`no resource ${name}`);
      const facts = {
        state: runtime.state(),
        exec: describeProgram(runtime.config()),
        links: options.network().links(name),
        workerPid: runtime.workerPid(),
        warnings: runtime.warnings(),
        seenRunning: runtime.seenRunning(),
        startupMs: options.startupMs(),
        lastStopMs: runtime.lastStopMs(),
        reports: options.actions.reports(name),
        device: options.device(),
      };
      return statusOf(facts, bootTime());
    });
}
