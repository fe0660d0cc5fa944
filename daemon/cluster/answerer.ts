/**
 * Answers what other nodes ask. Rules N47… of docs/protocol-wire.md: questions that change nothing, bounded in number, bytes and time; a part
 * of an answer is sent when it is asked for, so that of an answer never more than one part lies before what the core has to say.
 */

import { decodeRequest, encodeReply } from '../../proto/control-codec.js';
import type { ControlReply, ControlRequest } from '../../proto/control-types.js';
import { encodeFrame } from '../../proto/frame.js';
import {
  ANSWER_BYTES_MAX,
  type InquiryMessage,
  PART_BYTES_MAX,
  type ReplyMessage,
} from '../../proto/inquiry-codec.js';
import type { NodeName } from '../core/types.js';
import { messageOf } from '../sys/errors.js';
import { whyNotAsked } from './may-ask.js';

/** Questions of one node that are under way at a time; one place is for `about` alone, by which nodes know of each other. */
export const INQUIRIES_MAX = 4;

/** True where one more of this kind is too many beside those of the same node that are under way. */
export function isTooMany(kind: string, others: readonly { kind: string }[]): boolean {
  if (kind === 'about') return others.length >= INQUIRIES_MAX;
  return others.filter((other) => other.kind !== 'about').length >= INQUIRIES_MAX - 1;
}

/** A question that has not come to its end after so long is dropped: who asked waits no more. */
const KEEP_MS = 30_000;
/** Where more than this waits on the connection, a part waits as well, and so long. */
const LOW_BYTES = 16 * 1024;
const PAUSE_MS = 20;

export interface AnswererOptions {
  send: (group: string, node: NodeName, message: ReplyMessage) => boolean;
  /** Bytes that wait on the connection. */
  waiting: (group: string, node: NodeName) => number;
  /** As on the control socket. */
  handle: (
    request: ControlRequest,
    reply: (partial: Partial<ControlReply>) => void,
    signal: AbortSignal,
    by: string,
  ) => Promise<Partial<ControlReply>>;
  /** A question was refused. */
  refused: (node: NodeName, why: string) => void;
}

export interface Answerer {
  inquiry(group: string, from: NodeName, message: InquiryMessage): void;
  /** The group's connection with the node is gone, and with it who would read the answers. */
  lost(group: string, node: NodeName): void;
  close(): void;
}

interface Answer {
  group: string;
  node: NodeName;
  number: number;
  kind: ControlRequest['kind'];
  frames: Buffer[];
  bytes: number;
  /** null while it is being made. */
  whole: Buffer | null;
  sent: number;
  abort: AbortController;
  timer: NodeJS.Timeout;
}

const EMPTY: ControlReply = {
  ...{ final: false, progress: '', error: null, status: [], text: '', monitor: null, balancer: null },
  ...{ events: [], explanations: [], cluster: null },
};

export function createAnswerer(options: AnswererOptions): Answerer {
  const answers = new Map<string, Answer>();
  const keyOf = (group: string, node: NodeName, number: number): string => `${group}\n${node}\n${number}`;

  function inquiry(group: string, from: NodeName, { number, part, request }: InquiryMessage): void {
    const key = keyOf(group, from, number);
    const known = answers.get(key);
    if (part > 0) {
      if (known?.whole && part === known.sent + 1) sendPart(key, known, part);
      return;
    }
    // Of an earlier process of that node.
    if (known !== undefined) drop(key, known);
    const decoded = decodeRequest(request);
    if (decoded.kind !== 'request') return refuse(group, from, number, 'the question is not understood here');
    const why = whyNotAsked(decoded.request, 'node');
    if (why !== '') {
      options.refused(from, why);
      return refuse(group, from, number, why);
    }
    const { kind } = decoded.request;
    if (!makeRoom(from, kind)) return refuse(group, from, number, 'too many questions at a time');
    const answer: Answer = {
      ...{ group, node: from, number, kind, frames: [], bytes: 0, whole: null, sent: 0 },
      abort: new AbortController(),
      timer: setTimeout(() => drop(key, answer), KEEP_MS),
    };
    answers.set(key, answer);
    void carryOut(key, answer, decoded.request);
  }

  /** Who asks more than it may has given up what it did not fetch, and does not say so: the oldest of these is dropped. */
  function makeRoom(from: NodeName, kind: ControlRequest['kind']): boolean {
    const own = [...answers].filter(([, { node }]) => node === from);
    const all = own.map(([, answer]) => answer);
    if (!isTooMany(kind, all)) return true;
    const oldest = own.find(
      ([, answer]) =>
        answer.whole !== null &&
        !isTooMany(
          kind,
          all.filter((other) => other !== answer),
        ),
    );
    if (oldest === undefined) return false;
    drop(...oldest);
    return true;
  }

  async function carryOut(key: string, answer: Answer, request: ControlRequest): Promise<void> {
    const { abort, group, node, number } = answer;
    const take = (reply: Partial<ControlReply>, final: boolean): void => {
      if (answer.bytes > ANSWER_BYTES_MAX) return;
      for (const payload of encodeReply({ ...EMPTY, ...reply, final })) {
        const frame = encodeFrame(payload);
        answer.frames.push(frame);
        answer.bytes += frame.length;
      }
    };
    let problem = '';
    try {
      take(await options.handle(request, (part) => take(part, false), abort.signal, `node ${node}`), true);
      if (answer.bytes > ANSWER_BYTES_MAX)
        problem = `the answer is longer than ${ANSWER_BYTES_MAX / 2 ** 20} MiB`;
    } catch (error) {
      problem = `internal error: ${messageOf(error)}`;
    }
    if (answers.get(key) !== answer) return;
    if (problem !== '') {
      drop(key, answer);
      return refuse(group, node, number, problem);
    }
    answer.whole = Buffer.concat(answer.frames);
    answer.frames = [];
    sendPart(key, answer, 0);
  }

  function sendPart(key: string, answer: Answer, part: number): void {
    const { group, node, number, whole } = answer;
    if (answers.get(key) !== answer || whole === null) return;
    if (options.waiting(group, node) > LOW_BYTES) {
      setTimeout(() => sendPart(key, answer, part), PAUSE_MS);
      return;
    }
    const end = (part + 1) * PART_BYTES_MAX;
    const more = end < whole.length;
    answer.sent = part;
    const bytes = whole.subarray(part * PART_BYTES_MAX, end);
    options.send(group, node, { kind: 'reply', number, part, bytes, more, refusal: '' });
    if (!more) drop(key, answer);
  }

  function refuse(group: string, node: NodeName, number: number, why: string): void {
    const refusal = why.replace(/\p{Cc}+/gu, ' ').slice(0, 200);
    options.send(group, node, {
      kind: 'reply',
      number,
      part: 0,
      bytes: new Uint8Array(0),
      more: false,
      refusal,
    });
  }

  function drop(key: string, answer: Answer): void {
    clearTimeout(answer.timer);
    answer.abort.abort();
    if (answers.get(key) === answer) answers.delete(key);
  }

  return {
    inquiry,
    lost(group, node) {
      for (const [key, answer] of answers)
        if (answer.group === group && answer.node === node) drop(key, answer);
    },
    close() {
      for (const [key, answer] of answers) drop(key, answer);
    },
  };
}
