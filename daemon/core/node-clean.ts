/**
 * The main process's own stop of the resource: how it begins. Its end is handled by node-guard.ts. Part of the core
 * of a node; reached through node.ts.
 */
import type { Cleaning, NodeOutput, NodeState } from './node-types.js';
import type { Instant } from './types.js';

/** Begins the main process's own stop. `epoch`: the lease to release when the resource is known to be stopped. */
export function beginCleaning(
  state: NodeState,
  mode: Cleaning['mode'],
  stopEnd: Instant,
  epoch: number,
  outputs: NodeOutput[],
): void {
  state.lastCleanId += 1;
  const id = state.lastCleanId;
  state.cleaning = { id, mode, stopEnd, fencing: false, epoch, failedAt: null, required: mode === 'stop' };
  outputs.push({ kind: 'clean', id, mode, stopEnd });
}
