/** Talks to hastmond over its control socket. Knows sockets and frames; does not know how anything is printed. */
import type { ControlReply, ControlRequest } from '../proto/control-types.js';

/** A failure to reach hastmond or to understand it; `code` is from sysexits(3). */
export class ControlFailure extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export type Call = (
  path: string,
  request: ControlRequest,
  onProgress: (reply: ControlReply) => void,
  timeoutMs: number,
) => Promise<ControlReply>;
