/** Answers `hastmonctl timeline`: asks the other voters for what happened, and puts it together with what happened here. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ControlReply, ControlRequest } from '../../proto/control-types.js';
import type { EventsRequest, HaEvent } from '../../proto/event-types.js';
import type { Timeline, TimelineRequest } from '../../proto/timeline-types.js';
import type { AnswererOptions } from '../cluster/answerer.js';
import { failoversOf, type TimelineSettings } from '../cluster/timeline.js';
import type { Config, ResourceConfig } from '../config/types.js';
import { leaseTerms } from '../core/settings.js';
import type { DurationMs, NodeName } from '../core/types.js';
import { messageOf } from '../sys/errors.js';
import { settingsOf } from './settings-of.js';

export interface TimelineOptions {
  config: () => Config;
  /** Answers a request as on the control socket. */
  handle: AnswererOptions['handle'];
  ask: (node: NodeName, request: ControlRequest, limitMs: DurationMs) => Promise<ControlReply>;
}

/** Of each node; a failover is some twenty of them. */
const EVENTS_MAX = 4000;
/** A journal is read from disk, and comes in parts. */
const LIMIT_MS = 5000;
const EX_NOHOST = 68;

export async function timelineOf(
  options: TimelineOptions,
  { last, resource: name }: TimelineRequest,
): Promise<Partial<ControlReply>> {
  const config = options.config();
  const resource = config.resources.find((candidate) => candidate.name === name);
  if (resource === undefined) {
    const names = config.resources.map((each) => each.name).join(', ');
    const message = `no resource ${name} on node ${config.node}; ${names === '' ? 'it has none' : `it has: ${names}`}`;
    return { error: { code: EX_NOHOST, message } };
  }
  const wanted: EventsRequest = {
    ...{ kind: 'events', names: [name], sinceMs: null, last: EVENTS_MAX, follow: false },
  };
  const missing: Timeline['missing'] = [];
  const words = await Promise.all(
    resource.voters.map(async (node) => {
      try {
        return { node, events: await eventsOf(options, node, wanted) };
      } catch (error) {
        missing.push({ node, why: messageOf(error) });
        return null;
      }
    }),
  );
  const known = words.filter((word) => word !== null);
  const events = known.flatMap((word) => word.events).filter((event) => event.resource === name);
  const answered = known.map(({ node }) => node);
  const failovers: Timeline['failovers'] = [];
  // Leases are renewed between one and the next.
  for (const failover of failoversOf(events, timesOf(config, resource), last, answered)) {
    failovers.push(failover);
    await nextTurn();
  }
  missing.sort((a, b) => resource.voters.indexOf(a.node) - resource.voters.indexOf(b.node));
  return { cluster: { kind: 'timeline', resource: name, failovers, missing } };
}

async function eventsOf(options: TimelineOptions, node: NodeName, wanted: EventsRequest): Promise<HaEvent[]> {
  if (node === options.config().node) {
    const events: HaEvent[] = [];
    const take = (part: Partial<ControlReply>): void => void events.push(...(part.events ?? []));
    take(await options.handle(wanted, take, new AbortController().signal, `node ${node}`));
    return events;
  }
  const { error, events } = await options.ask(node, wanted, LIMIT_MS);
  if (error !== null) throw new Error(error.message);
  // Whatever it says: they are of its own.
  return events.filter((event) => event.node === node);
}

function timesOf(config: Config, resource: ResourceConfig): TimelineSettings {
  const { complaintCount, heartbeatIntervalMs, leaseTimeoutMs, startTimeoutMs, stopTimeoutMs, voters } =
    resource;
  const { stopBudgetMs } = leaseTerms(settingsOf(config, resource));
  return {
    ...{ voters, complaintCount, leaseTimeoutMs, startTimeoutMs, stopTimeoutMs, stopBudgetMs },
    heartbeatMs: heartbeatIntervalMs,
  };
}
