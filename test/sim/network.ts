/**
 * The network: one connection per pair of machines, seen from both ends, and the ways a message can come to grief. A
 * message is lost without a word where the path is cut; a connection goes down when one end has heard nothing for
 * too long, or when a process at one end is gone and the other end can be told.
 */
import type { NodeName, PeerMessage } from '../../daemon/core/types.js';
import { feedMain } from './main-process.js';
import { observeMessage } from './observe.js';
import { type Machine, machineOf, type World } from './world.js';

/** One direction between two machines. */
export interface Path {
  from: Machine;
  to: Machine;
  /** How many faults cut it at present. */
  cuts: number;
  /** Added to every delay. */
  slowMs: number;
  lossPermille: number;
  /** When the last message arrives, where the order is kept. */
  lastAt: number;
  /** The last requests and answers, to be repeated when they could do most harm. */
  kept: PeerMessage[];
}

const KEPT_MAX = 8;

interface End {
  machine: Machine;
  up: boolean;
  heardAt: number;
}

interface Pair {
  ends: [End, End];
  paths: [Path, Path];
  /** Counts connections, so that what belongs to an old one is told apart. */
  connection: number;
  connecting: boolean;
}

export interface Network {
  send(from: Machine, to: NodeName, message: PeerMessage): void;
  mainStarted(machine: Machine): void;
  mainEnded(machine: Machine, reachable: boolean): void;
  /** Old messages to a machine arrive once more, at about this moment. */
  repeat(machine: Machine): void;
  /** Every direction between two different machines. */
  paths: Path[];
}

export function createNetwork(world: World): Network {
  const { agenda, prng, profile } = world;
  const { heartbeatMs, leaseMs } = profile.times;
  const silenceMs = Math.max(leaseMs, 3 * heartbeatMs);
  const retryMs = heartbeatMs / 2;
  const pairs = makePairs(world.machines);
  const keepOrder = profile.network.duplicatePermille === 0;

  function pairOf(one: Machine, other: Machine): Pair | undefined {
    return pairs.find(
      ({ ends }) => ends.some((end) => end.machine === one) && ends.some((end) => end.machine === other),
    );
  }

  function delayOf(path: Path): number {
    const { delayMs, jitterMs } = profile.network;
    return delayMs / 2 + (prng.below(1000) / 1000) * (delayMs / 2 + jitterMs) + path.slowMs;
  }

  function send(from: Machine, to: NodeName, message: PeerMessage): void {
    const target = machineOf(world, to);
    const pair = target === null ? undefined : pairOf(from, target);
    if (target === null || pair === undefined) return;
    const [here, there] = ordered(pair, from);
    if (!here.end.up) return;
    observeMessage(world, from.name, to, message);
    const path = here.out;
    keep(path, message);
    const { lossPermille, duplicatePermille } = profile.network;
    if (path.cuts > 0 || (!world.healed && prng.chance(lossPermille + path.lossPermille))) return;
    const copies = prng.chance(duplicatePermille) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      let at = agenda.now + delayOf(path);
      // A late copy comes when all is over, perhaps.
      if (copy > 0 && prng.chance(300)) at += prng.below(Math.round(leaseMs * 2));
      else if (keepOrder) {
        at = Math.max(at, path.lastAt);
        path.lastAt = at;
      }
      agenda.at(at, () => arrive(there.end, from, path, message));
    }
  }

  function keep({ kept }: Path, message: PeerMessage): void {
    if (message.kind !== 'request' && message.kind !== 'answer') return;
    kept.push(message);
    if (kept.length > KEPT_MAX) kept.shift();
  }

  function arrive(end: End, from: Machine, path: Path, message: PeerMessage): void {
    if (path.cuts > 0) return;
    end.heardAt = agenda.now;
    const { main } = end.machine;
    if (main !== null) feedMain(world, main, { kind: 'peer', from: from.name, message });
  }

  function setUp(pair: Pair, end: End, up: boolean): void {
    if (end.up === up) return;
    end.up = up;
    const other = pair.ends[0] === end ? pair.ends[1] : pair.ends[0];
    const { main } = end.machine;
    if (main !== null) feedMain(world, main, { kind: 'link', node: other.machine.name, up });
    if (!up && !other.up) agenda.after(retryMs, () => connect(pair));
  }

  /** One end closes; the other is told if the way there is open. */
  function close(pair: Pair, end: End): void {
    setUp(pair, end, false);
    const { connection } = pair;
    const [here, there] = ordered(pair, end.machine);
    if (here.out.cuts > 0) return;
    agenda.after(delayOf(here.out), () => {
      if (pair.connection === connection && here.out.cuts === 0) setUp(pair, there.end, false);
    });
  }

  function connect(pair: Pair): void {
    if (pair.connecting || pair.ends.some((end) => end.up)) return;
    pair.connecting = true;
    agenda.after(
      pair.paths.reduce((sum, path) => sum + delayOf(path), 0),
      () => {
        pair.connecting = false;
        if (!canConnect(pair)) {
          agenda.after(retryMs, () => connect(pair));
          return;
        }
        pair.connection += 1;
        for (const end of pair.ends) {
          end.heardAt = agenda.now;
          setUp(pair, end, true);
          watch(pair, end, pair.connection);
        }
      },
    );
  }

  function canConnect(pair: Pair): boolean {
    return (
      pair.paths.every((path) => path.cuts === 0) &&
      pair.ends.every(({ machine }) => machine.main?.started === true && !machine.main.paused)
    );
  }

  /** Closes a connection on which nothing came for too long. */
  function watch(pair: Pair, end: End, connection: number): void {
    agenda.at(end.heardAt + silenceMs, () => {
      if (!end.up || pair.connection !== connection) return;
      const { main } = end.machine;
      if (main === null) return;
      if (main.paused || agenda.now - end.heardAt < silenceMs - 0.01) {
        agenda.after(main.paused ? retryMs : 0, () => watch(pair, end, connection));
        return;
      }
      close(pair, end);
    });
  }

  return {
    send,
    repeat(machine) {
      for (const pair of pairs) {
        const end = pair.ends.find((candidate) => candidate.machine === machine);
        const path = pair.paths.find(({ to }) => to === machine);
        if (end === undefined || path === undefined) continue;
        for (const message of path.kept) {
          if (prng.chance(500)) continue;
          agenda.after(prng.below(5), () => arrive(end, path.from, path, message));
        }
      }
    },
    paths: pairs.flatMap((pair) => pair.paths),
    mainStarted(machine) {
      for (const pair of pairs) {
        const end = pair.ends.find((candidate) => candidate.machine === machine);
        if (end === undefined) continue;
        agenda.after(prng.below(Math.ceil(retryMs)), () => connect(pair));
      }
    },
    mainEnded(machine, reachable) {
      for (const pair of pairs) {
        const end = pair.ends.find((candidate) => candidate.machine === machine);
        if (end === undefined || !end.up) continue;
        if (reachable) close(pair, end);
        else setUp(pair, end, false);
      }
    },
  };
}

function makePairs(machines: readonly Machine[]): Pair[] {
  const pairs: Pair[] = [];
  machines.forEach((one, index) => {
    for (const other of machines.slice(index + 1)) {
      const path = (from: Machine, to: Machine): Path => ({
        from,
        to,
        cuts: 0,
        slowMs: 0,
        lossPermille: 0,
        lastAt: 0,
        kept: [],
      });
      const end = (machine: Machine): End => ({ machine, up: false, heardAt: 0 });
      pairs.push({
        ends: [end(one), end(other)],
        paths: [path(one, other), path(other, one)],
        connection: 0,
        connecting: false,
      });
    }
  });
  return pairs;
}

/** The pair as seen from one machine: its own end and the way out, and the other end. */
function ordered(pair: Pair, from: Machine): [{ end: End; out: Path }, { end: End; out: Path }] {
  const [first, second] = pair.ends;
  const [out, back] = pair.paths;
  return first.machine === from
    ? [
        { end: first, out },
        { end: second, out: back },
      ]
    : [
        { end: second, out: back },
        { end: first, out },
      ];
}
