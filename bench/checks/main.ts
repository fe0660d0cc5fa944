/**
 * The figures of the check engine: `npm run bench:checks -- [--quick] [--only PART] [--rounds N] [--raw FILE] [--list]`. Needs gcc and
 * two processors; HAProxy where it is installed; root for punctuality as seen on the wire. Prints tables, keeps the raw data, and
 * ends with 1 where a target is missed or something could not be measured.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { root } from '../../test/system/paths.js';
import { openStage, type Stage } from '../stage.js';
import { type Sample, sample, type Times } from './cost.js';
import type { EngineName, Kind, Load, Place } from './engines.js';
import {
  type Avalanche,
  type Edges,
  type Memory,
  measureAvalanche,
  measureEdges,
  measureMemory,
  measureScale,
  type Scale,
} from './scale.js';
import { report } from './tables.js';
import { compileProgram, end, installed, OTHER_CPU, spawnPinned } from './tools.js';
import { measureWaiting, type Waiting } from './waiting.js';

/** All that was measured. */
export interface Measured {
  circumstances: Record<string, string | number>;
  samples: Sample[];
  scales: Scale[];
  memories: Memory[];
  edges: Edges[];
  avalanche: Avalanche[];
  waiting: Waiting[];
  problems: string[];
}

interface Ground extends Place {
  starts: string;
  target: string;
  stage: Stage;
  quick: boolean;
  rounds: number;
}

const KINDS: readonly Kind[] = ['tcp', 'http'];

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    raw: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

/** The server of a part, on ports of its own. */
interface Target {
  ports: Record<Kind, number>;
  close(): Promise<void>;
}

async function startTarget({ stage, target }: Ground): Promise<Target> {
  const child = spawnPinned(OTHER_CPU, target, []);
  const held = await stage.hold(Promise.resolve({ close: () => end(child) }));
  const ports: number[] = [];
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    ports.push(Number(line));
    if (ports.length === 2) break;
  }
  const [tcp = 0, http = 0] = ports;
  return { ports: { tcp, http }, close: () => stage.release(held) };
}

async function measureCost(ground: Ground, measured: Measured): Promise<void> {
  const { ports, close } = await startTarget(ground);
  const engines: EngineName[] = [
    'C',
    'hastmon',
    ...(installed('haproxy', '-v') ? (['HAProxy'] as const) : []),
  ];
  const rates = ground.quick ? [10_000] : [1000, 5000, 10_000];
  for (let round = 0; round < ground.rounds; round += 1)
    for (const kind of KINDS)
      for (const rate of rates)
        for (const engine of engines) {
          // It is reported, and has no target.
          if (rate === 1000 && round > 0) continue;
          const times: Times = ground.quick
            ? { warmMs: 1500, windowMs: 1500, startsS: 2.2 }
            : { warmMs: 1800, windowMs: 2000, startsS: rate === 10_000 ? 2.5 : 0 };
          const load: Load = { kind, count: rate, intervalMs: 1000, port: ports[kind] };
          await attempt(measured, `${engine}, ${kind}, ${rate}/s`, async () => {
            measured.samples.push(await sample(ground, engine, load, round, times, loadNow));
          });
        }
  await close();
}

const PARTS: Record<string, (ground: Ground, measured: Measured) => Promise<void>> = {
  cost: measureCost,
  async scale(ground, measured) {
    const { ports, close } = await startTarget(ground);
    const sizes = ground.quick
      ? [[10_000, 10_000]]
      : [
          [10_000, 10_000],
          [100_000, 60_000],
        ];
    for (const [count = 0, intervalMs = 0] of sizes) {
      const load: Load = { kind: 'http', count, intervalMs, port: ports.http };
      measured.scales.push(await measureScale(load, ground.quick ? 5000 : 12_000));
    }
    await close();
  },
  async memory(ground, measured) {
    const { ports, close } = await startTarget(ground);
    for (const kind of KINDS) {
      const load: Load = { kind, count: 100_000, intervalMs: 60_000, port: ports[kind] };
      measured.memories.push(await measureMemory(load, ground.directory));
    }
    await close();
  },
  async edges(ground, measured) {
    const { ports, close } = await startTarget(ground);
    for (const count of [1, 5000]) {
      const load: Load = { kind: 'tcp', count, intervalMs: 1000, port: ports.tcp };
      measured.edges.push(await measureEdges(load, ground.quick ? 10 : 40));
    }
    const load: Load = { kind: 'tcp', count: 10_000, intervalMs: 1000, port: ports.tcp };
    measured.avalanche.push(await measureAvalanche(load, close));
  },
  async waiting(ground, measured) {
    const { ports, close } = await startTarget(ground);
    measured.waiting.push(...(await measureWaiting(ports.tcp, 1, ground.quick ? 1500 : 2500)));
    await close();
  },
};

async function attempt(measured: Measured, what: string, act: () => Promise<void>): Promise<void> {
  process.stderr.write(`${what} ...\n`);
  try {
    await act();
  } catch (error) {
    measured.problems.push(`${what}: ${(error as Error).message}`);
  }
}

const loadNow = (): number => os.loadavg()[0] ?? 0;

/**
 * Goes on in a network of its own, so that the kernel's counters and its tables are those of the measurement alone, and at real-time
 * priority, so that the work of others comes after it; false where this machine does not let it.
 */
function moveAway(): boolean {
  if (process.getuid?.() !== 0 || process.env.HASTMON_BENCH_ALONE !== undefined) return false;
  const script = 'ip link set lo up && exec "$@"';
  const realTime = spawnSync('chrt', ['-r', '5', 'true']).status === 0 ? ['chrt', '-r', '5'] : [];
  const words = ['--net', ...realTime, 'sh', '-c', script, 'sh', process.execPath, ...process.argv.slice(1)];
  const { status, error } = spawnSync('unshare', words, {
    stdio: 'inherit',
    env: { ...process.env, HASTMON_BENCH_ALONE: realTime.length > 0 ? 'real-time' : 'ordinary' },
  });
  if (error !== undefined || status === null) return false;
  process.exitCode = status;
  return true;
}

async function main(): Promise<void> {
  const names = values.only ?? Object.keys(PARTS).filter((name) => !values.quick || name !== 'waiting');
  const unknown = names.filter((name) => !Object.hasOwn(PARTS, name));
  if (values.list || unknown.length > 0) {
    if (unknown.length > 0) process.stderr.write(`no part is named ${unknown.join(', ')}\n`);
    process.stdout.write(`${Object.keys(PARTS).join('\n')}\n`);
    process.exitCode = unknown.length > 0 ? 64 : 0;
    return;
  }
  if (moveAway()) return;
  if (os.cpus().length < 2)
    throw new Error('two processors are needed: one for the engine, one for all else');
  const stage = openStage(false);
  const compile = (name: string): string => compileProgram(name, stage.directory);
  const ground: Ground = {
    ...{
      stage,
      directory: stage.directory,
      quick: values.quick,
      rounds: Number(values.rounds ?? (values.quick ? 1 : 3)),
    },
    ...{ floor: compile('floor'), starts: compile('starts'), target: compile('target') },
  };
  const began = performance.now();
  const loadBefore = loadNow();
  const measured: Measured = {
    circumstances: {},
    ...{ samples: [], scales: [], memories: [], edges: [], avalanche: [], waiting: [], problems: [] },
  };
  for (const name of names) await attempt(measured, name, async () => PARTS[name]?.(ground, measured));
  measured.circumstances = {
    network: process.env.HASTMON_BENCH_ALONE === undefined ? 'shared with others' : 'its own',
    priority: process.env.HASTMON_BENCH_ALONE ?? 'ordinary',
    ...{
      node: process.version,
      kernel: os.release(),
      processor: os.cpus()[0]?.model ?? '',
      rounds: ground.rounds,
    },
    load: `${loadBefore.toFixed(2)} to ${loadNow().toFixed(2)}`,
    seconds: Math.round((performance.now() - began) / 1000),
  };
  const raw = values.raw ?? path.join(root, 'bench/data', values.quick ? 'checks-quick.json' : 'checks.json');
  mkdirSync(path.dirname(raw), { recursive: true });
  writeFileSync(raw, `${JSON.stringify(measured, null, 1)}\n`);
  const { text, missed } = report(measured);
  process.stdout.write(`${text}\nraw data: ${path.relative(root, raw)}\n`);
  process.exitCode = missed ? 1 : 0;
  await stage.clear();
}

await main();
