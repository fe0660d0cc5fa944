/** Every kind of event with its facts; what each is about, and the units, are in docs/events.md. */
import type { Observation } from '../daemon/core/observe.js';

/** Of the resources: what the core is seen to do. */
type Observed = {
  [Kind in Observation['kind']]: Omit<Extract<Observation, { kind: Kind }>, 'kind'>;
};

/** Of all else. Lists are texts, with commas; what is not known is '', 0 or -1. */
export interface EventFacts extends Observed {
  'daemon-started': { pid: number; version: string; startupMs: number; left: number };
  'daemon-ended': { pid: number; stopped: boolean };
  'process-ended': { process: string; restartMs: number };
  'events-missed': { count: number };
  'more-events': { of: string; count: number };
  reloaded: Record<string, never>;
  'reload-failed': { error: string };
  command: { command: string; done: boolean; error: string };
  'device-armed': { path: string; timeoutMs: number };
  'device-disarmed': { path: string };
  'device-problem': { path: string; problem: string };
  'device-starved': { path: string };
  hook: { action: string; ok: boolean; outcome: string; code: number; ms: number };
  'check-state': { node: string; from: string; to: string };
  'check-edge': { to: 'up' | 'down'; nature: string; latencyMs: number };
  outage: { edge: number; downBy: string; upBy: string; lastedMs: number };
  recovery: { edge: number; downBy: string; upBy: string; lastedMs: number };
  flapping: { edge: number; downBy: string; upBy: string; lastedMs: number };
  calm: { edge: number; downBy: string; upBy: string; lastedMs: number };
  'people-told': { edge: number; node: string };
  'alert-delivered': { alert: string };
  'alert-problem': { alert: string };
  'alert-failed': { edge: number; why: string };
  'mail-delivered': { subject: string };
  'mail-problem': { subject: string; why: string; retryMs: number };
  director: { active: boolean };
  'weight-changed': { from: number; to: number; rampMs: number; why: string };
  'ramp-ended': { weight: number };
  'server-disabled': { reasons: string; whole: boolean };
  'server-enabled': { whole: boolean };
  'full-weight': { weight: number; own: boolean };
  'sorry-in': { sorry: string };
  'sorry-out': { lastedMs: number };
  'vs-foreign': { virtual: string };
  'vs-adopted': { virtual: string };
  'table-meddled': { what: string; left: boolean };
  'table-refused': { why: string };
  'table-accepted': { virtual: string };
  'table-lost': { why: string };
  'table-kept': { lostMs: number };
  'sync-problem': { why: string };
  'names-unresolved': { why: string };
  'balancer-reloaded': Record<string, never>;
  'balancer-reload-failed': { error: string };
  'console-command': { command: string; answer: string };
}

export type EventKind = keyof EventFacts;
