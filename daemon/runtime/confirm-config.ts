/** What the configuration of monitoring means for confirmation, and for the links between the nodes that monitor. */
import { ATTEMPT_MS } from '../alerts/types.js';
import type { MonitorConfig } from '../checks/spec.js';
import type { CheckRule, ConfirmConfig, Limits } from '../confirm/types.js';
import { type LinkGroup, MONITORING } from '../net/group.js';

/** Stands in Message-IDs where nobody gets mail (RFC 6761: no such name ever exists). */
const NO_DOMAIN = 'hastmon.invalid';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** The same on all nodes, but for sendMs, which is the sender's own. */
const LIMITS: Omit<Limits, 'sendMs'> = {
  // Who comes back is heard so soon; an outage costs each pair of nodes so little.
  askMs: 10 * SECOND,
  // A daemon is restarted, and sees what is down, in less; a machine nearly so.
  holdMs: MINUTE,
  // More than a claim and its answer take between machines that work.
  turnMs: 2 * SECOND,
  // Three times the silence that ends a connection (SILENCE_MS).
  claimMs: 15 * SECOND,
  // Three outages with their recoveries in a quarter of an hour: a fourth is no news.
  flapEdges: 6,
  flapWindowMs: 15 * MINUTE,
  calmMs: 15 * MINUTE,
};
/** Beyond what is gathered: one attempt, and what waits before it. */
const SEND_MS = 2 * ATTEMPT_MS;

/** A connection between monitoring nodes on which nothing arrives for so long is ended. */
const SILENCE_MS = 5 * SECOND;

/** `leftAlone`: checks of resources in maintenance, with those. */
export function confirmConfigOf(
  monitor: MonitorConfig,
  leftAlone: ReadonlyMap<string, string> = new Map(),
): ConfirmConfig {
  const gatherMs = Math.max(0, ...monitor.alerts.map((alert) => alert.gatherMs));
  const checks = monitor.checks.map(({ name, options }): [string, CheckRule] => {
    const resource = leftAlone.get(name);
    return [
      name,
      {
        ...{ nodes: monitor.nodes, confirm: options.confirm, intervalMs: options.intervalMs },
        ...{ timeoutMs: options.timeoutMs, depends: options.depends },
        ...(resource === undefined ? {} : { leftAlone: resource }),
      },
    ];
  });
  return {
    domain: domainOf(monitor),
    limits: { ...LIMITS, sendMs: gatherMs + SEND_MS },
    checks: Object.fromEntries(checks),
  };
}

/** The domain of whoever comes first among those who get mail: every node reads the same file. */
function domainOf({ alerts }: MonitorConfig): string {
  const first = alerts.flatMap(({ mail }) => mail?.to ?? [])[0];
  return first?.replace(/^.*@/, '') ?? NO_DOMAIN;
}

/** The links of this node to the others that monitor; none where it does not, or is the only one. */
export function monitorLinks(monitor: MonitorConfig | null, self: string): LinkGroup[] {
  if (monitor === null || !monitor.active || monitor.nodes.length < 2) return [];
  const others = monitor.addresses.filter(({ node }) => node !== self);
  return [
    {
      ...{ name: MONITORING, voters: monitor.nodes, key: monitor.key, probes: true },
      ...{ friends: [], remote: others.map(({ address }) => address) },
      ...{ timeoutMs: SILENCE_MS, heartbeatIntervalMs: SECOND, leaseTimeoutMs: SILENCE_MS },
    },
  ];
}
