/** What maintenance of a resource means for the parts around it. */
import type { Config } from '../config/types.js';
import { isKept } from '../core/view.js';
import type { ResourceRuntime } from './resource.js';

type Resources = ReadonlyMap<string, ResourceRuntime>;

/** The checks of resources in maintenance, each with its resource: nothing is told of them. */
export function checksLeftAlone(resources: Resources): Map<string, string> {
  const kept = [...resources.values()].filter((runtime) => isKept(runtime.state()));
  return new Map(kept.flatMap(({ config, name }) => config().checks.map((check) => [check, name] as const)));
}

/** The resource, where something may be done about it; undefined for one in maintenance, or none. */
export function actedUpon(resources: Resources, name: string): ResourceRuntime | undefined {
  const runtime = resources.get(name);
  return runtime === undefined || isKept(runtime.state()) ? undefined : runtime;
}

/** Why a configuration cannot be applied: it has no more what is in maintenance here, a sentence each. */
export function removedInMaintenance(resources: Resources, next: Config): string[] {
  const gone = [...resources.values()].filter(
    ({ name, state }) => state().kept !== null && !next.resources.some((resource) => resource.name === name),
  );
  return gone.map(
    ({ name }) =>
      `resource ${name} is in maintenance here and cannot be removed: hastmonctl maintenance off ${name} first`,
  );
}
