/**
 * One trial: a fault is brought into a cluster at rest, and what follows is judged: never two services at once, the service
 * where it has to be in time, epochs that rise, and nothing left over. It does not know the faults; see faults.ts.
 */
import { type Beat, epochFault, monotonicMs, overlapMs } from './beats.js';
import { clusterProcesses } from './processes.js';
import type { Scene, SceneKind } from './scene.js';
import { pause, until } from './wait.js';

/**
 * What has to become of the service. `elsewhere`: a new one on another node; `back`: a new one anywhere; `undisturbed`: the
 * same one goes on; `up`: one of these; `down`: none while the fault lasts, a new one after it.
 */
export type Expectation = 'elsewhere' | 'back' | 'undisturbed' | 'up' | 'down';

export interface Fault {
  name: string;
  scene: SceneKind;
  /** True where only a control group makes it safe: the service's own stop does not do what it says. */
  needsControlGroup?: boolean;
  service: Expectation;
  /** From the blow (for `down`: from the end of the fault) to the first beat of the new service, at most. */
  boundMs: number;
  /** Brings the fault about; calls `blow` at the moment that counts, else that is the beginning. */
  strike(scene: Scene, blow: () => void): Promise<void> | void;
  /** Ends what settle() does not end; for `down`: whatever brings the service back. */
  lift?(scene: Scene): Promise<void> | void;
  /** What else must hold in the end: '' or what is wrong. */
  check?(scene: Scene): string;
}

export interface Verdict {
  fault: Fault;
  overlapMs: number;
  /** From the blow, or the end of the fault, to the first beat of the new service; null where there is no new one. */
  backMs: number | null;
  /** From the last beat before it to the first one after it, null likewise. */
  downtimeMs: number | null;
  /** '' or everything that is wrong. */
  problem: string;
  /** True where something is wrong that no slowness of the machine explains. */
  unsafe: boolean;
}

/** How long is looked on that nothing happens. */
const watchMs = 1300;
/** By when a node that lost its lease has stopped its service, with the grant of a voter as the utmost. */
const downByMs = 1500;

/** Tries one fault; leaves the cluster at rest, or says in `problem` that it does not come to rest. */
export async function tryFault(scene: Scene, fault: Fault): Promise<Verdict> {
  const began = monotonicMs();
  const verdict: Verdict = {
    fault,
    overlapMs: 0,
    backMs: null,
    downtimeMs: null,
    problem: '',
    unsafe: false,
  };
  const problems: string[] = [];
  const attempt = async (step: () => Promise<void> | void): Promise<void> => {
    try {
      await step();
    } catch (error) {
      problems.push((error as Error).message);
    }
  };

  await attempt(async () => observe(scene, fault, verdict));
  if (fault.service !== 'down') await attempt(async () => fault.lift?.(scene));
  await attempt(() => scene.settle());
  // What runs after the fault is over, too, must be alone.
  await attempt(() => leftovers(scene));
  const check = fault.check?.(scene) ?? '';
  if (check !== '') problems.push(check);

  const lives = scene.beats().filter((life) => life.last >= began - 1000);
  verdict.overlapMs = overlapMs(lives);
  if (verdict.overlapMs > 0)
    problems.push(`two services at once for ${verdict.overlapMs.toFixed(1)} ms: ${tell(lives)}`);
  const epochs = epochFault(lives);
  if (epochs !== '') problems.push(epochs);
  verdict.unsafe = verdict.overlapMs > 0 || epochs !== '';
  verdict.problem = problems.join('; ');
  return verdict;
}

async function observe(scene: Scene, fault: Fault, verdict: Verdict): Promise<void> {
  const before = await liveService(scene);
  let blown = monotonicMs();
  let from: Beat = before;
  await fault.strike(scene, () => {
    blown = monotonicMs();
    from = scene.beats().at(-1) ?? before;
  });
  const { service, boundMs } = fault;
  if (service === 'undisturbed') return watchUndisturbed(scene, from, blown);
  if (service === 'up') {
    await until(
      () => scene.beats().some((life) => life.last > blown + Math.min(boundMs, watchMs)),
      boundMs + watchMs,
      'the service is not there',
    );
    const fresh = firstAfter(scene, blown);
    if (fresh !== undefined) measure(verdict, scene, fresh, blown);
    return;
  }
  let since = blown;
  if (service === 'down') {
    await watchDown(scene, blown);
    since = monotonicMs();
    await fault.lift?.(scene);
  }
  const found = (): Beat | undefined =>
    firstAfter(scene, since, service === 'elsewhere' ? from.node : undefined);
  await until(() => found() !== undefined, boundMs + 5000, `the service does not come back (${service})`);
  const life = found();
  if (life === undefined) return;
  measure(verdict, scene, life, since);
  if (life.first - since > boundMs)
    throw new Error(`the service came late: ${Math.round(life.first - since)} ms`);
}

function measure(verdict: Verdict, scene: Scene, life: Beat, since: number): void {
  verdict.backMs = life.first - since;
  const earlier = scene.beats().filter((other) => other.first < life.first);
  verdict.downtimeMs = Math.max(0, life.first - Math.max(...earlier.map((other) => other.last)));
}

function firstAfter(scene: Scene, at: number, notOn?: string): Beat | undefined {
  return scene.beats().find((life) => life.first > at && life.node !== notOn);
}

/** The service that runs now. */
async function liveService(scene: Scene): Promise<Beat> {
  const now = monotonicMs();
  await until(() => (scene.beats().at(-1)?.last ?? 0) > now, 5000, 'no service beats');
  return scene.beats().at(-1) as Beat;
}

async function watchUndisturbed(scene: Scene, life: Beat, blown: number): Promise<void> {
  await until(() => monotonicMs() > blown + watchMs, 2 * watchMs, 'unreachable');
  const other = firstAfter(scene, blown);
  if (other !== undefined) throw new Error(`it was to go on undisturbed, but was started on ${other.node}`);
  const now = monotonicMs();
  const goesOn = (): boolean => scene.beats().some((each) => each.pid === life.pid && each.last > now);
  await until(goesOn, 3000, 'it was to go on undisturbed, but has stopped');
}

async function watchDown(scene: Scene, blown: number): Promise<void> {
  await pause(Math.max(0, blown + downByMs - monotonicMs()));
  const now = monotonicMs();
  await pause(watchMs / 2);
  const beating = scene.beats().find((life) => life.last > now);
  if (beating !== undefined) throw new Error(`no majority lives, but the service runs on ${beating.node}`);
}

/** Fails where a process is left of a daemon, a worker, a hook or a service that is no more. */
async function leftovers(scene: Scene): Promise<void> {
  const suspects = new Set(strangers(scene).map(({ pid }) => pid));
  // Hooks come and go: only who stays is left over.
  let left = strangers(scene);
  await until(
    () => {
      left = strangers(scene).filter(({ pid }) => suspects.has(pid));
      return left.length === 0;
    },
    4000,
    () => `left over: ${left.map(({ pid, node, title }) => `${pid} ${node} ${title}`).join(', ')}`,
  );
}

function strangers(scene: Scene): { pid: number; node: string; title: string }[] {
  const mains = new Set(scene.all.map((node) => node.pid));
  const service = scene.beats().at(-1)?.pid;
  return clusterProcesses(scene.cluster.dir).filter(({ pid, parent, title }) => {
    if (mains.has(pid) || pid === service) return false;
    return !(mains.has(parent) && title.startsWith('hastmon: '));
  });
}

function tell(lives: readonly Beat[]): string {
  const zero = lives[0]?.first ?? 0;
  const ms = (at: number): string => (at - zero).toFixed(0);
  return lives
    .map(
      (life) => `${life.node} pid ${life.pid} epoch ${life.epoch} from ${ms(life.first)} to ${ms(life.last)}`,
    )
    .join(', ');
}
