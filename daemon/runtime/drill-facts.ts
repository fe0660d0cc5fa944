/** What a drill starts from, read off the cores' states: hastmonctl computes it, so that this process does not have to. */
import type { ControlReply } from '../../proto/control-types.js';
import type { DrillAnswer, DrillFacts, DrillHook, DrillNode, DrillRequest } from '../../proto/drill-types.js';
import type { HaEvent } from '../../proto/event-types.js';
import type { NodeState } from '../core/node-types.js';
import type { Instant, NodeName } from '../core/types.js';
import { heardLately, holding, isAble, runState } from '../core/view.js';
import type { Journal } from '../events/journal.js';
import { messageOf } from '../sys/errors.js';
import { maintenanceOf } from './status.js';

export type DrillHandler = (names: readonly string[], depth: DrillRequest['depth']) => Promise<DrillAnswer>;

export interface DrillOptions {
  resources: ReadonlyMap<string, { state(): NodeState }>;
  journal: Pick<Journal, 'read'>;
  /** Asks another node; rejects with words for people where there is no answer. */
  ask: (node: NodeName, request: DrillRequest) => Promise<ControlReply>;
  now: () => Instant;
}

/** Of each action on each resource the last so many runs are told: the journal has room for thousands. */
const RUNS_MAX = 20;
/** Of what a hook printed so much is told. */
const WHY_MAX = 200;

/** Gives the facts of resources that there are. */
export function createDrillHandler({ ask, journal, now, resources }: DrillOptions): DrillHandler {
  async function own(names: readonly string[], depth: DrillRequest['depth']): Promise<DrillFacts[]> {
    const events =
      depth === 'state' ? [] : await journal.read((event) => isRun(event, names) || isTurn(event));
    return names.flatMap((name) => {
      const state = resources.get(name)?.state();
      return state === undefined ? [] : [factsOf(state, events, now())];
    });
  }

  /** All at once; a node that has answered nothing is named with the reason. */
  async function others(facts: readonly DrillFacts[]): Promise<DrillAnswer> {
    const nodes = [...new Set(facts.flatMap((each) => each.settings.voters))];
    const answers = await Promise.all(
      nodes.map(async (node): Promise<DrillAnswer> => {
        const asked = facts.filter((each) => each.node !== node && each.settings.voters.includes(node));
        if (asked.length === 0) return { facts: [], missing: [] };
        const names = asked.map(({ resource }) => resource);
        try {
          const { cluster, error } = await ask(node, { kind: 'drill', resources: names, depth: 'node' });
          if (error !== null || cluster?.kind !== 'drill')
            return { facts: [], missing: [{ node, why: error?.message ?? 'its answer is none' }] };
          // Its word on itself counts, and on nobody else.
          return { facts: cluster.facts.filter((each) => each.node === node), missing: [] };
        } catch (error) {
          return { facts: [], missing: [{ node, why: messageOf(error) }] };
        }
      }),
    );
    return {
      facts: answers.flatMap((answer) => answer.facts),
      missing: answers.flatMap((answer) => answer.missing),
    };
  }

  return async (names, depth) => {
    const facts = await own(names, depth);
    if (depth !== 'all') return { facts, missing: [] };
    const { facts: said, missing } = await others(facts);
    return { facts: [...facts, ...said], missing };
  };
}

/** A hook that has ended well, and has run the resource or stopped it. */
function isRun({ data, kind, resource }: HaEvent, names: readonly string[]): boolean {
  const { action, ms, ok } = data;
  const counts = kind === 'hook' && ok === true && typeof ms === 'number';
  return counts && (action === 'start' || action === 'stop') && names.includes(resource ?? '');
}

function runsOf(events: readonly HaEvent[], name: string): DrillHook[] {
  const own = events.filter(({ kind, resource }) => kind === 'hook' && resource === name);
  return ['start', 'stop'].flatMap((action) => {
    const runs = own.filter(({ data }) => data.action === action).slice(-RUNS_MAX);
    return runs.map(({ data }) => ({ action, ms: Number(data.ms) }));
  });
}

/** What an attempt to run a resource has come to, or what makes that forgotten. */
function isTurn({ data, kind }: HaEvent): boolean {
  if (kind === 'command') return data.done === true && String(data.command).startsWith('role ');
  return kind === 'attempt-failed' || kind === 'gave-up';
}

/** Why the last attempt to run it here has failed; '' where it has not, or the operator has set a role since: that says that it is mended. */
function startFailedOf(events: readonly HaEvent[], name: string): string {
  const last = events.findLast(({ data, kind, resource }) => {
    if (kind !== 'command') return resource === name && (kind !== 'hook' || data.action === 'start');
    const [, , ...names] = String(data.command).split(' ');
    return names.includes(name) || names.includes('all');
  });
  if (last?.kind !== 'attempt-failed' && last?.kind !== 'gave-up') return '';
  return String(last.data.error || 'it failed').slice(0, WHY_MAX);
}

function factsOf(state: NodeState, events: readonly HaEvent[], now: Instant): DrillFacts {
  const { gaveUpAt, serviceFailed, settings, unfit, voter } = state;
  return {
    resource: settings.resource,
    node: settings.node,
    bootMs: now,
    settings,
    nodes: settings.voters.map((node) =>
      node === settings.node ? self(state, now) : peer(state, node, now),
    ),
    votersChanging: voter.sets.length > 1,
    maintenance: maintenanceOf(state),
    serviceFailed,
    unfit,
    gaveUpMs: gaveUpAt === null ? null : now - gaveUpAt,
    startFailed: startFailedOf(events, settings.resource),
    hooks: runsOf(events, settings.resource),
  };
}

function self(state: NodeState, now: Instant): DrillNode {
  return {
    ...{ node: state.settings.node, linked: true, fresh: true, heardMs: 0 },
    ...{ role: state.role, roleSet: state.roleSet, run: runState(state) },
    ...{ priority: state.settings.priority, able: isAble(state, now), holds: holding(state, now) },
    ...{ forced: state.worker?.report?.forced ?? false, history: state.voter.history },
  };
}

/** What a silent node said last still tells what it was; that it is silent is told beside it. */
function peer(state: NodeState, node: NodeName, now: Instant): DrillNode {
  const known = state.peers[node];
  const message = known?.message ?? null;
  const fresh = heardLately(state, node, now) !== null;
  return {
    ...{ node, linked: known?.linked ?? false, fresh },
    heardMs: message === null || known === undefined ? null : now - known.heardAt,
    ...{ role: message?.role ?? null, roleSet: message?.roleSet ?? null, run: message?.run ?? null },
    ...{ priority: message?.priority ?? 0, able: fresh && message?.able === true },
    ...{ holds: fresh && (message?.holdingEpoch ?? 0) > 0, forced: fresh && message?.forced === true },
    history: message?.memory.history ?? false,
  };
}
