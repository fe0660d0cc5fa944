/**
 * The benchmark: `npm run bench -- [--runs N] [--only PART] [--json] [--keep] [--list]`. Measures one part after the other
 * with real processes and prints one table. Exit status 0 where all was measured and every target met, 1 where not, 130 where it was
 * interrupted. Nothing of it is left behind; `--keep` leaves the logs of clusters in which something went wrong.
 */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../test/system/paths.js';
import type { Scene } from '../test/system/scene.js';
import { measureFailover, measureSupervised } from './failover.js';
import { measureFootprint } from './footprint.js';
import { measureGivingUp } from './giving-up.js';
import { measureKeepalived } from './keepalived.js';
import { keepalivedVersion } from './keepalived-pair.js';
import { type Circumstances, reportJson, reportText } from './report.js';
import { createRow, judge, type Row } from './row.js';
import { openStage, type Stage } from './stage.js';
import { measureSwitchover } from './switchover.js';
import { timedHooksProblem, timeHooks } from './timed-hooks.js';
import { holdScene, networkWords, type SceneHolder } from './trials.js';
import { measureWorkerLoss } from './worker-loss.js';

type Part = (stage: Stage, runs: number) => Promise<Row[]>;

/** A part in a scene of its own, whose hooks are as the tests have them. */
function inScene(
  measure: (holder: SceneHolder, runs: number) => Promise<Row[]>,
  prepare?: (scene: Scene) => void,
): Part {
  return async (stage, runs) => {
    const holder = holdScene(stage, 'three', prepare);
    const rows = await measure(holder, runs);
    await holder.close();
    return rows;
  };
}

const time = (scene: Scene): void => {
  if (timedHooksProblem() === '') timeHooks(scene.cluster);
};

const parts: Record<string, Part> = {
  failover: inScene(measureFailover),
  supervised: measureSupervised,
  switchover: inScene(measureSwitchover, time),
  'giving-up': inScene(measureGivingUp, time),
  worker: measureWorkerLoss,
  'keepalived-1': (stage, runs) => measureKeepalived(stage, 1, runs),
  'keepalived-0.1': (stage, runs) => measureKeepalived(stage, 0.1, runs),
  footprint: inScene((holder) => measureFootprint(holder)),
};

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '7' },
    only: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

async function measure(stage: Stage, names: readonly string[], runs: number): Promise<void> {
  const began = performance.now();
  const loadBefore = load();
  const rows: Row[] = [];
  for (const name of names) {
    process.stderr.write(`${name} ...\n`);
    rows.push(...(await measurePart(stage, name, runs)));
  }
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const circumstances: Circumstances = {
    hastmon: version,
    node: process.version,
    kernel: os.release(),
    processors: os.cpus().length,
    load: [loadBefore, load()],
    network: networkWords(),
    keepalived: keepalivedVersion(),
    runs,
    seconds: (performance.now() - began) / 1000,
  };
  process.stdout.write(values.json ? reportJson(rows, circumstances) : reportText(rows, circumstances));
  process.exitCode = rows.some((row) => judge(row) === 'missed') ? 1 : 0;
}

/** A part that fails costs its own rows and not the others'. */
async function measurePart(stage: Stage, name: string, runs: number): Promise<Row[]> {
  try {
    return (await parts[name]?.(stage, runs)) ?? [];
  } catch (error) {
    // What is being taken down on a signal fails in many ways; the end of the process is near.
    if (stage.interrupted) await new Promise(() => {});
    await stage.clear();
    const system = name.startsWith('keepalived') ? 'keepalived' : 'hastmon';
    return [createRow(name, system, `part ${name}`, { problems: [(error as Error).message] })];
  }
}

function load(): number {
  return Number((os.loadavg()[0] ?? 0).toFixed(2));
}

async function main(): Promise<void> {
  const names = values.only ?? Object.keys(parts);
  const runs = Number(values.runs);
  const unknown = names.filter((name) => !Object.hasOwn(parts, name));
  if (unknown.length > 0 || !Number.isInteger(runs) || runs < 1) {
    process.stderr.write(
      unknown.length > 0
        ? `no part is named ${unknown.join(', ')}; --list shows them\n`
        : `--runs ${values.runs}: expected a whole number from 1\n`,
    );
    process.exitCode = 64;
    return;
  }
  if (values.list) {
    process.stdout.write(`${Object.keys(parts).join('\n')}\n`);
    return;
  }
  const stage = openStage(values.keep);
  await measure(stage, names, runs);
  await stage.clear();
}

await main();
