/** Puts on record what happens to a resource. */
import type { RecordEvent } from '../../proto/event-types.js';
import type { NodeState } from '../core/node-types.js';
import { observe } from '../core/observe.js';
import { eventOfHook, eventOfObservation, type HookEnd } from './words.js';

export interface ResourceRecorder {
  /** The core has been stepped. */
  stepped(before: NodeState, after: NodeState): void;
  /** A hook has ended, in whatever process. */
  hook(end: HookEnd): void;
}

export function recordResource(resource: string, record: RecordEvent): ResourceRecorder {
  return {
    stepped(before, after) {
      for (const seen of observe(before, after, after.steppedAt)) record(eventOfObservation(resource, seen));
    },
    hook(end) {
      const event = eventOfHook(resource, end);
      if (event !== null) record(event);
    },
  };
}
