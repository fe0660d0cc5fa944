/**
 * What voters promised and what holders make of it, in true time:
 * - a voter never grants to another while a promise of its own holds, whatever it has forgotten meanwhile;
 * - the epochs that a voter grants increase, as long as it has its record;
 * - a voter does not grant again what it knows to be released;
 * - what a worker counts on as its lease, and the time to stop after it, is covered by a majority's promises;
 * - `start` begins only while a majority's promises leave the time to stop;
 * - a service is down again before the promises of a majority end (invariant 4);
 * - a voter that keeps the resource for a node in maintenance grants it to no other before that node has said that it counts on that no more;
 * - a lease is released only when the service does not run.
 * Excluded: what an operator started by --force.
 */
import type { Holder, NodeName } from '../../../daemon/core/types.js';
import { type Checker, type TraceEvent, Violation } from '../trace.js';

interface Promise {
  holder: Holder;
  epoch: number;
  until: number;
  stopMs: number;
}

/** Rounding of numbers, in milliseconds. */
const EPSILON = 0.001;

export function promises(): Checker {
  const byVoter = new Map<NodeName, Promise[]>();
  const released = new Set<string>();
  const heardReleased = new Map<NodeName, Set<string>>();
  const epochMax = new Map<NodeName, number>();
  const running = new Map<NodeName, boolean>();
  /** For whom a voter keeps the resource. */
  const keeps = new Map<NodeName, NodeName>();
  /** The nodes that count on that. */
  const counting = new Set<NodeName>();
  /** Every set of voters that was ever in force: a change is checked by the voters themselves. */
  const sets: NodeName[][] = [];

  /** Until when a majority of a set of voters keeps its promise to the node. */
  function covered(
    which: (promise: Promise) => boolean,
    extra: (promise: Promise) => number,
    keptFor: NodeName = '',
  ): number {
    let best = Number.NEGATIVE_INFINITY;
    for (const set of sets) {
      const ends = set
        .map((voter) =>
          Math.max(
            keptFor !== '' && keeps.get(voter) === keptFor
              ? Number.POSITIVE_INFINITY
              : Number.NEGATIVE_INFINITY,
            ...(byVoter.get(voter) ?? []).filter(which).map((promise) => promise.until - extra(promise)),
          ),
        )
        .sort((a, b) => b - a);
      best = Math.max(best, ends[Math.floor(set.length / 2)] ?? Number.NEGATIVE_INFINITY);
    }
    return best;
  }

  function promised(event: Extract<TraceEvent, { kind: 'promise' }>, now: number): void {
    const { voter, holder, epoch, until, terms } = event;
    const keptFor = keeps.get(voter);
    if (keptFor !== undefined && keptFor !== holder.node && counting.has(keptFor))
      throw new Violation(
        'promises',
        `voter ${voter} grants epoch ${epoch} to ${holder.node}, but it keeps the resource for ${keptFor}, in maintenance`,
      );
    const kept = (byVoter.get(voter) ?? []).filter(
      (old) => old.until > now && !released.has(key(old.holder, old.epoch)),
    );
    const same = (old: Promise): boolean => key(old.holder, old.epoch) === key(holder, epoch);
    const other = kept.find((old) => !same(old) && old.until > now + EPSILON);
    if (other !== undefined) {
      throw new Violation(
        'promises',
        `voter ${voter} grants epoch ${epoch} to ${holder.node}, but it has promised ${other.holder.node} ` +
          `(epoch ${other.epoch}) to wait ${(other.until - now).toFixed(1)} ms more`,
      );
    }
    if (heardReleased.get(voter)?.has(key(holder, epoch)))
      throw new Violation(
        'promises',
        `voter ${voter} grants epoch ${epoch} again, which ${holder.node} has released`,
      );
    const before = byVoter.get(voter)?.some(same) ? 0 : (epochMax.get(voter) ?? 0);
    if (epoch <= before)
      throw new Violation('promises', `voter ${voter} grants epoch ${epoch} after epoch ${before}`);
    epochMax.set(voter, Math.max(epoch, epochMax.get(voter) ?? 0));
    const stopMs = terms.stopBudgetMs / (1 + terms.driftPpm / 1e6);
    // After a change of the times an earlier promise may leave more time to hold, and this one more time to stop.
    const more = kept.filter(
      (old) => same(old) && (old.until > until || old.until - old.stopMs > until - stopMs),
    );
    byVoter.set(voter, [...more, { holder, epoch, until, stopMs }]);
  }

  function startBegins(event: Extract<TraceEvent, { kind: 'hook-begin' }>, now: number): void {
    const { node, epoch, incarnation } = event;
    const mine = (promise: Promise): boolean =>
      promise.epoch === epoch && promise.holder.node === node && promise.holder.incarnation === incarnation;
    const until = covered(mine, (promise) => promise.stopMs);
    if (until + EPSILON < now) {
      throw new Violation(
        'start-under-lease',
        `${node} begins start under epoch ${epoch}, and a majority's promises, less the time to stop, ` +
          (until === Number.NEGATIVE_INFINITY ? 'do not exist' : `ended ${(now - until).toFixed(1)} ms ago`),
      );
    }
  }

  function leaseCounted(event: Extract<TraceEvent, { kind: 'lease' }>): void {
    const { holder, epoch, until } = event;
    const mine = key(holder, epoch);
    const kept = covered(
      (promise) => key(promise.holder, promise.epoch) === mine,
      () => 0,
    );
    if (kept + EPSILON < until) {
      throw new Violation(
        'lease-covered',
        `${holder.node} counts on epoch ${epoch} and the time to stop for ${(until - kept).toFixed(3)} ms longer ` +
          "than a majority's promises last",
      );
    }
  }

  function serviceDown(node: NodeName, now: number): void {
    const until = covered(
      (promise) => promise.holder.node === node,
      () => 0,
      node,
    );
    if (until + EPSILON < now) {
      throw new Violation(
        'stopped-in-time',
        `the service on ${node} ended only now; a majority's promises to it ` +
          (until === Number.NEGATIVE_INFINITY ? 'do not exist' : `ended ${(now - until).toFixed(1)} ms ago`),
      );
    }
  }

  return {
    see(event, now) {
      switch (event.kind) {
        case 'voters': {
          const known = sets.some((set) => set.join() === event.members.join());
          if (!known) sets.push([...event.members]);
          return;
        }
        case 'promise':
          return promised(event, now);
        case 'lease':
          return leaseCounted(event);
        case 'forgotten':
          epochMax.delete(event.voter);
          heardReleased.delete(event.voter);
          return;
        case 'release-heard': {
          const heard = heardReleased.get(event.voter) ?? new Set<string>();
          heardReleased.set(event.voter, heard.add(key(event.holder, event.epoch)));
          return;
        }
        case 'process':
          // What was released is kept in memory only.
          if (event.process === 'main' && event.what === 'starts') heardReleased.delete(event.node);
          return;
        case 'marked':
          if (event.on) keeps.set(event.voter, event.node);
          else keeps.delete(event.voter);
          return;
        case 'counts-on-marks':
          if (event.on) counting.add(event.node);
          else counting.delete(event.node);
          return;
        case 'release': {
          // An acquisition that comes to nothing while what is kept runs on.
          const kept = counting.has(event.holder.node);
          if (running.get(event.holder.node) === false && !kept)
            throw new Violation(
              'released-when-stopped',
              `${event.holder.node} releases epoch ${event.epoch} while the service runs there`,
            );
          released.add(key(event.holder, event.epoch));
          return;
        }
        case 'hook-begin':
          if (event.action === 'start' && !event.forced) startBegins(event, now);
          return;
        case 'service':
          if (event.running) running.set(event.node, event.forced);
          else {
            const forced = running.get(event.node);
            running.delete(event.node);
            if (forced === false) serviceDown(event.node, now);
          }
          return;
        default:
      }
    },
    end(now) {
      for (const [node, forced] of running) if (!forced) serviceDown(node, now);
    },
  };
}

function key(holder: Holder, epoch: number): string {
  return `${holder.node} ${holder.incarnation} ${epoch}`;
}
