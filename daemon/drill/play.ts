/**
 * One failure in one cluster, from the present state until nothing more follows from it. The cores are the real ones; the cluster around
 * them is that of world.ts. The same scene and failure always give the same outcome.
 */
import { explain } from '../core/explain.js';
import { failbackHeldUp, failbackTo } from '../core/failback.js';
import type { DurationMs, NodeName } from '../core/types.js';
import { holding } from '../core/view.js';
import { createAgenda } from './agenda.js';
import type { Fault } from './faults.js';
import { feedMain, killMain, powerOff, startMain } from './main.js';
import { createNetwork, type Network } from './network.js';
import { calmAfterMs, type Scene, type SceneNode } from './scene.js';
import { type HookTimes, type Machine, machineOf, type World } from './world.js';

/** What came of it. */
export interface Outcome {
  /** Where it runs in the end, '' for nowhere. */
  node: NodeName;
  /** Since the failure until it ran there for good; 0 where it ran on all the while; null where it runs nowhere. */
  afterMs: DurationMs | null;
  /** Without the service, altogether; null where it does not come back. */
  awayMs: DurationMs | null;
  /** It ran on two nodes at once. */
  double: boolean;
  /** Who gets it later than is waited for, by `failback`, and after how long; null for nobody. */
  later: { node: NodeName; ofMs: DurationMs } | null;
  /** Where it runs nowhere: what each node that could run it waits for. */
  why: { node: NodeName; sentence: string }[];
}

/** The present state cannot be had in the drill: it is no state that comes about by itself. The message says what is missing. */
export class NoScene extends Error {}

/** Everything is done quickly while the present state is made. */
const QUICK: HookTimes = { start: 1, stop: 1, status: 1, fence: 1 };
/** What has changed for so many times as long as all should take is not going to end. */
const ROUNDS = 10;
/** `failback` is waited for where it is no longer than so many heartbeats: each of them has to be computed. By default that is ten minutes. */
const FAILBACK_HEARTBEATS = 600;
/** The newest epoch before the drill. */
const EPOCH = 100;

/** Plays a failure that happens `phase` (0 to 1) of a heartbeat after all was well. Throws NoScene, or Endless. */
export function play(scene: Scene, fault: Fault, phase: number): Outcome {
  const stage = setUp(scene);
  const { world } = stage;
  const { agenda } = world;
  const heartbeatMs = Math.max(...scene.nodes.map(({ settings }) => settings.heartbeatMs));
  agenda.runUntil(agenda.now() + phase * heartbeatMs);
  const from = agenda.now();
  const before = world.machines.find(({ serves }) => serves)?.name ?? '';
  befall(stage, scene, fault);
  untilCalm(stage, scene);
  return outcomeOf(world, before, from);
}

/** Runs on until nothing more will change, or it goes on changing. */
function untilCalm({ world }: Stage, scene: Scene): void {
  const { agenda, changes, machines } = world;
  const most = FAILBACK_HEARTBEATS * Math.min(...scene.nodes.map(({ settings }) => settings.heartbeatMs));
  const inTime = (ms: DurationMs): boolean => ms <= most;
  const failbackMs = Math.max(0, ...scene.nodes.map(({ settings }) => settings.failbackMs).filter(inTime));
  const calmMs = calmAfterMs(scene);
  const from = agenda.now();
  const { leaseMs } = longest(scene);
  const hooksMs = Math.max(...scene.nodes.map(({ times }) => times.start + times.stop + times.fence));
  const end = from + ROUNDS * (calmMs + hooksMs + failbackMs);
  const busy = (): boolean => machines.some(({ hooks }) => hooks.some(({ action }) => action !== 'status'));
  let calmSince = from;
  const waits = (): boolean => inTime(failbackOf(world)?.ofMs ?? Number.POSITIVE_INFINITY);
  while ((agenda.now() - calmSince < calmMs || waits()) && agenda.now() < end) {
    agenda.runUntil(agenda.now() + leaseMs);
    const changed = changes.at(-1)?.at ?? from;
    calmSince = busy() ? agenda.now() : Math.max(calmSince, changed);
  }
}

/** To whom the holder would hand it over by `failback`, after how long; null for nobody, or where something keeps it from that. */
function failbackOf({ agenda, machines }: World): { node: NodeName; ofMs: DurationMs } | null {
  const now = agenda.now();
  const main = machines.find((machine) => machine.main !== null && holding(machine.main.state, now))?.main;
  if (main == null || failbackHeldUp(main.state, now) !== '') return null;
  const next = failbackTo(main.state, now);
  return next === null ? null : { node: next.node, ofMs: main.state.settings.failbackMs };
}

interface Stage {
  world: World;
  network: Network;
}

/** The machines as they are at present, and given time to settle. */
function setUp(scene: Scene): Stage {
  const voters = scene.nodes.map(({ name }) => name);
  const machines = scene.nodes.map(({ history, name, settings }): Machine => {
    const record = history ? { epochMax: EPOCH, grant: null, sets: [voters] } : null;
    return {
      ...{ name, settings, times: { ...QUICK }, powered: false, main: null, workers: [], hooks: [] },
      ...{ runs: false, serves: false, disk: { record, marker: null, kept: null } },
    };
  });
  const world: World = { agenda: createAgenda(), machines, send: () => {}, changes: [], double: false };
  const network = createNetwork(world);
  world.send = network.send;
  for (const [one, other] of scene.cuts) network.cut(one, other);
  // Whom the voters keep the resource for may be lost: it is there until they do.
  const leader = scene.holder || (scene.maintenance?.node ?? '');
  for (const [index, { history, name, role, there }] of scene.nodes.entries()) {
    if (!there && name !== leader) continue;
    const machine = machineOf(world, name);
    machine.powered = true;
    const later = role === 'primary' ? 'secondary' : role;
    startMain(world, machine, name === leader ? 'primary' : later, index + 1);
    if (!history) forget(machine);
  }
  network.connect();
  const stage = { world, network };
  if (leader !== '') untilHeld(stage, scene, leader);
  if (scene.maintenance !== null) untilKept(stage, scene);
  for (const node of scene.nodes) takeOver(world, node);
  const { leaseMs } = longest(scene);
  world.agenda.runUntil(world.agenda.now() + 3 * leaseMs);
  if (scene.holder !== '' && !holds(world, scene.holder))
    throw new NoScene(`${scene.holder} runs it, and is about to hand it over or to lose it`);
  return stage;
}

/** At present it has not learned of the past; when it will have is not known, and a failure before that may keep it from it for good. */
function forget({ main }: Machine): void {
  if (main === null) return;
  const { voter } = main.state;
  main.state = { ...main.state, voter: { ...voter, quarantineUntil: Number.POSITIVE_INFINITY } };
}

function longest({ nodes }: Scene): { leaseMs: number; heartbeatMs: number } {
  return {
    leaseMs: Math.max(...nodes.map(({ settings }) => settings.leaseMs)),
    heartbeatMs: Math.max(...nodes.map(({ settings }) => settings.heartbeatMs)),
  };
}

function holds({ agenda, machines }: World, node: NodeName): boolean {
  const main = machines.find(({ name }) => name === node)?.main;
  return main != null && holding(main.state, agenda.now()) && main.state.worker?.report?.run === 'run';
}

function untilHeld({ world }: Stage, scene: Scene, holder: NodeName): void {
  const { heartbeatMs, leaseMs } = longest(scene);
  const end = world.agenda.now() + 10 * (leaseMs + heartbeatMs);
  while (!holds(world, holder)) {
    if (world.agenda.now() > end) throw new NoScene(`${holder} does not get the lease`);
    world.agenda.runUntil(world.agenda.now() + heartbeatMs / 4);
  }
}

function untilKept({ world }: Stage, scene: Scene): void {
  const { maintenance } = scene;
  if (maintenance === null) return;
  const { by, node, reason } = maintenance;
  const machine = machineOf(world, node);
  if (machine.main === null) return;
  const forMs = Number.POSITIVE_INFINITY;
  const command = { kind: 'maintenance-on', reason, by, forMs } as const;
  feedMain(world, machine.main, { kind: 'command', id: 1, command });
  world.agenda.runUntil(world.agenda.now() + 3 * longest(scene).leaseMs);
  if (machine.main.state.kept?.phase !== 'in-force')
    throw new NoScene(`${node} does not come to be in maintenance`);
}

/** From the state that comes about by itself to what this node is at present. */
function takeOver(world: World, node: SceneNode): void {
  const machine = machineOf(world, node.name);
  machine.times = node.times;
  const { main } = machine;
  if (main === null) return;
  if (!node.there) return powerOff(world, machine);
  const now = world.agenda.now();
  if (node.role === 'primary' && main.state.role === 'secondary')
    feedMain(world, main, {
      kind: 'command',
      id: 2,
      command: { kind: 'role', role: 'primary', force: false },
    });
  main.state = {
    ...main.state,
    roleSet: node.roleSet,
    gaveUpAt: node.gaveUpMs === null ? null : now - node.gaveUpMs,
  };
  feedMain(world, main, { kind: 'judged', failed: node.failed, unfit: node.unfit });
}

function befall({ network, world }: Stage, { holder }: Scene, fault: Fault): void {
  switch (fault.kind) {
    case 'none':
      return;
    case 'power':
      return powerOff(world, machineOf(world, fault.node));
    case 'kill': {
      const machine = machineOf(world, fault.node);
      if (machine.main !== null) killMain(world, machine.main);
      return network.closed(machine);
    }
    case 'cut':
      return network.cut(...fault.nodes);
    case 'isolate':
      for (const { name } of world.machines) if (name !== fault.node) network.cut(fault.node, name);
      return;
    case 'switchover': {
      const { main } = machineOf(world, holder);
      const command = { kind: 'switchover', to: fault.node } as const;
      if (main !== null) feedMain(world, main, { kind: 'command', id: 3, command });
      return;
    }
    default:
      fault satisfies never;
  }
}

function outcomeOf(world: World, before: NodeName, from: number): Outcome {
  const { changes, double, machines } = world;
  const node = machines.find(({ serves }) => serves)?.name ?? '';
  const later = failbackOf(world);
  if (node === '') return { node, afterMs: null, awayMs: null, double, later, why: reasons(world) };
  const followed = changes.filter(({ at }) => at >= from);
  const serving = new Set(before === '' ? [] : [before]);
  let [awayMs, since] = [0, serving.size === 0 ? from : null] as [number, number | null];
  for (const change of followed) {
    if (change.serves) serving.add(change.node);
    else serving.delete(change.node);
    if (serving.size === 0) since ??= change.at;
    else if (since !== null) {
      awayMs += change.at - since;
      since = null;
    }
  }
  const came = followed.findLast((change) => change.node === node && change.serves);
  return { node, afterMs: came === undefined ? 0 : came.at - from, awayMs, double, later, why: [] };
}

/** What the nodes that may run it wait for, in the words of `hastmonctl explain`. */
function reasons({ agenda, machines }: World): Outcome['why'] {
  return machines.flatMap(({ main, name }) => {
    if (main === null || main.state.role === 'watchdog') return [];
    return [{ node: name, sentence: explain(main.state, agenda.now()).sentence }];
  });
}
