/** Monitoring as a whole: the monitor process, confirmation with the other nodes, and telling people, put together. */
import type { LinkMessage } from '../../proto/codec.js';
import type { RecordEvent } from '../../proto/event-types.js';
import { createAlertDesk } from '../alerts/desk.js';
import type { AlertDesk } from '../alerts/types.js';
import { sameCheck } from '../config/monitor-diff.js';
import type { Config, ResourceConfig } from '../config/types.js';
import { whyNotPromoted, whyServiceFailed } from '../confirm/resources.js';
import { processEnded } from '../events/process.js';
import { type LinkGroup, MONITORING } from '../net/group.js';
import type { NetLog } from '../net/log.js';
import type { PeerNetwork } from '../net/peer-network.js';
import type { Store } from '../state/store.js';
import { bootTime } from '../sys/clock.js';
import { recordChecks } from './check-events.js';
import { logEdge } from './check-log.js';
import { monitorLinks } from './confirm-config.js';
import { type ConfirmHost, createConfirmHost } from './confirm-host.js';
import { createDirectoryWatch } from './directory-watch.js';
import { createMonitorHost, type MonitorHost } from './monitor-host.js';
import type { ProcessRecords } from './process-record.js';

export interface Monitoring {
  readonly host: MonitorHost;
  readonly confirm: ConfirmHost;
  readonly alerts: AlertDesk;
  /** Has the services checked that a configuration names, from now on. */
  apply(config: Config): void;
  /** The nodes to be linked with for that. */
  groups(config: Config): LinkGroup[];
  /** What the checks that a resource names say of it now: why its service counts as failed, why this node must not be promoted. */
  verdict(resource: Pick<ResourceConfig, 'checks' | 'requires'>): { failed: string; unfit: string };
  /** Checks that judge a resource in maintenance, with it: nothing is told of them until that is over. */
  leaveAlone(checks: ReadonlyMap<string, string>): void;
  message(from: string, message: LinkMessage): void;
  link(node: string, up: boolean): void;
  close(): Promise<void>;
}

export interface MonitoringOptions {
  node: string;
  /** The script of worker processes. */
  script: string;
  records: ProcessRecords;
  /** Directories of what confirmation remembers, and of what is left to be told. */
  store: Store;
  alertStore: Store;
  log: NetLog;
  record: RecordEvent;
  network: () => PeerNetwork;
  /** What is known of checks may have changed. */
  changed: () => void;
  /** The directory of dmonitor's says something else than it did. */
  directoryChanged: () => void;
}

function sameEntries(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}

export function createMonitoring(options: MonitoringOptions): Monitoring {
  const { log, network } = options;
  const wall = (): number => Date.now();
  const recorder = recordChecks(options.record);
  const host = createMonitorHost({
    ...{ script: options.script, records: options.records, log },
    events: {
      edge(_name, edge, view, last) {
        logEdge(log, edge, view, last);
        recorder.edge(edge, view, last);
        confirm.seen(view, last);
      },
      cameUp: () => options.changed(),
      blind() {
        confirm.blind();
        options.changed();
      },
      ready() {
        confirm.ready();
        options.changed();
      },
      ended: (restartMs) => options.record(processEnded('the monitor process', 'monitor', restartMs)),
    },
    wall: () => wall() / 1000,
  });
  const alerts = createAlertDesk({
    ...{ script: options.script, records: options.records, store: options.alertStore },
    ...{ log, wall, now: bootTime, said: recorder.delivery },
    done(check, edge, why) {
      if (why !== '') recorder.notTold(check, edge, why);
      confirm.told(check, edge, why);
    },
  });
  const directory = createDirectoryWatch({ log, changed: options.directoryChanged });
  const confirm: ConfirmHost = createConfirmHost({
    ...{ node: options.node, store: options.store, log, monitor: host, wall, changed: options.changed },
    observed: recorder.confirmed,
    clock: bootTime,
    desk: alerts,
    send: (to, message) => network().send(MONITORING, to, { kind: 'confirm', message }),
    waiting: (to) => network().waiting(MONITORING, to),
  });

  let applied: Config['monitor'] = null;
  let leftAlone: ReadonlyMap<string, string> = new Map();

  function leaveAlone(checks: ReadonlyMap<string, string>): void {
    if (sameEntries(checks, leftAlone)) return;
    leftAlone = checks;
    confirm.configure(applied, leftAlone);
  }

  return {
    host,
    confirm,
    alerts,
    apply({ monitor, node }) {
      host.apply(monitor, sameCheck);
      alerts.configure(monitor?.active ? monitor.alerts : [], { node, users: monitor?.users ?? [] });
      applied = monitor;
      confirm.configure(monitor, leftAlone);
      directory.follow(monitor?.dmonitor ?? '');
    },
    leaveAlone,
    groups: ({ monitor, node }) => monitorLinks(monitor, node),
    message(from, message) {
      if (message.kind === 'confirm') confirm.message(from, message.message);
    },
    verdict({ checks, requires }) {
      const state = confirm.state();
      return {
        failed: state === null || checks.length === 0 ? '' : whyServiceFailed(state, checks, bootTime()),
        unfit: whyNotPromoted(requires, host.sight),
      };
    },
    link: (node, up) => confirm.link(node, up),
    async close() {
      directory.close();
      await host.close();
      await confirm.close();
      await alerts.close();
    },
  };
}
