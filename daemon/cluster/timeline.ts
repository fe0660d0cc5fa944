/**
 * The failovers of a resource, put together from the events of all nodes: between one run and the next, what the time went into. Pure. Whatever
 * is missing, in whatever order it comes: what cannot be known makes a phase longer, never a wrong one.
 */
import type { HaEvent } from '../../proto/event-types.js';
import type { Failover, FailoverMark, FailoverPhase } from '../../proto/timeline-types.js';
import type { DurationMs, NodeName } from '../core/types.js';
import { begun } from './beginning.js';
import { type Timed, timed, wordIn } from './clocks.js';
import { type Gap, type Milestone, milestonesOf } from './milestones.js';
import { isDoubt, keeps, type Run, runsOf } from './runs.js';

/** What rules the times of a resource, in milliseconds. */
export interface TimelineSettings {
  voters: readonly NodeName[];
  leaseTimeoutMs: DurationMs;
  heartbeatMs: DurationMs;
  complaintCount: number;
  startTimeoutMs: DurationMs;
  /** From the end of a lease until its resource is stopped for sure. */
  stopBudgetMs: DurationMs;
  stopTimeoutMs: DurationMs;
}

/** Events of one failover that are told. */
const MARKS_MAX = 200;

/**
 * The last so many failovers of these events, the oldest first, one after the other: each takes some milliseconds. `answered`: the nodes whose
 * events are there, as far as they have any.
 */
export function* failoversOf(
  events: readonly HaEvent[],
  settings: TimelineSettings,
  last: number,
  answered: readonly NodeName[],
): Generator<Failover> {
  const runs = runsOf(events);
  const gaps = runs.slice(1).map((next, index): Gap => ({ before: runs[index] ?? null, next }));
  const final = runs.at(-1);
  if (final !== undefined && isOver(final, events, answered)) gaps.push({ before: final, next: null });
  for (const gap of gaps.slice(-last)) yield failoverOf(gap, events, settings);
}

/** True where it does not run any more, by its own node's word, or, where that has not answered, by that of all others. */
function isOver(run: Run, events: readonly HaEvent[], answered: readonly NodeName[]): boolean {
  if (run.ended !== null && !isDoubt(run.ended)) return true;
  if (answered.includes(run.node)) return false;
  // In maintenance it goes on without hastmond: nobody else can know.
  if (answered.some((node) => keeps(events, node, run.node))) return false;
  const words = answered.flatMap((node) => {
    const said = events
      .filter(
        (event) =>
          event.node === node &&
          ['holder-heard', 'holder-lost'].includes(event.kind) &&
          wordIn(event, 'peer') === run.node,
      )
      .sort((a, b) => a.number - b.number);
    return said.length === 0 ? [] : [said.at(-1)?.kind];
  });
  return words.length > 0 && words.every((kind) => kind === 'holder-lost');
}

function failoverOf(gap: Gap, events: readonly HaEvent[], settings: TimelineSettings): Failover {
  const { before, next } = gap;
  const epochs = new Set([before, next].flatMap((run) => (run === null ? [] : [run.epoch])));
  const reference = next?.began.node ?? lastSpeaker(events, before);
  const all = timed(events, reference, epochs);
  const window = windowOf(gap, all);
  const beginning = begun(gap, window, settings.voters);
  const { at, kind } = beginning;
  const end = next === null ? null : Math.max(at, timeOf(next.began, all) ?? at);
  const tookMs = end === null ? null : Math.round(end - at);
  const [from, to] = [before?.node ?? '', next?.node ?? ''];
  return {
    ...{ epoch: next?.epoch ?? 0, from, to, at: Math.round(at), kind, tookMs },
    text: sentence(kind, from, to, tookMs),
    phases: phasesOf(milestonesOf(gap, window, settings, beginning), at, tookMs),
    marks: marksOf(window, at, end),
  };
}

/** Who had most to say of it: the node that saw the last of it. */
function lastSpeaker(events: readonly HaEvent[], before: Run | null): NodeName {
  const others = events.filter(({ node }) => node !== before?.node);
  const last = others.reduce<HaEvent | null>(
    (found, event) => (event.at >= (found?.at ?? 0) ? event : found),
    null,
  );
  return last?.node ?? before?.node ?? '';
}

function timeOf(wanted: HaEvent, all: readonly Timed[]): number | null {
  return all.find(({ event }) => event === wanted)?.time ?? null;
}

/** What happened after the one run had begun, and until the next one had. On the nodes that say so their numbers tell. */
function windowOf({ before, next }: Gap, all: readonly Timed[]): Timed[] {
  const from =
    before === null ? Number.NEGATIVE_INFINITY : (timeOf(before.began, all) ?? Number.NEGATIVE_INFINITY);
  const to = next === null ? Number.POSITIVE_INFINITY : (timeOf(next.began, all) ?? Number.POSITIVE_INFINITY);
  return all.filter(({ event, time }) => {
    const late = event.node === next?.began.node ? event.number > next.began.number : time > to;
    const early = event.node === before?.began.node ? event.number <= before.began.number : time < from;
    return !late && !early;
  });
}

/** One after the other, without a gap between them, from the beginning to the end; in whole milliseconds. */
function phasesOf(milestones: readonly Milestone[], from: number, tookMs: number | null): FailoverPhase[] {
  const phases: FailoverPhase[] = [];
  let at = 0;
  for (const { time, ...milestone } of milestones) {
    // Where clocks contradict what must have been, a phase ends no earlier than it began.
    const until = Math.min(Math.max(at, Math.round(time - from)), tookMs ?? Number.POSITIVE_INFINITY);
    if (until > at) phases.push({ ...milestone, beginMs: at, tookMs: until - at });
    at = until;
  }
  return phases;
}

function sentence(kind: Failover['kind'], from: NodeName, to: NodeName, tookMs: number | null): string {
  const where = from === '' ? '' : ` on ${from}`;
  const after = tookMs === null ? 'it runs nowhere since' : `it ran on ${to} after ${lengthOf(tookMs)}`;
  switch (kind) {
    case 'lost':
      return `${from === '' ? 'the holder' : from} was not heard any more; ${after}`;
    case 'handover':
      return `handed over by ${from}; ${after}`;
    case 'failed':
      return `it failed${where}; ${after}`;
    case 'other':
      return `it ended${where}; ${after}`;
  }
}

const lengthOf = (ms: number): string =>
  ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;

/** The last ones, where there are too many: those of the beginning repeat themselves. */
function marksOf(window: readonly Timed[], from: number, end: number | null): FailoverMark[] {
  return window
    .filter(({ time }) => time >= from - 1 && (end === null || time <= end + 1))
    .slice(-MARKS_MAX)
    .map(({ event, time }) => ({
      ...{
        node: event.node,
        afterMs: Math.round(time - from),
        number: event.number,
        kind: event.kind,
        text: event.text,
      },
    }));
}
