/**
 * The watchdog's worker: listens to the heartbeats of the candidates and complains to each of them while nobody
 * runs the resource (rules W1 to W4 of docs/protocol.md). Pure; it runs no resource and touches none.
 */
import type { Settings } from './settings.js';
import type { ComplaintMessage, Instant, NodeName, StateMessage } from './types.js';

export interface WatchdogState {
  settings: Settings;
  incarnation: number;
  sequence: number;
  /** The last heartbeat of each node. */
  heard: Record<NodeName, { at: Instant; state: StateMessage }>;
  /** When a primary was last seen well; at first, when the watchdog began. */
  goodAt: Instant;
  /** No complaint before this. */
  complainAt: Instant;
  complaining: boolean;
}

export type WatchdogInput = { now: Instant } & (
  | { kind: 'tick' }
  | { kind: 'heard'; from: NodeName; message: StateMessage }
  | { kind: 'settings'; settings: Settings }
);

export type WatchdogOutput =
  | { kind: 'to-node'; to: NodeName; message: ComplaintMessage }
  | { kind: 'complain-hook' }
  | { kind: 'log'; level: 'info' | 'warn'; text: string };

export interface WatchdogStep {
  state: WatchdogState;
  outputs: WatchdogOutput[];
}

/** The state of a watchdog that begins now; nodes get one lease to make themselves heard. */
export function initWatchdog(settings: Settings, incarnation: number, now: Instant): WatchdogState {
  return {
    settings,
    incarnation,
    sequence: 0,
    heard: {},
    goodAt: now,
    complainAt: now + Math.max(settings.leaseMs, 2 * settings.heartbeatMs),
    complaining: false,
  };
}

/** The worker's only door. */
export function stepWatchdog(before: WatchdogState, input: WatchdogInput): WatchdogStep {
  const state = { ...before };
  const outputs: WatchdogOutput[] = [];
  const { now } = input;
  if (input.kind === 'settings') state.settings = input.settings;
  if (input.kind === 'heard') hear(state, input.from, input.message, now, outputs);
  if (now >= state.complainAt) complain(state, now, outputs);
  return { state, outputs };
}

/** When the worker has to be stepped again at the latest. */
export function watchdogWakeAt(state: WatchdogState): Instant {
  return state.complainAt;
}

/** True where a node says that it holds the lease, or runs by force, and is not past saving. */
export function runsResource(message: StateMessage): boolean {
  return (message.holdingEpoch > 0 || message.forced) && message.run !== 'failed';
}

function hear(
  state: WatchdogState,
  from: NodeName,
  message: StateMessage,
  now: Instant,
  outputs: WatchdogOutput[],
): void {
  const before = state.heard[from];
  state.heard = { ...state.heard, [from]: { at: now, state: message } };
  const { heartbeatMs } = state.settings;
  // Who knows of maintenance says so in every heartbeat, and nobody is to do anything about it (L7).
  if (runsResource(message) || message.memory.grant?.mark.on) {
    state.goodAt = now;
    state.complainAt = now + lostAfterMs(heartbeatMs);
    if (state.complaining)
      outputs.push({ kind: 'log', level: 'info', text: `${from} runs the resource again` });
    state.complaining = false;
  } else if (before !== undefined && runsResource(before.state) && !runsElsewhere(state, now)) {
    // The primary itself says that it no longer runs the resource: no need to wait (W2).
    state.complainAt = now;
  }
}

/** True where a node that runs the resource was heard too lately to be called lost. */
function runsElsewhere({ heard, settings }: WatchdogState, now: Instant): boolean {
  return Object.values(heard).some(
    ({ at, state }) => runsResource(state) && now - at < lostAfterMs(settings.heartbeatMs),
  );
}

/** Two missed heartbeats, and half of one for the way. */
function lostAfterMs(heartbeatMs: number): number {
  return 2.5 * heartbeatMs;
}

function complain(state: WatchdogState, now: Instant, outputs: WatchdogOutput[]): void {
  const { voters, node, heartbeatMs, leaseMs } = state.settings;
  if (!state.complaining) {
    const seconds = ((now - state.goodAt) / 1000).toFixed(1);
    outputs.push({
      kind: 'log',
      level: 'warn',
      text: `nobody runs the resource (none seen for ${seconds} s): complaining`,
    });
  }
  state.complaining = true;
  state.complainAt = now + heartbeatMs;
  state.sequence += 1;
  const message: ComplaintMessage = {
    kind: 'complaint',
    incarnation: state.incarnation,
    sequence: state.sequence,
  };
  const isWatchdog = (other: NodeName): boolean => {
    const last = state.heard[other];
    return last !== undefined && last.state.role === 'watchdog' && now - last.at < leaseMs;
  };
  for (const to of voters) if (to !== node && !isWatchdog(to)) outputs.push({ kind: 'to-node', to, message });
  outputs.push({ kind: 'complain-hook' });
}
