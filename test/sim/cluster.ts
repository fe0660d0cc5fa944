/** A cluster as a whole: machines, network, faults and checkers put together for one profile. */
import { Agenda } from './agenda.js';
import { epochs } from './checkers/epochs.js';
import { handovers } from './checkers/handovers.js';
import { hooks } from './checkers/hooks.js';
import { type Counts, incidents } from './checkers/incidents.js';
import { mainGone } from './checkers/main-gone.js';
import { oneRunner } from './checkers/one-runner.js';
import { promises } from './checkers/promises.js';
import { readFirst } from './checkers/read-first.js';
import { required } from './checkers/required.js';
import { voterSets } from './checkers/voter-sets.js';
import { createMachine, runDevice } from './machine.js';
import { startMain } from './main-process.js';
import { createNetwork, type Network } from './network.js';
import { createPrng } from './prng.js';
import type { Profile } from './profile.js';
import type { Checker, TraceEvent } from './trace.js';
import { localNow, type World } from './world.js';

export interface Cluster {
  world: World;
  network: Network;
  checkers: Checker[];
}

/** Sees the trace beside the checkers. */
export type Reader = (event: TraceEvent, now: number) => void;

/** Machines that are switched on; no daemon runs yet. `reader` null: nobody reads, which is faster. */
export function createCluster(profile: Profile, counts: Counts, reader: Reader | null): Cluster {
  const agenda = new Agenda();
  const voters = profile.nodes.filter(({ member }) => member).map(({ name }) => name);
  const machines = profile.nodes.map((plan) => createMachine(profile, plan, voters));
  const checkers = [oneRunner(), promises(), epochs(), hooks(), voterSets(), required(), incidents(counts)];
  checkers.push(handovers(profile));
  checkers.push(readFirst(2 * profile.times.heartbeatMs + 50));
  if (profile.backing === 'stop-works' || profile.backing === 'cgroup')
    checkers.push(mainGone(profile.times.stopTimeoutMs * 2.5, 50 + profile.hookMs));
  const world: World = {
    agenda,
    prng: createPrng(profile.seed ^ 0x5eed),
    profile,
    machines,
    send: () => {},
    mainStarted: () => {},
    mainEnded: () => {},
    trace: (event) => {
      reader?.(event, agenda.now);
      for (const checker of checkers) checker.see(event, agenda.now);
    },
    healed: false,
    failing: 0,
    changingVoters: false,
    reading: reader !== null,
    stepped: null,
  };
  const network = createNetwork(world);
  world.send = network.send;
  world.mainStarted = network.mainStarted;
  world.mainEnded = network.mainEnded;
  for (const machine of machines) runDevice(world, machine);
  world.trace({ kind: 'voters', node: '', members: voters });
  return { world, network, checkers };
}

/** Starts the daemons of all members, within `spreadMs`. */
export function startDaemons({ world }: Cluster, spreadMs: number): void {
  for (const machine of world.machines) {
    if (machine.plan.member)
      world.agenda.after(world.prng.below(spreadMs + 1), () => startMain(world, machine));
  }
}

/** What every machine believes at the moment, for the reader of a failure. */
export function describeCluster({ world }: Cluster): string {
  const lines = world.machines.map((machine) => {
    const { name, main, workers, service, hooks: running, disk } = machine;
    const state = main?.started ? main.state : null;
    const now = localNow(world, machine);
    const left = (until: number): string => (until > now ? `${(until - now).toFixed(0)} ms` : 'over');
    const parts = [
      machine.powered ? '' : 'no power',
      main === null ? 'no daemon' : main.paused ? 'main paused' : '',
      state === null ? '' : `${state.role} (set: ${state.roleSet})`,
      state?.worker?.report == null
        ? ''
        : `report ${state.worker.report.run} epoch ${state.worker.report.epoch} lease ${left(state.worker.report.leaseUntil)}`,
      state?.cleaning == null ? '' : `cleaning (${state.cleaning.mode})`,
      state?.kept == null ? '' : `maintenance ${state.kept.phase}`,
      state === null
        ? ''
        : `voter ${state.voter.history ? '' : 'without history '}epochMax ${state.voter.epochMax} grant ${state.voter.grant === null ? 'none' : `${state.voter.grant.holder.node}/${state.voter.grant.epoch} ${left(state.voter.grant.until)}`} sets ${state.voter.sets.map((set) => set.join('')).join('+')}`,
      state === null
        ? ''
        : `acquisition ${state.acquisition.phase} ${JSON.stringify(state.acquisition.refusals)}`,
      workers
        .map(
          ({ role, paused, ready }) => `worker ${role}${paused ? ' paused' : ''}${ready ? '' : ' not ready'}`,
        )
        .join(', '),
      running.map(({ action }) => `hook ${action}`).join(', '),
      service.running ? 'SERVICE RUNS' : '',
      disk.full ? 'disk full' : '',
    ];
    return `  ${name}: ${parts.filter((part) => part !== '').join('; ')}`;
  });
  return lines.join('\n');
}
