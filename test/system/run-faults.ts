/**
 * Real faults against real daemons: `run-faults.js [--count N | --minutes M] [--seed S] [--only NAME] [--list]`. Without a
 * number, every fault once. Prints a line for each fault and a summary; exit status 1 where anything was violated, with the
 * cluster's logs kept.
 */
import { parseArgs } from 'node:util';
import { faults } from './faults.js';
import { namespacesProblem } from './netns.js';
import { createScene, type Scene, type SceneKind } from './scene.js';
import { type Fault, tryFault, type Verdict } from './trial.js';

const { values } = parseArgs({
  options: {
    count: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string', multiple: true },
    loopback: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

const seed = Number(values.seed ?? Math.floor(Date.now() / 1000) % 1_000_000);
let state = seed >>> 0;

/** Numbers drawn from the seed (mulberry32), so that an order of faults can be had again. */
function draw(below: number): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
}

function shuffled<T>(items: readonly T[]): T[] {
  const left = [...items];
  return items.map(() => left.splice(draw(left.length), 1)[0] as T);
}

const ms = (value: number | null): string => (value === null ? '-' : String(Math.round(value)));

function printVerdict({ fault, overlapMs, backMs, downtimeMs, problem }: Verdict, index: number): void {
  const columns = [
    String(index).padStart(4),
    fault.name.padEnd(66),
    ms(overlapMs).padStart(7),
    ms(backMs).padStart(6),
    ms(downtimeMs).padStart(8),
    (fault.boundMs === 0 ? '-' : String(fault.boundMs)).padStart(6),
    ` ${problem === '' ? 'ok' : 'VIOLATED'}`,
  ];
  process.stdout.write(`${columns.join(' ')}\n${problem === '' ? '' : `     ${problem}\n`}`);
}

function summarize(verdicts: readonly Verdict[], seconds: number): void {
  const failed = verdicts.filter((verdict) => verdict.problem !== '');
  const losses = [
    'machine of the primary killed',
    'machine of the primary lost without a word',
    'primary isolated',
  ];
  const times = verdicts
    .filter((verdict) => losses.includes(verdict.fault.name) && verdict.backMs !== null)
    .map((verdict) => verdict.backMs ?? 0)
    .sort((a, b) => a - b);
  const longest = Math.max(0, ...verdicts.map((verdict) => verdict.overlapMs));
  const kinds = new Set(verdicts.map((verdict) => verdict.fault.name)).size;
  process.stdout.write(
    `\n${verdicts.length} faults of ${kinds} kinds in ${Math.round(seconds)} s; longest overlap ${ms(longest)} ms; ` +
      `${failed.length === 0 ? 'nothing violated' : `${failed.length} VIOLATED`}\n`,
  );
  const median = times[Math.floor(times.length / 2)];
  if (median !== undefined)
    process.stdout.write(
      `median time from the loss of the primary's machine to the first beat elsewhere: ${ms(median)} ms (${times.length} times)\n`,
    );
}

/** The faults in the order in which they are tried: drawn, but those of one scene together, for a cluster takes time to make. */
function agenda(menu: readonly Fault[]): Fault[] {
  const kinds = shuffled<SceneKind>(['three', 'five', 'supervised']);
  const drawn = shuffled(menu);
  return kinds.flatMap((kind) => drawn.filter((fault) => fault.scene === kind));
}

async function run(menu: readonly Fault[], namespaces: boolean): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const count =
    values.count === undefined
      ? values.minutes === undefined
        ? menu.length
        : Infinity
      : Number(values.count);
  const end = performance.now() + Number(values.minutes ?? Infinity) * 60_000;
  let scene: Scene | null = null;
  const goOn = (): boolean => verdicts.length < count && performance.now() < end;
  const interrupted = (): void => void scene?.close().then(() => process.exit(130));
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  while (goOn()) {
    // A round has at most as many as are left, of every scene.
    const round = agenda(shuffled(menu).slice(0, Math.max(1, count - verdicts.length)));
    for (const fault of round) {
      if (!goOn()) break;
      if (scene !== null && scene.kind !== fault.scene) {
        await scene.close();
        scene = null;
      }
      scene ??= await createScene(fault.scene, namespaces);
      if (fault.needsControlGroup === true && !scene.controlGroups) continue;
      const verdict = await tryFault(scene, fault);
      verdicts.push(verdict);
      printVerdict(verdict, verdicts.length);
      if (verdict.problem === '') continue;
      process.stdout.write(`     logs: ${scene.cluster.dir}/*/log\n`);
      await scene.close(true);
      scene = null;
    }
  }
  await scene?.close();
  return verdicts;
}

async function main(): Promise<void> {
  const only = values.only;
  const menu = faults.filter((fault) => only === undefined || only.some((name) => fault.name.includes(name)));
  if (values.list) {
    for (const fault of menu) process.stdout.write(`${fault.scene.padEnd(11)} ${fault.name}\n`);
    return;
  }
  if (menu.length === 0) throw new Error(`no fault is named ${only?.join(', ')}; --list shows them`);
  const problem = values.loopback ? 'loopback was asked for' : namespacesProblem();
  const where = problem === '' ? 'network namespaces' : `loopback and proxies (${problem})`;
  process.stdout.write(`${menu.length} kinds of faults, seed ${seed}, ${where}\n\n`);
  process.stdout.write(
    `${'no.'.padStart(4)} ${'fault'.padEnd(66)} overlap   back downtime  bound  verdict (ms)\n`,
  );
  const began = performance.now();
  const verdicts = await run(menu, problem === '');
  summarize(verdicts, (performance.now() - began) / 1000);
  process.exitCode = verdicts.every((verdict) => verdict.problem === '') ? 0 : 1;
}

await main();
