/** What hastmond's final reply means for this program. */
import type { ControlReply } from '../proto/control-types.js';
import { CtlError } from './error.js';

/** The reply, where hastmond did what was asked; what it did of it all the same is said before the error. */
export function succeeded(reply: ControlReply): ControlReply {
  if (reply.error === null) return reply;
  throw new CtlError(reply.error.code, `${reply.text}${reply.error.message}`);
}
