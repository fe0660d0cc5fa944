/** What is counted as it happens, from when this process began. */
import type { HaEvent } from '../../../proto/event-types.js';
import { createCounter, createHistogram } from './counted.js';
import type { Family } from './exposition.js';
import { FAILOVER_KINDS, type FailoverState, followFailovers, NO_FAILOVERS } from './failovers.js';

export interface EventFigures {
  count(event: HaEvent): void;
  /** What has been counted so far; of these resources also what has not happened yet. */
  families(resources: readonly string[]): Family[];
}

/** Seconds: a handover takes tenths, a machine that is lost its lease, a database its minutes. */
const BOUNDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 60, 120, 300];

export function createEventFigures(): EventFigures {
  let failovers: FailoverState = NO_FAILOVERS;
  const all = {
    events: createCounter('hastmon_events_total', 'What has happened, by the kinds of docs/events.md.'),
    missed: createCounter('hastmon_events_missed_total', 'Events that could not be kept in the journal.'),
    failovers: createCounter('hastmon_failovers_total', 'Failovers that have ended on this node.'),
    took: createHistogram(
      'hastmon_failover_duration_seconds',
      'From the loss of the service until it ran on this node.',
      BOUNDS,
    ),
    phases: createHistogram(
      'hastmon_failover_phase_duration_seconds',
      'The phases of failovers that have ended on this node.',
      BOUNDS,
    ),
    hooks: createHistogram('hastmon_hook_duration_seconds', 'Hooks that have ended, but for status.', BOUNDS),
    edges: createCounter('hastmon_check_edges_total', 'Changes of checks as seen from this node alone.'),
    outages: createCounter('hastmon_check_outages_total', 'Outages that were confirmed.'),
    alerts: createCounter('hastmon_alert_failures_total', 'Edges of which nobody could be told from here.'),
  };

  function followed(event: HaEvent): void {
    const { ended, state } = followFailovers(failovers, event);
    failovers = state;
    if (ended === null) return;
    const { kind, resource } = ended;
    all.failovers.add({ resource, kind });
    all.took.observe({ resource, kind }, ended.tookMs / 1000);
    for (const [phase, tookMs] of Object.entries(ended.phases))
      all.phases.observe({ resource, kind, phase }, tookMs / 1000);
  }

  return {
    count(event) {
      const { check = '', data, kind, resource = '' } = event;
      all.events.add({ kind });
      followed(event);
      switch (kind) {
        case 'events-missed':
          return all.missed.add({}, Number(data.count));
        case 'hook': {
          const labels = {
            resource,
            action: String(data.action),
            result: data.ok === true ? 'ok' : 'failed',
          };
          return all.hooks.observe(labels, Number(data.ms) / 1000);
        }
        case 'check-edge':
          return all.edges.add({ check, to: String(data.to) });
        case 'outage':
          return all.outages.add({ check });
        case 'alert-failed':
          return all.alerts.add({});
      }
    },
    families(resources) {
      for (const resource of resources)
        for (const kind of FAILOVER_KINDS) all.failovers.add({ resource, kind }, 0);
      for (const counter of [all.missed, all.alerts]) counter.add({}, 0);
      return Object.values(all).map((each) => each.family());
    },
  };
}
