/**
 * What goes wrong, and when: draws faults one after the other, ends each after a while, and lets some follow closely
 * on the moments that matter. Keeps to what the guarantee covers (docs/safety.md): main and worker of a node are never
 * both lost at once, unless a watchdog device or a quick supervisor stands behind them.
 */
import { afflictHooks, corruptDisk, fillDisk, slowDisk, stopService } from './faults-local.js';
import { cutGroup, cutOneWay, cutPair, isolate, isolateOneWay, slowPath } from './faults-network.js';
import { changeTimes, changeVoters, giveCommand, maintain, restartDaemon } from './faults-operator.js';
import {
  killBoth,
  killMainOnly,
  killWorkerOnly,
  loseMachine,
  pauseBoth,
  pauseMainOnly,
  pauseWorkerOnly,
} from './faults-process.js';
import { failService, missRequired } from './judgement.js';
import type { Network } from './network.js';
import { FAULT_NAMES, type FaultName } from './profile.js';
import type { TraceEvent } from './trace.js';
import { type Machine, machineOf, type World } from './world.js';

/** What a fault may use. */
export interface FaultContext {
  world: World;
  network: Network;
  /** The machine it is about, if it is about one. */
  target: Machine;
  /** How long it lasts. */
  ms: number;
  /** Ends the fault after its time, or when everything is healed, whichever comes first. */
  endLater: (ms: number, end: () => void) => void;
}

/** Does its harm, or gives back false where that is not possible or not allowed now. */
export type Fault = (context: FaultContext) => boolean;

export interface Faults {
  /** Ends all faults; no new one begins. */
  heal(): void;
  see(event: TraceEvent): void;
}

const FAULTS: Record<FaultName, Fault> = {
  cutPair,
  cutOneWay,
  isolate,
  isolateOneWay,
  cutGroup,
  slowPath,
  killMainOnly,
  killWorkerOnly,
  killBoth,
  loseMachine,
  pauseMainOnly,
  pauseWorkerOnly,
  pauseBoth,
  afflictHooks,
  stopService,
  fillDisk,
  slowDisk,
  corruptDisk,
  giveCommand,
  restartDaemon,
  maintain,
  changeTimes,
  changeVoters,
  failService,
  missRequired,
};

/** Those that may follow at once on an event: sudden ones. */
const SUDDEN: readonly FaultName[] = [
  'cutPair',
  'cutOneWay',
  'isolate',
  'isolateOneWay',
  'slowPath',
  'killMainOnly',
  'killWorkerOnly',
  'killBoth',
  'loseMachine',
  'pauseMainOnly',
  'pauseWorkerOnly',
  'pauseBoth',
  'afflictHooks',
  'corruptDisk',
  'giveCommand',
  'restartDaemon',
  'maintain',
];

export function startFaults(world: World, network: Network): Faults {
  const { agenda, prng, profile } = world;
  const ends = new Set<() => void>();
  const { weights } = profile.faults;
  const any = FAULT_NAMES.flatMap((name) => Array<FaultName>(weights[name]).fill(name));
  const sudden = SUDDEN.flatMap((name) => Array<FaultName>(weights[name]).fill(name));
  let healed = false;

  function endLater(ms: number, end: () => void): void {
    const once = (): void => {
      if (ends.delete(once)) end();
    };
    ends.add(once);
    agenda.after(ms, once);
  }

  function strike(names: readonly FaultName[], target: Machine): void {
    if (names.length === 0) return;
    const fault = FAULTS[prng.pick(names)];
    const { leaseMs } = profile.times;
    const ms = prng.chance(300) ? prng.range(1, leaseMs) : prng.range(leaseMs >> 1, leaseMs * 5);
    fault({ world, network, target, ms, endLater });
  }

  /** The machine that runs the service is the most interesting one. */
  function victim(): Machine {
    const running = world.machines.find((machine) => machine.service.running);
    return running !== undefined && prng.chance(500) ? running : prng.pick(world.machines);
  }

  /** Old answers at an acquisition, old requests at a release: where the network repeats messages, it may do so then. */
  function repeatMessages(event: TraceEvent): void {
    if (healed || profile.network.duplicatePermille === 0) return;
    const name = event.kind === 'acquiring' ? event.node : event.kind === 'release-heard' ? event.voter : '';
    const machine = name === '' ? null : machineOf(world, name);
    if (machine !== null && prng.chance(200)) network.repeat(machine);
  }

  function next(): void {
    if (healed) return;
    strike(any, victim());
    // Two at once, now and then: what one alone does not bring about.
    if (prng.chance(250)) strike(any, victim());
    agenda.after(prng.range(1, 2 * profile.faults.meanGapMs), next);
  }

  agenda.after(prng.range(1, 2 * profile.faults.meanGapMs), next);

  return {
    heal() {
      healed = true;
      for (const end of [...ends]) end();
    },
    see(event) {
      repeatMessages(event);
      const node = nodeThatMatters(event);
      if (healed || node === '' || !prng.chance(profile.faults.triggeredPermille)) return;
      const machine = machineOf(world, node);
      if (machine === null) return;
      const ms = prng.chance(500) ? prng.below(5) : prng.below(profile.times.leaseMs);
      agenda.after(ms, () => {
        if (!healed) strike(sudden, machine);
      });
    },
  };
}

/** On whose machine something happens that a fault should meet; '' for nothing of the kind. */
function nodeThatMatters(event: TraceEvent): string {
  switch (event.kind) {
    case 'hook-begin':
      return event.action === 'status' ? '' : event.node;
    case 'release':
      return event.holder.node;
    case 'service':
    case 'hook-recorded':
    case 'acquiring':
      return event.node;
    case 'process':
    case 'command':
      return event.node;
    default:
      return '';
  }
}
