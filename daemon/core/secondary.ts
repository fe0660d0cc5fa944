/**
 * The secondary's worker: serves the connection from the primary and keeps the resource stopped here (rules S1 and
 * S2 of docs/protocol.md). Pure. Whether to become primary is not decided here but in the main process, which is
 * there when no worker is.
 */
import type { Settings } from './settings.js';
import type { Instant } from './types.js';

export interface SecondaryState {
  settings: Settings;
  /** When a primary was last heard. */
  heardAt: Instant;
  hook: {
    id: number;
    action: 'status' | 'stop';
    termAt: Instant;
    killAt: Instant;
    signalled: '' | 'TERM' | 'KILL';
  } | null;
  hookId: number;
  dueAt: Instant;
  stopNext: boolean;
  done: boolean;
}

export type SecondaryInput = { now: Instant } & (
  | { kind: 'tick' }
  | { kind: 'heard' }
  | { kind: 'hook'; id: number; code: number | null; detail: string }
  | { kind: 'settings'; settings: Settings }
);

export type SecondaryOutput =
  | { kind: 'hook'; id: number; action: 'status' | 'stop' }
  | { kind: 'signal'; id: number; signal: 'TERM' | 'KILL' }
  | { kind: 'finish' }
  | { kind: 'log'; level: 'info' | 'warn' | 'error'; text: string };

export interface SecondaryStep {
  state: SecondaryState;
  outputs: SecondaryOutput[];
}

/** The state of a worker whose primary has just connected. */
export function initSecondary(settings: Settings, now: Instant): SecondaryState {
  return { settings, heardAt: now, hook: null, hookId: 0, dueAt: now, stopNext: false, done: false };
}

/** The worker's only door. */
export function stepSecondary(before: SecondaryState, input: SecondaryInput): SecondaryStep {
  const state = { ...before, hook: before.hook === null ? null : { ...before.hook } };
  const outputs: SecondaryOutput[] = [];
  const { now } = input;
  if (state.done) return { state, outputs };
  if (input.kind === 'settings') state.settings = input.settings;
  if (input.kind === 'heard') state.heardAt = now;
  if (input.kind === 'hook') hookEnded(state, input.id, input.code, input.detail, now, outputs);
  limitHook(state, now, outputs);
  if (state.hook === null) {
    if (now - state.heardAt >= state.settings.leaseMs) {
      state.done = true;
      outputs.push({ kind: 'finish' });
    } else if (now >= state.dueAt) {
      runHook(state, now, outputs);
    }
  }
  return { state, outputs };
}

/** When the worker has to be stepped again at the latest. */
export function secondaryWakeAt(state: SecondaryState): Instant {
  if (state.done) return Number.POSITIVE_INFINITY;
  const { hook } = state;
  if (hook === null) return Math.min(state.dueAt, state.heardAt + state.settings.leaseMs);
  if (hook.signalled === 'KILL') return Number.POSITIVE_INFINITY;
  return hook.signalled === '' ? hook.termAt : hook.killAt;
}

function runHook(state: SecondaryState, now: Instant, outputs: SecondaryOutput[]): void {
  const action = state.stopNext ? 'stop' : 'status';
  const limitMs = action === 'stop' ? state.settings.stopTimeoutMs : state.settings.statusTimeoutMs;
  state.hookId += 1;
  state.stopNext = false;
  state.hook = {
    id: state.hookId,
    action,
    termAt: now + limitMs * 0.9,
    killAt: now + limitMs,
    signalled: '',
  };
  outputs.push({ kind: 'hook', id: state.hookId, action });
}

function hookEnded(
  state: SecondaryState,
  id: number,
  code: number | null,
  detail: string,
  now: Instant,
  outputs: SecondaryOutput[],
): void {
  const { hook } = state;
  if (hook === null || hook.id !== id) return;
  state.hook = null;
  state.dueAt = now + state.settings.statusIntervalMs;
  if (hook.action === 'stop') {
    state.dueAt = now;
    if (code !== 0) outputs.push({ kind: 'log', level: 'error', text: detail });
  } else if (code === 0) {
    outputs.push({
      kind: 'log',
      level: 'error',
      text: 'the resource runs here, on a secondary: stopping it',
    });
    state.stopNext = true;
    state.dueAt = now;
  }
}

function limitHook(state: SecondaryState, now: Instant, outputs: SecondaryOutput[]): void {
  const { hook } = state;
  if (hook === null) return;
  const signal = now >= hook.killAt ? 'KILL' : now >= hook.termAt ? 'TERM' : '';
  if (signal === '' || hook.signalled === 'KILL' || hook.signalled === signal) return;
  hook.signalled = signal;
  outputs.push({ kind: 'signal', id: hook.id, signal });
}
