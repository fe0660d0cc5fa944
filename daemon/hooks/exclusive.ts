/**
 * Taking the hooks of a dead or killed process over, so that at most one process runs `start` and `stop` of a resource. It does not
 * end that process: the caller has done so.
 */
import { processAlive, startedAtMs } from '../sys/process.js';
import { pause, systemHookClock } from './clock.js';
import { type HookOutput, readOutput } from './output.js';
import type { HookRecord } from './records.js';
import { endRunning, type Recovered, type RecoverOptions } from './recover.js';
import type { HookClock, HookLog } from './types.js';
import { duration } from './words.js';

export interface TakeOverOptions extends RecoverOptions {
  /**
   * Until when, by the clock, a `stop` under way that began at `began` may go on by itself; absent: it is killed at once. A
   * stop that is waited for has no other time limit any more.
   */
  stopUntil?: (began: number) => number;
}

export interface TakenOver extends Recovered {
  /** What became of a `stop` under way. Its exit status is not known: `status` tells. */
  stop: 'none' | 'finished' | 'killed';
  /** When a fence under way began, which was killed: the time to stop was over by then. null: there was none. */
  fenceBegan: number | null;
}

/** How often a stop that goes on is looked at. */
const lookMs = 10;

/**
 * Ends all hooks on record as running, as endRecorded() does, but lets a `stop` go on until `stopUntil`: what it has begun is
 * what the caller would begin next. What it leaves in its process group is killed. Throws as endRecorded() does.
 */
export async function takeOver(directory: string, options: TakeOverOptions): Promise<TakenOver> {
  const { stopUntil = () => Number.NEGATIVE_INFINITY, clock = systemHookClock } = options;
  let stop: TakenOver['stop'] = 'none';
  let fenceBegan: TakenOver['fenceBegan'] = null;
  const recovered = await endRunning(directory, options, async (record) => {
    if (!processAlive(record.pid, record.startTime)) return;
    if (record.action === 'fence') fenceBegan = startedAtMs(record.startTime);
    if (record.action !== 'stop') return;
    const until = stopUntil(startedAtMs(record.startTime));
    const finished = await waitForEnd(record, until, { ...options, clock });
    if (stop !== 'killed') stop = finished ? 'finished' : 'killed';
  });
  return { ...recovered, stop, fenceBegan };
}

/** True: the program ended by itself in time. Meanwhile its output is logged, so that it need not wait for a reader. */
async function waitForEnd(
  record: HookRecord,
  until: number,
  { clock, log }: { clock: HookClock; log: HookLog },
): Promise<boolean> {
  if (clock.now() < until) {
    log.info(
      { hook: 'stop' },
      `a stop of an earlier process goes on: waiting ${duration(until - clock.now())} at most`,
    );
  }
  const output = openOutput(record, clock, log);
  let ended = false;
  while (!ended && clock.now() < until) {
    await pause(clock, Math.min(lookMs, Math.max(1, until - clock.now())));
    ended = !processAlive(record.pid, record.startTime);
  }
  output?.endRun();
  output?.close();
  return ended;
}

function openOutput({ output }: HookRecord, clock: HookClock, log: HookLog): HookOutput | null {
  if (output === null) return null;
  try {
    return readOutput({ path: output, clock, onLine: (line) => log.info({ hook: 'stop' }, `stop: ${line}`) });
  } catch {
    return null;
  }
}
