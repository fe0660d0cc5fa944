/** What a drill starts from: a resource, its nodes and what they are at present, in the words of the drill. Pure. */
import type { DrillFacts } from '../../proto/drill-types.js';
import { grantMs } from '../core/lease.js';
import { leaseTerms, type Settings } from '../core/settings.js';
import { STOP_TERM_SHARE } from '../core/stop-plan.js';
import type { DurationMs, NodeName, Role } from '../core/types.js';
import type { HookTimes } from './world.js';

/** Where the length of a hook is from: measured on that node so many times, measured on other nodes, or never measured: what its limit allows. */
export type TimeSource = { kind: 'node' | 'others'; count: number } | { kind: 'limit' };

export interface SceneNode {
  name: NodeName;
  settings: Settings;
  /** It is there: it is asked itself, or was heard lately. */
  there: boolean;
  role: Role;
  roleSet: Role;
  /** Why it cannot take the resource over now although its role is secondary, '' where it can. */
  unfit: string;
  /** Since it gave the resource up, null where it has not. */
  gaveUpMs: DurationMs | null;
  /** Why the last attempt to run it there has failed; '' where it has not, or that is not known. */
  startFailed: string;
  /** Its voter has a record of the past; without one it grants nothing. */
  history: boolean;
  /** Its checks say that the service fails, '' where they do not. */
  failed: string;
  times: HookTimes;
  sources: { start: TimeSource; stop: TimeSource };
}

export interface Scene {
  resource: string;
  nodes: SceneNode[];
  /** Who holds the lease, '' for nobody. */
  holder: NodeName;
  /** Pairs of nodes that are both there and have no connection. */
  cuts: [NodeName, NodeName][];
  maintenance: { node: NodeName; reason: string; by: string } | null;
}

/** status is not measured; it is taken to need this long, or half of its limit where that is less. */
const STATUS_MS = 50;
/** A hook that takes all that its limit allows ends just before it is told to. */
const JUST_BEFORE = 0.98;
const START_TERM_SHARE = 0.9;

/** The scene of one resource. `facts`: of the node that is asked, then of those others that have answered. */
export function sceneOf(asked: DrillFacts, others: readonly DrillFacts[]): Scene {
  const words = [asked, ...others];
  const names = asked.nodes.map(({ node }) => node);
  const nodes = names.map((name) => sceneNode(asked, name, words));
  return {
    ...{ resource: asked.resource, nodes },
    holder: asked.nodes.find(({ holds }) => holds)?.node ?? '',
    cuts: cutsOf(nodes, words),
    maintenance: words.find(({ maintenance }) => maintenance !== null)?.maintenance ?? null,
  };
}

/** Pairs of which one says that there is no connection. Where neither has been asked, there is taken to be one. */
function cutsOf(nodes: readonly SceneNode[], words: readonly DrillFacts[]): Scene['cuts'] {
  const there = nodes.filter((node) => node.there).map(({ name }) => name);
  const says = (one: NodeName, other: NodeName): boolean =>
    words.some(
      (word) => word.node === one && word.nodes.some(({ linked, node }) => node === other && !linked),
    );
  return there.flatMap((one, index) =>
    there
      .slice(index + 1)
      .filter((other) => says(one, other) || says(other, one))
      .map((other): [NodeName, NodeName] => [one, other]),
  );
}

/** By its own word where there is one, else by its heartbeats. */
function sceneNode(asked: DrillFacts, name: NodeName, words: readonly DrillFacts[]): SceneNode {
  const own = words.find(({ node }) => node === name);
  const heard = asked.nodes.find(({ node }) => node === name);
  const said = own?.nodes.find(({ node }) => node === name) ?? heard;
  const settings = own?.settings ?? { ...asked.settings, node: name, priority: said?.priority ?? 0 };
  const role = said?.role ?? 'init';
  const cannot = role === 'secondary' && said?.able !== true ? 'it says that it cannot take over now' : '';
  const there = own !== undefined || heard?.fresh === true;
  const start = timeOf('start', name, words, settings.startTimeoutMs * START_TERM_SHARE);
  const stop = timeOf('stop', name, words, settings.stopTimeoutMs * STOP_TERM_SHARE);
  return {
    ...{ name, settings, there },
    ...{ role, roleSet: said?.roleSet ?? role },
    unfit: own === undefined ? cannot : own.unfit,
    gaveUpMs: own?.gaveUpMs ?? null,
    startFailed: own?.startFailed ?? '',
    // Of one that is lost nobody has to know: it grants nothing anyway.
    history: !there || said?.history === true,
    failed: said?.holds === true ? (own?.serviceFailed ?? '') : '',
    times: {
      ...{ start: start.ms, stop: stop.ms, status: Math.min(STATUS_MS, settings.statusTimeoutMs / 2) },
      fence: settings.fenceTimeoutMs * START_TERM_SHARE * JUST_BEFORE,
    },
    sources: { start: start.source, stop: stop.source },
  };
}

/** The longest of the runs on this node; where there was none, on any node; else what the limit allows. */
function timeOf(
  action: string,
  name: NodeName,
  words: readonly DrillFacts[],
  limitMs: DurationMs,
): { ms: DurationMs; source: TimeSource } {
  const most = limitMs * JUST_BEFORE;
  const runs = (some: readonly DrillFacts[]): DurationMs[] =>
    some.flatMap(({ hooks }) => hooks.filter((hook) => hook.action === action).map(({ ms }) => ms));
  const own = runs(words.filter(({ node }) => node === name));
  const measured = own.length > 0 ? own : runs(words);
  if (measured.length === 0) return { ms: most, source: { kind: 'limit' } };
  const kind = own.length > 0 ? 'node' : 'others';
  // The limit may have been made shorter since.
  return { ms: Math.min(Math.max(...measured), most), source: { kind, count: measured.length } };
}

/** The same where this node has the lease, and who had it before has the role that this one had. */
export function heldBy(scene: Scene, holder: NodeName): Scene {
  const before = scene.nodes.find(({ name }) => name === holder)?.role ?? 'secondary';
  const nodes = scene.nodes.map((node) => {
    if (node.name === holder) return { ...node, role: 'primary' as const };
    return node.name === scene.holder ? { ...node, role: before, roleSet: before } : node;
  });
  return { ...scene, holder, nodes };
}

/** Where nothing has changed for so long, no hook starts or stops anything, and no `failback` is waited for, nothing more will. */
export function calmAfterMs({ nodes }: Scene): DurationMs {
  const times = nodes.map(({ gaveUpMs, settings }) => {
    const { complaintCount, complaintIntervalMs, heartbeatMs, judgeAfterMs, leaseMs } = settings;
    const noticed = leaseMs + Math.min((complaintCount + 5) * heartbeatMs, 2 * complaintIntervalMs);
    const rested = gaveUpMs === null ? 0 : complaintIntervalMs;
    return noticed + rested + grantMs(leaseTerms(settings)) + 4 * (leaseMs + heartbeatMs) + judgeAfterMs;
  });
  return Math.max(...times);
}
