/** What the main process gathers of all nodes. */
import type { ClusterAnswer, ClusterView } from '../../proto/cluster-types.js';
import type { ControlError, ControlRequest } from '../../proto/control-types.js';
import type { Timeline } from '../../proto/timeline-types.js';
import type { Answered, Asker, AskOptions } from './asker.js';

export type Gathered<T> = { found: T } | { refused: ControlError } | Exclude<Answered, { kind: 'answer' }>;

/** The view of all nodes. */
export function askCluster(asker: Asker, options?: AskOptions): Promise<Gathered<ClusterView>> {
  return gathered(asker, { kind: 'cluster' }, options, (answer) => {
    if (answer.kind !== 'cluster') return null;
    const { kind, ...view } = answer;
    return view;
  });
}

/** The last failovers of a resource, as all nodes tell them. */
export function askTimeline(asker: Asker, resource: string, last: number): Promise<Gathered<Timeline>> {
  return gathered(asker, { kind: 'timeline', resource, last }, undefined, (answer) => {
    if (answer.kind !== 'timeline') return null;
    const { kind, ...timeline } = answer;
    return timeline;
  });
}

async function gathered<T>(
  asker: Asker,
  request: ControlRequest,
  options: AskOptions | undefined,
  read: (answer: ClusterAnswer) => T | null,
): Promise<Gathered<T>> {
  const answered = await asker.ask(request, options);
  if (answered.kind !== 'answer') return answered;
  const { cluster = null, error = null } = answered.reply;
  if (error !== null) return { refused: error };
  const found = cluster === null ? null : read(cluster);
  return found === null ? { refused: OTHER } : { found };
}

const EX_SOFTWARE = 70;
const OTHER: ControlError = { code: EX_SOFTWARE, message: 'hastmond answers something else than was asked' };
