/** What has happened, the newest first and bounded. Pure. */
import type { HaEvent } from '../../../../proto/event-types.js';
import type { Tone } from './tone.js';
import { clock } from './words.js';

export const EVENTS_KEPT = 200;

export interface EventRow {
  key: string;
  tone: Tone;
  at: number;
  clock: string;
  node: string;
  /** What it is about, '' for the daemon itself. */
  subject: string;
  text: string;
  by: string;
}

/** `known` with these added: each once, by node and number; the newest EVENTS_KEPT. */
export function joined(known: readonly HaEvent[], fresh: readonly HaEvent[]): HaEvent[] {
  const all = new Map([...known, ...fresh].map((event) => [keyOf(event), event]));
  return [...all.values()].sort(newestFirst).slice(0, EVENTS_KEPT);
}

/** Within a node by number: its wall clock may have been set back. */
function newestFirst(one: HaEvent, other: HaEvent): number {
  return one.node === other.node ? other.number - one.number : other.at - one.at;
}

function keyOf({ node, number }: HaEvent): string {
  return `${node} ${number}`;
}

export function eventRowsOf(events: readonly HaEvent[], now: number): EventRow[] {
  return events.map((event) => ({
    ...{
      key: keyOf(event),
      tone: toneOf(event),
      at: event.at,
      clock: clock(event.at, now),
      node: event.node,
    },
    subject: event.resource ?? event.check ?? event.service ?? event.host ?? '',
    ...{ text: event.text, by: event.by ?? '' },
  }));
}

const tones: Partial<Record<Tone, readonly string[]>> = {
  bad: [
    'outage',
    'gave-up',
    'lease-lost',
    'fencing',
    'service-failed',
    'sorry-in',
    'alert-failed',
    'device-starved',
    'table-lost',
  ],
  warn: [
    ...[
      'holder-lost',
      'link-down',
      'complaint',
      'attempt-failed',
      'process-ended',
      'check-edge',
      'flapping',
      'device-problem',
    ],
    ...[
      'reload-failed',
      'balancer-reload-failed',
      'alert-problem',
      'table-refused',
      'sync-problem',
      'events-missed',
      'names-unresolved',
    ],
  ],
  good: ['lease-acquired', 'recovery', 'calm', 'service-answers', 'sorry-out', 'link-up', 'ramp-ended'],
  busy: [
    'command',
    'handover-begun',
    'maintenance-on',
    'maintenance-off',
    'server-disabled',
    'server-enabled',
    'weight-changed',
    'reloaded',
  ],
};

function toneOf({ data, kind }: HaEvent): Tone {
  if (kind === 'check-edge' && data.to === 'up') return 'good';
  const found = Object.entries(tones).find(([, kinds]) => kinds.includes(kind));
  return (found?.[0] as Tone | undefined) ?? 'quiet';
}

/** After these, the timeline of the resource may be another one. */
export function changesTimeline({ kind }: HaEvent): boolean {
  return ['lease-acquired', 'run-changed', 'holder-lost', 'lease-lost', 'lease-released'].includes(kind);
}
