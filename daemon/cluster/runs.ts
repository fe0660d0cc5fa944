/** Where and when a resource has run, by the events of all nodes. Pure. */
import type { HaEvent } from '../../proto/event-types.js';
import type { NodeName } from '../core/types.js';
import { numberIn, wordIn } from './clocks.js';

/** A time in which it ran on a node without having been touched. */
export interface Run {
  node: NodeName;
  /** Of its lease. */
  epoch: number;
  /** The event of that it ran from now on; where its own are missing, the first of another node of that it held the lease. */
  began: HaEvent;
  /** Its own events are missing. */
  inferred: boolean;
  /** The one of that it did so no more; null where there is none: it runs, or its node was lost. */
  ended: HaEvent | null;
}

/** In the order in which they were: epochs rise, and those of one node are numbered. */
export function runsOf(events: readonly HaEvent[]): Run[] {
  const nodes = [...new Set(events.map(({ node }) => node))];
  const runs = nodes.flatMap((node) =>
    runsOn(
      node,
      events.filter((event) => event.node === node).sort((a, b) => a.number - b.number),
    ),
  );
  runs.push(...inferredFrom(events));
  return runs.sort((a, b) => a.epoch - b.epoch || a.began.at - b.began.at || a.began.number - b.began.number);
}

/** Those of one node. What ran outside of the lease, by force, is none, until it had the lease. */
function runsOn(node: NodeName, events: readonly HaEvent[]): Run[] {
  const runs: Run[] = [];
  /** Something was started or stopped since the last run began, or may have been. */
  let touched = true;
  let boot = '';
  for (const event of events) {
    const last = runs.at(-1);
    if (event.boot !== boot || touches(event)) touched = true;
    boot = event.boot;
    if (event.kind === 'lease-acquired' && last !== undefined && !touched)
      last.epoch = numberIn(event, 'epoch');
    if (event.kind !== 'run-changed') continue;
    if (wordIn(event, 'to') === 'run') {
      // Of a worker or a daemon that was replaced, the next one has found it running.
      if (last !== undefined && !touched) last.ended = null;
      else runs.push({ node, epoch: numberIn(event, 'epoch'), began: event, inferred: false, ended: null });
      touched = false;
    } else if (wordIn(event, 'from') === 'run' && last !== undefined) last.ended ??= event;
  }
  return runs.filter(({ epoch }) => epoch > 0);
}

/** True for what says that it was started or stopped, or is about to be. */
function touches(event: HaEvent): boolean {
  if (event.kind === 'hook') return ['start', 'stop'].includes(wordIn(event, 'action'));
  if (event.kind === 'run-changed')
    return ['starting', 'stopping', 'stopped', 'failed'].includes(wordIn(event, 'to'));
  return event.kind === 'lease-released';
}

/** Of nodes that are lost, with their journals: what the others have heard of their leases. */
function inferredFrom(events: readonly HaEvent[]): Run[] {
  const known = new Set(
    events
      .filter(({ kind }) => kind === 'lease-acquired')
      .map((event) => keyOf(event.node, numberIn(event, 'epoch'))),
  );
  const first = new Map<string, Run>();
  for (const event of events) {
    const [node, epoch] = [wordIn(event, 'peer'), numberIn(event, 'epoch')];
    const key = keyOf(node, epoch);
    if (event.kind !== 'holder-heard' || known.has(key)) continue;
    if (event.at < (first.get(key)?.began.at ?? Number.POSITIVE_INFINITY))
      first.set(key, { node, epoch, began: event, inferred: true, ended: null });
  }
  return [...first.values()];
}

const keyOf = (node: NodeName, epoch: number): string => `${epoch} ${node}`;
