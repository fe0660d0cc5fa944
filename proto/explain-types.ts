/** What hastmonctl asks to have explained, and what hastmond explains. The wire form is control.proto. */
import type { Explanation } from '../daemon/core/conditions.js';

export type { Condition, Explanation } from '../daemon/core/conditions.js';

/** `name`: a resource, a check, a block of checks for several hosts, a host of the balancer, or HOST/SERVICE; all that it means is explained. */
export interface ExplainRequest {
  kind: 'explain';
  name: string;
}

/** What the balancer process answers. */
export interface ExplainedServers {
  explanations: readonly Explanation[];
  /** The hosts that there are. */
  hosts: readonly string[];
}
