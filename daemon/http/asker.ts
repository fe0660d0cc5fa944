/**
 * Questions to the main process: equal ones that come close together are one, an answer is used for a fraction of a second, and
 * nobody waits for longer than a bound. It does not know what is asked.
 */
import type { ControlReply } from '../../proto/control-types.js';
import type { DaemonFigures, HttpAnswer, HttpQuestion } from './ipc.js';
import { joinParts } from './join.js';

export type Answered =
  | { kind: 'answer'; reply: Partial<ControlReply>; figures: DaemonFigures | null; ageMs: number }
  /** The main process has not answered in time; `knownMs`: since it last answered anything, null: it never has. */
  | { kind: 'silent'; knownMs: number | null }
  /** It was not asked: too many other questions are under way. */
  | { kind: 'busy' };

export interface AskOptions {
  /** How long it is waited for at most. */
  limitMs?: number;
  /** Asked even where too many others are under way: whether hastmond answers at all is not to depend on what viewers ask. */
  reserved?: boolean;
  /** What was answered before, or is being answered, will not do. */
  anew?: boolean;
}

export interface Asker {
  /** Never rejects. */
  ask(what: HttpQuestion, options?: AskOptions): Promise<Answered>;
  /** A part of an answer has come. */
  heard(answer: HttpAnswer): void;
  /** Something has happened: what was answered before is not used again, nor what is being answered for who asks from now on. */
  forget(): void;
}

export interface AskerOptions {
  send(question: number, what: HttpQuestion): void;
  /** Milliseconds that go on while the machine sleeps, and never go back. */
  clock: () => number;
}

/** An answer is used again for so long. */
export const FRESH_MS = 250;
/** The main process waits for others itself, such as the balancer. */
const LIMIT_MS = 5000;
/** Questions that are under way; so many different ones at once are asked by nobody who means well. */
const QUESTIONS_MAX = 48;
/** Of those that are reserved, beside the others: one for each resource, and a few. */
const RESERVED_MAX = 64;
/** One that has not been answered for so long is not any more. */
const FORGET_MS = 60_000;

interface Question {
  key: string;
  reserved: boolean;
  parts: Partial<ControlReply>[];
  /** What comes of it, and when that came; the whole answer is joined once. */
  done: Promise<Done>;
  finish(done: Done): void;
  askedAt: number;
  /** When the answer came; null while it is waited for. */
  answeredAt: number | null;
}

interface Done {
  reply: Partial<ControlReply>;
  figures: DaemonFigures | null;
}

export function createAsker({ clock, send }: AskerOptions): Asker {
  const byKey = new Map<string, Question>();
  const byNumber = new Map<number, Question>();
  let last = 0;
  let knownAt: number | null = null;

  function silent(): Answered {
    return { kind: 'silent', knownMs: knownAt === null ? null : clock() - knownAt };
  }

  function put(
    what: HttpQuestion,
    key: string,
    { anew = false, reserved = false }: AskOptions,
  ): Question | null {
    for (const [number, { askedAt, key: old }] of byNumber)
      if (clock() - askedAt > FORGET_MS) {
        byNumber.delete(number);
        byKey.delete(old);
      }
    const alike = [...byNumber.values()].filter((other) => other.reserved === reserved).length;
    if (alike >= (reserved ? RESERVED_MAX : QUESTIONS_MAX)) return null;
    last += 1;
    let finish: Question['finish'] = () => {};
    const done = new Promise<Done>((resolve) => {
      finish = resolve;
    });
    const question: Question = { key, reserved, parts: [], done, finish, askedAt: clock(), answeredAt: null };
    if (!anew) byKey.set(key, question);
    byNumber.set(last, question);
    send(last, what);
    return question;
  }

  /** Of equal questions the one that is being answered, or was a moment ago. */
  function known(key: string): Question | null {
    const question = byKey.get(key) ?? null;
    if (question === null || question.answeredAt === null) return question;
    return clock() - question.answeredAt < FRESH_MS ? question : null;
  }

  async function ask(what: HttpQuestion, options: AskOptions = {}): Promise<Answered> {
    const key = JSON.stringify(what);
    const question = (options.anew ? null : known(key)) ?? put(what, key, options);
    if (question === null) return { kind: 'busy' };
    const found = await within(question.done, options.limitMs ?? LIMIT_MS);
    if (found === null) return silent();
    // It may have been so when the question was asked, and not when the answer came.
    return { kind: 'answer', ...found, ageMs: Math.max(0, clock() - question.askedAt) };
  }

  return {
    ask,
    forget() {
      byKey.clear();
    },
    heard({ figures, final, question: number, reply }) {
      knownAt = clock();
      const question = byNumber.get(number);
      if (question === undefined) return;
      question.parts.push(reply);
      if (!final) return;
      byNumber.delete(number);
      question.answeredAt = knownAt;
      question.finish({ reply: joinParts(question.parts), figures });
      setTimeout(() => {
        if (byKey.get(question.key) === question) byKey.delete(question.key);
      }, FRESH_MS).unref();
    },
  };
}

function within<T>(promise: Promise<T>, limitMs: number): Promise<T | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), limitMs);
    void promise.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
