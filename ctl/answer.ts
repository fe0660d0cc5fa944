/** What hastmond's final reply means for this program. */
import { exitCode } from '../daemon/process/sysexits.js';
import type { BalancerAnswer, BalancerRequest } from '../proto/balancer-types.js';
import type { ControlReply } from '../proto/control-types.js';
import type { MonitorAnswer, MonitorRequest } from '../proto/monitor-types.js';
import { CtlError } from './error.js';
import type { Session } from './run.js';
import { namedOnce } from './words.js';

/** For answers that hastmond has at hand, in milliseconds. */
export const ANSWER_MS = 10_000;
/** The same, for those of its balancer: a change of the kernel's table is one. */
export const BALANCER_MS = 15_000;

type Answer = BalancerAnswer | MonitorAnswer;
export type AnswerOf<K extends Answer['kind']> = Extract<Answer, { kind: K }>;

/** The reply, where hastmond did what was asked; what it did of it all the same is said before the error. */
export function succeeded(reply: ControlReply): ControlReply {
  if (reply.error === null) return reply;
  throw new CtlError(reply.error.code, namedOnce(`${reply.text}${reply.error.message}`));
}

/** Asks for an answer of this kind. Rejects with a CtlError where hastmond refuses, or gives another one. */
export async function answer<K extends Answer['kind']>(
  session: Session,
  request: BalancerRequest | MonitorRequest,
  kind: K,
  timeoutMs: number,
): Promise<AnswerOf<K>> {
  const { balancer, monitor } = succeeded(await session.ask(request, timeoutMs));
  const given = balancer ?? monitor;
  if (given?.kind !== kind)
    throw new CtlError(exitCode.protocol, `hastmond gave no answer of the kind '${kind}'`);
  return given as AnswerOf<K>;
}
