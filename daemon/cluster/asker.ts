/**
 * Asks other nodes what they see, over whichever connection there is. Rules N47… of docs/protocol-wire.md. It does not know what is asked.
 */
import { decodeReply, encodeRequest } from '../../proto/control-codec.js';
import type { ControlReply, ControlRequest } from '../../proto/control-types.js';
import type { HaEvent } from '../../proto/event-types.js';
import { controlFrameBytesMax, createFrameDecoder, FrameError } from '../../proto/frame.js';
import { ANSWER_BYTES_MAX, type InquiryMessage, type ReplyMessage } from '../../proto/inquiry-codec.js';
import { createReplyJoiner } from '../../proto/reply-joiner.js';
import type { NodeName } from '../core/types.js';
import { isTooMany } from './answerer.js';

export interface AskerOptions {
  send: (group: string, node: NodeName, message: InquiryMessage) => boolean;
}

export interface Asker {
  /**
   * The node's answer, with all events of it, within `limitMs`. Rejects with words for people where there is none: it is not connected, does
   * not answer in time, or refuses. An error that it reports is in the reply.
   */
  ask(node: NodeName, request: ControlRequest, limitMs: number): Promise<ControlReply>;
  reply(group: string, from: NodeName, message: ReplyMessage): void;
  /** A group of connections reaches the node, or does so no more. */
  link(group: string, node: NodeName, up: boolean): void;
  isLinked(node: NodeName): boolean;
  close(): void;
}

interface Question {
  group: string;
  node: NodeName;
  kind: ControlRequest['kind'];
  part: number;
  bytes: number;
  take: (bytes: Uint8Array) => ControlReply | null;
  end: (outcome: ControlReply | Error) => void;
}

export function createAsker(options: AskerOptions): Asker {
  /** The groups by which a node is reached. */
  const ways = new Map<NodeName, Set<string>>();
  const questions = new Map<number, Question>();
  let last = 0;

  function ask(node: NodeName, request: ControlRequest, limitMs: number): Promise<ControlReply> {
    const [group] = ways.get(node) ?? [];
    if (group === undefined) return Promise.reject(new Error('not connected'));
    const others = [...questions.values()].filter((other) => other.node === node);
    if (isTooMany(request.kind, others))
      return Promise.reject(new Error('it is being asked too much at once'));
    last += 1;
    const number = last;
    return new Promise((resolve, reject) => {
      const end = (outcome: ControlReply | Error): void => {
        clearTimeout(timer);
        questions.delete(number);
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      const late = `no answer for ${Math.round(limitMs)} ms`;
      const timer = setTimeout(() => end(new Error(late)), limitMs);
      questions.set(number, {
        ...{ group, node, kind: request.kind, part: 0, bytes: 0 },
        ...{ take: createReader(), end },
      });
      const sent = options.send(group, node, {
        kind: 'inquiry',
        number,
        part: 0,
        request: encodeRequest(request),
      });
      if (!sent) end(new Error('not connected'));
    });
  }

  function reply(group: string, from: NodeName, message: ReplyMessage): void {
    const question = questions.get(message.number);
    if (question === undefined || question.node !== from || question.group !== group) return;
    if (message.part !== question.part) return;
    if (message.refusal !== '') return question.end(new Error(`it refuses: ${message.refusal}`));
    question.bytes += message.bytes.length;
    if (question.bytes > ANSWER_BYTES_MAX) return question.end(new Error('its answer is too long'));
    const whole = read(question, message.bytes);
    if (whole !== null) return question.end(whole);
    if (!message.more) return question.end(new Error('its answer is not whole'));
    question.part += 1;
    const { number } = message;
    options.send(group, from, { kind: 'inquiry', number, part: question.part, request: new Uint8Array(0) });
  }

  return {
    ask,
    reply,
    link(group, node, up) {
      const groups = ways.get(node) ?? new Set();
      ways.set(node, groups);
      if (up) groups.add(group);
      else groups.delete(group);
      if (up) return;
      for (const question of [...questions.values()])
        if (question.node === node && question.group === group) question.end(new Error('link lost'));
    },
    isLinked: (node) => (ways.get(node)?.size ?? 0) > 0,
    close() {
      for (const question of [...questions.values()]) question.end(new Error('this daemon ends'));
    },
  };
}

/** What these bytes complete: the whole answer, or that they are none; null while more is to come. */
function read(question: Question, bytes: Uint8Array): ControlReply | Error | null {
  try {
    return question.take(bytes);
  } catch (error) {
    if (error instanceof FrameError || error instanceof NotUnderstood)
      return new Error(`its answer is not understood: ${error.message}`);
    throw error;
  }
}

class NotUnderstood extends Error {}

/** Reads an answer part by part; gives all of it with the last one. */
function createReader(): (bytes: Uint8Array) => ControlReply | null {
  const decoder = createFrameDecoder(controlFrameBytesMax);
  const events: HaEvent[] = [];
  const joiner = createReplyJoiner((part) => void events.push(...part.events));
  return (bytes) => {
    for (const frame of decoder.push(bytes)) {
      const decoded = decodeReply(frame);
      if (typeof decoded === 'string') throw new NotUnderstood(decoded);
      const whole = joiner.take(decoded);
      if (whole !== null) return { ...whole, events: [...events, ...whole.events] };
    }
    return null;
  };
}
