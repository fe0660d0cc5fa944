/**
 * What a seed draws before the run begins: the cluster, its times, its clocks, how good its network, hooks and disks
 * are, what backs the stop up, and which faults may happen. Everything else the run draws as it goes.
 */
import type { Settings } from '../../daemon/core/settings.js';
import type { NodeName, Role } from '../../daemon/core/types.js';
import { createPrng, type Prng } from './prng.js';

/** What stands behind main and worker if both are lost at once. */
export type Protection = 'none' | 'supervisor' | 'device';
/** What ends a service that its stop hook does not end; 'device': nothing but the watchdog device. */
export type Backing = 'stop-works' | 'cgroup' | 'fence' | 'device';

export interface NodePlan {
  name: NodeName;
  role: Role;
  priority: number;
  roleOnStart: Role;
  /** A node that is configured from the begin; the others may be added to the voters later. */
  member: boolean;
  offsetMs: number;
  /** Seconds of its clock in a true second. */
  rate: number;
}

/** Everything that can go wrong; each seed leaves some out and stresses others. */
export const FAULT_NAMES = [
  'cutPair',
  'cutOneWay',
  'isolate',
  'isolateOneWay',
  'cutGroup',
  'slowPath',
  'killMainOnly',
  'killWorkerOnly',
  'killBoth',
  'loseMachine',
  'pauseMainOnly',
  'pauseWorkerOnly',
  'pauseBoth',
  'afflictHooks',
  'stopService',
  'fillDisk',
  'slowDisk',
  'corruptDisk',
  'giveCommand',
  'restartDaemon',
  'changeTimes',
  'changeVoters',
  'failService',
  'missRequired',
  'maintain',
] as const;
export type FaultName = (typeof FAULT_NAMES)[number];

/** A switchover in good times that cannot come off: none can start the service but who has it, or the successor is lost. */
export type PlannedMove = 'cannot-start' | 'lost-at-release' | 'lost-at-start';

/** A reload makes stop_timeout no shorter than this share of the profile's. */
export const SHORTEST_STOP_SHARE = 0.5;

export interface Profile {
  seed: number;
  nodes: NodePlan[];
  times: Omit<Settings, 'resource' | 'node' | 'voters' | 'priority'>;
  protection: Protection;
  backing: Backing;
  network: { delayMs: number; jitterMs: number; lossPermille: number; duplicatePermille: number };
  /** Between main process and worker, and from a death to its notice. */
  ipcMs: number;
  /** How often the exit of a worker is noticed before its last words. */
  overtakingPermille: number;
  /** How often a process or a hook takes long to begin. */
  busyPermille: number;
  /** How late timers of processes fire at most. */
  timerLateMs: number;
  storeMs: number;
  hookMs: number;
  /** Share of status hooks that say unknown, in good times. */
  unknownPermille: number;
  faults: {
    meanGapMs: number;
    /** How likely a fault follows closely on an event that matters (an acquisition, a stop, a release). */
    triggeredPermille: number;
    weights: Record<FaultName, number>;
    force: boolean;
    /** Operators change the voters before an earlier change is over: safe, but they may have to clean up after themselves. */
    careless: boolean;
  };
  safetyMs: number;
  /** What the run ends with; null for nothing. */
  move: PlannedMove | null;
  /** Freeze every state given to the core, so that a change of its input throws. */
  freeze: boolean;
  /** What nodes explain of themselves is held against what they do, at every step; that costs more than the steps. */
  explained: boolean;
}

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

/** What a run is to be about, where it is not of its own choice. */
export interface Focus {
  faults?: readonly FaultName[];
  protection?: Protection;
  backing?: Backing;
  /** The network repeats messages. */
  repeats?: boolean;
  /** The operator is careless, and one fault follows hard upon the other. */
  careless?: boolean;
  /** `failback` is set, to a short time. */
  failback?: boolean;
  /** What it ends with; null for nothing. Not said: now and then. */
  move?: PlannedMove | null;
  /** Whether nodes have to explain themselves; not said: now and then. */
  explained?: boolean;
}

/** Rare faults that have to meet: chance alone brings them together once in hours. */
const FOCUSES: readonly Focus[] = [
  { faults: ['changeVoters', 'corruptDisk'] },
  { faults: ['changeVoters', 'corruptDisk', 'restartDaemon'] },
  { faults: ['changeVoters', 'loseMachine', 'cutGroup'] },
  { faults: ['changeTimes', 'restartDaemon', 'killMainOnly'] },
  { faults: ['corruptDisk', 'killBoth', 'loseMachine'], protection: 'device' },
  { faults: ['fillDisk', 'slowDisk', 'giveCommand'], repeats: true },
  { faults: ['pauseMainOnly', 'pauseWorkerOnly', 'pauseBoth', 'killBoth'], protection: 'device' },
];

/** What a seed that is given without a focus is about: one in four is about faults that are rare otherwise. */
export function focusOf(seed: number): Focus {
  const prng = createPrng(seed + 0x1000_0000_0000);
  return prng.chance(250) ? prng.pick(FOCUSES) : {};
}

/** One seed of so many. */
const EXPLAINED_OF = 25;

export function drawProfile(seed: number, focus: Focus = {}): Profile {
  const prng = createPrng(seed);
  const times = drawTimes(prng);
  const faults = focus.faults ?? [];
  const drawnProtection = prng.pick(['none', 'none', 'supervisor', 'device'] as const);
  const protection = focus.protection ?? drawnProtection;
  const drawnBacking = prng.pick([
    'stop-works',
    'cgroup',
    'fence',
    protection === 'device' ? 'device' : 'cgroup',
  ] as const);
  const backing: Backing = focus.backing ?? drawnBacking;
  if (backing === 'fence') times.fenceTimeoutMs = Math.round((times.stopTimeoutMs * prng.range(3, 10)) / 10);
  const never = focus.failback ? 3 : Number.POSITIVE_INFINITY;
  times.failbackMs =
    times.leaseMs * createPrng(seed + FAILBACK).pick([never, 3, 10, focus.failback ? 5 : 30]);
  if (protection === 'device')
    times.deviceTimeoutMs = Math.round((times.stopTimeoutMs * prng.range(10, 20)) / 10);
  const { heartbeatMs, leaseMs } = times;
  const quick = prng.chance(500);
  return {
    seed,
    nodes: drawNodes(prng, times.driftPpm),
    times,
    protection,
    backing,
    network: {
      delayMs: prng.range(1, Math.max(2, Math.floor(heartbeatMs / (quick ? 50 : 8)))),
      jitterMs: prng.range(0, Math.max(1, Math.floor(heartbeatMs / (quick ? 50 : 4)))),
      lossPermille: prng.pick([0, 0, 0, 5, 30]),
      duplicatePermille: prng.pick(focus.repeats ? [100, 300] : [0, 0, 10, 100]),
    },
    ipcMs: prng.pick([0.2, 1, 3]),
    overtakingPermille: 50,
    busyPermille: 150,
    timerLateMs: prng.pick([0, 0.5, 2]),
    storeMs: prng.range(1, Math.max(2, Math.floor(heartbeatMs / 10))),
    hookMs: prng.range(
      2,
      Math.max(4, Math.floor(Math.min(times.stopTimeoutMs / 8, times.statusTimeoutMs / 3))),
    ),
    unknownPermille: prng.pick([0, 0, 10]),
    faults: {
      meanGapMs: leaseMs * prng.pick(focus.careless ? [1, 2] : [1, 2, 4, 8]),
      triggeredPermille: faults.length > 0 ? 300 : prng.pick([0, 50, 200]),
      weights: drawWeights(prng, createPrng(seed + MAINTENANCE), faults),
      force: prng.chance(50),
      careless: prng.chance(focus.careless ? 1000 : 200),
    },
    safetyMs: leaseMs * prng.range(40, 120),
    move:
      focus.move === undefined
        ? createPrng(seed + MOVE).pick([null, null, null, ...PLANNED_MOVES])
        : focus.move,
    freeze: prng.chance(20),
    explained: focus.explained ?? seed % EXPLAINED_OF === 0,
  };
}

function drawTimes(prng: Prng): Profile['times'] {
  const heartbeatMs = prng.pick([50, 100, 100, 200, 500, 1000, 1000]);
  const leaseMs = heartbeatMs * prng.range(2, 6);
  const stopTimeoutMs = Math.max(150, Math.round((leaseMs * prng.range(3, 25)) / 10));
  const statusIntervalMs = heartbeatMs * prng.range(1, 8);
  return {
    attempts: prng.range(1, 4),
    complaintCount: prng.range(1, 3),
    complaintIntervalMs: heartbeatMs * prng.range(8, 40),
    heartbeatMs,
    leaseMs,
    startTimeoutMs: Math.max(200, leaseMs * prng.range(1, 4)),
    stopTimeoutMs,
    statusTimeoutMs: Math.max(100, Math.round((stopTimeoutMs * prng.range(1, 6)) / 10)),
    statusIntervalMs,
    switchoverTimeoutMs: stopTimeoutMs * prng.range(1, 8),
    fenceTimeoutMs: 0,
    deviceTimeoutMs: 0,
    driftPpm: prng.pick([0, 1000, 10_000, 10_000, 50_000]),
    judgeAfterMs: leaseMs * prng.range(0, 4),
    failbackMs: Number.POSITIVE_INFINITY,
  };
}

/** Rare ones are those that end what can be learned from a run, if they come often. */
const RARE: readonly FaultName[] = [
  'fillDisk',
  'slowDisk',
  'corruptDisk',
  'changeTimes',
  'changeVoters',
  'failService',
  'missRequired',
  'maintain',
];

/** Drawn by itself, so that what else a seed is about stays the same. */
const MAINTENANCE = 0x2000_0000_0000;
const FAILBACK = 0x3000_0000_0000;
const MOVE = 0x4000_0000_0000;

const PLANNED_MOVES: readonly PlannedMove[] = ['cannot-start', 'lost-at-release', 'lost-at-start'];

function drawWeights(prng: Prng, own: Prng, focus: readonly FaultName[]): Profile['faults']['weights'] {
  const weights = {} as Profile['faults']['weights'];
  for (const name of FAULT_NAMES) {
    const from = name === 'maintain' ? own : prng;
    const drawn = RARE.includes(name) ? from.pick([0, 0, 0, 1, 6]) : from.pick([0, 1, 2, 2, 8]);
    weights[name] = focus.includes(name) ? 12 : drawn;
  }
  return weights;
}

/** Candidates and watchdogs: with a watchdog, or with the candidates' roles set, or both. */
function drawNodes(prng: Prng, driftPpm: number): NodePlan[] {
  const members = prng.pick([3, 3, 3, 4, 5]);
  const count = members + prng.range(0, 1);
  const watchdogs = prng.pick([0, 1, 1, members === 5 ? 2 : 1]);
  const set = watchdogs === 0 || prng.chance(400);
  const fromStart = prng.chance(600);
  // One node is as slow, and one as fast, as the bound allows; the others lie between.
  const slowest = prng.below(count);
  const fastest = prng.below(count);
  return NAMES.slice(0, count).map((name, index) => {
    const role: Role =
      index >= members - watchdogs && index < members
        ? 'watchdog'
        : set
          ? 'primary'
          : index === 0
            ? 'primary'
            : 'secondary';
    const ppm = index === slowest ? 0 : index === fastest ? driftPpm : prng.below(driftPpm + 1);
    return {
      name,
      role,
      priority: prng.pick([100, 100, 50, 200]),
      roleOnStart: fromStart ? role : 'init',
      member: index < members,
      offsetMs: prng.range(1000, 100_000_000),
      rate: 1 + ppm / 1_000_000,
    };
  });
}

/** What a node's configuration file says. */
export function settingsOf(profile: Profile, plan: NodePlan, voters: readonly NodeName[]): Settings {
  return {
    resource: 'shared',
    node: plan.name,
    voters: [...voters],
    priority: plan.priority,
    ...profile.times,
  };
}

/** The profile in a few lines, for whoever looks into a failure. */
export function describeProfile(profile: Profile): string {
  const { times, faults, network } = profile;
  const nodes = profile.nodes
    .map(
      ({ name, role, priority, member, rate }) =>
        `${name} ${role} priority ${priority} clock x${rate.toFixed(4)}${member ? '' : ' (not a voter at first)'}`,
    )
    .join('\n  ');
  return [
    `seed ${profile.seed}: protection ${profile.protection}, backing ${profile.backing}, ${profile.nodes.length} nodes`,
    `  ${nodes}`,
    `  ${pairs(times)}`,
    `  network ${pairs(network)} ipcMs=${profile.ipcMs} timerLateMs=${profile.timerLateMs} storeMs=${profile.storeMs} hookMs=${profile.hookMs} unknownPermille=${profile.unknownPermille}`,
    `  faults meanGapMs=${faults.meanGapMs} triggeredPermille=${faults.triggeredPermille} force=${faults.force} careless=${faults.careless} ${pairs(faults.weights)}`,
    `  safetyMs=${profile.safetyMs}`,
  ].join('\n');
}

function pairs(record: object): string {
  return Object.entries(record)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}
