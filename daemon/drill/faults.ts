/** The single failures that a drill tries. Pure. */
import type { NodeName } from '../core/types.js';
import type { Scene } from './scene.js';

export type Fault =
  | { kind: 'none' }
  /** The machine loses its power. */
  | { kind: 'power'; node: NodeName }
  /** hastmond alone is killed, and not started again. */
  | { kind: 'kill'; node: NodeName }
  | { kind: 'cut'; nodes: [NodeName, NodeName] }
  /** No connection with any other node is left. */
  | { kind: 'isolate'; node: NodeName }
  /** No failure: an operator has it handed over to this node. */
  | { kind: 'switchover'; node: NodeName };

/** Nothing first; then what can befall those that are there. */
export function faultsOf({ cuts, nodes }: Scene): Fault[] {
  const there = nodes.filter(({ there }) => there).map(({ name }) => name);
  const isCut = (one: NodeName, other: NodeName): boolean =>
    cuts.some((pair) => pair.includes(one) && pair.includes(other));
  const links = there.flatMap((one, index) =>
    there
      .slice(index + 1)
      .filter((other) => !isCut(one, other))
      .map((other): [NodeName, NodeName] => [one, other]),
  );
  const linked = (node: NodeName): number => links.filter((pair) => pair.includes(node)).length;
  return [
    { kind: 'none' },
    ...there.map((node) => ({ kind: 'power', node }) as const),
    ...there.map((node) => ({ kind: 'kill', node }) as const),
    ...links.map((pair) => ({ kind: 'cut', nodes: pair }) as const),
    // Of a node with one connection, that one cut is the same.
    ...there.filter((node) => linked(node) > 1).map((node) => ({ kind: 'isolate', node }) as const),
  ];
}
