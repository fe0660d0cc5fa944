/** Where each resource runs, put together from all nodes. Pure; times are in milliseconds. */
import type { ClusterView, NodeReport } from '../../../../proto/cluster-types.js';
import type { StatusEntry } from '../../../../proto/control-types.js';
import type { LeaseModel } from './lease.js';
import type { Tone } from './tone.js';
import { list } from './words.js';

export interface ResourceModel {
  name: string;
  tone: Tone;
  /** `runs on nodeA`, `runs nowhere`, `RUNS ON TWO NODES: …`. */
  text: string;
  /** Nodes that say that they run it. */
  runsOn: string[];
  /** The greatest one that anybody knows, 0 for none. */
  epoch: number;
  /** `3 of 3 votes`, '' where nobody holds the lease. */
  votes: string;
  /** Of the holder, or what voters still keep for one that is not heard; null for none. */
  lease: LeaseModel | null;
  /** Where, why and at whose word it is left alone; '' where it is not. */
  maintenance: string;
  /** What a node waits for, warns of or failed with. */
  notes: { nodes: string[]; text: string }[];
  /** What the nodes do for it, those together that do the same. */
  roles: { tone: Tone; word: string; nodes: string[] }[];
}

/** What one node says of one resource. */
interface Word {
  report: NodeReport;
  entry: StatusEntry;
}

/** In the order in which the first node that knows them names them. `now`: when the view came. */
export function resourcesOf(view: ClusterView, now: number): ResourceModel[] {
  const names = new Set(
    view.nodes.flatMap(({ said }) => (said?.status ?? []).map(({ resource }) => resource)),
  );
  return [...names].map((name) => resourceOf(name, view, now));
}

function resourceOf(name: string, view: ClusterView, now: number): ResourceModel {
  const words = view.nodes.flatMap((report) =>
    (report.said?.status ?? [])
      .filter(({ resource }) => resource === name)
      .map((entry) => ({ report, entry })),
  );
  const voters = words[0]?.entry.voters.map(({ node }) => node) ?? [];
  const silent = view.nodes
    .filter(({ node, said }) => said === null && voters.includes(node))
    .map(({ node }) => node);
  const runsOn = words
    .filter(({ entry }) => entry.state === 'run' && entry.role === 'primary')
    .map(({ report }) => report.node);
  const double = view.double.find(({ resource }) => resource === name);
  const held = words.find(({ entry }) => entry.lease.held);
  return {
    ...{ name, runsOn: double?.nodes ?? runsOn },
    ...(double === undefined ? stand(words, runsOn, silent) : twice(double.nodes)),
    epoch: Math.max(0, ...words.map(({ entry }) => entry.lease.epoch)),
    votes: held === undefined ? '' : votesFor(held.report.node, words, voters.length),
    lease: held === undefined ? grantLeft(words, now) : heldLease(held, now),
    maintenance: maintenanceOf(words),
    notes: notesOf(words),
    roles: rolesOf(voters, words),
  };
}

function twice(nodes: readonly string[]): Pick<ResourceModel, 'tone' | 'text'> {
  return { tone: 'bad', text: `RUNS ON ${nodes.length === 2 ? 'TWO' : nodes.length} NODES: ${list(nodes)}` };
}

function stand(
  words: readonly Word[],
  runsOn: readonly string[],
  silent: readonly string[],
): Pick<ResourceModel, 'tone' | 'text'> {
  const [runner] = runsOn;
  const forced = words.find(({ entry }) => entry.forced);
  if (forced !== undefined)
    return { tone: 'bad', text: `runs on ${forced.report.node} by force, outside of the lease` };
  if (runner !== undefined) return { tone: 'good', text: `runs on ${runner}` };
  const inState = (state: StatusEntry['state']): string | undefined =>
    words.find(({ entry }) => entry.role === 'primary' && entry.state === state)?.report.node;
  const [starting, stopping, failed] = [inState('starting'), inState('stopping'), inState('failed')];
  if (starting !== undefined) return { tone: 'busy', text: `starting on ${starting}` };
  if (stopping !== undefined) return { tone: 'busy', text: `stopping on ${stopping}` };
  const lost = silent.find((node) =>
    words.some(({ entry }) => entry.holder === node || kept(entry) === node),
  );
  if (lost !== undefined)
    return { tone: 'unknown', text: `unknown: ${lost}, which held the lease, is not heard` };
  if (failed !== undefined) return { tone: 'bad', text: `failed on ${failed}` };
  const roles = words.map(({ entry }) => entry.role);
  if (silent.length === 0 && roles.every((role) => role === 'init'))
    return { tone: 'quiet', text: 'no role is set' };
  const beside =
    silent.length === 0
      ? ''
      : `, as far as is known: ${list(silent)} ${silent.length === 1 ? 'is' : 'are'} not heard`;
  return { tone: 'bad', text: `runs nowhere${beside}` };
}

/** Whom this voter still keeps its vote for, '' for nobody. */
function kept({ lease, voters }: StatusEntry): string {
  return lease.leftMs > 0 ? (voters.find(({ self }) => self)?.grantingTo ?? '') : '';
}

function votesFor(holder: string, words: readonly Word[], of: number): string {
  const own = words.flatMap(({ entry, report }) =>
    entry.voters.filter(({ grantingTo, node }) => node === report.node && grantingTo === holder),
  );
  return `${own.length} of ${of} votes`;
}

function heldLease({ entry, report }: Word, now: number): LeaseModel {
  const { leaseMs, leftMs } = entry.lease;
  return { kind: 'lease', leftMs, ofMs: Math.max(leaseMs, leftMs), saidAt: now - report.ageMs };
}

/** Nobody says that it holds the lease; how long do voters still keep it for somebody? */
function grantLeft(words: readonly Word[], now: number): LeaseModel | null {
  const kept = words.filter(({ entry }) => entry.lease.leftMs > 0);
  const longest = kept.sort((one, other) => other.entry.lease.leftMs - one.entry.lease.leftMs)[0];
  if (longest === undefined) return null;
  const { grantMs, leftMs } = longest.entry.lease;
  return { kind: 'grant', leftMs, ofMs: Math.max(grantMs, leftMs), saidAt: now - longest.report.ageMs };
}

function maintenanceOf(words: readonly Word[]): string {
  const found = words.find(({ entry }) => entry.maintenance !== null)?.entry.maintenance;
  if (found === undefined || found === null) return '';
  const why = found.reason === '' ? 'no reason was given' : found.reason;
  return `left alone on ${found.node}: ${why}${found.by === '' ? '' : `, by ${found.by}`}`;
}

/** Those that several nodes say alike are one; that a node waits for nothing is none. */
function notesOf(words: readonly Word[]): ResourceModel['notes'] {
  const notes = new Map<string, string[]>();
  for (const { entry, report } of words) {
    const waiting = entry.waiting.startsWith('nothing') ? '' : entry.waiting;
    const error = entry.lastError === '' ? '' : `last error: ${entry.lastError}`;
    for (const text of [waiting, ...entry.warnings, error])
      if (text !== '') notes.set(text, [...(notes.get(text) ?? []), report.node]);
  }
  return [...notes].map(([text, nodes]) => ({ text, nodes }));
}

function rolesOf(voters: readonly string[], words: readonly Word[]): ResourceModel['roles'] {
  const roles: ResourceModel['roles'] = [];
  for (const node of voters) {
    const role = roleOf(words.find(({ report }) => report.node === node)?.entry);
    const alike = roles.find(({ tone, word }) => tone === role.tone && word === role.word);
    if (alike === undefined) roles.push({ ...role, nodes: [node] });
    else alike.nodes.push(node);
  }
  const rank = ['primary', 'secondary', 'watchdog', 'no role', 'unknown'];
  const rankOf = (word: string): number => rank.findIndex((start) => word.startsWith(start));
  return roles.sort((one, other) => rankOf(one.word) - rankOf(other.word));
}

/** The state is said where it is not what the role makes one expect. */
function roleOf(entry: StatusEntry | undefined): { tone: Tone; word: string } {
  if (entry === undefined) return { tone: 'unknown', word: 'unknown' };
  const { forced, role, state } = entry;
  if (role === 'init') return { tone: 'quiet', word: 'no role' };
  const expected =
    role === 'primary' ? ['run'] : role === 'secondary' ? ['stopped', 'readytorun', 'unknown'] : [state];
  const word = expected.includes(state) ? role : `${role}, ${state}`;
  if (state === 'failed' || forced) return { tone: 'bad', word };
  if (role !== 'primary') return { tone: 'quiet', word };
  return { tone: state === 'run' ? 'good' : 'busy', word };
}
