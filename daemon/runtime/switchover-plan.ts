/** Answers `hastmonctl switchover --dry-run`: what the core would do, with the times that were measured here. Changes nothing. */
import type { ControlReply, ControlRequest } from '../../proto/control-types.js';
import type { HaEvent } from '../../proto/event-types.js';
import type { NodeState } from '../core/node-types.js';
import { type Measured, planSwitchover } from '../core/plan.js';
import type { Instant } from '../core/types.js';
import type { Journal } from '../events/journal.js';

export type PlanRequest = Extract<ControlRequest, { kind: 'switchover-plan' }>;

export interface PlanOptions {
  resources: ReadonlyMap<string, { state(): NodeState }>;
  journal: Pick<Journal, 'read'>;
  now: () => Instant;
}

const EX_TEMPFAIL = 75;
/** Hooks that are looked at: enough to find a start and a stop among failed ones. */
const HOOKS_MAX = 200;

/** `null` where there is no such resource. */
export function createPlanHandler(
  options: PlanOptions,
): (request: PlanRequest) => Promise<Partial<ControlReply> | null> {
  return async ({ resource, to }) => {
    const runtime = options.resources.get(resource);
    if (runtime === undefined) return null;
    const ended = await options.journal.read(
      (event) => event.kind === 'hook' && event.resource === resource,
      HOOKS_MAX,
    );
    const plan = planSwitchover(runtime.state(), to, measured(ended), options.now());
    const error = plan.refusal === '' ? null : { code: EX_TEMPFAIL, message: plan.refusal };
    return { explanations: [plan.explanation], text: plan.steps.join('\n'), error };
  };
}

/** What the last start and the last stop took that ended well. */
function measured(events: readonly HaEvent[]): Measured {
  const last = (action: string): number | null => {
    const found = events.findLast(
      (event) => event.kind === 'hook' && event.data.action === action && event.data.ok,
    );
    return typeof found?.data.ms === 'number' ? found.data.ms : null;
  };
  return { startMs: last('start'), stopMs: last('stop') };
}
