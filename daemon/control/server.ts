/**
 * The control socket: a UNIX stream socket on which hastmonctl talks to the main process. Rules N40… of
 * docs/protocol-wire.md. Knows frames, clients and file permissions; does not know what a request means.
 */
import type { ControlReply, ControlRequest } from '../../proto/control-types.js';
import type { ControlConfig } from '../config/types.js';
import type { NetLog } from '../net/log.js';

export interface ControlServerOptions {
  config: ControlConfig;
  /**
   * Carries a request out and gives the final reply. `reply` sends progress (or part of a long answer) before it.
   * `signal` is aborted when the client goes away or the server closes. A rejection is answered with EX_SOFTWARE.
   */
  handle: (
    request: ControlRequest,
    reply: (partial: Partial<ControlReply>) => void,
    signal: AbortSignal,
  ) => Promise<Partial<ControlReply>>;
  log: NetLog;
}

export interface ControlServer {
  /** Opens the socket; rejects with a message for people where that is impossible (somebody answers there, …). */
  listen(): Promise<void>;
  /** Ends all clients and removes the socket file. */
  close(): Promise<void>;
}
