/** Events of nodes whose clocks differ, written down in the order in which they were: for tests of timelines. */
import assert from 'node:assert/strict';
import { failoversOf, type TimelineSettings } from '../../daemon/cluster/timeline.js';
import type { EventData, HaEvent } from '../../proto/event-types.js';
import type { Failover } from '../../proto/timeline-types.js';

export const ALL = ['a', 'b', 'c'];
const SETTINGS: TimelineSettings = {
  ...{ voters: ALL, leaseTimeoutMs: 1000, heartbeatMs: 200, complaintCount: 3 },
  ...{ startTimeoutMs: 10_000, stopBudgetMs: 1000, stopTimeoutMs: 1000 },
};

/** What a timeline makes of events, of which the nodes that have answered know. */
export const of = (events: readonly HaEvent[], answered = ALL, last = 10): Failover[] => [
  ...failoversOf(events, SETTINGS, last, answered),
];

export const phasesOf = ({ phases }: Failover): [string, number, string][] =>
  phases.map(({ name, node, tookMs }) => [name, tookMs, node]);

export function only(failovers: readonly Failover[]): Failover {
  const [first] = failovers;
  assert.ok(first !== undefined && failovers.length === 1, `${failovers.length} failovers`);
  return first;
}

export interface Story {
  /** Something happens on a node, so many milliseconds after the last thing that was told. */
  after(ms: number, node: string, kind: string, data?: EventData): Story;
  readonly events: HaEvent[];
  /** Milliseconds since the beginning. */
  readonly now: number;
}

/** What the story began at, by a true clock. */
export const BEGAN = 1_700_000_000_000;

/** `offsets`: by how much the wall clock of a node is ahead, in milliseconds. */
export function story(offsets: Record<string, number> = {}): Story {
  const events: HaEvent[] = [];
  const numbers = new Map<string, number>();
  let now = 0;
  const self: Story = {
    events,
    get now() {
      return now;
    },
    after(ms, node, kind, data = {}) {
      now += ms;
      const number = (numbers.get(node) ?? 0) + 1;
      numbers.set(node, number);
      events.push({
        ...{ number, node, at: BEGAN + now + (offsets[node] ?? 0), boot: `boot-${node}`, bootMs: 5000 + now },
        ...{ kind, resource: 'db', text: `${kind} on ${node}`, data },
      });
      return self;
    },
  };
  return self;
}

/** `node` gets the lease and starts. */
export function takes(told: Story, node: string, epoch: number, voters: readonly string[]): Story {
  for (const voter of voters) told.after(4, voter, 'vote-granted', { peer: node, epoch });
  told.after(4, node, 'lease-acquired', { epoch });
  for (const other of ['a', 'b', 'c'].filter((each) => each !== node && voters.includes(each)))
    told.after(3, other, 'holder-heard', { peer: node, epoch });
  told.after(20, node, 'run-changed', { from: 'stopped', to: 'starting', epoch, error: '' });
  told.after(270, node, 'hook', { action: 'start', ok: true, outcome: 'exit', code: 0, ms: 265 });
  return told.after(10, node, 'run-changed', { from: 'starting', to: 'run', epoch, error: '' });
}

/** `a` is gone; `b` takes over with the votes of b and c. The last renewal was at `now` of before. */
export function loses(told: Story, epoch: number): Story {
  told.after(100, 'b', 'link-down', { peer: 'a' });
  for (const count of [1, 2, 3]) told.after(200, 'b', 'complaint', { peer: 'c', count, needed: 4 });
  told.after(300, 'b', 'holder-lost', { peer: 'a', epoch, why: 'silent', lastHeardMs: 1000 });
  told.after(10, 'c', 'holder-lost', { peer: 'a', epoch, why: 'silent', lastHeardMs: 1005 });
  told.after(90, 'b', 'complaint', { peer: 'c', count: 4, needed: 4 });
  told.after(900, 'c', 'vote-ended', { peer: 'a', epoch, why: 'ran-out', lastRenewedMs: 2000 });
  told.after(5, 'b', 'vote-ended', { peer: 'a', epoch, why: 'ran-out', lastRenewedMs: 2010 });
  return takes(told, 'b', epoch + 1, ['c', 'b']);
}

/** Whatever comes: phases follow each other without a gap, none is negative, and together they are the whole. */
export function holds(failovers: readonly Failover[]): void {
  for (const { phases, tookMs } of failovers) {
    let at = 0;
    for (const { beginMs, tookMs: took } of phases) {
      assert.equal(beginMs, at);
      assert.ok(took > 0);
      at += took;
    }
    if (tookMs !== null) assert.equal(at, tookMs);
  }
}

/** `a` hands over to `b`, in 90 ms and what that one's start takes. */
export function handsOver(told: Story, epoch: number): Story {
  told.after(0, 'a', 'handover-begun', { to: 'b', cause: 'operator' });
  told.after(2, 'a', 'run-changed', { from: 'run', to: 'stopping', epoch, error: '' });
  return releases(told, epoch);
}

/** `a` has been told to stop: what follows, up to the end of its lease. */
export function releases(told: Story, epoch: number): Story {
  told.after(80, 'a', 'hook', { action: 'stop', ok: true, outcome: 'exit', code: 0, ms: 78 });
  told.after(5, 'a', 'lease-released', { epoch });
  told.after(0, 'a', 'run-changed', { from: 'stopping', to: 'stopped', epoch: 0, error: '' });
  for (const node of ['b', 'c']) {
    told.after(1, node, 'holder-lost', { peer: 'a', epoch, why: 'released', lastHeardMs: 0 });
    told.after(0, node, 'vote-ended', { peer: 'a', epoch, why: 'released', lastRenewedMs: 70 });
  }
  return told;
}

/** The watchdog has stood still: it believes that it has not heard `a`, whose lease the others went on renewing. */
export function standsStill(told: Story, epoch: number): Story {
  told.after(5000, 'c', 'holder-lost', { peer: 'a', epoch, why: 'silent', lastHeardMs: 2650 });
  told.after(0, 'c', 'vote-ended', { peer: 'a', epoch, why: 'ran-out', lastRenewedMs: 2500 });
  return told.after(5, 'b', 'complaint', { peer: 'c', count: 1, needed: 4 });
}
