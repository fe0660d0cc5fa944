/** What the network has to know of nodes that are to be linked with each other. */
import type { Address, Key } from '../config/types.js';
import type { NodeName } from '../core/types.js';

/** The group of the nodes that monitor. No resource can have this name. */
export const MONITORING = '(monitoring)';

/** Nodes with connections of their own: those of a resource, or those that monitor. */
export interface LinkGroup {
  name: string;
  /** The members, this node among them; their order decides which of two crossing connections stays. */
  voters: readonly NodeName[];
  key: Key | null;
  /** Addresses that may connect (remote ones may too). */
  friends: readonly Address[];
  /** Addresses that this node connects to. */
  remote: readonly Address[];
  /** Limit of a connection attempt or an unanswered handshake, in milliseconds, as those that follow. */
  timeoutMs: number;
  heartbeatIntervalMs: number;
  /** A connection on which nothing arrives for so long is ended. */
  leaseTimeoutMs: number;
  /** True: the network says by itself, once in a heartbeat interval, that this node is there; else its owner's messages do. */
  probes?: boolean;
}
