/** What a seed draws: how many nodes, how slow everything is, what goes wrong. */
import type { ConfirmConfig } from '../../daemon/confirm/types.js';
import { createPrng, type Prng } from '../sim/prng.js';

export interface Profile {
  seed: number;
  prng: Prng;
  nodes: readonly string[];
  config: ConfirmConfig;
  /** Results in a row that make an edge of the engine. */
  fall: number;
  latencyMs: number;
  /** A connection that breaks is noticed within this. */
  detectMs: number;
  /** A record is on disk within this. */
  diskMs: number;
  /** How long a mail takes, and how long until its sender knows. */
  mailMs: number;
  ackMs: number;
  troubledMs: number;
  /** Weights of what may happen next. */
  weights: Record<Happening, number>;
}

export type Happening =
  | 'outage'
  | 'partial'
  | 'cut'
  | 'one-way'
  | 'split'
  | 'crash'
  | 'mail'
  | 'router'
  | 'hang'
  | 'ambush'
  | 'quiet';

/** What makes a mutation come to light soonest. */
export type Focus = Partial<Record<Happening, number>> & {
  flapping?: boolean;
  nodes?: number;
  confirm?: number;
};

export function drawProfile(seed: number, focus: Focus = {}): Profile {
  const prng = createPrng(seed);
  const count = focus.nodes ?? prng.range(2, 5);
  const nodes = ['a', 'b', 'c', 'd', 'e'].slice(0, count);
  const confirm = focus.confirm ?? prng.pick([0, 0, 0, 2, 3]);
  const intervalMs = prng.pick([5_000, 10_000, 30_000]);
  const timeoutMs = prng.pick([1_000, 5_000]);
  const flapping = focus.flapping ?? prng.chance(200);
  const fresh = intervalMs + timeoutMs;
  const weight = (most: number, often: number): number => (prng.chance(often) ? prng.range(1, most) : 0);
  const rule = { nodes, confirm, intervalMs, timeoutMs };
  const drawn = {
    ...{ outage: prng.range(2, 8), partial: weight(6, 700), cut: weight(6, 600), 'one-way': weight(4, 400) },
    ...{ split: weight(4, 400), crash: weight(6, 600), mail: weight(4, 300), router: weight(4, 300) },
    ...{ hang: weight(3, 200), ambush: weight(3, 300) },
    quiet: prng.range(0, 4),
  };
  const { flapping: _flapping, nodes: _nodes, confirm: _confirm, ...weights } = focus;
  return {
    seed,
    prng,
    nodes,
    config: {
      domain: 'cluster.example',
      limits: {
        ...{
          askMs: Math.min(10_000, intervalMs),
          holdMs: 6 * fresh + 60_000,
          turnMs: 5_000,
          claimMs: 30_000,
        },
        ...{ sendMs: 60_000, flapEdges: flapping ? 4 : 0, flapWindowMs: 40 * fresh, calmMs: 20 * fresh },
      },
      checks: { web: { ...rule, depends: ['gw'] }, gw: { ...rule, depends: [] } },
    },
    fall: prng.range(1, 2),
    latencyMs: prng.pick([5, 50, 500, 3_000]),
    detectMs: prng.pick([50, 5_000, 20_000]),
    diskMs: prng.pick([1, 20, 1_000]),
    mailMs: prng.pick([20, 1_000, 8_000]),
    ackMs: prng.pick([1, 200, 3_000]),
    troubledMs: prng.range(20, 60) * fresh,
    weights: { ...drawn, ...weights },
  };
}

export function describeProfile(profile: Profile): string {
  const { prng: _prng, config, ...rest } = profile;
  return JSON.stringify({ ...rest, limits: config.limits, web: config.checks.web });
}
