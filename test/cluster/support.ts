/** What the tests of what all nodes say share: words of nodes, and two nodes with a link between them. */

import { type AnswererOptions, createAnswerer } from '../../daemon/cluster/answerer.js';
import { type Asker, createAsker } from '../../daemon/cluster/asker.js';
import type { NodeReport, NodeSaid } from '../../proto/cluster-types.js';
import { decodePeerMessage, encodePeerMessage, type LinkMessage } from '../../proto/codec.js';
import type { ControlReply, StatusEntry } from '../../proto/control-types.js';
import { entryOf } from '../ctl/support.js';

export const NOTHING: ControlReply = {
  ...{ final: true, progress: '', error: null, status: [], text: '', monitor: null, balancer: null },
  ...{ events: [], explanations: [], cluster: null },
};

export function saidOf(...status: StatusEntry[]): NodeSaid {
  return { version: '0.1.0', uptimeMs: 1000, status, checks: null, balancer: null };
}

/** A node that runs the resource under this epoch. */
export function runs(resource: string, epoch: number): StatusEntry {
  const { lease } = entryOf();
  return entryOf({ resource, state: 'run', lease: { ...lease, epoch } });
}

export function reportOf(node: string, said: NodeSaid | null, other: Partial<NodeReport> = {}): NodeReport {
  return { ...{ node, self: false, note: '', heardMs: 100, ageMs: 5, said }, ...other };
}

export interface Pair {
  asker: Asker;
  /** Messages that were sent, with their bytes, in order. */
  sent: { kind: string; bytes: number }[];
  refused: string[];
  /** Drops everything from now on. */
  cut(): void;
  close(): void;
}

/** `here` asks `there` over the group `shared`; `waiting` is what lies on the connection before an answer. */
export function pairOf(handle: AnswererOptions['handle'], waiting: () => number = () => 0): Pair {
  const sent: Pair['sent'] = [];
  const refused: string[] = [];
  let whole = true;
  const over = (message: LinkMessage, take: (message: LinkMessage) => void): boolean => {
    const bytes = encodePeerMessage(message);
    sent.push({ kind: message.kind, bytes: bytes.length });
    const decoded = decodePeerMessage(bytes);
    if (decoded.kind !== 'message') throw new Error(`sent what is ${decoded.kind}`);
    if (whole) setImmediate(() => take(decoded.message));
    return true;
  };
  const answerer = createAnswerer({
    send: (group, _node, message) =>
      over(message, (heard) => heard.kind === 'reply' && asker.reply(group, 'there', heard)),
    waiting,
    handle,
    refused: (node, why) => void refused.push(`${node}: ${why}`),
  });
  const asker = createAsker({
    send: (group, _node, message) =>
      over(message, (heard) => heard.kind === 'inquiry' && answerer.inquiry(group, 'here', heard)),
  });
  asker.link('shared', 'there', true);
  return {
    ...{ asker, sent, refused },
    cut() {
      whole = false;
    },
    close() {
      asker.close();
      answerer.close();
    },
  };
}

export const text = (reply: ControlReply): string => reply.text;
