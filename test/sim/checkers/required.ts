/** A node that does not see what the resource requires asks for no lease (P5), but for what an operator runs by force. */
import type { NodeName } from '../../../daemon/core/types.js';
import { type Checker, Violation } from '../trace.js';

export function required(): Checker {
  const unfit = new Set<NodeName>();
  return {
    see(event) {
      // A process that has just started knows nothing of its checks yet.
      if (event.kind === 'process' && event.process === 'main') unfit.delete(event.node);
      if (event.kind === 'fit') {
        if (event.fit) unfit.delete(event.node);
        else unfit.add(event.node);
      }
      if (event.kind === 'acquiring' && !event.forced && unfit.has(event.node))
        throw new Violation(
          'required',
          `${event.node} asks for the lease without what the resource requires`,
        );
    },
  };
}
