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
  /** The one of that it did so no more, or that nobody knows; null where there is none: it runs, or its node was lost. */
  ended: HaEvent | null;
}

/** In the order in which they were: epochs rise, and those of one node are numbered. */
export function runsOf(events: readonly HaEvent[]): Run[] {
  const nodes = [...new Set(events.map(({ node }) => node))];
  const runs = nodes.flatMap((node) => runsOn(node, of(events, node)));
  runs.push(...inferredFrom(events));
  return runs.sort((a, b) => a.epoch - b.epoch || a.began.at - b.began.at || a.began.number - b.began.number);
}

/** Those of one node. What ran outside of the lease, by force, is none, until it had the lease. */
function runsOn(node: NodeName, events: readonly HaEvent[]): Run[] {
  const runs: Run[] = [];
  /** Something was started or stopped since the last run began, or may have been. */
  let touched = true;
  let kept = false;
  let boot = '';
  for (const event of events) {
    const last = runs.at(-1);
    if (event.boot !== boot || touches(event)) touched = true;
    boot = event.boot;
    kept = isKept(event, node, kept);
    if (event.kind === 'lease-acquired' && last !== undefined && !touched)
      last.epoch = numberIn(event, 'epoch');
    if (event.kind !== 'run-changed') continue;
    if (wordIn(event, 'to') === 'run') {
      // Of a worker or a daemon that was replaced, the next one has found it running.
      if (last !== undefined && !touched) last.ended = null;
      else runs.push({ node, epoch: numberIn(event, 'epoch'), began: event, inferred: false, ended: null });
      touched = false;
    } else if (last !== undefined && ends(event, last, kept)) last.ended = event;
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

/** Whether a node is in maintenance, by what one voter says of it. */
function isKept(event: HaEvent, node: NodeName, before: boolean): boolean {
  if (wordIn(event, 'peer') !== node) return before;
  return event.kind === 'maintenance-on' || (before && event.kind !== 'maintenance-off');
}

/**
 * The first word that it runs no more. What nobody knew, after its worker has gone or while hastmond was away in maintenance, is no end where it
 * can be told later: the end is what was found then.
 */
function ends(event: HaEvent, { ended }: Run, kept: boolean): boolean {
  if (ended === null) return wordIn(event, 'from') === 'run' || (kept && wordIn(event, 'to') === 'stopped');
  return isDoubt(ended) && touches(event);
}

/** Nobody has looked, or could tell. */
export function isDoubt(event: HaEvent): boolean {
  return wordIn(event, 'to') === 'unknown';
}

/** Of nodes that are lost, with their journals: what the others have heard of their leases. */
function inferredFrom(events: readonly HaEvent[]): Run[] {
  const known = new Set(
    events
      .filter(({ kind }) => kind === 'lease-acquired')
      .map((event) => keyOf(event.node, numberIn(event, 'epoch'))),
  );
  const carried = carriedOver(events);
  const first = new Map<string, Run>();
  for (const event of events) {
    const [node, epoch] = [wordIn(event, 'peer'), numberIn(event, 'epoch')];
    const key = keyOf(node, epoch);
    if (event.kind !== 'holder-heard' || known.has(key)) continue;
    if (event.at < (first.get(key)?.began.at ?? Number.POSITIVE_INFINITY))
      first.set(key, { node, epoch, began: event, inferred: true, ended: null });
  }
  const runs: Run[] = [];
  for (const run of [...first.values()].sort((a, b) => a.epoch - b.epoch)) {
    const last = runs.at(-1);
    if (last?.node === run.node && carried.has(keyOf(run.node, run.epoch))) last.epoch = run.epoch;
    else runs.push(run);
  }
  return runs;
}

/** Leases that a node was first heard to hold while it was in maintenance: it has taken up what ran. */
function carriedOver(events: readonly HaEvent[]): Set<string> {
  const carried = new Set<string>();
  for (const observer of new Set(events.map(({ node }) => node)))
    for (const peer of new Set(events.map((event) => wordIn(event, 'peer')))) {
      let kept = false;
      const heard = new Set<number>();
      for (const event of of(events, observer)) {
        kept = isKept(event, peer, kept);
        if (event.kind !== 'holder-heard' || wordIn(event, 'peer') !== peer) continue;
        const epoch = numberIn(event, 'epoch');
        if (kept && !heard.has(epoch)) carried.add(keyOf(peer, epoch));
        heard.add(epoch);
      }
    }
  return carried;
}

/** True where `observer` says that its voter keeps the resource for `node`, in maintenance. */
export function keeps(events: readonly HaEvent[], observer: NodeName, node: NodeName): boolean {
  return of(events, observer).reduce((kept, event) => isKept(event, node, kept), false);
}

/** Those of one node, in their order. */
function of(events: readonly HaEvent[], node: NodeName): HaEvent[] {
  return events.filter((event) => event.node === node).sort((a, b) => a.number - b.number);
}

const keyOf = (node: NodeName, epoch: number): string => `${epoch} ${node}`;
