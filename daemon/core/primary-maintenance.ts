/**
 * The primary's worker in maintenance: the resource is left alone, whatever becomes of it and of the lease, since a majority of the
 * voters has on disk that nobody else is to have it (rules L1 to L9 of docs/protocol.md). Part of the core of that worker; reached
 * through primary.ts.
 */
import { isMarked } from './hold.js';
import type { PrimaryOutput, PrimaryState } from './primary-types.js';
import type { Instant, MaintenanceMark } from './types.js';

/** In place of what a status said that has said nothing. */
const NOT_SEEN = -1;

/** Main wants maintenance, or wants it no more: from then on every renewal says so. */
export function maintenanceWanted(
  state: PrimaryState,
  mark: MaintenanceMark,
  now: Instant,
  outputs: PrimaryOutput[],
): void {
  state.mark = mark;
  if (state.lease !== null) state.lease = { ...state.lease, renewAt: now };
  if (mark.on) return;
  if (state.maintained) {
    outputs.push({ kind: 'log', level: 'info', text: 'maintenance ends: the lease counts again' });
    // Until it is looked at again it is told as it was seen.
    state.seen ??= NOT_SEEN;
  }
  state.maintained = false;
  // What has happened to the resource meanwhile is found at once.
  if (state.phase === 'running') {
    state.runningSince = now;
    if (state.hook === null) state.dueAt = now;
  }
}

/** It begins when a majority has it on disk, and does not end with what becomes of the lease or of voters (L2). */
export function maintenanceStored(state: PrimaryState, outputs: PrimaryOutput[]): void {
  const { lease, mark, maintained, phase } = state;
  if (maintained || !mark.on || phase !== 'running' || lease === null || !isMarked(lease, mark)) return;
  state.maintained = true;
  state.seen = 0;
  outputs.push({ kind: 'log', level: 'info', text: 'maintenance: the resource is left alone' });
}

/** What status says is told, and nothing follows from it. */
export function seenInMaintenance(state: PrimaryState, code: number | null): void {
  state.seen = code;
  state.unknownStatuses = 0;
}

/** A worker that found the resource in maintenance: however it is, that is how it is left. */
export function adopt(
  state: PrimaryState,
  code: number | null,
  now: Instant,
  outputs: PrimaryOutput[],
): void {
  const how = code === 0 ? 'runs' : code === 1 ? 'does not run' : 'may be running';
  outputs.push({
    kind: 'log',
    level: 'info',
    text: `in maintenance: the resource ${how} here, and is left alone`,
  });
  state.phase = 'running';
  state.runningSince = now;
  state.dueAt = now + state.settings.statusIntervalMs;
  state.seen = code;
}
