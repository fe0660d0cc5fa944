/** Who hears whom: a line between each two nodes, from what both say. Pure. */
import type { ClusterView, NodeReport } from '../../../../proto/cluster-types.js';
import type { Tone } from './tone.js';

export interface LinkModel {
  one: string;
  other: string;
  tone: Tone;
  /** connected, one way only, no connection, unknown. */
  word: string;
  /** What is to be known besides, '' for nothing. */
  detail: string;
}

/** Each pair of nodes that have to do with each other, in the order of the file. */
export function linksOf(view: ClusterView): LinkModel[] {
  return view.nodes.flatMap((one, index) =>
    view.nodes.slice(index + 1).flatMap((other) => {
      if (!areRelated(one, other)) return [];
      return [
        {
          one: one.node,
          other: other.node,
          ...stand(hears(one, other), hears(other, one), reason(one, other)),
        },
      ];
    }),
  );
}

/** Does `one` hear `other`, by its own word? null: it says nothing. */
function hears(one: NodeReport, other: NodeReport): boolean | null {
  const words = (one.said?.status ?? []).flatMap(({ voters }) =>
    voters.filter(({ node }) => node === other.node).map(({ reachable }) => reachable),
  );
  return words.length === 0 ? null : words.some(Boolean);
}

/** No line between nodes that no resource joins; where nobody says anything, there is one, and it is unknown. */
function areRelated(one: NodeReport, other: NodeReport): boolean {
  if (hears(one, other) !== null || hears(other, one) !== null) return true;
  const statesResources = (node: NodeReport): boolean => (node.said?.status ?? []).length > 0;
  return !statesResources(one) && !statesResources(other);
}

function reason(one: NodeReport, other: NodeReport): string {
  const said = (from: NodeReport, to: NodeReport): string[] =>
    (from.said?.status ?? []).flatMap(({ remotes }) =>
      remotes
        .filter((remote) => remote.node === to.node && !remote.connected && remote.reason !== '')
        .map((remote) => `${from.node} says: ${remote.reason}`),
    );
  return [...new Set([...said(one, other), ...said(other, one)])].slice(0, 2).join('; ');
}

function stand(
  there: boolean | null,
  back: boolean | null,
  why: string,
): Pick<LinkModel, 'tone' | 'word' | 'detail'> {
  if (there === null && back === null)
    return { tone: 'unknown', word: 'unknown', detail: 'neither of them is heard here' };
  if (there === null || back === null) {
    // The word of one side is half of a link: what it does not hear is cut, what it hears may be.
    if (there ?? back) return { tone: 'good', word: 'connected', detail: 'by the word of one of them' };
    return { tone: 'bad', word: 'no connection', detail: why };
  }
  if (there && back) return { tone: 'good', word: 'connected', detail: '' };
  return there || back
    ? { tone: 'warn', word: 'one way only', detail: why }
    : { tone: 'bad', word: 'no connection', detail: why };
}
