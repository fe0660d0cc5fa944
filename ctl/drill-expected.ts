/** How long the service would be away on both ways of a drill for real, by the rules and the measured hooks. Pure. */
import type { NodeName } from '../daemon/core/types.js';
import { Endless } from '../daemon/drill/agenda.js';
import { NoScene, play } from '../daemon/drill/play.js';
import { heldBy, type Scene } from '../daemon/drill/scene.js';
import type { Drilled } from './drill-facts.js';

/** Without the service on each way, as computed before; null where that could not be. */
export interface Expected {
  thereMs: number | null;
  backMs: number | null;
}

/**
 * `objection`: why the successor would not keep it until it is to come back, '' where it would. It is only looked for where the present state
 * could be computed.
 */
export function expectedOf(
  { problem, scene }: Drilled,
  successor: NodeName,
): { expected: Expected; objection: string } {
  const expected: Expected = { thereMs: null, backMs: null };
  if (problem !== '') return { expected, objection: '' };
  const still = withoutFailback(scene);
  try {
    expected.thereMs = away(still, successor);
    expected.backMs = away(heldBy(still, successor), scene.holder);
  } catch (error) {
    if (!(error instanceof NoScene || error instanceof Endless)) throw error;
    return { expected, objection: `it would not stay on ${successor} for the hold: ${error.message}` };
  }
  return { expected, objection: '' };
}

function away(scene: Scene, to: NodeName): number | null {
  const { awayMs, node } = play(scene, { kind: 'switchover', node: to }, 0);
  return node === to ? awayMs : null;
}

/** Whether it is too early for the hold is known from the settings; here it would move the resource before the drill does. */
function withoutFailback(scene: Scene): Scene {
  const nodes = scene.nodes.map((node) => ({
    ...node,
    settings: { ...node.settings, failbackMs: Number.POSITIVE_INFINITY },
  }));
  return { ...scene, nodes };
}
