/**
 * What all parts of the simulator share: time, chance, the machines and the trace. Owns the types of machines, their
 * processes and hooks; the parts that move them are in files of their own.
 */
import type {
  KeptNote,
  NodeInput,
  NodeState,
  WithoutNow,
  WorkerMessage,
} from '../../daemon/core/node-types.js';
import type { Settings } from '../../daemon/core/settings.js';
import type { Instant, NodeName, PeerMessage } from '../../daemon/core/types.js';
import type { VoterRecord } from '../../daemon/core/voter.js';
import type { WorkerCore } from '../../daemon/drill/world.js';
import type { Agenda } from './agenda.js';
import type { Prng } from './prng.js';
import type { Profile } from './profile.js';
import type { HookAction, TraceEvent } from './trace.js';

export interface World {
  agenda: Agenda;
  prng: Prng;
  profile: Profile;
  machines: Machine[];
  /** Hands a message to the network; it may arrive or not. */
  send: (from: Machine, to: NodeName, message: PeerMessage) => void;
  /** The network must know when a main process begins or ends to exist. */
  mainStarted: (machine: Machine) => void;
  mainEnded: (machine: Machine, reachable: boolean) => void;
  trace: (event: TraceEvent) => void;
  /** Everything is well from now on: no loss, no status that says unknown. */
  healed: boolean;
  /** Faults by which the service does not answer. */
  failing: number;
  /** True while an operator changes the voters in one file after the other. */
  changingVoters: boolean;
  /** True where somebody reads the trace: texts that only a reader wants are made. */
  reading: boolean;
  /** Sees every step of a core, from its start (`before` null) on. */
  stepped: ((main: MainProcess, before: MainProcess['state'] | null) => void) | null;
}

/** What the hooks of a machine do at present. */
export interface HookModes {
  start: 'good' | 'slow' | 'fail' | 'hang' | 'lie' | 'late';
  stop: 'good' | 'slow' | 'fail' | 'hang';
  status: 'good' | 'unknown' | 'hang';
}

export interface Machine {
  plan: Profile['nodes'][number];
  name: NodeName;
  powered: boolean;
  /** Counts boots: what was begun before the last one does not end after it. */
  boot: number;
  main: MainProcess | null;
  /** Processes that live; those of an earlier main process among them. */
  workers: WorkerProcess[];
  hooks: HookProcess[];
  service: { running: boolean; forced: boolean; epoch: number };
  /** Services that a start has left behind, which come up later. */
  pending: Set<object>;
  /** `marker`: the resource may be running; the shortest stop_timeout since it may. `kept`: in maintenance, until that true time. */
  disk: {
    record: VoterRecord | null;
    marker: number | null;
    kept: { note: KeptNote; endsAt: number } | null;
    full: boolean;
    slow: boolean;
  };
  device: { armed: boolean; fedAt: number };
  settings: Settings;
  modes: HookModes;
  /** What its monitor says of the checks that the resource names. */
  judged: { failed: string; unfit: string };
}

export interface MainProcess {
  machine: Machine;
  incarnation: number;
  state: NodeState;
  alive: boolean;
  /** False while it ends what an earlier process left. */
  started: boolean;
  paused: boolean;
  /** It has the watchdog device open; a process before it may have left the device counting. */
  deviceOpen: boolean;
  inbox: (() => void)[];
  /** The workers whose words are in the inbox, one entry for each word. */
  unread: number[];
  worker: WorkerProcess | null;
  wakeAt: number;
}

export interface WorkerProcess {
  machine: Machine;
  main: MainProcess;
  id: number;
  role: 'primary' | 'secondary' | 'watchdog';
  alive: boolean;
  ready: boolean;
  paused: boolean;
  mainGone: boolean;
  inbox: (() => void)[];
  core: WorkerCore;
  hooks: Map<number, HookProcess>;
  /** Hooks on record that got a signal before they executed. */
  signalled: Set<number>;
  wakeAt: number;
  toMainAt: number;
  toWorkerAt: number;
  waiting: WithoutNow<WorkerMessage>[];
  /** Its main process is gone. */
  lost: () => void;
}

export interface HookProcess {
  machine: Machine;
  action: HookAction;
  /** In true time. */
  began: number;
  alive: boolean;
  stubborn: boolean;
  ended: (code: number | null, detail: string) => void;
}

export type MainInput = WithoutNow<NodeInput>;

/** What the machine's clock says now. */
export function localNow(world: World, machine: Machine): Instant {
  return localTime(machine, world.agenda.now);
}

/** What the machine's clock says at a true time. */
export function localTime({ plan }: Machine, at: number): Instant {
  return plan.offsetMs + at * plan.rate;
}

/** The true time at which the machine's clock says `local`, never just before. */
export function trueTime(machine: Machine, local: Instant): number {
  return (local - machine.plan.offsetMs) / machine.plan.rate + 1e-6;
}

export function machineOf(world: World, name: NodeName): Machine | null {
  return world.machines.find((machine) => machine.name === name) ?? null;
}
