/** CPU per check and punctuality of the three engines, in turns, against the same server. */
import { median } from '../row.js';
import {
  type EngineName,
  type Kind,
  type Load,
  monitorConfig,
  type Place,
  type Running,
  startFloor,
  startHaproxy,
  startMonitor,
} from './engines.js';
import {
  accountOf,
  connectionsBegun,
  FIRST_ADDRESS,
  OTHER_CPU,
  output,
  pause,
  spawnPinned,
} from './tools.js';

/** How long an engine runs before it is measured, is measured, and is looked at from outside. */
export interface Times {
  warmMs: number;
  windowMs: number;
  startsS: number;
}

export interface Starts {
  seen: number;
  lost: number;
  /** By how many ms the time between two beginnings of one check was longer than the interval. */
  p50: number;
  p99: number;
  worst: number;
  mean: number;
  closest: number;
}

/** One engine, once. */
export interface Sample {
  engine: EngineName;
  kind: Kind;
  rate: number;
  round: number;
  /** Checks that began in a second. */
  checks: number;
  /** Microseconds of a processor for a check; the share of the kernel by ticks. */
  cpuUs: number;
  systemShare: number;
  sleepsPerCheck: number;
  starts: Starts | null;
  load: number;
}

export const ENGINES: Record<EngineName, (place: Place, load: Load) => Promise<Running>> = {
  C: startFloor,
  hastmon: (_, load) => startMonitor(monitorConfig(load, { flights: 4096 })),
  HAProxy: startHaproxy,
};

/** Microseconds of a processor for a connection begun, over this time. */
export async function costOf(
  pid: number,
  ms: number,
): Promise<Pick<Sample, 'checks' | 'cpuUs' | 'systemShare' | 'sleepsPerCheck'>> {
  const from = { at: performance.now(), begun: connectionsBegun(), account: accountOf(pid) };
  await pause(ms);
  const to = { at: performance.now(), begun: connectionsBegun(), account: accountOf(pid) };
  const checks = to.begun - from.begun;
  const system = to.account.system - from.account.system;
  const ticks = system + to.account.user - from.account.user;
  return {
    checks: (checks / (to.at - from.at)) * 1000,
    cpuUs: ((to.account.cpu - from.account.cpu) * 1e6) / checks,
    systemShare: system / ticks,
    sleepsPerCheck: (to.account.sleeps - from.account.sleeps) / checks,
  };
}

export async function sample(
  place: Place & { starts: string },
  engine: EngineName,
  load: Load,
  round: number,
  times: Times,
  loadNow: () => number,
): Promise<Sample> {
  const running = await ENGINES[engine](place, load);
  try {
    await pause(times.warmMs);
    const cost = await costOf(running.pid, times.windowMs);
    const starts = times.startsS > 0 ? await observe(place.starts, load, times.startsS) : null;
    await running.verify();
    const rate = (load.count * 1000) / load.intervalMs;
    return { engine, kind: load.kind, rate, round, ...cost, starts, load: loadNow() };
  } finally {
    await running.close();
  }
}

/** Beginnings as seen on the wire, which needs root. */
async function observe(program: string, load: Load, seconds: number): Promise<Starts | null> {
  if (process.getuid?.() !== 0) return null;
  const words = [load.port, FIRST_ADDRESS, load.count, load.intervalMs, seconds].map(String);
  return JSON.parse(await output(spawnPinned(OTHER_CPU, program, words))) as Starts;
}

/** The median over the rounds of `one` divided by `other` of the same round. */
export function pairRatio(samples: readonly Sample[], one: EngineName, other: EngineName): number {
  const of = (engine: EngineName, round: number): number | undefined =>
    samples.find((each) => each.engine === engine && each.round === round)?.cpuUs;
  const rounds = [...new Set(samples.map(({ round }) => round))];
  const pairs = rounds.flatMap((round) => {
    const [a, b] = [of(one, round), of(other, round)];
    return a === undefined || b === undefined ? [] : [a / b];
  });
  return median(pairs);
}
