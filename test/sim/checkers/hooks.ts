/** Never two of `start` and `stop` of a resource at once on a node. */
import type { NodeName } from '../../../daemon/core/types.js';
import { type Checker, Violation } from '../trace.js';

export function hooks(): Checker {
  const under = new Map<NodeName, string>();
  return {
    see(event) {
      if (event.kind === 'machine' && !event.up) under.delete(event.node);
      if (event.kind !== 'hook-begin' && event.kind !== 'hook-end') return;
      const { node, action } = event;
      if (action !== 'start' && action !== 'stop') return;
      if (event.kind === 'hook-end') {
        under.delete(node);
        return;
      }
      const other = under.get(node);
      if (other !== undefined)
        throw new Violation('hooks', `${node} runs ${action} while its ${other} still runs`);
      under.set(node, action);
    },
  };
}
