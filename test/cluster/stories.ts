/** Events of nodes whose clocks differ, written down in the order in which they were: for tests of timelines. */
import type { EventData, HaEvent } from '../../proto/event-types.js';

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
