/** What a node asks another one for people, and the answer in parts. Rules N47… of docs/protocol-wire.md. */
import * as check from './check.js';
import type { hastmon } from './gen/peer.js';

/** The bytes of a request, and of one part of an answer. */
export const INQUIRY_BYTES_MAX = 16 * 1024;
export const PART_BYTES_MAX = 16 * 1024;
/** The bytes of a whole answer. */
export const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
const PARTS_MAX = ANSWER_BYTES_MAX / PART_BYTES_MAX;

/** A question, with part 0 and a request; later parts, without one, ask for that part of the answer. */
export interface InquiryMessage {
  kind: 'inquiry';
  /** Of the asker's, by which it knows the answer; at least 1. */
  number: number;
  part: number;
  request: Uint8Array;
}

export interface ReplyMessage {
  kind: 'reply';
  number: number;
  part: number;
  /** Of the answer: frames with a ControlReply each, cut anywhere. */
  bytes: Uint8Array;
  /** Further parts follow, each when it is asked for. */
  more: boolean;
  /** Why there is no answer, '' where there is one. */
  refusal: string;
}

/** Throws `Invalid`. */
export function inquiryFromWire(wire: hastmon.Inquiry.$Properties): InquiryMessage {
  return {
    kind: 'inquiry',
    number: check.counter('inquiry.number', wire.number, 1),
    part: check.numberWithin('inquiry.part', wire.part, 0, PARTS_MAX),
    request: check.bytes('inquiry.request', wire.request, INQUIRY_BYTES_MAX),
  };
}

/** Throws `Invalid`. */
export function replyFromWire(wire: hastmon.Reply.$Properties): ReplyMessage {
  return {
    kind: 'reply',
    number: check.counter('reply.number', wire.number, 1),
    part: check.numberWithin('reply.part', wire.part, 0, PARTS_MAX),
    bytes: check.bytes('reply.bytes', wire.bytes, PART_BYTES_MAX),
    more: wire.more ?? false,
    refusal: check.nameOrNone('reply.refusal', wire.refusal),
  };
}
