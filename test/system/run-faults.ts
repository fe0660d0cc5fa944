/**
 * Real faults against real daemons: `run-faults.js [--count N | --minutes M] [--seed S] [--only NAME] [--lists] [--list]`. Without a
 * number, every fault once. `--lists`: actions run the resource, in the place of a hook program. Prints a line for each fault and a summary; exit status 1 where anything was violated, with the
 * cluster's logs kept.
 */
import { parseArgs } from 'node:util';
import { monotonicMs } from './beats.js';
import { faults } from './faults.js';
import { namespacesProblem } from './netns.js';
import { createScene, LEASE_MS, LISTS_SPARE_MS, type Scene, type SceneKind } from './scene.js';
import { type StallWatch, watchStalls } from './stalls.js';
import { type Fault, tryFault, type Verdict } from './trial.js';

const { values } = parseArgs({
  options: {
    count: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string', multiple: true },
    lists: { type: 'boolean', default: false },
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

function printVerdict(
  { fault, overlapMs, backMs, downtimeMs, problem }: Verdict,
  index: string,
  stalledMs: number,
): void {
  const columns = [
    index.padStart(4),
    fault.name.padEnd(66),
    ms(overlapMs).padStart(7),
    ms(backMs).padStart(6),
    ms(downtimeMs).padStart(8),
    (fault.boundMs === 0 ? '-' : String(fault.boundMs)).padStart(6),
    ` ${problem === '' ? 'ok' : index === '' ? `again: the machine stalled for ${stalledMs} ms` : 'VIOLATED'}`,
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
  const kinds = shuffled<SceneKind>([...new Set(menu.map(({ scene }) => scene))]);
  const drawn = shuffled(menu);
  return kinds.flatMap((kind) => drawn.filter((fault) => fault.scene === kind));
}

/** A machine that stalls may keep a new cluster from coming to rest, too. */
async function makeScene(kind: SceneKind, namespaces: boolean, stalls: StallWatch): Promise<Scene> {
  for (let tries = 1; ; tries += 1) {
    const began = monotonicMs();
    try {
      return await createScene(kind, namespaces, values.lists);
    } catch (error) {
      if (tries > againMax || stalls.worstSince(began) < stallMs) throw error;
    }
  }
}

/** A machine that is late by so much can make a lease of 300 ms with heartbeats of 100 ms run out. */
const stallMs = LEASE_MS / 4;
/** How often a trial is repeated in which the service came late while the machine itself was late. */
const againMax = 5;

async function run(menu: readonly Fault[], namespaces: boolean, stalls: StallWatch): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const count =
    values.count === undefined
      ? values.minutes === undefined
        ? menu.length
        : Infinity
      : Number(values.count);
  const end = performance.now() + Number(values.minutes ?? Infinity) * 60_000;
  let scene: Scene | null = null;
  let again = 0;
  /** Rounds in a row in which nothing could be tried. */
  let empty = 0;
  const goOn = (): boolean => verdicts.length < count && performance.now() < end;
  const interrupted = (): void => void scene?.close().then(() => process.exit(130));
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  while (goOn()) {
    // A round has at most as many as are left, of every scene.
    const round = agenda(shuffled(menu).slice(0, Math.max(1, count - verdicts.length)));
    const before = verdicts.length;
    for (const fault of round) {
      if (!goOn()) break;
      if (scene !== null && scene.kind !== fault.scene) {
        await scene.close();
        scene = null;
      }
      scene ??= await makeScene(fault.scene, namespaces, stalls);
      if (fault.needsControlGroup === true && !scene.controlGroups) continue;
      const began = monotonicMs();
      const spareMs = values.lists ? LISTS_SPARE_MS : 0;
      const verdict = await tryFault(scene, { ...fault, boundMs: fault.boundMs + spareMs });
      const stalledMs = stalls.worstSince(began);
      const excused = verdict.problem !== '' && !verdict.unsafe && stalledMs >= stallMs && again < againMax;
      if (!excused) verdicts.push(verdict);
      printVerdict(verdict, excused ? '' : String(verdicts.length), stalledMs);
      if (verdict.problem === '') {
        again = 0;
        continue;
      }
      if (excused) {
        again += 1;
        round.splice(round.indexOf(fault) + 1, 0, fault);
      } else {
        again = 0;
        process.stdout.write(`     logs: ${scene.cluster.dir}/*/log\n`);
      }
      await scene.close(!excused);
      scene = null;
    }
    empty = verdicts.length === before ? empty + 1 : 0;
    if (empty > menu.length) {
      process.stdout.write('all of these need control groups, which cannot be had here\n');
      break;
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
  const stalls = watchStalls();
  const verdicts = await run(menu, problem === '', stalls);
  stalls.close();
  summarize(verdicts, (performance.now() - began) / 1000);
  process.exitCode = verdicts.every((verdict) => verdict.problem === '') ? 0 : 1;
}

await main();
