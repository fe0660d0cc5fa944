/**
 * Golden scenarios: a cluster of the simulator on a quiet day, and the commands of a scenario file. What happens is
 * printed line by line, as an operator would see it. The file's format: comments (#), a command, ----, its output,
 * an empty line.
 */

import type { Role } from '../../daemon/core/types.js';
import { waitingFor } from '../../daemon/core/waiting.js';
import { noCounts } from '../sim/checkers/incidents.js';
import { type Cluster, createCluster, startDaemons } from '../sim/cluster.js';
import { setService } from '../sim/hooks.js';
import { judge } from '../sim/judgement.js';
import { GOOD, killMain, powerOff, powerOn } from '../sim/machine.js';
import { pauseMain, resumeMain, startMain } from '../sim/main-process.js';
import { command, reload, terminate } from '../sim/operator.js';
import { FAULT_NAMES, type NodePlan, type Profile } from '../sim/profile.js';
import { describeEvent, type TraceEvent } from '../sim/trace.js';
import { crashWorker, pauseWorker, resumeWorker } from '../sim/worker-process.js';
import { localNow, type Machine } from '../sim/world.js';

interface Running {
  cluster: Cluster;
  lines: string[];
  shown: { messages: boolean };
}

/** Runs the commands of a scenario file and gives the file back with the output that they had. */
export function runScenario(text: string): string {
  const blocks = text.trimEnd().split(/\n\n+/);
  let running: Running | null = null;
  const done = blocks.map((block) => {
    const lines = block.split('\n');
    const comments = lines.filter((line) => line.startsWith('#'));
    const words = lines.find((line) => !line.startsWith('#') && line !== '----');
    if (words === undefined) return block;
    const [name = '', ...args] = words.split(' ');
    if (name === 'cluster') running = newCluster(args);
    else if (running === null) throw new Error(`the first command has to be cluster, not ${name}`);
    else perform(running, name, args);
    const output = running.lines.splice(0);
    return [...comments, words, '----', ...(output.length === 0 ? ['(nothing)'] : output)].join('\n');
  });
  return `${done.join('\n\n')}\n`;
}

function pairsOf(args: readonly string[]): Map<string, string> {
  return new Map(args.map((arg) => arg.split('=') as [string, string]));
}

function durationOf(text: string): number {
  const match = /^([0-9.]+)(ms|s|m)$/.exec(text);
  if (match === null) throw new Error(`${text} is no duration`);
  return Number(match[1]) * { ms: 1, s: 1000, m: 60_000 }[match[2] as 'ms' | 's' | 'm'];
}

const ROLES: readonly string[] = ['primary', 'secondary', 'watchdog', 'init'];

/** `cluster a=secondary:100 b=… [spare=x] [heartbeat=1s] …`: NODE=ROLE[:PRIORITY], taken up at the start. */
function newCluster(args: readonly string[]): Running {
  const options = pairsOf(args);
  const nodes: NodePlan[] = [];
  const offsetMs = Number(options.get('offset') ?? 0);
  for (const [name, value] of options) {
    const [role = '', priority = '100'] = value.split(':');
    if (!ROLES.includes(role)) continue;
    nodes.push({
      ...{ name, role: role as Role, roleOnStart: role as Role, priority: Number(priority) },
      ...{ member: true, offsetMs: offsetMs * nodes.length, rate: 1 },
    });
  }
  const spare = options.get('spare');
  if (spare !== undefined) {
    const plan = { name: spare, role: 'secondary', roleOnStart: 'secondary', priority: 100 } as const;
    nodes.push({ ...plan, member: false, offsetMs: 0, rate: 1 });
  }
  const time = (name: string, normally: string): number => durationOf(options.get(name) ?? normally);
  const profile = quietProfile(nodes, {
    attempts: Number(options.get('attempts') ?? 3),
    complaintCount: Number(options.get('complaints') ?? 3),
    complaintIntervalMs: time('complaint_interval', '60s'),
    heartbeatMs: time('heartbeat', '1s'),
    leaseMs: time('lease', '3s'),
    startTimeoutMs: time('start_timeout', '10s'),
    stopTimeoutMs: time('stop_timeout', '2s'),
    statusTimeoutMs: time('status_timeout', '1s'),
    statusIntervalMs: time('status_interval', '5s'),
    switchoverTimeoutMs: time('switchover_timeout', '60s'),
    fenceTimeoutMs: time('fence_timeout', '0ms'),
    deviceTimeoutMs: time('watchdog_timeout', '0ms'),
    driftPpm: 10_000,
    failbackMs: options.has('failback') ? time('failback', '10m') : Number.POSITIVE_INFINITY,
    judgeAfterMs: time('judge_after', '10s'),
  });
  const shown = { messages: false };
  const lines: string[] = [];
  const cluster = createCluster(profile, noCounts(), (event, now) => {
    const line = describe(shown.messages, event);
    if (line !== '') lines.push(`${(now / 1000).toFixed(2).padStart(7)} ${line}`);
  });
  startDaemons(cluster, 0);
  return { cluster, lines, shown };
}

/** Nothing goes wrong by itself: good hooks, a quick network, clocks that agree. */
function quietProfile(nodes: NodePlan[], times: Profile['times']): Profile {
  const weights = Object.fromEntries(FAULT_NAMES.map((name) => [name, 0])) as Profile['faults']['weights'];
  return {
    seed: 1,
    nodes,
    times,
    protection: times.deviceTimeoutMs > 0 ? 'device' : 'none',
    backing: times.fenceTimeoutMs > 0 ? 'fence' : times.deviceTimeoutMs > 0 ? 'device' : 'cgroup',
    network: { delayMs: 2, jitterMs: 0, lossPermille: 0, duplicatePermille: 0 },
    ...{ ipcMs: 1, overtakingPermille: 0, busyPermille: 0 },
    timerLateMs: 0,
    storeMs: 3,
    hookMs: 100,
    unknownPermille: 0,
    faults: { meanGapMs: 1e9, triggeredPermille: 0, weights, force: false, careless: false },
    safetyMs: 0,
    move: null,
    freeze: true,
    explained: true,
  };
}

function describe(messages: boolean, event: TraceEvent): string {
  if (event.kind === 'voters' && event.node === '') return '';
  if (event.kind === 'message' && (!messages || event.text.startsWith('heartbeat'))) return '';
  if (event.kind === 'log' && event.level === 'debug') return '';
  if ('action' in event && event.action === 'status') return '';
  return describeEvent(event).trimEnd();
}

function perform(running: Running, name: string, args: readonly string[]): void {
  const { world, network } = running.cluster;
  const at = (index: number): Machine => {
    const machine = world.machines.find((candidate) => candidate.name === args[index]);
    if (machine === undefined) throw new Error(`${name}: no machine ${args[index]}`);
    return machine;
  };
  switch (name) {
    case 'run':
      return world.agenda.runUntil(world.agenda.now + durationOf(args[0] ?? ''));
    case 'settle':
      world.agenda.runUntil(world.agenda.now + durationOf(args[0] ?? ''));
      running.lines.length = 0;
      return status(running);
    case 'messages':
      running.shown.messages = args[0] === 'on';
      return;
    case 'role':
      return command(world, at(0), { kind: 'role', role: args[1] as Role, force: args[2] === '--force' });
    case 'switchover':
      return command(world, at(0), { kind: 'switchover', to: args[1] ?? '' });
    case 'bootstrap':
      return command(world, at(0), { kind: 'bootstrap' });
    case 'terminate':
      return terminate(world, at(0));
    case 'cut':
      return cut(running, args, 1);
    case 'mend':
      for (const path of network.paths) path.cuts = 0;
      return;
    case 'judge':
      return judge(world, at(0), { [args[1] ?? '']: args.slice(2).join(' ') });
    case 'service-dies':
      return setService(world, at(0), false);
    case 'reload':
      return reload(world, at(0), { voters: args.slice(1) });
    case 'status':
      return status(running);
    default:
      return performOnProcess(running, name, args, at(0));
  }
}

function performOnProcess(running: Running, name: string, args: readonly string[], machine: Machine): void {
  const { world } = running.cluster;
  const { main } = machine;
  const workers = [...machine.workers];
  switch (`${name} ${args[1] ?? ''}`) {
    case 'kill main':
      return killMain(world, machine, Number.POSITIVE_INFINITY);
    case 'kill worker':
      for (const worker of workers) crashWorker(world, worker);
      return;
    case 'kill machine':
      return powerOff(world, machine, 'power lost');
    case 'pause main':
      return main === null ? undefined : pauseMain(world, main);
    case 'pause worker':
      for (const worker of workers) pauseWorker(world, worker);
      return;
    case 'resume ':
      for (const worker of workers) resumeWorker(world, worker);
      return main === null ? undefined : resumeMain(world, main);
    case 'start ':
      return machine.powered ? startMain(world, machine) : powerOn(world, machine);
    case 'corrupt ':
      machine.disk.record = null;
      return;
    default:
      if (name !== 'hooks') throw new Error(`no command ${name} ${args.join(' ')}`);
      machine.modes = { ...GOOD, ...Object.fromEntries(pairsOf(args.slice(1))) };
  }
}

/** `cut a b`: both ways; `cut a -> b`: one way; `cut a`: from all others. */
function cut(running: Running, args: readonly string[], cuts: number): void {
  const [from, arrow, to] = args;
  for (const path of running.cluster.network.paths) {
    const one = path.from.name;
    const other = path.to.name;
    const hit =
      arrow === undefined
        ? one === from || other === from
        : arrow === '->'
          ? one === from && other === to
          : (one === from && other === arrow) || (one === arrow && other === from);
    if (hit) path.cuts = cuts;
  }
}

/** What `hastmonctl status` says each node is waiting for. */
function status({ cluster, lines }: Running): void {
  for (const machine of cluster.world.machines) {
    const { main, name } = machine;
    if (main === null || !main.started) {
      lines.push(`${name}: no daemon`);
      continue;
    }
    const runs = machine.service.running ? ', the service runs' : '';
    lines.push(
      `${name}: ${main.state.role}${runs}; waiting: ${waitingFor(main.state, localNow(cluster.world, machine))}`,
    );
  }
}
