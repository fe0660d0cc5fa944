/** Puts the replies to one request together: a long answer comes in pieces. It knows no socket. */

import { joinBalancerAnswers } from './balancer-codec.js';
import type { BalancerAnswer } from './balancer-types.js';
import { joinClusterAnswers } from './cluster-codec.js';
import type { ClusterAnswer } from './cluster-types.js';
import type { ControlReply } from './control-types.js';

export interface ReplyJoiner {
  /** The final reply with all that came before it, or null while it is not there. */
  take(reply: ControlReply): ControlReply | null;
}

/** `onPart` gets the replies with a line of progress or with events, which are not joined. */
export function createReplyJoiner(onPart: (reply: ControlReply) => void): ReplyJoiner {
  const status: ControlReply['status'] = [];
  const explanations: ControlReply['explanations'] = [];
  const balancer: BalancerAnswer[] = [];
  const cluster: ClusterAnswer[] = [];
  let text = '';
  return {
    take(reply) {
      status.push(...reply.status);
      text += reply.text;
      explanations.push(...reply.explanations);
      if (reply.balancer !== null) balancer.push(reply.balancer);
      if (reply.cluster !== null) cluster.push(reply.cluster);
      if (reply.final)
        return {
          ...{ ...reply, status, text, explanations },
          ...{ balancer: joinBalancerAnswers(balancer), cluster: joinClusterAnswers(cluster) },
        };
      if (reply.progress !== '' || reply.events.length > 0) onPart(reply);
      return null;
    },
  };
}
