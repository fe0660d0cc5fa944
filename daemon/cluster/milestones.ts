/** Why a resource ceased to run, and what had to happen before it ran again. Part of timeline.ts. Pure. */
import type { Failover, FailoverPhase } from '../../proto/timeline-types.js';
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

/** How it began. */
export interface Beginning {
  kind: Failover['kind'];
  at: number;
  /** Words for that moment. */
  since: string;
}

/** Of what is known to have gone wrong, the first. */
export function begun(gap: Gap, window: readonly Timed[]): Beginning {
  const { before, next } = gap;
  const own = window.filter(({ event }) => event.node === before?.node);
  const ended = own.find(({ event }) => event === before?.ended);
  const failed = own.find(isFailure);
  const handed = own.find(({ event }) => event.kind === 'handover-begun');
  const silent = window.findLast(({ event }) => isLoss(event, before));
  const found: Beginning[] = [];
  if (failed !== undefined)
    found.push({ kind: 'failed', at: Math.min(failed.time, ended?.time ?? failed.time), since: 'it failed' });
  if (handed !== undefined) found.push({ kind: 'handover', at: handed.time, since: 'it was asked for' });
  if (silent !== undefined) found.push({ kind: 'lost', ...lastSign(gap, window, silent) });
  const [first] = found.sort((a, b) => a.at - b.at);
  if (first !== undefined) return first;
  const at = ended ?? window.find(({ event }) => event.node === next?.node) ?? window.at(-1);
  return { kind: 'other', at: at?.time ?? next?.began.at ?? 0, since: 'it ended' };
}

const FAILURES: readonly string[] = ['service-failed', 'attempt-failed', 'gave-up'];

function isFailure({ event }: Timed): boolean {
  return FAILURES.includes(event.kind) || (event.kind === 'run-changed' && wordIn(event, 'to') === 'failed');
}

/** Another node has not heard the holder for too long. */
function isLoss(event: Timed['event'], before: Run | null): boolean {
  return (
    event.kind === 'holder-lost' &&
    wordIn(event, 'why') === 'silent' &&
    event.node !== before?.node &&
    (before === null || wordIn(event, 'peer') === before.node)
  );
}

/** When it last renewed its lease with another voter, by whichever heard it last; else when it was last heard. */
function lastSign({ before }: Gap, window: readonly Timed[], silent: Timed): { at: number; since: string } {
  const renewals = window
    .filter(
      ({ event }) =>
        event.kind === 'vote-ended' &&
        event.node !== before?.node &&
        wordIn(event, 'peer') === wordIn(silent.event, 'peer') &&
        numberIn(event, 'epoch') === numberIn(silent.event, 'epoch'),
    )
    .map(({ event, time }) => time - numberIn(event, 'lastRenewedMs'));
  const heard = silent.time - numberIn(silent.event, 'lastHeardMs');
  return renewals.length === 0
    ? { at: heard, since: 'it was last heard' }
    : { at: Math.min(silent.time, Math.max(...renewals)), since: 'its last renewal' };
}

/** In the order of phases, as far as they are known. */
export function milestonesOf(
  gap: Gap,
  window: readonly Timed[],
  settings: TimelineSettings,
  beginning: Beginning,
): Milestone[] {
  const lost = beginning.kind === 'lost';
  return [
    lost ? noticed(gap, window, settings, beginning.since) : null,
    lost ? complained(gap, window, settings) : null,
    // Of a lost holder nobody waits for the stop, but for the end of what was granted to it.
    lost ? null : stopped(gap, window, settings),
    granted(gap, window, settings, lost),
    leased(gap, window),
    started(gap, window, settings),
  ].filter((milestone) => milestone !== null);
}

function noticed(
  { before, next }: Gap,
  window: readonly Timed[],
  { leaseTimeoutMs }: TimelineSettings,
  since: string,
): Milestone | null {
  const losses = window.filter(({ event }) => isLoss(event, before));
  const found = losses.findLast(({ event }) => event.node === next?.node) ?? losses.at(-1);
  if (found === undefined) return null;
  return {
    ...{ name: 'unnoticed', time: found.time, node: found.event.node },
    text: `not heard for ${seconds(numberIn(found.event, 'lastHeardMs'))}; counted from ${since}`,
    ...{ setting: 'lease_timeout', settingMs: leaseTimeoutMs },
  };
}

function complained(
  { next }: Gap,
  window: readonly Timed[],
  { complaintCount, heartbeatMs }: TimelineSettings,
): Milestone | null {
  const complaints = window.filter(
    ({ event }) => event.kind === 'complaint' && (next === null || event.node === next.node),
  );
  const enough =
    complaints.findLast(({ event }) => numberIn(event, 'count') >= numberIn(event, 'needed')) ??
    (next === null ? complaints.at(-1) : undefined);
  if (enough === undefined) return null;
  const { event, time } = enough;
  return {
    ...{ name: 'complaints', time, node: event.node },
    text: `${wordIn(event, 'peer')} complained ${numberIn(event, 'count')} of ${numberIn(event, 'needed')} times`,
    // A watchdog complains with every heartbeat, and more than complaint_count are needed.
    ...{ setting: 'complaint_count', settingMs: (complaintCount + 1) * heartbeatMs },
  };
}

/** Where it ran before: released, or known to be stopped. */
function stopped(
  { before }: Gap,
  window: readonly Timed[],
  { stopTimeoutMs }: TimelineSettings,
): Milestone | null {
  const own = window.filter(({ event }) => event.node === before?.node);
  const stop = own.filter(({ event }) => event.kind === 'hook' && wordIn(event, 'action') === 'stop').at(-1);
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

/** A majority had granted. What was granted to a lost holder had to run out first; what was released binds nobody. */
function granted(
  { next }: Gap,
  window: readonly Timed[],
  { stopBudgetMs, voters }: TimelineSettings,
  lost: boolean,
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
    text: `granted by ${sorted.map(({ event }) => event.node).join(', ')}${lost ? '; what was granted before had run out' : ''}`,
    ...(lost ? { setting: 'stop_timeout', settingMs: stopBudgetMs } : { setting: '', settingMs: null }),
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
