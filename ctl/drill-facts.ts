/** What a drill is computed from: asks hastmond for the present state and the measured hooks, and computes. Shared by both kinds of drill. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NodeName } from '../daemon/core/types.js';
import { Endless } from '../daemon/drill/agenda.js';
import { type Cell, cellsOf } from '../daemon/drill/matrix.js';
import { NoScene } from '../daemon/drill/play.js';
import { type Scene, sceneOf } from '../daemon/drill/scene.js';
import { exitCode } from '../daemon/process/sysexits.js';
import type { ControlReply, Selection } from '../proto/control-types.js';
import type { DrillAnswer, DrillFacts, DrillNode } from '../proto/drill-types.js';
import type { HaEvent } from '../proto/event-types.js';
import { ANSWER_MS, succeeded } from './answer.js';
import { CtlError } from './error.js';
import type { Session } from './run.js';
import { duration } from './words.js';

const EVENTS_MS = 30_000;
/** The nodes look into their journals. */
const GATHER_MS = 30_000;
/** So long one resource may be computed; a usual one takes less than a second. */
export const COMPUTE_MAX_MS = 60_000;

/** A resource as the nodes know it. */
export interface Known {
  /** By the node that is asked. */
  asked: DrillFacts;
  /** By each other node that has answered. */
  others: DrillFacts[];
  /** Those that have not. */
  missing: DrillAnswer['missing'];
}

/** What a drill found of one resource. */
export interface Drilled {
  known: Known;
  scene: Scene;
  /** Nothing first. Empty where nothing could be computed; then `problem` says why. */
  cells: Cell[];
  problem: string;
}

/** All that is known of each of these resources, by all nodes that answer. */
export async function gathered({ ask }: Session, resources: Selection): Promise<Known[]> {
  const { facts, missing } = drillOf(await ask({ kind: 'drill', resources, depth: 'all' }, GATHER_MS));
  const [first] = facts;
  return facts
    .filter(({ node }) => node === first?.node)
    .map((asked) => ({
      asked,
      others: facts.filter(({ node, resource }) => node !== asked.node && resource === asked.resource),
      missing: missing.filter(({ node }) => asked.settings.voters.includes(node)),
    }));
}

/** The present state of one resource, as this node alone knows it. */
export async function present({ ask }: Session, resource: string): Promise<DrillFacts> {
  const [facts] = drillOf(
    await ask({ kind: 'drill', resources: [resource], depth: 'state' }, ANSWER_MS),
  ).facts;
  if (facts === undefined) throw new CtlError(exitCode.protocol, `hastmond says nothing of ${resource}`);
  return facts;
}

function drillOf(reply: ControlReply): DrillAnswer {
  const { cluster } = succeeded(reply);
  if (cluster?.kind === 'drill') return cluster;
  throw new CtlError(exitCode.protocol, 'hastmond has not said what a drill starts from');
}

/** The events of this node about one resource, of the last so many milliseconds. */
export async function eventsOf({ ask }: Session, name: string, sinceMs: number): Promise<HaEvent[]> {
  const events: HaEvent[] = [];
  const request = { kind: 'events', names: [name], sinceMs, last: null, follow: false } as const;
  succeeded(await ask(request, EVENTS_MS, (some) => void events.push(...some)));
  return events;
}

/**
 * Computes what would follow from each failure. It takes up to a second or so of this process; what takes longer than COMPUTE_MAX_MS by
 * the clock `now`, in milliseconds, is given up.
 */
export function compute(known: Known, now: () => number = () => performance.now()): Drilled {
  const steps = computing(known, now);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The same, in turns between which a signal is heard and `progress` is told how far it is; '' at its end. */
export async function computed(known: Known, progress: (line: string) => void): Promise<Drilled> {
  const steps = computing(known, () => performance.now());
  for (;;) {
    const step = steps.next();
    if (step.done) {
      progress('');
      return step.value;
    }
    progress(`${known.asked.resource}: computing what would follow from failures, ${step.value} done`);
    await nextTurn();
  }
}

/** Yields how many failures are done with. */
function* computing(known: Known, now: () => number): Generator<number, Drilled> {
  const scene = sceneOf(known.asked, known.others);
  const outside = outsideRules(known);
  if (outside !== '') return { known, scene, cells: [], problem: outside };
  try {
    const cells: Cell[] = [];
    const end = now() + COMPUTE_MAX_MS;
    for (const cell of cellsOf(scene)) {
      cells.push(cell);
      if (now() > end)
        return { known, scene, cells: [], problem: `it takes more than ${duration(COMPUTE_MAX_MS)}` };
      yield cells.length;
    }
    return { known, scene, cells, problem: '' };
  } catch (error) {
    if (!(error instanceof NoScene || error instanceof Endless)) throw error;
    return { known, scene, cells: [], problem: error.message };
  }
}

/** Why the rules do not tell what would happen, '' where they do. */
function outsideRules({ asked, others }: Known): string {
  const words = [asked, ...others];
  const which = (is: (node: DrillNode) => boolean): NodeName[] => [
    ...new Set(words.flatMap(({ nodes }) => nodes.filter(is).map(({ node }) => node))),
  ];
  const forced = which((node) => node.forced);
  if (forced.length > 0) return `it runs on ${forced.join(' and ')} by force, outside the rules`;
  const holders = which(({ holds }) => holds);
  return holders.length < 2
    ? ''
    : `it is changing hands, between ${holders.join(' and ')}: ask again in a moment`;
}
