/** Which requests may come from elsewhere than the control socket: those that change nothing. Pure. */
import type { ControlRequest } from '../../proto/control-types.js';

/** Who asks: another node over a connection between nodes, or who looks on at this one. */
export type Asker = 'node' | 'viewer';

/**
 * Why the request is not answered there, as one phrase for people; '' where it may be asked. A list of what is allowed: what is not known
 * here is refused. A node is not answered what would make this one ask all others again, nor what has no end.
 */
export function whyNotAsked(request: ControlRequest, asker: Asker): string {
  switch (request.kind) {
    case 'about':
    case 'status':
    case 'checks':
    case 'check':
    case 'balancer-services':
    case 'balancer-hosts':
    case 'explain':
    case 'version':
      return '';
    case 'events':
      return request.follow ? 'events are not followed from elsewhere' : '';
    case 'drill':
      if (asker === 'viewer') return alone('drill');
      return request.depth === 'all' ? ALL_NODES : '';
    case 'cluster':
    case 'timeline':
      return asker === 'viewer' ? '' : ALL_NODES;
    default:
      return alone(request.kind);
  }
}

const ALL_NODES = 'who wants to know of all nodes asks all nodes';
const alone = (kind: string): string => `'${kind}' is for the control socket of the node alone`;

/** True where the request may be asked there. */
export function mayAsk(request: ControlRequest, asker: Asker): boolean {
  return whyNotAsked(request, asker) === '';
}
