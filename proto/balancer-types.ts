/** What hastmonctl asks about the balancer, and what hastmond answers. The wire form is control.proto. Times are in milliseconds. */
import type { BalancerCommand, DirectorWord, PairView, ServiceView } from '../daemon/balancer/types.js';

export type BalancerRequest =
  /** Empty lists: all. */
  | { kind: 'balancer-hosts'; hosts: readonly string[]; services: readonly string[] }
  | { kind: 'balancer-services'; services: readonly string[] }
  | { kind: 'balancer-set'; command: BalancerCommand }
  /** What a reload of its file would change, in words. */
  | { kind: 'balancer-diff' }
  | { kind: 'balancer-reload' }
  /** A line of the console; answered by its text. `session`: what one console is known by; `by`: who types. */
  | { kind: 'balancer-console'; session: string; by: string; line: string };

/** Other answers are the text of the reply. */
export type BalancerAnswer =
  | { kind: 'hosts'; hosts: readonly PairView[]; note: string; source: DirectorWord }
  | { kind: 'services'; services: readonly ServiceView[]; note: string; source: DirectorWord }
  /** `ended`: the session is over (quit). */
  | { kind: 'console'; text: string; ended: boolean };
