/** Gathers what all nodes say of themselves, as one of them sees it: all at once, within a time limit, each word with its age. */
import type { ClusterView, NodeReport, NodeSaid } from '../../proto/cluster-types.js';
import type { ControlReply, ControlRequest } from '../../proto/control-types.js';
import type { DurationMs, Instant, NodeName } from '../core/types.js';
import { messageOf } from '../sys/errors.js';
import { claimedTwice, doubleRuns } from './double.js';

export interface GatherOptions {
  node: NodeName;
  /** Every node that the configuration names, in the order of the file; this one among them. */
  nodes: () => readonly NodeName[];
  /** How long that node may take to answer. */
  limitMs: (node: NodeName) => DurationMs;
  /** What this node says of itself. */
  own: () => Promise<NodeSaid>;
  ask: (node: NodeName, request: ControlRequest, limitMs: DurationMs) => Promise<ControlReply>;
  /** When something last came from that node; null: never. */
  heardAt: (node: NodeName) => Instant | null;
  /** Why it is not connected; '' where it is. */
  whyGone: (node: NodeName) => string;
  clock: () => Instant;
  /** Milliseconds since 1970. */
  wall: () => number;
}

/** One node's word, and when it was asked for: it is no older. */
interface Word {
  node: NodeName;
  askedAt: Instant;
  said: NodeSaid | null;
  note: string;
}

/** Gives the view; who asks while it is being gathered gets that one as well. */
export function createGathering(options: GatherOptions): () => Promise<ClusterView> {
  let under: Promise<ClusterView> | null = null;
  return () => {
    under ??= gather(options).finally(() => {
      under = null;
    });
    return under;
  };
}

async function gather(options: GatherOptions): Promise<ClusterView> {
  const first = await wordsOf(options, options.nodes());
  const claims = claimedTwice(reportsOf(options, first));
  if (claims.length === 0) return view(options, first, []);
  // Each once more: see doubleRuns.
  const claimants = new Set(claims.flatMap(({ nodes }) => nodes));
  const again = await wordsOf(
    options,
    options.nodes().filter((node) => claimants.has(node)),
  );
  const second = first.map((word) => again.find(({ node }) => node === word.node) ?? word);
  return view(options, second, doubleRuns(reportsOf(options, first), reportsOf(options, second)));
}

/** In the order in which the nodes are given. The own word is taken when the others are there: it would grow old while they are waited for. */
async function wordsOf(options: GatherOptions, nodes: readonly NodeName[]): Promise<Word[]> {
  const others = await Promise.all(
    nodes.filter((node) => node !== options.node).map((node) => wordOf(options, node)),
  );
  const own = nodes.includes(options.node) ? [await wordOf(options, options.node)] : [];
  return nodes.flatMap((node) => [...own, ...others].find((word) => word.node === node) ?? []);
}

function view(options: GatherOptions, words: readonly Word[], double: ClusterView['double']): ClusterView {
  return { node: options.node, at: options.wall(), nodes: reportsOf(options, words), double };
}

async function wordOf(options: GatherOptions, node: NodeName): Promise<Word> {
  const askedAt = options.clock();
  try {
    if (node === options.node) return { node, askedAt, said: await options.own(), note: '' };
    const gone = goneWords(options, node);
    if (gone !== '') return { node, askedAt, said: null, note: gone };
    const reply = await options.ask(node, { kind: 'about' }, options.limitMs(node));
    const said = saidOf(reply);
    return { node, askedAt, said, note: said === null ? (reply.error?.message ?? 'its answer is none') : '' };
  } catch (error) {
    // Its connection may have ended while it was asked.
    return { node, askedAt, said: null, note: goneWords(options, node) || messageOf(error) };
  }
}

function goneWords({ heardAt, whyGone }: GatherOptions, node: NodeName): string {
  const why = whyGone(node);
  if (why === '') return '';
  return heardAt(node) === null ? 'never heard since this daemon began' : `link lost: ${why}`;
}

function saidOf({ cluster, error, status }: ControlReply): NodeSaid | null {
  if (error !== null || cluster?.kind !== 'about') return null;
  const { balancer, checks, uptimeMs, version } = cluster;
  return { version, uptimeMs, status, checks, balancer };
}

function reportsOf({ clock, heardAt, node: self }: GatherOptions, words: readonly Word[]): NodeReport[] {
  const now = clock();
  return words.map(({ askedAt, node, note, said }) => {
    const heard = node === self ? now : heardAt(node);
    return {
      ...{ node, self: node === self, note, said },
      heardMs: heard === null ? null : Math.max(0, now - heard),
      ageMs: Math.max(0, now - askedAt),
    };
  });
}
