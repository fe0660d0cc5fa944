/**
 * Runs one fault several times in a scene of the tests and takes what the trial has measured into a row. A scene that did
 * not come to rest is made anew. It does not know what the faults are for.
 */
import { createNamespaces, namespacesProblem } from '../test/system/netns.js';
import { createProxies } from '../test/system/proxy.js';
import { createScene, type Scene, type SceneKind } from '../test/system/scene.js';
import { type Fault, tryFault, type Verdict } from '../test/system/trial.js';
import { addOverlap, type Row } from './row.js';
import type { Stage } from './stage.js';

/** So late, a value is a failure and not a figure. */
export const LATE_MS = 15_000;

export interface SceneHolder {
  /** The scene at rest; made where there is none. */
  scene(): Promise<Scene>;
  /**
   * Tries the fault `runs` times; each trial's time from the blow to the first beat of the new service becomes a value of the
   * row, unless `take` does something else with the verdict.
   */
  runs(row: Row, fault: Fault, runs: number, take?: (verdict: Verdict, scene: Scene) => void): Promise<void>;
  close(): Promise<void>;
}

/** What joins the nodes of a scene here, for the head of the table. */
export function networkWords(): string {
  const problem = namespacesProblem();
  return problem === '' ? 'network namespaces' : `loopback and proxies (${problem})`;
}

/** The network of all clusters here. */
export const createNetwork = namespacesProblem() === '' ? createNamespaces : createProxies;

/** Makes nothing yet. `prepare` is done to every scene that is made. */
export function holdScene(
  stage: Stage,
  kind: SceneKind,
  prepare: (scene: Scene) => void = () => {},
): SceneHolder {
  let current: Scene | null = null;

  async function scene(): Promise<Scene> {
    if (current === null) {
      current = await stage.hold(createScene(kind, namespacesProblem() === ''));
      prepare(current);
    }
    return current;
  }

  async function close(): Promise<void> {
    const closing = current;
    current = null;
    if (closing !== null) await stage.release(closing);
  }

  return {
    scene,
    close,
    async runs(row, fault, runs, take = ({ backMs }) => void (backMs !== null && row.values.push(backMs))) {
      for (let run = 0; run < runs; run += 1) {
        const place = await scene();
        const verdict = await tryFault(place, fault);
        addOverlap(row, verdict.overlapMs);
        take(verdict, place);
        if (verdict.problem === '') continue;
        row.problems.push(verdict.problem);
        await close();
      }
    },
  };
}
