/**
 * A switchover that is waited for waits, too, until the successor can take over, where it lacks only what comes by itself: a node that has
 * just restarted has to hear the others first, and to wait out what it granted before (P6). Nothing is done meanwhile.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlReply, ControlRequest } from '../proto/control-types.js';
import type { Explanation } from '../proto/explain-types.js';
import { namedOnce } from './words.js';

/** The conditions of a successor that time brings about, by the names of `explain`. */
const PASSING: ReadonlySet<string> = new Set(['clean', 'majority', 'history', 'free']);

/** Longer than an earlier grant lasts with the default `lease_timeout`. */
const PATIENCE_MS = 60_000;
const EVERY_MS = 250;

export interface Waiting {
  /** The request with which `--dry-run` asks. */
  plan: Extract<ControlRequest, { kind: 'switchover-plan' }>;
  ask: (request: ControlRequest) => Promise<ControlReply>;
  /** Said once, where there is something to wait for. */
  tell: (line: string) => void;
  timeoutMs: number;
  /** Aborted where nobody waits any more. */
  signal: AbortSignal;
}

/**
 * Resolves when the switchover would be done; or would be refused for what does not pass, or still after the time: hastmond, asked for it,
 * says why. Rejects where hastmond does not answer.
 */
export async function untilAble({ ask, plan, signal, tell, timeoutMs }: Waiting): Promise<void> {
  const until = performance.now() + Math.min(timeoutMs, PATIENCE_MS);
  for (let told = false; ; told = true) {
    const { error, explanations } = await ask(plan);
    const [explanation] = explanations;
    if (error === null || explanation === undefined || !passes(explanation)) return;
    if (!told)
      tell(`${namedOnce(`${plan.resource}: ${error.message}`)}; waiting for that, nothing is done before`);
    if (performance.now() + EVERY_MS > until) return;
    await sleep(EVERY_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
  }
}

/** Nothing is missing here, and there is a node that lacks only what comes by itself: a switchover would be waited for, not refused. */
export function passes({ conditions }: Explanation): boolean {
  const missing = conditions.filter(({ holds }) => holds !== true);
  if (missing.some(({ topic }) => topic === 'here')) return false;
  const others = new Set(missing.map(({ source }) => source));
  return [...others].some((other) =>
    missing.every(({ name, source }) => source !== other || PASSING.has(name)),
  );
}
