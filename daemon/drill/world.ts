/**
 * What the parts of a drill share: its time, its machines with their processes, and the service that runs on them. Everything happens as it
 * should but for the one failure: no message is lost, no hook fails, all clocks agree, nothing is left to chance.
 */
import type { KeptNote, NodeInput, NodeState, WithoutNow, WorkerMessage } from '../core/node-types.js';
import type { PrimaryState } from '../core/primary.js';
import type { SecondaryState } from '../core/secondary.js';
import type { Settings } from '../core/settings.js';
import type { DurationMs, NodeName, PeerMessage } from '../core/types.js';
import type { VoterRecord } from '../core/voter.js';
import type { WatchdogState } from '../core/watchdog.js';
import type { Agenda } from './agenda.js';

/** What takes time on a machine that has nothing else to do, beside hooks. */
export const PACE = {
  /** A message to another node. */
  networkMs: 1,
  /** A word between the main process and a worker. */
  channelMs: 1,
  /** A record that is to be on disk. */
  diskMs: 5,
  /** A spare worker that is told its role. */
  workerMs: 5,
  /** A timer, and what is done next. */
  timerMs: 1,
} as const;

/** How long each hook takes. */
export interface HookTimes {
  start: DurationMs;
  stop: DurationMs;
  status: DurationMs;
  fence: DurationMs;
}

export type HookAction = keyof HookTimes;

export interface Hook {
  action: HookAction;
  began: number;
  alive: boolean;
  /** Called once, with the exit code; null: it was killed. */
  ended: (code: number | null) => void;
}

export interface Main {
  machine: Machine;
  state: NodeState;
  alive: boolean;
  worker: Worker | null;
  wakeAt: number;
}

export type WorkerCore =
  | { role: 'primary'; state: PrimaryState }
  | { role: 'secondary'; state: SecondaryState }
  | { role: 'watchdog'; state: WatchdogState };

export interface Worker {
  machine: Machine;
  main: Main;
  id: number;
  core: WorkerCore;
  alive: boolean;
  /** False: it still ends what an earlier worker has left. */
  ready: boolean;
  mainGone: boolean;
  waiting: WithoutNow<WorkerMessage>[];
  hooks: Map<number, Hook>;
  wakeAt: number;
  toMain: (input: MainInput) => void;
  /** Its main process is gone. */
  lost: () => void;
}

export interface Machine {
  name: NodeName;
  settings: Settings;
  times: HookTimes;
  powered: boolean;
  main: Main | null;
  workers: Worker[];
  hooks: Hook[];
  /** The service runs here, or may. */
  runs: boolean;
  /** And does its work: a stop has not begun. */
  serves: boolean;
  disk: { record: VoterRecord | null; marker: DurationMs | null; kept: KeptNote | null };
}

/** A change of where the service does its work. */
export interface ServiceChange {
  at: number;
  node: NodeName;
  serves: boolean;
}

export interface World {
  agenda: Agenda;
  machines: Machine[];
  /** Hands a message to the network. */
  send: (from: Machine, to: NodeName, message: PeerMessage) => void;
  /** In the order of time. */
  changes: ServiceChange[];
  /** The service ran on two machines at once. */
  double: boolean;
}

export type MainInput = WithoutNow<NodeInput>;

/** Puts down whether the service runs on a machine, and does its work there. */
export function setService(world: World, machine: Machine, runs: boolean, serves: boolean): void {
  machine.runs = runs;
  if (world.machines.filter((each) => each.runs).length > 1) world.double = true;
  if (machine.serves === serves) return;
  machine.serves = serves;
  world.changes.push({ at: world.agenda.now(), node: machine.name, serves });
}

export function machineOf(world: World, name: NodeName): Machine {
  const found = world.machines.find((machine) => machine.name === name);
  if (found === undefined) throw new Error(`no machine ${name} in the drill`);
  return found;
}
