/**
 * Keeps a moment at which thousands of servers fail from being thousands of events: of each kind so many are passed on within a second,
 * and then one that says how many more there were.
 */
import type { EventKind } from '../../proto/event-kinds.js';
import type { RecordEvent } from '../../proto/event-types.js';

export interface EventGate {
  record: RecordEvent;
  /** What was counted is told now. */
  close(): void;
}

export interface GateOptions {
  /** Takes what gets through. */
  pass: RecordEvent;
  /** Events of one kind within `withinMs`; 50 and a second if not said. */
  singly?: number;
  withinMs?: number;
}

const SINGLY = 50;
const WITHIN_MS = 1000;

export function createEventGate({ pass, singly = SINGLY, withinMs = WITHIN_MS }: GateOptions): EventGate {
  /** Of the present span of time. */
  const counts = new Map<EventKind, number>();
  let timer: NodeJS.Timeout | undefined;

  function end(): void {
    clearTimeout(timer);
    timer = undefined;
    const more = [...counts].filter(([, count]) => count > singly);
    counts.clear();
    for (const [of, all] of more) {
      const count = all - singly;
      pass({ kind: 'more-events', text: `${count} more of ${of} at that time`, data: { of, count } });
    }
  }

  return {
    record(event) {
      const count = (counts.get(event.kind) ?? 0) + 1;
      counts.set(event.kind, count);
      timer ??= setTimeout(end, withinMs);
      if (count <= singly) pass(event);
    },
    close: end,
  };
}
