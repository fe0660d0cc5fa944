/**
 * What has become of a handover, as far as roles and workers have to know: released, or at its end. Part of the core of a node; what drives
 * it is node-handover.ts.
 */
import { failbackArrived, failbackFailed } from './failback.js';
import type { Handover, NodeOutput, NodeState } from './node-types.js';
import type { Instant } from './types.js';
import { shortLengthOf } from './words.js';

/** No further handover by priority before so many leases have passed since one failed. */
const PAUSE_LEASES = 20;

/** The resource is stopped here and the lease released: it is for the successor now. */
export function handoverReleased(state: NodeState, now: Instant, outputs: NodeOutput[]): void {
  const { handover } = state;
  if (handover === null) return;
  state.handover = { ...handover, phase: 'passing', releasedAt: now };
  const took = shortLengthOf(now - handover.beganAt);
  tellProgress(handover, `stopped here after ${took}; the lease passes to ${handover.to}`, outputs);
}

/** It has come to its end: `error` is '' where the successor runs the resource. */
export function endHandover(
  state: NodeState,
  error: string,
  text: string,
  now: Instant,
  outputs: NodeOutput[],
): void {
  const { handover } = state;
  if (handover === null) return;
  state.handover = null;
  if (handover.cause === 'failback') {
    if (error === '') failbackArrived(state, handover.to, now);
    else failbackFailed(state, now);
  } else if (handover.cause === 'priority' && error !== '') {
    state.handoverNotBefore = now + PAUSE_LEASES * state.settings.leaseMs;
  }
  if (handover.command !== 0) outputs.push({ kind: 'reply', command: handover.command, error, text });
}

/** One line for whoever waits for it. */
export function tellProgress({ command }: Handover, text: string, outputs: NodeOutput[]): void {
  if (command !== 0) outputs.push({ kind: 'progress', command, text });
}
