/** The cluster as the page shows it, from what the nodes say of themselves. Pure; times are in milliseconds. */
import type { ClusterView, NodeReport } from '../../../../proto/cluster-types.js';
import type { StatusEntry } from '../../../../proto/control-types.js';
import type { LeaseModel } from './lease.js';
import { type LinkModel, linksOf } from './links.js';
import { type ResourceModel, resourcesOf } from './resources.js';
import type { Tone } from './tone.js';
import { age, count, list } from './words.js';

export interface ClusterModel {
  /** The node whose page this is. */
  self: string;
  nodes: NodeModel[];
  links: LinkModel[];
  resources: ResourceModel[];
}

export interface NodeModel {
  name: string;
  self: boolean;
  tone: Tone;
  /** One word: running, standing by, watching, idle, unknown. */
  word: string;
  /** A short line below: since when it is unknown and why, or its version. */
  detail: string;
  /** What it runs, with the lease of each; at most RUNS_SHOWN, and how many more. */
  runs: { resource: string; tone: Tone; word: string; lease: LeaseModel | null }[];
  moreRuns: number;
  /** What else it does, in words: `secondary of db`. */
  duties: string[];
}

const RUNS_SHOWN = 3;

/** `now`: when the view came, by the reader's monotonic clock. */
export function clusterOf(view: ClusterView, now: number): ClusterModel {
  return {
    self: view.node,
    nodes: view.nodes.map((report) => nodeOf(report, view, now)),
    links: linksOf(view),
    resources: resourcesOf(view, now),
  };
}

/** The same cluster, of which nothing is known any more: names alone are left. */
export function forgotten(model: ClusterModel): ClusterModel {
  const nothing = { tone: 'unknown', word: 'unknown', detail: '' } as const;
  return {
    self: model.self,
    nodes: model.nodes.map(({ name, self }) => ({
      name,
      self,
      ...nothing,
      runs: [],
      moreRuns: 0,
      duties: [],
    })),
    links: model.links.map(({ one, other }) => ({ one, other, ...nothing })),
    resources: model.resources.map(({ name, roles }) => {
      const voters = new Set(roles.flatMap(({ nodes }) => nodes));
      const nodes = model.nodes.map((node) => node.name).filter((node) => voters.has(node));
      return {
        ...{ name, tone: 'unknown', text: 'unknown', runsOn: [], epoch: 0, votes: '', lease: null },
        ...{ maintenance: '', notes: [], roles: [{ tone: 'unknown', word: 'unknown', nodes }] },
      };
    }),
  };
}

function nodeOf(report: NodeReport, view: ClusterView, now: number): NodeModel {
  const { node: name, said, self } = report;
  if (said === null) return { name, self, ...unknownNode(report), runs: [], moreRuns: 0, duties: [] };
  const primaries = said.status.filter(({ role }) => role === 'primary');
  const runs = primaries.slice(0, RUNS_SHOWN).map((entry) => ({
    resource: entry.resource,
    ...primaryWord(entry, view),
    lease: leaseHeld(entry, now - report.ageMs),
  }));
  const tones = primaries.map((entry) => primaryWord(entry, view).tone);
  return {
    ...{ name, self, runs, moreRuns: primaries.length - runs.length },
    ...stand(said.status, tones),
    detail: `hastmon ${said.version}, up ${age(said.uptimeMs)}`,
    duties: dutiesOf(said.status),
  };
}

function unknownNode({ heardMs, note }: NodeReport): Pick<NodeModel, 'tone' | 'word' | 'detail'> {
  const since = heardMs === null ? 'never heard' : `last heard ${age(heardMs)} ago`;
  return { tone: 'unknown', word: 'unknown', detail: note === '' ? since : `${since}: ${note}` };
}

function stand(status: readonly StatusEntry[], primaries: readonly Tone[]): Pick<NodeModel, 'tone' | 'word'> {
  const has = (role: StatusEntry['role']): boolean => status.some((entry) => entry.role === role);
  if (primaries.includes('bad')) return { tone: 'bad', word: 'primary, in trouble' };
  if (primaries.includes('busy')) return { tone: 'busy', word: 'primary' };
  if (primaries.length > 0) return { tone: 'good', word: 'primary' };
  if (has('secondary')) return { tone: 'quiet', word: 'standing by' };
  if (has('watchdog')) return { tone: 'quiet', word: 'watching' };
  return { tone: 'quiet', word: status.length === 0 ? 'no resources' : 'no role' };
}

/** What a primary does with its resource. */
function primaryWord(entry: StatusEntry, { double }: ClusterView): { tone: Tone; word: string } {
  if (double.some(({ resource }) => resource === entry.resource))
    return { tone: 'bad', word: 'also elsewhere' };
  if (entry.forced) return { tone: 'bad', word: 'by force' };
  if (entry.maintenance !== null) return { tone: 'busy', word: 'in maintenance' };
  if (entry.state === 'run') return { tone: 'good', word: 'running' };
  if (entry.state === 'failed') return { tone: 'bad', word: 'failed' };
  return { tone: 'busy', word: entry.state === 'readytorun' ? 'waiting' : entry.state };
}

function leaseHeld({ lease }: StatusEntry, saidAt: number): LeaseModel | null {
  if (!lease.held || lease.leaseMs <= 0) return null;
  return { kind: 'lease', leftMs: lease.leftMs, ofMs: lease.leaseMs, saidAt };
}

function dutiesOf(status: readonly StatusEntry[]): string[] {
  return (['secondary', 'watchdog', 'init'] as const).flatMap((role) => {
    const names = status.filter((entry) => entry.role === role).map(({ resource }) => resource);
    if (names.length === 0) return [];
    const what = names.length > 2 ? count(names.length, 'resource') : list(names);
    return [`${role === 'init' ? 'no role in' : `${role} of`} ${what}`];
  });
}
