/** Requests to the monitor process that wait for their answers: each is answered, or refused, once. */
import type { MainToMonitor, MonitorToMain } from '../checks/ipc.js';

type Kind = Extract<MonitorToMain, { request: number }>['kind'];
type AnswerOf<K extends Kind> = Extract<MonitorToMain, { kind: K }>;

export interface MonitorRequests {
  /** Resolves with the answer; rejects where none has come in time. `message` is given the request's number. */
  ask<K extends Kind>(
    kind: K,
    message: (request: number) => MainToMonitor,
    limitMs?: number,
  ): Promise<AnswerOf<K>>;
  answered(answer: Extract<MonitorToMain, { request: number }>): void;
  /** Nobody answers any more. */
  abandon(reason: string): void;
}

interface Pending {
  resolve(answer: MonitorToMain): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** Longer than any check may take. */
const ANSWER_MS = 60_000;

/** `tell` sends to the process. */
export function createMonitorRequests(tell: (message: MainToMonitor) => void): MonitorRequests {
  const pending = new Map<number, Pending>();
  let last = 0;
  return {
    ask(kind, message, limitMs = ANSWER_MS) {
      last += 1;
      const request = last;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          pending.delete(request);
          reject(new Error('the monitor process does not answer'));
        }, limitMs);
        const answered = (answer: MonitorToMain): void => {
          if (answer.kind === kind) resolve(answer as AnswerOf<typeof kind>);
          else reject(new Error(`${kind} was asked for, and ${answer.kind} answered`));
        };
        pending.set(request, { resolve: answered, reject, timer });
        tell(message(request));
      });
    },
    answered(answer) {
      const waiting = pending.get(answer.request);
      if (waiting === undefined) return;
      pending.delete(answer.request);
      clearTimeout(waiting.timer);
      waiting.resolve(answer);
    },
    abandon(reason) {
      for (const { reject, timer } of pending.values()) {
        clearTimeout(timer);
        reject(new Error(reason));
      }
      pending.clear();
    },
  };
}
