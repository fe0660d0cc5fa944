/** Nodes that had the lease between two runs, and did not come to run the resource. Part of timeline.ts. Pure. */
import type { NodeName } from '../core/types.js';
import { numberIn, type Timed, wordIn } from './clocks.js';
import type { Gap } from './milestones.js';

/** One lease, from when it was held. */
export interface Attempt {
  node: NodeName;
  epoch: number;
  from: number;
  until: number;
  /** unknown: nobody says how it ended. */
  end: 'released' | 'lost' | 'unknown';
  /** What its node says went wrong, '' where it says nothing. */
  error: string;
}

/** In the order of their leases. */
export function attemptsOf({ before, next }: Gap, window: readonly Timed[]): Attempt[] {
  const [after, upTo] = [before?.epoch ?? 0, next?.epoch ?? Number.POSITIVE_INFINITY];
  const held = new Map<number, Attempt>();
  for (const { event, time } of window) {
    const epoch = numberIn(event, 'epoch');
    const node = holderIn(event);
    if (node === '' || epoch <= after || epoch >= upTo || held.has(epoch)) continue;
    const ended = endOf(node, epoch, window);
    held.set(epoch, { node, epoch, from: time, error: errorOf(node, time, ended.until, window), ...ended });
  }
  return [...held.values()].sort((a, b) => a.epoch - b.epoch);
}

/** True where the next lease had to wait for the end of what was granted to the last holder: to the one before it where nobody has tried. */
export function isOutOfTime(attempts: readonly Attempt[], lost: boolean): boolean {
  const last = attempts.at(-1);
  return last === undefined ? lost : last.end === 'lost';
}

function holderIn(event: Timed['event']): NodeName {
  if (event.kind === 'lease-acquired') return event.node;
  return event.kind === 'holder-heard' ? wordIn(event, 'peer') : '';
}

/** By its own word, else by that of those who heard it last. */
function endOf(node: NodeName, epoch: number, window: readonly Timed[]): Pick<Attempt, 'until' | 'end'> {
  const of = window.filter(({ event }) => numberIn(event, 'epoch') === epoch);
  const own = of.find(
    ({ event }) => event.node === node && ['lease-released', 'lease-lost'].includes(event.kind),
  );
  if (own !== undefined)
    return { until: own.time, end: own.event.kind === 'lease-lost' ? 'lost' : 'released' };
  const heard = of.findLast(({ event }) => event.kind === 'holder-lost' && wordIn(event, 'peer') === node);
  if (heard !== undefined)
    return { until: heard.time, end: wordIn(heard.event, 'why') === 'silent' ? 'lost' : 'released' };
  return { until: of.at(-1)?.time ?? 0, end: 'unknown' };
}

function errorOf(node: NodeName, from: number, until: number, window: readonly Timed[]): string {
  const failed = window.findLast(
    ({ event, time }) =>
      event.node === node && event.kind === 'attempt-failed' && time >= from && time <= until,
  );
  return failed === undefined ? '' : wordIn(failed.event, 'error');
}
