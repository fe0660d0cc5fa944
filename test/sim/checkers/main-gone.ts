/**
 * A worker whose main process is gone stops the resource: within the time to stop, whoever else is well or not. Looked at where
 * the worker itself is left alone and a stop works. Not in maintenance.
 */
import type { NodeName } from '../../../daemon/core/types.js';
import { type Checker, Violation } from '../trace.js';

/** `limitMs`: stop_timeout in true time; `slackMs`: timers and channels. */
export function mainGone(limitMs: number, slackMs: number): Checker {
  const lostAt = new Map<NodeName, number>();
  const maintained = new Set<NodeName>();
  return {
    see(event, now) {
      if (event.kind === 'counts-on-marks') {
        if (event.on) maintained.add(event.node);
        else maintained.delete(event.node);
      } else if (event.kind === 'process' && event.process === 'main') {
        if (event.what === 'is killed') lostAt.set(event.node, now);
        else lostAt.delete(event.node);
      } else if (event.kind === 'process' && event.what !== 'ends') {
        lostAt.delete(event.node);
      } else if (event.kind === 'service' && !event.running) {
        const at = lostAt.get(event.node) ?? now;
        if (now > at + limitMs + slackMs && !maintained.has(event.node))
          throw new Violation(
            'main-gone',
            `the service on ${event.node} ran on for ${(now - at).toFixed(0)} ms without main`,
          );
      }
    },
  };
}
