/** Requests from the client's namespace by load.c, and what became of them. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { clockMs } from './lab.js';

export interface Failure {
  /** How the load was, and where to. */
  of: string;
  /** Milliseconds of clockMs(). */
  began: number;
  at: number;
  connection: number;
  /** refused, reset, timeout, closed, cut, status N. */
  why: string;
}

export interface Load {
  readonly failures: readonly Failure[];
  /** Answers by server, to requests that began between these times. */
  counts(since?: number, until?: number): Map<string, number>;
  /** The connections that this server has answered on. */
  connectionsOf(name: string, since?: number): Set<number>;
  /** Resolves when so many requests have been answered that began after the call. */
  answers(count: number): Promise<void>;
  /** Lets every request end. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  /** A connection for each request, or one for all. */
  mode: 'new' | 'keep';
  address: string;
  connections: number;
  /** From one request of a connection to its next. */
  everyMs: number;
  /** A request that is not answered by then has failed; five seconds if not said. */
  limitMs?: number;
  /** How many connections it may open; 29,000 if not said, 1,000 where they are kept. */
  ports?: number;
}

/** No scene takes longer. */
const SECONDS_MAX = 900;
const WAIT_MS = 120_000;
/** Each load has ports of its own: what opens a connection for each request may need many. */
const PORTS = { new: 29_000, keep: 1000 };
const LAST_PORT = 65_535;
let nextPort = 2000;

export function startLoad({
  mode,
  address,
  connections,
  everyMs,
  limitMs = 5000,
  ports = PORTS[mode],
}: LoadOptions): Load {
  const firstPort = nextPort;
  nextPort += ports;
  if (nextPort > LAST_PORT) throw new Error('the loads want more ports than there are');
  const words = [mode, everyMs, address, 80, connections, SECONDS_MAX, limitMs, firstPort, ports].map(String);
  const child = spawn('ip', ['netns', 'exec', 'client', '/out/load', ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const failures: Failure[] = [];
  const answered: { began: number; connection: number; name: string }[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [kind, began, at, connection, ...words] = line.split(' ');
      const what = { began: Number(began), at: Number(at), connection: Number(connection) };
      if (kind === '=') answered.push({ ...what, name: words.join(' ') });
      else failures.push({ of: `${mode} ${address}`, ...what, why: words.join(' ') });
    }
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const counts: Load['counts'] = (since = 0, until = Infinity) => {
    const sums = new Map<string, number>();
    for (const { began, name } of answered)
      if (began > since && began < until) sums.set(name, (sums.get(name) ?? 0) + 1);
    return sums;
  };
  return {
    failures,
    counts,
    connectionsOf: (name, since = 0) =>
      new Set(answered.filter((one) => one.name === name && one.began > since).map((one) => one.connection)),
    async answers(count) {
      const since = clockMs();
      const end = performance.now() + WAIT_MS;
      for (;;) {
        const found = answered.filter(({ began }) => began > since).length;
        if (found >= count) return;
        if (performance.now() > end)
          throw new Error(`${found} of ${count} answers within ${WAIT_MS / 1000} s`);
        await sleep(50);
      }
    },
    async stop() {
      child.stdin.end();
      await closed;
    },
  };
}

/** What chi-squared exceeds with a probability of 1e-6, by degrees of freedom from 1. */
const CRITICAL = [23.93, 27.63, 30.66, 33.38, 35.89];

/** Whether the answers are shared out as the weights say; '' or how they are. */
export function unfair(
  counts: ReadonlyMap<string, number>,
  weights: Readonly<Record<string, number>>,
): string {
  const names = Object.keys(weights).filter((name) => weights[name] !== 0);
  const strangers = [...counts.keys()].filter((name) => !names.includes(name));
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const full = names.reduce((sum, name) => sum + (weights[name] ?? 0), 0);
  const squares = names.map((name) => {
    const expected = (all * (weights[name] ?? 0)) / full;
    return ((counts.get(name) ?? 0) - expected) ** 2 / expected;
  });
  const chi = squares.reduce((sum, square) => sum + square, 0);
  const critical = CRITICAL[names.length - 2] ?? 0;
  if (strangers.length === 0 && all >= 100 && (names.length < 2 || chi <= critical)) return '';
  const shown = [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
  return `${all} answers: ${shown}; by weights ${JSON.stringify(weights)}, chi-squared ${chi.toFixed(1)} (${critical})`;
}
