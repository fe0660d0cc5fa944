/** Events and the question for them, to the wire and back. */
import * as check from './check.js';
import type { EventData, EventsRequest, HaEvent } from './event-types.js';
import type { hastmon } from './gen/control.js';

/** Texts of programs are in them, and programs may say much. */
const TEXT_MAX = 2000;
const SUBJECTS = ['resource', 'check', 'host', 'service', 'by'] as const;

export function eventToWire(event: HaEvent): hastmon.Event.$Properties {
  const { at, bootMs, data, text, ...rest } = event;
  return { ...rest, atMs: at, bootMs, text: text.slice(0, TEXT_MAX), data: JSON.stringify(data) };
}

export function eventFromWire(wire: hastmon.Event.$Properties): HaEvent {
  const subject: Partial<Record<(typeof SUBJECTS)[number], string>> = {};
  for (const name of SUBJECTS) if (wire[name]) subject[name] = wire[name];
  return {
    number: check.counter('event.number', wire.number),
    node: wire.node ?? '',
    at: check.numberWithin('event.at', wire.atMs, 0, Number.MAX_SAFE_INTEGER),
    boot: wire.boot ?? '',
    bootMs: check.numberWithin('event.boot_ms', wire.bootMs, 0, Number.MAX_SAFE_INTEGER),
    kind: wire.kind ?? '',
    ...subject,
    text: wire.text ?? '',
    data: dataOf(wire.data ?? ''),
  };
}

function dataOf(text: string): EventData {
  const value: unknown = text === '' ? {} : JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('event.data is no JSON object');
  return value as EventData;
}

export function eventsRequestToWire(request: EventsRequest): hastmon.ControlRequest.$Properties {
  const { follow, last, names, sinceMs } = request;
  return {
    events: {
      name: [...names],
      follow,
      ...(sinceMs === null ? {} : { sinceMs }),
      ...(last === null ? {} : { last }),
    },
  };
}

/** null where it is another request. */
export function eventsRequestFromWire({ events }: hastmon.ControlRequest.$Properties): EventsRequest | null {
  if (!events) return null;
  return {
    kind: 'events',
    names: (events.name ?? []).map((name) => check.name('events.name', name)),
    sinceMs:
      events.sinceMs == null
        ? null
        : check.numberWithin('events.since_ms', events.sinceMs, 0, Number.MAX_SAFE_INTEGER),
    last: events.last == null ? null : check.counter('events.last', events.last),
    follow: events.follow ?? false,
  };
}
