/** Facts of a resource for tests of the drill: three nodes of which the first runs it, and what a test says otherwise. */
import type { Settings } from '../../daemon/core/settings.js';
import type { DrillFacts, DrillNode } from '../../proto/drill-types.js';

export const NODES = ['alpha', 'beta', 'gamma'];

/** The times of a quick cluster. */
export const SETTINGS: Settings = {
  ...{ resource: 'shared', node: 'alpha', voters: NODES, priority: 100, attempts: 5 },
  ...{ complaintCount: 3, complaintIntervalMs: 60_000, heartbeatMs: 1000, leaseMs: 3000 },
  ...{ startTimeoutMs: 60_000, stopTimeoutMs: 5000, statusTimeoutMs: 2000, statusIntervalMs: 10_000 },
  ...{
    switchoverTimeoutMs: 60_000,
    fenceTimeoutMs: 0,
    deviceTimeoutMs: 0,
    driftPpm: 10_000,
    judgeAfterMs: 0,
    failbackMs: Number.POSITIVE_INFINITY,
  },
};

export function nodeOf(node: string, other: Partial<DrillNode> = {}): DrillNode {
  const usual = {
    alpha: { role: 'primary', roleSet: 'primary', run: 'run', able: false, holds: true },
    beta: { role: 'secondary', roleSet: 'secondary', run: 'stopped', able: true, holds: false },
  } as const;
  const watchdog = {
    role: 'watchdog',
    roleSet: 'watchdog',
    run: 'unknown',
    able: false,
    holds: false,
  } as const;
  return {
    ...{ node, linked: true, fresh: true, heardMs: 0, priority: 100, forced: false, history: true },
    ...(node in usual ? usual[node as keyof typeof usual] : watchdog),
    ...other,
  };
}

export function factsOf(
  other: Partial<Omit<DrillFacts, 'nodes' | 'settings'>> & {
    nodes?: Record<string, Partial<DrillNode>>;
    settings?: Partial<Settings>;
  } = {},
): DrillFacts {
  const { nodes = {}, settings = {}, ...rest } = other;
  const names = [...new Set([...NODES, ...Object.keys(nodes)])];
  return {
    ...{ resource: 'shared', node: 'alpha', bootMs: 1_000_000, votersChanging: false, maintenance: null },
    ...{ serviceFailed: '', unfit: '', gaveUpMs: null, startFailed: '', hooks: [] },
    nodes: names.map((node) => nodeOf(node, nodes[node])),
    settings: { ...SETTINGS, voters: names, ...settings },
    ...rest,
  };
}

/** A start and a stop as they were measured. */
export const MEASURED = [
  { action: 'start', ms: 700 },
  { action: 'stop', ms: 300 },
];
