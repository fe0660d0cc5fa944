/**
 * Invariant 1: at most one node runs the service, in true time. Excluded: what an operator started by --force, and what
 * meets it.
 */
import type { NodeName } from '../../../daemon/core/types.js';
import { type Checker, Violation } from '../trace.js';

export function oneRunner(): Checker {
  const running = new Map<NodeName, { forced: boolean; epoch: number }>();
  return {
    see(event) {
      if (event.kind !== 'service') return;
      const { node, forced, epoch } = event;
      if (!event.running) {
        running.delete(node);
        return;
      }
      running.set(node, { forced, epoch });
      for (const [other, before] of running) {
        if (other === node || forced || before.forced) continue;
        throw new Violation(
          'one-runner',
          `the service runs on ${other} (epoch ${before.epoch}) and on ${node} (epoch ${epoch}) at once`,
        );
      }
    },
  };
}
