/** All failures of a drill, each at several moments: what would follow, at worst. Pure. */
import type { DurationMs, NodeName } from '../core/types.js';
import { type Fault, faultsOf } from './faults.js';
import { type Outcome, play } from './play.js';
import type { Scene } from './scene.js';

export interface Cell {
  fault: Fault;
  /** Where it would run: one node; more where it depends on the moment; none for nowhere. */
  nodes: NodeName[];
  /** At some moment it would run nowhere; then why, by the nodes that could run it. */
  nowhere: boolean;
  why: Outcome['why'];
  /** At worst; null where it would run nowhere at some moment. */
  afterMs: DurationMs | null;
  awayMs: DurationMs | null;
  double: boolean;
  /** Who gets it later than is waited for, by `failback`, and after how long. */
  later: NonNullable<Outcome['later']>[];
  /** It leaves the resource without a node that runs it, or on two. */
  bad: boolean;
}

/** A heartbeat, a renewal and a complaint may have been a moment ago, or be just to come. */
const PHASES = [0, 0.25, 0.5, 0.75];
/** Two rows that differ less tell the same. */
const SAME_SHARE = 0.1;
const SAME_MS = 100;

/** The outcome of every single failure, nothing first; nothing alone where it would run nowhere even so. Throws NoScene or Endless. */
export function* cellsOf(scene: Scene): Generator<Cell> {
  const lost = new Map<NodeName, Cell>();
  for (const fault of faultsOf(scene)) {
    const phases = fault.kind === 'none' ? [0] : PHASES;
    const cell = worst(
      fault,
      phases.map((phase) => play(scene, fault, phase)),
    );
    if (fault.kind === 'power') lost.set(fault.node, cell);
    const like = fault.kind === 'kill' ? lost.get(fault.node) : undefined;
    if (like === undefined || !same(like, cell)) yield cell;
    if (fault.kind === 'none' && cell.nowhere) return;
  }
}

function worst(fault: Fault, outcomes: readonly Outcome[]): Cell {
  const lost = outcomes.find(({ node }) => node === '');
  const most = (name: 'afterMs' | 'awayMs'): DurationMs | null =>
    lost === undefined ? Math.max(...outcomes.map((outcome) => outcome[name] ?? 0)) : null;
  const double = outcomes.some((outcome) => outcome.double);
  return {
    fault,
    nodes: [...new Set(outcomes.map(({ node }) => node))].filter((node) => node !== ''),
    nowhere: lost !== undefined,
    why: lost?.why ?? [],
    ...{ afterMs: most('afterMs'), awayMs: most('awayMs'), double },
    later: outcomes.flatMap(({ later }) => (later === null ? [] : [later])),
    bad: lost !== undefined || double,
  };
}

function same(one: Cell, other: Cell): boolean {
  const near = (a: number | null, b: number | null): boolean =>
    a === null || b === null ? a === b : Math.abs(a - b) <= SAME_MS + SAME_SHARE * Math.max(a, b);
  return (
    one.nodes.join() === other.nodes.join() &&
    one.double === other.double &&
    near(one.afterMs, other.afterMs) &&
    near(one.awayMs, other.awayMs)
  );
}
