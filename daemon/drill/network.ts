/**
 * The network of a drill: one connection for each pair of machines, which is there or cut. One that is cut, or whose other machine has lost
 * its power, is silent until each end gives it up by itself; where only a process is gone, the other end is told.
 */
import type { NodeName, PeerMessage } from '../core/types.js';
import { feedMain } from './main.js';
import { type Machine, PACE, type World } from './world.js';

export interface Network {
  send(from: Machine, to: NodeName, message: PeerMessage): void;
  /** Connects every pair that can be. */
  connect(): void;
  /** From now on nothing arrives in either direction. */
  cut(one: NodeName, other: NodeName): void;
  /** The main process of this machine is gone, and the machine says so to whoever was connected. */
  closed(machine: Machine): void;
}

interface End {
  machine: Machine;
  up: boolean;
  heardAt: number;
}

interface Pair {
  ends: [End, End];
  cut: boolean;
}

export function createNetwork(world: World): Network {
  const { agenda, machines } = world;
  const pairs: Pair[] = machines.flatMap((one, index) =>
    machines.slice(index + 1).map((other): Pair => {
      const end = (machine: Machine): End => ({ machine, up: false, heardAt: 0 });
      return { ends: [end(one), end(other)], cut: false };
    }),
  );

  function send(from: Machine, to: NodeName, message: PeerMessage): void {
    const pair = pairs.find(({ ends }) => between(ends, from.name, to));
    if (pair === undefined || pair.cut) return;
    const [here, there] = ordered(pair, from);
    if (!here.up) return;
    agenda.after(PACE.networkMs, () => {
      const { main } = there.machine;
      if (pair.cut || !there.up || main === null) return;
      there.heardAt = agenda.now();
      feedMain(world, main, { kind: 'peer', from: from.name, message });
    });
  }

  function setUp(pair: Pair, end: End, up: boolean): void {
    if (end.up === up) return;
    end.up = up;
    const [, other] = ordered(pair, end.machine);
    const { main } = end.machine;
    if (main !== null) feedMain(world, main, { kind: 'link', node: other.machine.name, up });
  }

  /** As the network of hastmond ends a connection on which nothing has come for too long. */
  function watch(pair: Pair, end: End): void {
    const { heartbeatMs, leaseMs } = end.machine.settings;
    const silenceMs = Math.max(leaseMs, 3 * heartbeatMs);
    agenda.at(end.heardAt + silenceMs, () => {
      if (!end.up) return;
      if (agenda.now() - end.heardAt < silenceMs) return watch(pair, end);
      setUp(pair, end, false);
      tellOther(pair, end);
    });
  }

  function tellOther(pair: Pair, end: End): void {
    const [, other] = ordered(pair, end.machine);
    if (!pair.cut) agenda.after(PACE.networkMs, () => setUp(pair, other, false));
  }

  return {
    send,
    connect() {
      for (const pair of pairs) {
        if (pair.cut || pair.ends.some(({ machine }) => machine.main === null)) continue;
        for (const end of pair.ends) {
          end.heardAt = agenda.now();
          setUp(pair, end, true);
          watch(pair, end);
        }
      }
    },
    cut(one, other) {
      for (const pair of pairs) if (between(pair.ends, one, other)) pair.cut = true;
    },
    closed(machine) {
      for (const pair of pairs) {
        const end = pair.ends.find((each) => each.machine === machine);
        if (end?.up !== true) continue;
        end.up = false;
        tellOther(pair, end);
      }
    },
  };
}

function between(ends: Pair['ends'], one: NodeName, other: NodeName): boolean {
  const names = ends.map(({ machine }) => machine.name);
  return names.includes(one) && names.includes(other);
}

/** The end at this machine, and the other one. */
function ordered({ ends: [first, second] }: Pair, machine: Machine): [End, End] {
  return first.machine === machine ? [first, second] : [second, first];
}
