/**
 * One time for events of several nodes. Within a boot of a node the difference of its CLOCK_BOOTTIME is exact; between nodes, what must have
 * come first bounds how far their wall clocks are apart. Pure.
 */
import type { HaEvent } from '../../proto/event-types.js';
import type { NodeName } from '../core/types.js';

/** An event, and its moment in milliseconds since 1970 by the clock of the node that all others are compared with. */
export interface Timed {
  event: HaEvent;
  time: number;
}

/** A fact of an event: '' where it is not there, or is none. */
export function wordIn({ data }: HaEvent, name: string): string {
  const value = data[name];
  return typeof value === 'string' ? value : '';
}

/** A fact of an event: 0 where it is not there, or is none. */
export function numberIn({ data }: HaEvent, name: string): number {
  const value = data[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

/**
 * Gives all events their time by the clock of `reference`, in the order of that time, of one node in the order of its numbers. `epochs`: the
 * leases from which the clocks are compared; those of long ago say nothing of now.
 */
export function timed(events: readonly HaEvent[], reference: NodeName, epochs: ReadonlySet<number>): Timed[] {
  const bases = basesOf(events);
  const local = events.map((event) => ({ event, time: (bases.get(bootOf(event)) ?? 0) + event.bootMs }));
  const own = local.filter(({ event }) => event.node === reference);
  const offsets = new Map<NodeName, number>();
  for (const node of new Set(events.map((event) => event.node))) {
    const others = local.filter(({ event }) => event.node === node);
    offsets.set(node, node === reference ? 0 : offsetOf(others, own, node, reference, epochs));
  }
  return local
    .map(({ event, time }) => ({ event, time: time + (offsets.get(event.node) ?? 0) }))
    .sort(
      (a, b) =>
        a.time - b.time ||
        (a.event.node === b.event.node
          ? a.event.number - b.event.number
          : a.event.node < b.event.node
            ? -1
            : 1),
    );
}

const bootOf = ({ boot, node }: HaEvent): string => `${node} ${boot}`;

/** Of each boot of each node, when its CLOCK_BOOTTIME was 0, by its wall clock as it was last set. */
function basesOf(events: readonly HaEvent[]): Map<string, number> {
  const last = new Map<string, HaEvent>();
  for (const event of events) {
    const known = last.get(bootOf(event));
    if (known === undefined || event.number > known.number) last.set(bootOf(event), event);
  }
  return new Map([...last].map(([boot, event]) => [boot, event.at - event.bootMs]));
}

/**
 * What has to be added to the times of a node for those of the reference. A voter grants before the holder has the lease, and hears of it
 * afterwards: 0 where that fits, else what lies between.
 */
function offsetOf(
  others: readonly Timed[],
  own: readonly Timed[],
  node: NodeName,
  reference: NodeName,
  epochs: ReadonlySet<number>,
): number {
  let [least, most] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const bound = (low: number, high: number): void => {
    // Where a clock was set in between they contradict each other: the later one counts.
    const fits = low <= most && high >= least;
    [least, most] = fits ? [Math.max(least, low), Math.min(most, high)] : [low, high];
  };
  for (const epoch of [...epochs].sort((a, b) => a - b)) {
    const won = momentOf(own, 'lease-acquired', '', epoch);
    if (won !== null)
      bound(
        won - (momentOf(others, 'holder-heard', reference, epoch) ?? Number.POSITIVE_INFINITY),
        won - (momentOf(others, 'vote-granted', reference, epoch) ?? Number.NEGATIVE_INFINITY),
      );
    const theirs = momentOf(others, 'lease-acquired', '', epoch);
    if (theirs !== null)
      bound(
        (momentOf(own, 'vote-granted', node, epoch) ?? Number.NEGATIVE_INFINITY) - theirs,
        (momentOf(own, 'holder-heard', node, epoch) ?? Number.POSITIVE_INFINITY) - theirs,
      );
  }
  if (least <= 0 && most >= 0) return 0;
  if (Number.isFinite(least) && Number.isFinite(most)) return (least + most) / 2;
  return Number.isFinite(least) ? least : most;
}

/** When that happened first; null: it is not known to have. */
function momentOf(events: readonly Timed[], kind: string, peer: NodeName, epoch: number): number | null {
  const found = events.find(
    ({ event }) =>
      event.kind === kind && numberIn(event, 'epoch') === epoch && wordIn(event, 'peer') === peer,
  );
  return found?.time ?? null;
}
