/** What had to happen before a resource ran again. Part of timeline.ts. Pure. */
import type { FailoverPhase } from '../../proto/timeline-types.js';
import type { NodeName } from '../core/types.js';
import { type Attempt, attemptsOf, isOutOfTime } from './attempts.js';
import { type Beginning, lossesOf } from './beginning.js';
import { numberIn, type Timed, wordIn } from './clocks.js';
import type { Run } from './runs.js';
import type { TimelineSettings } from './timeline.js';

/** Between two runs; `next` null: it has not run again. */
export interface Gap {
  before: Run | null;
  next: Run | null;
}

/** The end of a phase, and when that was. */
export type Milestone = Omit<FailoverPhase, 'beginMs' | 'tookMs'> & { time: number };

/** In the order of phases, as far as they are known. */
export function milestonesOf(
  gap: Gap,
  window: readonly Timed[],
  settings: TimelineSettings,
  beginning: Beginning,
): Milestone[] {
  const lost = beginning.kind === 'lost';
  const attempts = attemptsOf(gap, window);
  const [first] = attempts;
  const taker = first?.node ?? gap.next?.node ?? null;
  // What comes after somebody had the lease tells nothing of how that came to be.
  const early = first === undefined ? window : window.filter(({ time }) => time <= first.from);
  return [
    leftAlone(gap, window, beginning),
    lost ? noticed(gap, early, settings, taker, beginning.since) : null,
    lost ? complained(early, settings, taker) : null,
    // Of a lost holder nobody waits for the stop, but for the end of what was granted to it.
    lost ? null : stopped(gap, early, settings),
    attempted(attempts),
    granted(gap, window, settings, isOutOfTime(attempts, lost)),
    leased(gap, window),
    started(gap, window, settings),
  ].filter((milestone) => milestone !== null);
}

/** It ended in maintenance: nothing was done about that before its end. */
function leftAlone({ before }: Gap, window: readonly Timed[], { at }: Beginning): Milestone | null {
  const over = window.findLast(
    ({ event, time }) =>
      event.kind === 'maintenance-off' && wordIn(event, 'peer') === before?.node && time > at,
  );
  if (over === undefined || before === null) return null;
  const [name, text] = ['maintenance', `left alone on ${before.node}, in maintenance`];
  return { name, time: over.time, node: over.event.node, text, setting: '', settingMs: null };
}

function noticed(
  { before }: Gap,
  window: readonly Timed[],
  { leaseTimeoutMs, voters }: TimelineSettings,
  taker: NodeName | null,
  since: string,
): Milestone | null {
  const losses = lossesOf(before, window, voters);
  const found = losses.findLast(({ event }) => event.node === taker) ?? losses.at(-1);
  if (found === undefined) return null;
  return {
    ...{ name: 'unnoticed', time: found.time, node: found.event.node },
    text: `not heard for ${seconds(numberIn(found.event, 'lastHeardMs'))}; counted from ${since}`,
    ...{ setting: 'lease_timeout', settingMs: leaseTimeoutMs },
  };
}

function complained(
  window: readonly Timed[],
  { complaintCount, heartbeatMs }: TimelineSettings,
  taker: NodeName | null,
): Milestone | null {
  const complaints = window.filter(
    ({ event }) => event.kind === 'complaint' && (taker === null || event.node === taker),
  );
  const enough =
    complaints.findLast(({ event }) => numberIn(event, 'count') >= numberIn(event, 'needed')) ??
    (taker === null ? complaints.at(-1) : undefined);
  if (enough === undefined) return null;
  const { event, time } = enough;
  return {
    ...{ name: 'complaints', time, node: event.node },
    text: `${wordIn(event, 'peer')} complained ${numberIn(event, 'count')} of ${numberIn(event, 'needed')} times`,
    // A watchdog complains with every heartbeat, and more than complaint_count are needed.
    ...{ setting: 'complaint_count', settingMs: (complaintCount + 1) * heartbeatMs },
  };
}

/** Others had the lease meanwhile, and did not come to run it; up to the end of the last one. */
function attempted(attempts: readonly Attempt[]): Milestone | null {
  const last = attempts.at(-1);
  if (last === undefined) return null;
  const { end, epoch, error, node } = last;
  const before = attempts.length === 1 ? '' : `${attempts.length} of them; `;
  const what = end === 'lost' ? 'lost it' : end === 'released' ? 'gave it up' : 'held it';
  return {
    ...{ name: 'attempts', time: last.until, node },
    text: `${before}${node} ${what}, epoch ${epoch}, without having run it${error === '' ? '' : `: ${error}`}`,
    ...{ setting: '', settingMs: null },
  };
}

/** Where it ran before: released, or known to be stopped. */
function stopped(
  { before }: Gap,
  window: readonly Timed[],
  { stopTimeoutMs }: TimelineSettings,
): Milestone | null {
  const own = window.filter(({ event }) => event.node === before?.node);
  const stop = own.findLast(({ event }) => event.kind === 'hook' && wordIn(event, 'action') === 'stop');
  const released = own.find(
    ({ event }) => event.kind === 'lease-released' && numberIn(event, 'epoch') === before?.epoch,
  );
  // On the same node the stop is a part of starting anew, unless it released the lease.
  const found = released ?? stop;
  if (found === undefined || before === null) return null;
  const took = stop === undefined ? '' : `; stop took ${seconds(numberIn(stop.event, 'ms'))}`;
  return {
    ...{ name: 'stop', time: found.time, node: before.node },
    text: `${released === undefined ? 'stopped' : 'stopped, and the lease released'}${took}`,
    ...{ setting: 'stop_timeout', settingMs: stopTimeoutMs },
  };
}

/** A majority had granted. `ranOut`: what was granted to a lost holder had to run out first; what was released binds nobody. */
function granted(
  { next }: Gap,
  window: readonly Timed[],
  { stopBudgetMs, voters }: TimelineSettings,
  ranOut: boolean,
): Milestone | null {
  if (next === null) return null;
  const votes = new Map<string, Timed>();
  for (const vote of window) {
    const { event } = vote;
    if (event.kind !== 'vote-granted' || wordIn(event, 'peer') !== next.node) continue;
    if (numberIn(event, 'epoch') === next.epoch && !votes.has(event.node)) votes.set(event.node, vote);
  }
  const sorted = [...votes.values()].sort((a, b) => a.time - b.time);
  const majority = Math.floor(voters.length / 2) + 1;
  const last = sorted[Math.min(majority, sorted.length) - 1];
  if (last === undefined) return null;
  return {
    ...{ name: 'grants', time: last.time, node: last.event.node },
    text: `granted by ${sorted.map(({ event }) => event.node).join(', ')}${ranOut ? '; what was granted before had run out' : ''}`,
    ...(ranOut ? { setting: 'stop_timeout', settingMs: stopBudgetMs } : { setting: '', settingMs: null }),
  };
}

function leased({ next }: Gap, window: readonly Timed[]): Milestone | null {
  const won = window.find(
    ({ event }) =>
      event.kind === 'lease-acquired' && event.node === next?.node && numberIn(event, 'epoch') === next.epoch,
  );
  if (won === undefined || next === null) return null;
  return {
    ...{ name: 'lease', time: won.time, node: next.node, text: `${next.node} held it, epoch ${next.epoch}` },
    ...{ setting: '', settingMs: null },
  };
}

/** To the run itself: this phase ends the failover. */
function started(
  { next }: Gap,
  window: readonly Timed[],
  { startTimeoutMs }: TimelineSettings,
): Milestone | null {
  if (next === null) return null;
  const hook = window.findLast(
    ({ event }) => event.node === next.node && event.kind === 'hook' && wordIn(event, 'action') === 'start',
  );
  return {
    ...{ name: 'start', time: Number.POSITIVE_INFINITY, node: next.node },
    text: next.inferred
      ? 'it held the lease: its own events are missing'
      : hook === undefined
        ? 'it ran'
        : `it ran; start took ${seconds(numberIn(hook.event, 'ms'))}`,
    ...{ setting: 'start_timeout', settingMs: startTimeoutMs },
  };
}

const seconds = (ms: number): string => (ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
