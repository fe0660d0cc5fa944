/** Asks hastmond for what its balancer knows. */
import { exitCode } from '../daemon/process/sysexits.js';
import type { BalancerAnswer, BalancerRequest } from '../proto/balancer-types.js';
import { succeeded } from './answer.js';
import { CtlError } from './error.js';
import type { Session } from './run.js';

/** For answers that the balancer has at hand; a change of the kernel's table is one. */
export const ANSWER_MS = 15_000;
type AnswerOf<K extends BalancerAnswer['kind']> = Extract<BalancerAnswer, { kind: K }>;

/** Asks for an answer of this kind. Rejects with a CtlError where hastmond refuses, or gives another one. */
export async function answer<K extends BalancerAnswer['kind']>(
  session: Session,
  request: BalancerRequest,
  kind: K,
): Promise<AnswerOf<K>> {
  const { balancer } = succeeded(await session.ask(request, ANSWER_MS));
  if (balancer?.kind !== kind)
    throw new CtlError(exitCode.protocol, `hastmond gave no answer of the kind '${kind}'`);
  return balancer as AnswerOf<K>;
}
