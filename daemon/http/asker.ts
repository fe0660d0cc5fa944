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
  | { kind: 'silent'; knownMs: number | null };

export interface Asker {
  /** Waits for `limitMs` at most. Never rejects. */
  ask(what: HttpQuestion, limitMs?: number): Promise<Answered>;
  /** A part of an answer has come. */
  heard(answer: HttpAnswer): void;
  /** Something has happened: what was answered before is not used again. */
  forget(): void;
}

export interface AskerOptions {
  send(question: number, what: HttpQuestion): void;
  /** Milliseconds, never going back. */
  clock: () => number;
}

/** An answer is used again for so long. */
export const FRESH_MS = 250;
/** The main process waits for others itself, such as the balancer. */
const LIMIT_MS = 5000;
/** Questions that are under way; so many different ones at once are asked by nobody who means well. */
const QUESTIONS_MAX = 48;
/** One that has not been answered for so long is not any more. */
const FORGET_MS = 60_000;

interface Question {
  key: string;
  parts: Partial<ControlReply>[];
  /** What comes of it, and when that came; the whole answer is joined once. */
  done: Promise<Done>;
  finish(done: Done): void;
  askedAt: number;
}

interface Done {
  reply: Partial<ControlReply>;
  figures: DaemonFigures | null;
  at: number;
}

export function createAsker({ clock, send }: AskerOptions): Asker {
  const byKey = new Map<string, Question>();
  const byNumber = new Map<number, Question>();
  let last = 0;
  let knownAt: number | null = null;

  function silent(): Answered {
    return { kind: 'silent', knownMs: knownAt === null ? null : clock() - knownAt };
  }

  function put(key: string, what: HttpQuestion): Question | null {
    for (const [number, { askedAt, key: old }] of byNumber)
      if (clock() - askedAt > FORGET_MS) {
        byNumber.delete(number);
        byKey.delete(old);
      }
    if (byNumber.size >= QUESTIONS_MAX) return null;
    last += 1;
    let finish: Question['finish'] = () => {};
    const done = new Promise<Done>((resolve) => {
      finish = resolve;
    });
    const question = { key, parts: [], done, finish, askedAt: clock() };
    byKey.set(key, question);
    byNumber.set(last, question);
    send(last, what);
    return question;
  }

  async function ask(what: HttpQuestion, limitMs = LIMIT_MS): Promise<Answered> {
    const key = JSON.stringify(what);
    const question = byKey.get(key) ?? put(key, what);
    if (question === null) return silent();
    const found = await within(question.done, limitMs);
    if (found === null) return silent();
    const { at, figures, reply } = found;
    return { kind: 'answer', reply, figures, ageMs: Math.max(0, clock() - at) };
  }

  return {
    ask,
    forget() {
      const underWay = new Set(byNumber.values());
      for (const [key, question] of byKey) if (!underWay.has(question)) byKey.delete(key);
    },
    heard({ figures, final, question: number, reply }) {
      knownAt = clock();
      const question = byNumber.get(number);
      if (question === undefined) return;
      question.parts.push(reply);
      if (!final) return;
      byNumber.delete(number);
      question.finish({ reply: joinParts(question.parts), figures, at: knownAt });
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
