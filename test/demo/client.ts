/** A client of the demo's service: asks again and again, and remembers who answered when. */
import { get } from 'node:http';

export interface Answer {
  /** Wall-clock milliseconds, to stand beside the times of the logs. */
  at: number;
  node: string;
  epoch: number;
}

export interface Client {
  answers: readonly Answer[];
  /** Resolves at the first answer after now that `wanted` likes; rejects after `limitMs`. */
  next(wanted: (answer: Answer) => boolean, limitMs: number): Promise<Answer>;
  /** The longest time without an answer since `from`. */
  longestGapMs(from: number): number;
  stop(): void;
}

const INTERVAL_MS = 5;
const TIMEOUT_MS = 500;

/** Starts asking; the connection is made anew for every question, as a client that has lost the server does. */
export function startClient(port: number): Client {
  const answers: Answer[] = [];
  const waiting = new Set<(answer: Answer) => void>();
  let stopped = false;

  function ask(): void {
    if (stopped) return;
    const again = (): void => void setTimeout(ask, INTERVAL_MS);
    const request = get({ port, host: '127.0.0.1', agent: false, timeout: TIMEOUT_MS }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => {
        const [node = '', epoch = ''] = text.trim().split(' ');
        const answer = { at: Date.now(), node, epoch: Number(epoch) };
        answers.push(answer);
        for (const look of waiting) look(answer);
      });
      response.on('close', again);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', again);
  }

  ask();
  return {
    answers,
    next(wanted, limitMs) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`the service has not answered as expected within ${limitMs / 1000} s`));
        }, limitMs);
        const look = (answer: Answer): void => {
          if (!wanted(answer)) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(answer);
        };
        waiting.add(look);
      });
    },
    longestGapMs(from) {
      let longest = 0;
      let last = from;
      for (const { at } of answers) {
        if (at < from) continue;
        longest = Math.max(longest, at - last);
        last = at;
      }
      return longest;
    },
    stop() {
      stopped = true;
    },
  };
}
