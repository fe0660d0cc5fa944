/**
 * A main process that stood still for long judges its primary's worker only when it has read what that has said meanwhile: it may
 * have done its duty, and be in the middle of a stop that should not begin anew.
 */
import type { NodeName } from '../../../daemon/core/types.js';
import { type Checker, Violation } from '../trace.js';

/** `longMs`: a standstill that a main process must notice, in true time. */
export function readFirst(longMs: number): Checker {
  const pausedAt = new Map<NodeName, number>();
  const stoodMs = new Map<NodeName, number>();
  return {
    see(event, now) {
      if (event.kind === 'process' && event.process === 'main') {
        if (event.what.startsWith('is paused')) pausedAt.set(event.node, now);
        else if (event.what.startsWith('goes on'))
          stoodMs.set(event.node, now - (pausedAt.get(event.node) ?? now));
        else stoodMs.delete(event.node);
      } else if (event.kind === 'take-over' && event.unread > 0) {
        const ms = stoodMs.get(event.node) ?? 0;
        if (ms > longMs)
          throw new Violation(
            'read-first',
            `main on ${event.node}, which stood still for ${ms.toFixed(0)} ms, stopped in the place of its worker with ${event.unread} of its words unread`,
          );
      }
    },
  };
}
