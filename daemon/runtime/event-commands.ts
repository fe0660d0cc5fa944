/** Answers `hastmonctl events`: what is in the journal, and then, where that is wanted, what happens. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ControlReply } from '../../proto/control-types.js';
import type { EventsRequest, HaEvent } from '../../proto/event-types.js';
import type { Journal } from '../events/journal.js';

export type EventsHandler = (
  request: EventsRequest,
  reply: (partial: Partial<ControlReply>) => void,
  signal: AbortSignal,
) => Promise<Partial<ControlReply>>;

/** Events in one reply, and their characters, which take three bytes at most: far less than a frame holds. */
const PAGE = 200;
const PAGE_CHARACTERS = 200_000;

/** `wall`: milliseconds since 1970. */
export function createEventsHandler(
  journal: Pick<Journal, 'read' | 'subscribe'>,
  wall: () => number,
): EventsHandler {
  return async (request, reply, signal) => {
    const { follow, last } = request;
    const wanted = wantedBy(request, wall());
    // What happens while the journal is read comes after what is read there.
    const news: HaEvent[] = [];
    let take = (event: HaEvent): void => void news.push(event);
    const end = follow ? journal.subscribe((event) => take(event)) : () => {};
    try {
      const events = await journal.read(wanted, last ?? Number.POSITIVE_INFINITY);
      for (const page of pagesOf(events)) {
        if (signal.aborted) return {};
        reply({ events: page });
        // Leases are renewed between one page and the next.
        await nextTurn();
      }
      if (!follow) return {};
      const known = events.at(-1)?.number ?? 0;
      const tell = (event: HaEvent): void => {
        if (event.number > known && about(event, request.names)) reply({ events: [event] });
      };
      for (const event of news) tell(event);
      take = tell;
      await gone(signal);
      return {};
    } finally {
      end();
    }
  };
}

function* pagesOf(events: readonly HaEvent[]): Generator<HaEvent[]> {
  let page: HaEvent[] = [];
  let left = PAGE_CHARACTERS;
  for (const event of events) {
    const characters = event.text.length + JSON.stringify(event.data).length;
    if (page.length > 0 && (page.length >= PAGE || left <= characters)) {
      yield page;
      [page, left] = [[], PAGE_CHARACTERS];
    } else if (page.length > 0) left -= characters;
    page.push(event);
  }
  if (page.length > 0) yield page;
}

function wantedBy({ names, sinceMs }: EventsRequest, now: number): (event: HaEvent) => boolean {
  const from = sinceMs === null ? Number.NEGATIVE_INFINITY : now - sinceMs;
  return (event) => event.at >= from && about(event, names);
}

function about({ check, host, resource, service }: HaEvent, names: readonly string[]): boolean {
  return (
    names.length === 0 ||
    [resource, check, host, service].some((name) => name !== undefined && names.includes(name))
  );
}

function gone(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
