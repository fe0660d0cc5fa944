/**
 * One run: a safety phase in which things go wrong and nothing may ever run twice, then everything is healed, and a
 * liveness phase after which the service has to run on exactly one node, and to stay there.
 */
import { type Counts, noCounts } from './checkers/incidents.js';
import { type Cluster, createCluster, describeCluster, type Reader, startDaemons } from './cluster.js';
import { startFaults } from './faults.js';
import { GOOD, powerOn } from './machine.js';
import { resumeMain, startMain } from './main-process.js';
import { command, isNamed, reload } from './operator.js';
import { tryPlannedMove } from './planned-move.js';
import type { Profile } from './profile.js';
import { Violation } from './trace.js';
import { resumeWorker } from './worker-process.js';
import type { World } from './world.js';

export interface RunResult {
  profile: Profile;
  counts: Counts;
  simulatedMs: number;
  events: number;
  /** null where everything held. */
  failure: { rule: string; text: string; at: number; cluster: string } | null;
}

export function run(
  profile: Profile,
  reader: Reader | null = null,
  stepped: World['stepped'] = null,
): RunResult {
  const counts = noCounts();
  const cluster = createCluster(profile, counts, reader);
  const { agenda } = cluster.world;
  cluster.world.stepped = stepped;
  let failure: RunResult['failure'] = null;
  try {
    phases(cluster, profile);
    for (const checker of cluster.checkers) checker.end?.(agenda.now);
  } catch (error) {
    const rule = error instanceof Violation ? error.rule : 'crash';
    const text = error instanceof Violation ? error.message : String((error as Error).stack);
    failure = { rule, text, at: agenda.now, cluster: describeCluster(cluster) };
  }
  return { profile, counts, simulatedMs: agenda.now, events: agenda.count, failure };
}

/** By when the service runs again after everything is healed: every way in which something may still be under way. */
export function livenessBoundMs({ times }: Profile): number {
  const grant =
    (2.5 * times.leaseMs + 2 * times.stopTimeoutMs + times.fenceTimeoutMs + times.deviceTimeoutMs) * 1.05;
  const hooks =
    times.startTimeoutMs + times.switchoverTimeoutMs + 2 * times.statusTimeoutMs + 4 * times.stopTimeoutMs;
  const notice = (times.complaintCount + 6) * times.heartbeatMs + 2 * times.leaseMs;
  return 4 * grant + hooks + notice + 2 * times.complaintIntervalMs + 4 * times.statusIntervalMs + 2000;
}

function phases(cluster: Cluster, profile: Profile): void {
  const { world, network } = cluster;
  const { agenda } = world;
  const { leaseMs } = profile.times;
  startDaemons(cluster, leaseMs);
  agenda.runUntil(2 * leaseMs);
  setRoles(world);
  const faults = startFaults(world, network);
  cluster.checkers.push(faults);
  agenda.runUntil(profile.safetyMs);
  heal(cluster, () => faults.heal());
  if (profile.faults.careless && profile.faults.weights.changeVoters > 0) return;
  agenda.runUntil(agenda.now + 6 * leaseMs);
  waitForService(world);
  if (bootstrapForgetful(world)) waitForService(world);
  if (forgetMaintenance(world)) waitForService(world);
  if (undoChangeOfVoters(world)) waitForService(world);
  expectOne(world);
  const before = runners(world).join();
  agenda.runUntil(agenda.now + 20 * leaseMs);
  // One that is under way at this moment comes to its end first.
  if (isMoving(world)) waitForService(world);
  expectOne(world);
  const after = runners(world).join();
  if (before !== after && !handsOver(world, before, after))
    throw new Violation('liveness', `healed, but the service moved from ${before} to ${after}`);
  if (profile.move !== null) tryPlannedMove(cluster, profile.move);
}

function waitForService(world: World): void {
  const { agenda, profile } = world;
  const { leaseMs } = profile.times;
  const boundMs = livenessBoundMs(profile);
  const settle = (until: number): void => {
    while (agenda.now < until && !isSettled(world)) agenda.runUntil(Math.min(until, agenda.now + leaseMs));
  };
  const until = agenda.now + boundMs;
  settle(agenda.now + boundMs / 2);
  // A stop that failed ends in init, perhaps long after everything is healed: the operator looks once more.
  if (!isSettled(world)) setRolesAgain(world);
  settle(until);
}

/**
 * Several voters without a record cannot learn from those that are left: the operator speaks for one of them, as docs/operations.md
 * says, when nothing runs. One record that is lost never needs that.
 */
function bootstrapForgetful(world: World): boolean {
  const forgetful = world.machines.filter(
    (machine) => isNamed(machine) && machine.main?.started && !machine.main.state.voter.history,
  );
  const [first] = forgetful;
  if (first === undefined || forgetful.length < 2 || runners(world).length > 0) return false;
  command(world, first, { kind: 'bootstrap' });
  return true;
}

/** A resource is kept for a node that is no voter any more, and does not run: the operator speaks for it on each that keeps it. */
function forgetMaintenance(world: World): boolean {
  const keeping = world.machines.filter(({ main }) => main?.started && main.state.voter.grant?.mark.on);
  if (keeping.length === 0 || runners(world).length > 0) return false;
  for (const machine of keeping) command(world, machine, { kind: 'maintenance-forget' });
  return true;
}

/**
 * A change of the voters was begun where the node in maintenance could not hear of it: the operator puts the former ones back into every file, as
 * docs/operations.md says.
 */
function undoChangeOfVoters(world: World): boolean {
  const kept = world.machines.find(({ main }) => main?.started && main.state.kept !== null)?.main?.state;
  const former = kept?.voter.sets[0];
  if (former === undefined || runners(world).length > 0) return false;
  const { leaseMs, stopTimeoutMs } = world.profile.times;
  for (const machine of world.machines)
    reload(world, machine, { voters: [...former], leaseMs, stopTimeoutMs });
  return true;
}

/** What an operator does when roles are not taken up by role_on_start. */
function setRoles(world: World): void {
  for (const machine of world.machines) {
    const state = machine.main?.started ? machine.main.state : null;
    if (state === null || !isNamed(machine)) continue;
    if (state.role === 'init')
      command(world, machine, { kind: 'role', role: machine.plan.role, force: false });
  }
}

/** All faults end, the files agree, all daemons run and have a role; those that are no voters any more end. */
function heal(cluster: Cluster, endFaults: () => void): void {
  const { world } = cluster;
  world.trace({ kind: 'fault', text: 'everything is healed' });
  world.healed = true;
  endFaults();
  const voters = mostNamed(world);
  for (const machine of world.machines) {
    machine.modes = GOOD;
    machine.disk.full = false;
    machine.disk.slow = false;
    powerOn(world, machine);
    if (machine.main !== null) resumeMain(world, machine.main);
    for (const worker of [...machine.workers]) resumeWorker(world, worker);
    const { leaseMs, stopTimeoutMs } = world.profile.times;
    reload(world, machine, { voters, leaseMs, stopTimeoutMs });
    startMain(world, machine);
  }
  world.agenda.after(world.profile.times.leaseMs, () => setRolesAgain(world));
  world.agenda.after(5 * world.profile.times.leaseMs, () => setRolesAgain(world));
}

/** The operator sees to it that there are candidates, and a watchdog or a candidate whose role is set. */
function setRolesAgain(world: World): void {
  for (const machine of world.machines)
    if (machine.main?.started && machine.main.state.kept !== null)
      command(world, machine, { kind: 'maintenance-off' });
  const named = world.machines.filter(isNamed);
  const covered = named.some(({ plan }) => plan.role !== 'secondary');
  for (const [index, machine] of named.entries()) {
    const state = machine.main?.started ? machine.main.state : null;
    if (state === null) {
      startMain(world, machine);
      continue;
    }
    const planned = !covered && index === 0 ? 'primary' : machine.plan.role;
    const fits =
      planned === 'primary'
        ? state.roleSet === 'primary'
        : state.role === planned || state.role === 'primary';
    if (!fits) command(world, machine, { kind: 'role', role: planned, force: false });
  }
}

/** The voters that most files name. */
function mostNamed(world: World): string[] {
  const named = new Map<string, number>();
  for (const { settings } of world.machines) {
    const key = settings.voters.join(' ');
    named.set(key, (named.get(key) ?? 0) + 1);
  }
  const [best] = [...named].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return best === undefined ? [] : best[0].split(' ');
}

function runners(world: World): string[] {
  return world.machines.filter(({ service }) => service.running).map(({ name }) => name);
}

function expectOne(world: World): void {
  const running = runners(world);
  if (running.length === 1) return;
  throw new Violation(
    'liveness',
    `healed for ${livenessBoundMs(world.profile).toFixed(0)} ms or more, and the service runs on ${running.join(' and ') || 'no node'}`,
  );
}

/** True where all daemons take part, nothing is being stopped, and the service runs on one node, which is a voter still. */
function isSettled(world: World): boolean {
  const calm = world.machines
    .filter(isNamed)
    .every(({ main }) => main?.started && main.state.cleaning === null && main.state.leaving === null);
  const running = world.machines.filter(({ service }) => service.running);
  return calm && running.length === 1 && running.every(isNamed);
}

/** A move that nobody ordered is under way: it is stopped here, and does not run on the successor yet. */
function isMoving(world: World): boolean {
  return world.machines.some(({ main }) => main?.started && main.state.handover !== null);
}

/** A move in good times is one by priority. */
function handsOver(world: World, before: string, after: string): boolean {
  const priority = (name: string): number =>
    world.machines.find((machine) => machine.name === name)?.plan.priority ?? 0;
  return priority(after) < priority(before);
}
